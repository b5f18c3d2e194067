"""Accounts, lines and the phone book are remembered alike on SQLite and PostgreSQL; secrets are never in the clear."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import text
from store_house import ACCOUNT, KEY, LINE, account, database_url, db, kept, line  # noqa: F401

from server.core.book import BookRow
from server.core.directory import Lead
from server.core.errors import ConfigError
from server.core.messages import AlertView, DirectoryView
from server.core.records import Prefs, Seat, Tokens, User
from server.core.rights import Rights
from server.core.vocabulary import NoticeWay
from server.settings import Settings
from server.sql import Stmt, connect
from server.store.migrate import migrate
from server.wiring import Stores, stores

DIGITS = "9161234567"
SECRETS = ("access-token", "refresh-token", "vendor-secret", f"path-of-{LINE}", "79161234567")

# -- accounts ----------------------------------------------------------------------------------------------------------


async def test_an_account_comes_back_whole(kept: Stores) -> None:  # noqa: F811
    """What was stored of an account is what is found, tokens included."""
    await kept.accounts.put(account())

    assert await kept.accounts.all() == [account()]


async def test_a_new_authorisation_keeps_what_was_chosen(kept: Stores) -> None:  # noqa: F811
    """Installing again renews tokens and state; preferences and the copy's progress stay."""
    prefs, progress = Prefs(notice=NoticeWay.BOTH), DirectoryView(is_complete=True, contacts=5)
    await kept.accounts.put(account())
    await kept.accounts.change_prefs(ACCOUNT, lambda _: prefs)
    await kept.accounts.set_progress(ACCOUNT, progress)
    await kept.accounts.set_state(ACCOUNT, "token_dead")

    await kept.accounts.put(account(tokens=Tokens("new", "newer", 7)))

    expected = account(tokens=Tokens("new", "newer", 7), prefs=prefs, progress=progress)
    assert await kept.accounts.all() == [expected]


async def test_fresh_tokens_replace_the_old_ones(kept: Stores) -> None:  # noqa: F811
    """A refreshed pair is found at once, and only for its own account."""
    await kept.accounts.put(account())
    await kept.accounts.put(account(2))

    await kept.accounts.set_tokens(2, Tokens("a2", "r2", 8))

    assert [one.tokens for one in await kept.accounts.all()] == [Tokens("a2", "r2", 8), account().tokens]


async def test_a_one_time_token_is_spent_once(kept: Stores) -> None:  # noqa: F811
    """Of many sessions that bring one token, one is the first; the others learn who that was."""
    claims = [kept.accounts.spend("j", account_id=ACCOUNT, user_id=7, exp_ms=100) for _ in range(5)]

    assert sorted(await asyncio.gather(*claims), key=str) == [7, 7, 7, 7, None]


async def test_another_accounts_token_has_no_spender(kept: Stores) -> None:  # noqa: F811
    """Who brings a token that another account spent does not learn by whom."""
    await kept.accounts.spend("j", account_id=1, user_id=7, exp_ms=100)

    assert await kept.accounts.spend("j", account_id=2, user_id=7, exp_ms=100) == -1


async def test_spent_tokens_are_forgotten_by_age(kept: Stores) -> None:  # noqa: F811
    """A token that its age refuses anyway need not be remembered; a younger one must."""
    await kept.accounts.spend("old", account_id=1, user_id=7, exp_ms=100)
    await kept.accounts.spend("young", account_id=1, user_id=7, exp_ms=300)

    await kept.accounts.forget_tokens(200)

    assert await kept.accounts.spend("old", account_id=1, user_id=8, exp_ms=100) is None
    assert await kept.accounts.spend("young", account_id=1, user_id=8, exp_ms=300) == 7


async def test_users_are_replaced_whole(kept: Stores) -> None:  # noqa: F811
    """A user who left amoCRM is gone; another account's users stay."""

    def user(user_id: int, letter: str) -> User:
        rights = Rights(user_id=user_id, group_id=3, is_admin=False, view={"contacts": letter})
        return User(user_id, f"Имя {user_id}", 3, is_admin=False, is_active=True, rights=rights)

    await kept.accounts.set_users(ACCOUNT, [user(1, "A"), user(2, "G")])
    await kept.accounts.set_users(2, [user(9, "M")])

    await kept.accounts.set_users(ACCOUNT, [user(2, "D")])

    assert await kept.accounts.users(ACCOUNT) == [user(2, "D")]
    assert await kept.accounts.users(2) == [user(9, "M")]


async def test_an_alert_is_raised_once_per_subject(kept: Stores) -> None:  # noqa: F811
    """The same thing amiss is told once until it is dropped."""

    async def rise(subject: str) -> bool:
        return await kept.accounts.raise_alert(ACCOUNT, "a", subject=subject, details={"extension": subject}, at_ms=1)

    assert [await rise("201"), await rise("201"), await rise("202")] == [True, False, True]
    assert AlertView(slug="a", details={"extension": "201"}) in await kept.accounts.alerts(ACCOUNT)

    await kept.accounts.drop_alerts(ACCOUNT, "a")

    assert await kept.accounts.alerts(ACCOUNT) == []
    assert await rise("201")


# -- lines -------------------------------------------------------------------------------------------------------------


async def test_a_line_comes_back_whole_and_changes(kept: Stores) -> None:  # noqa: F811
    """Name, address, credentials and options of a line change; when a webhook came last stays."""
    await kept.lines.put(line())
    await kept.lines.touch(LINE, 77)
    changed = line(name="Другая", path="new-path", credentials={"user": "v"}, our_lines=("+74950000000",))

    await kept.lines.put(changed)

    assert await kept.lines.all() == [structs.replace(changed, last_hook_ms=77)]


async def test_removing_a_line_removes_its_seats(kept: Stores) -> None:  # noqa: F811
    """Nobody sits at an extension of a line that is gone."""
    await kept.lines.put(line())
    await kept.lines.put(line("l_2"))
    await kept.lines.set_seats(ACCOUNT, [Seat(LINE, "201", 1), Seat("l_2", "201", 2)])

    await kept.lines.remove(LINE)

    assert [one.id for one in await kept.lines.all()] == ["l_2"]
    assert await kept.lines.seats() == {ACCOUNT: [Seat("l_2", "201", 2)]}


async def test_seats_are_replaced_per_account(kept: Stores) -> None:  # noqa: F811
    """A new map replaces the account's old one and leaves other accounts' maps alone; a seat named twice is one."""
    await kept.lines.set_seats(ACCOUNT, [Seat(LINE, "201", 1)])
    await kept.lines.set_seats(2, [Seat("l_9", "300", 5)])

    await kept.lines.set_seats(ACCOUNT, [Seat(LINE, "202", 1), Seat(LINE, "202", 1)])

    assert await kept.lines.seats() == {ACCOUNT: [Seat(LINE, "202", 1)], 2: [Seat("l_9", "300", 5)]}


# -- secrets -----------------------------------------------------------------------------------------------------------


async def fill_secrets(stores_: Stores) -> None:
    await stores_.accounts.put(account())
    await stores_.lines.put(line())
    await stores_.hooks.put(LINE, key="k", received_ms=1, raw=b'{"from": "79161234567"}')


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_secrets_are_not_in_the_file(tmp_path: Path) -> None:
    """Who steals the database file (and its log) finds no token, credential, webhook address or webhook in it."""
    url = f"sqlite:///{tmp_path / 'k.db'}"
    database = await connect(url)
    await migrate(database, url)
    await fill_secrets(stores(Settings(secret_key=KEY), database))

    files = everything_in(tmp_path)
    await database.close()
    files += everything_in(tmp_path)

    assert b"demo.amocrm.ru" in files
    assert [secret for secret in SECRETS if secret.encode() in files] == []


async def test_a_rotated_key_opens_everything(kept: Stores) -> None:  # noqa: F811
    """With a new key before the old one, everything stored is still read; with the new one alone, nothing is."""
    await fill_secrets(kept)

    rotated = stores(Settings(secret_key=f"{'n' * 32},{KEY}"), kept.db)
    assert (await rotated.accounts.all(), await rotated.lines.all()) == ([account()], [line()])
    assert len(await rotated.hooks.unread()) == 1
    foreign = stores(Settings(secret_key="n" * 32), kept.db)
    for read in (foreign.accounts.all, foreign.lines.all, foreign.hooks.unread):
        with pytest.raises(ConfigError, match="secret_key"):
            await read()


@pytest.mark.parametrize(("table", "column"), [("account", "tokens"), ("line", "secrets")])
async def test_a_sealed_value_moved_to_another_row_is_refused(kept: Stores, table: str, column: str) -> None:  # noqa: F811
    """Who can write to the database cannot give one account another's authorisation."""
    for one in (account(), account(2)):
        await kept.accounts.put(one)
    for other in (line(), line("l_2")):
        await kept.lines.put(other)

    await kept.db.write(Stmt(text(f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} ORDER BY id LIMIT 1)")))  # noqa: S608

    with pytest.raises(ConfigError, match="moved"):
        await (kept.accounts.all() if table == "account" else kept.lines.all())


# -- the phone book ----------------------------------------------------------------------------------------------------

IVAN = BookRow(id=1, name="Иван", owner_id=7, company_id=5, updated_s=100, phones=(DIGITS, "4951112233"))
OOO = BookRow(id=5, name="ООО", owner_id=8, updated_s=90, phones=("4951112233",))
DEAL = BookRow(id=50, name="Сделка", owner_id=7, updated_s=110, bonds=(("contacts", 1), ("companies", 5)))


async def book(kept_: Stores) -> None:
    await kept_.directory.put(ACCOUNT, "companies", [OOO])
    await kept_.directory.put(ACCOUNT, "contacts", [IVAN])
    await kept_.directory.put(ACCOUNT, "leads", [DEAL])


async def test_a_number_finds_people_with_company_and_open_leads(kept: Stores) -> None:  # noqa: F811
    """One look-up tells who it is, where he works, and which deals are open."""
    await book(kept)

    (found,) = await kept.directory.find(ACCOUNT, DIGITS)

    assert (found.noun, found.id, found.name, found.owner_id) == ("contacts", 1, "Иван", 7)
    assert (found.company_id, found.company_name) == (5, "ООО")
    assert found.leads == (Lead(50, "Сделка", 7, 0, 110),)


async def test_a_shared_number_finds_everybody(kept: Stores) -> None:  # noqa: F811
    """A contact and a company with one number are both found."""
    await book(kept)

    assert {one.noun for one in await kept.directory.find(ACCOUNT, "4951112233")} == {"contacts", "companies"}


@pytest.mark.parametrize(("account_id", "digits"), [(2, DIGITS), (ACCOUNT, "161234567"), (ACCOUNT, "9161234568")])
async def test_other_accounts_and_other_numbers_find_nobody(
    kept: Stores,  # noqa: F811
    account_id: int,
    digits: str,
) -> None:
    """The comparison is exact, and no account looks into another's book."""
    await book(kept)

    assert await kept.directory.find(account_id, digits) == []


async def test_a_changed_contact_is_replaced_whole(kept: Stores) -> None:  # noqa: F811
    """A number that was taken off a contact does not find it any more; its deals stay its own."""
    await book(kept)

    await kept.directory.put(ACCOUNT, "contacts", [structs.replace(IVAN, name="Иван И.", phones=("9990001122",))])

    assert await kept.directory.find(ACCOUNT, DIGITS) == []
    (found,) = await kept.directory.find(ACCOUNT, "9990001122")
    assert (found.name, len(found.leads)) == ("Иван И.", 1)


async def test_a_closed_lead_is_not_shown(kept: Stores) -> None:  # noqa: F811
    """A deal that was won or lost leaves the card."""
    await book(kept)

    await kept.directory.put(ACCOUNT, "leads", [structs.replace(DEAL, is_open=False)])

    assert (await kept.directory.find(ACCOUNT, DIGITS))[0].leads == ()


async def test_a_lead_that_moved_leaves_its_old_contact(kept: Stores) -> None:  # noqa: F811
    """A deal's people are replaced whole."""
    await book(kept)

    await kept.directory.put(ACCOUNT, "leads", [structs.replace(DEAL, bonds=(("companies", 5),))])

    assert (await kept.directory.find(ACCOUNT, DIGITS))[0].leads == ()


async def test_a_removed_contact_is_not_found(kept: Stores) -> None:  # noqa: F811
    """A contact deleted in amoCRM is gone with its numbers; another account's of the same id is not."""
    await book(kept)
    await kept.directory.put(2, "contacts", [IVAN])

    await kept.directory.remove(ACCOUNT, "contacts", [1])

    assert await kept.directory.find(ACCOUNT, DIGITS) == []
    assert len(await kept.directory.find(2, DIGITS)) == 1
    assert await kept.directory.counts(ACCOUNT) == {"companies": 1, "leads": 1}


async def test_a_page_with_one_entity_twice_is_taken(kept: Stores) -> None:  # noqa: F811
    """amoCRM may tell an entity twice while pages shift: the last one stands."""
    await kept.directory.put(ACCOUNT, "contacts", [IVAN, structs.replace(IVAN, name="Иван II")])

    assert [one.name for one in await kept.directory.find(ACCOUNT, DIGITS)] == ["Иван II"]
