"""Accounts: installed, authorised anew, switched off; users and alerts."""

import asyncio

import msgspec
import pytest
from fakes.clock import START_MS
from fakes.house import ACCOUNT, OLGA, OTHER_ACCOUNT, PAVEL, STRANGER, USERS, House
from msgspec import structs

from server.core.crm import Grant
from server.core.errors import AccountUnknown, CrmTokenDead, CrmUnavailable, HostForeign, NotFound, StoreUnavailable
from server.core.jobs import Job, Park
from server.core.records import DISABLED, TOKEN_DEAD, Tokens
from server.core.vocabulary import Bye, NoticeWay

NEW = 31_000_777
HOST = "shop.amocrm.ru"
TOKENS = Tokens("new-access", "new-refresh", START_MS + 86_400_000)


async def authorised(house: House, account_id: int = NEW) -> list[Job]:
    """A whole authorisation; the jobs that follow it."""
    house.crm.grants["code-1"] = Grant(account_id, "Магазин", TOKENS)
    await house.accounts.authorise("code-1", HOST)
    await house.accounts.exchange(house.shelf.of("exchange")[-1:])
    return house.shelf.of("crawl")


@pytest.mark.parametrize("referer", ["evil.example", "evilamocrm.ru", "amocrm.ru.evil.example", "127.0.0.1:8800", ""])
async def test_a_foreign_referer_is_refused_before_anything_is_put(house: House, referer: str) -> None:
    """Whoever got the exchange request would get the integration's secret."""
    with pytest.raises(HostForeign):
        await house.accounts.authorise("code-1", referer)

    assert house.shelf.jobs == []


async def test_a_code_is_exchanged_in_the_background(house: House) -> None:
    """amoCRM's hook waits three seconds and is never repeated: the code becomes a job, good for as long as it lives."""
    await house.accounts.authorise("code-1", HOST)

    (job,) = house.shelf.jobs
    assert (job.lane, job.kind, job.dead_ms) == (f"oauth:https://{HOST}", "exchange", START_MS + 20 * 60_000)
    assert house.crm.asked == []


async def test_an_exchanged_code_makes_an_account(house: House) -> None:
    """Known at once and after a restart; the phone book is copied next."""
    (crawl,) = await authorised(house)

    for one in (house, await house.again()):
        known = one.accounts.get(NEW)
        assert (known.origin, known.name, known.tokens) == (f"https://{HOST}", "Магазин", TOKENS)
    assert house.crm.asked == [("exchange", f"https://{HOST}", "code-1")]
    assert (crawl.kind, crawl.lane) == ("crawl", f"crawl:{NEW}")


async def test_a_dead_code_is_parked(house: House) -> None:
    """Asking again is in vain; installing anew mends it."""
    await house.accounts.authorise("dead", HOST)

    with pytest.raises(Park):
        await house.accounts.exchange(house.shelf.jobs)

    with pytest.raises(AccountUnknown):
        house.accounts.get(NEW)


async def test_an_exchange_is_tried_again_while_amocrm_is_away(house: House) -> None:
    """The error passes to the engine, which comes back."""
    house.crm.fail("exchange", CrmUnavailable())
    house.crm.grants["code-1"] = Grant(NEW, "Магазин", TOKENS)
    await house.accounts.authorise("code-1", HOST)
    with pytest.raises(CrmUnavailable):
        await house.accounts.exchange(house.shelf.jobs)

    await house.accounts.exchange(house.shelf.jobs)

    assert house.accounts.get(NEW).tokens == TOKENS


async def test_an_authorisation_that_broke_off_is_completed(house: House) -> None:
    """Killed between amoCRM's answer and the end: the code is spent, but its tokens are taken, and the phone book is
    copied, once."""
    await authorised(house)
    again = await house.again()
    (job,) = house.shelf.of("exchange")
    again.shelf.jobs.clear()

    await again.accounts.exchange([structs.replace(job, unsure=True)])

    (crawl,) = again.shelf.of("crawl")
    assert crawl.key == f"crawl:{NEW}:{job.key.partition(':')[2]}"
    assert again.accounts.get(NEW).tokens == TOKENS


async def test_a_spent_code_whose_tokens_were_lost_is_parked(house: House) -> None:
    """Only a new authorisation helps."""
    await authorised(house)
    (job,) = house.shelf.of("exchange")
    house.crm.fail("check", CrmTokenDead())

    with pytest.raises(Park):
        await house.accounts.exchange([structs.replace(job, unsure=True)])


async def test_two_choices_at_once_are_both_kept(house: House) -> None:
    """Two clicks in the settings, faster than the database: neither undoes the other."""
    await asyncio.gather(
        house.accounts.set_prefs(ACCOUNT, log_internal=True), house.accounts.set_prefs(ACCOUNT, email_action=True)
    )

    prefs = (await house.again()).accounts.get(ACCOUNT).prefs
    assert (prefs.log_internal, prefs.email_action) == (True, True)


async def test_a_new_authorisation_sets_what_waited_going(house: House) -> None:
    """Calls that could not be logged go out at once, not at the end of their pause."""
    await house.accounts.died(ACCOUNT)

    await authorised(house, ACCOUNT)

    assert house.shelf.resumed == house.shelf.rearmed == [f"amo:{ACCOUNT}"]


async def test_a_second_authorisation_keeps_what_was_chosen(house: House) -> None:
    """Preferences, the address of amoCRM's webhooks and the copy's progress stay; the earlier copy is called off."""
    await house.accounts.set_prefs(ACCOUNT, notice=NoticeWay.BOTH)
    before = house.accounts.get(ACCOUNT)
    (earlier,) = await authorised(house, ACCOUNT)

    (later,) = await authorised(house, ACCOUNT)

    after = house.accounts.get(ACCOUNT)
    assert (after.prefs, after.hook_secret, after.progress) == (before.prefs, before.hook_secret, before.progress)
    assert after.tokens == TOKENS
    assert later.key != earlier.key
    assert (await house.again()).accounts.get(ACCOUNT).prefs == before.prefs


async def test_refreshed_tokens_are_stored_when_keep_returns(house: House) -> None:
    """The old pair is dead: a crash in the next moment may not lose the new one."""
    await house.accounts.keep(ACCOUNT, TOKENS)

    assert (await house.again()).accounts.tokens(ACCOUNT) == TOKENS


async def test_an_account_without_tokens_has_a_dead_token(house: House) -> None:
    """So callers have one error to answer."""
    with pytest.raises(CrmTokenDead):
        house.accounts.tokens(NEW)


async def test_a_dead_token_is_told_to_administrators_once(house: House) -> None:
    """And undone by the next authorisation."""
    admin = house.screen(OLGA, is_admin=True)
    await house.accounts.died(ACCOUNT)
    await house.accounts.died(ACCOUNT)

    assert [alert["alert"]["slug"] for alert in admin.of("alert")] == ["crm-token-dead"]
    assert house.accounts.get(ACCOUNT).state == TOKEN_DEAD

    await authorised(house, ACCOUNT)
    assert house.accounts.get(ACCOUNT).state == "active"
    assert await house.accounts.alerts(ACCOUNT) == []


async def test_a_crash_in_the_middle_of_a_new_authorisation_skips_nothing(house: House) -> None:
    """Until what waited was set going, the account does not count as recovered: the next pulse repeats it."""
    await house.accounts.died(ACCOUNT)

    async def crash(_: str) -> int:
        raise StoreUnavailable

    house.shelf.rearm_lane = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await authorised(house, ACCOUNT)

    again = await house.again()
    assert (again.accounts.get(ACCOUNT).state, again.accounts.tokens(ACCOUNT)) == (TOKEN_DEAD, TOKENS)
    await again.accounts.recovered(ACCOUNT)
    assert await again.accounts.alerts(ACCOUNT) == []


async def test_the_late_refusal_of_an_account_that_was_switched_off_is_no_news(house: House) -> None:
    """Switching off kills the tokens; a request on its way then must not bring the account back among the connected."""
    await house.accounts.disable(ACCOUNT)

    await house.accounts.died(ACCOUNT)

    assert [account.id for account in house.accounts.all()] == [OTHER_ACCOUNT]
    assert await house.accounts.alerts(ACCOUNT) == []


async def test_an_account_that_is_switched_off_says_goodbye(house: House) -> None:
    """For good: browsers stay away, sessions end, also after a restart."""
    mine, theirs = house.screen(), house.screen(STRANGER, OTHER_ACCOUNT)

    await house.accounts.disable(ACCOUNT)

    assert mine.hung_up == [Bye.TERMINAL]
    assert mine.messages[-1]["problem"]["slug"] == "account-unknown"
    assert theirs.messages == []
    for one in (house, await house.again()):
        with pytest.raises(AccountUnknown):
            one.accounts.get(ACCOUNT)
        assert [account.id for account in one.accounts.all()] == [OTHER_ACCOUNT]


async def test_switching_off_an_unknown_account_is_nothing(house: House) -> None:
    """amoCRM tells of an integration that was never authorised here."""
    await house.accounts.disable(NEW)

    assert len(house.accounts.all()) == 2


async def test_an_account_comes_back(house: House) -> None:
    """Switched off and on again."""
    await house.accounts.disable(ACCOUNT)

    await authorised(house, ACCOUNT)

    assert house.accounts.get(ACCOUNT).state == "active"


async def test_amocrms_webhooks_find_their_account_by_a_secret(house: House) -> None:
    """A wrong secret, or that of an account that was switched off, finds nobody."""
    secret = house.accounts.get(ACCOUNT).hook_secret
    assert house.accounts.by_hook(secret).id == ACCOUNT
    with pytest.raises(NotFound):
        house.accounts.by_hook(secret[:-1])

    await house.accounts.disable(ACCOUNT)

    with pytest.raises(NotFound):
        house.accounts.by_hook(secret)


async def test_users_are_replaced_as_a_whole(house: House) -> None:
    """Whoever is not in amoCRM's list any more is inactive here: not one who is merely new."""
    await house.accounts.set_users(ACCOUNT, USERS[:1])

    for one in (house, await house.again()):
        active = {user.id for user in one.accounts.users(ACCOUNT).values() if user.is_active}
        assert active == {OLGA}
        assert one.accounts.rights(ACCOUNT, PAVEL).view == {}
        assert one.accounts.is_admin(ACCOUNT, OLGA)
        assert not one.accounts.is_admin(ACCOUNT, PAVEL)


async def test_progress_of_an_account_that_was_switched_off_goes_nowhere(house: House) -> None:
    """The last page of its copy was on the way."""
    await house.accounts.disable(ACCOUNT)

    job = Job(f"crawl:{ACCOUNT}", "crawl", "k", msgspec.json.encode({"account": ACCOUNT}))

    assert list(await house.directory.crawl([job])) == []
    assert (await house.kept.accounts.all())[0].state == DISABLED


async def test_an_alert_that_was_answered_is_gone(house: House) -> None:
    """An administrator gave the extension to somebody."""
    screen = house.screen(OLGA, is_admin=True)
    await house.accounts.alert(ACCOUNT, "extension-unmapped", subject="l_1/777", extension="777")

    await house.accounts.settle(ACCOUNT, "extension-unmapped")

    assert len(screen.of("alert")) == 1
    assert await house.accounts.alerts(ACCOUNT) == []
