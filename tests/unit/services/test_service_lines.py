"""Lines and seats, and their live check."""

from typing import Any

import pytest
from fakes.hooks import answered, ended, rang
from fakes.house import ACCOUNT, LINE, MANGO_LINE, OLGA, OTHER_ACCOUNT, OTHER_LINE, PAVEL, House

from server.core.errors import CallerError, HookUnknown, NotFound, VendorUnavailable
from server.core.ports import VendorAnswer
from server.core.records import Line, Seat
from server.services.housekeeping import DAY_MS, Housekeeping
from server.services.probe import Check, Probe


def own(house: House) -> Line:
    return house.lines.of(ACCOUNT, LINE)


async def test_a_new_line_gets_a_secret_address_of_its_own(house: House) -> None:
    """Long enough that nobody finds it by trying; known after a restart."""
    line = await house.lines.add(ACCOUNT, "sipuni", " Офис ", {"user": " 1 ", "secret": "s"})

    assert len(line.path) >= 32
    assert (line.name, line.credentials) == ("Офис", {"user": "1", "secret": "s"})
    assert (await house.again()).lines.by_path("sipuni", line.path) == line


@pytest.mark.parametrize(("provider", "credentials"), [("asterisk", {}), ("sipuni", {"user": "1"}), ("sipuni", {})])
async def test_a_line_without_its_credentials_is_refused(
    house: House, provider: str, credentials: dict[str, str]
) -> None:
    """Or of a vendor that we do not know."""
    with pytest.raises(CallerError):
        await house.lines.add(ACCOUNT, provider, "", credentials)

    assert len(await house.kept.lines.all()) == 3


async def test_a_secret_that_is_left_out_stays(house: House) -> None:
    """The settings window never had it."""
    await house.lines.change(own(house), name="Новая", credentials={"user": "999", "secret": ""})

    assert own(house).credentials == {"user": "999", "secret": "vendor-secret"}
    assert own(house).name == "Новая"


async def test_an_optional_field_that_comes_back_blank_is_cleared(house: House) -> None:
    """Else nobody could ever take it back."""
    await house.lines.change(own(house), credentials={"antiaon": "1"})
    await house.lines.change(own(house), credentials={"antiaon": ""})

    assert "antiaon" not in own(house).credentials


async def test_a_renewed_address_replaces_the_old_one_at_once(house: House) -> None:
    """It was shown to somebody."""
    old = own(house).path

    line = await house.lines.renew_path(own(house))

    with pytest.raises(HookUnknown):
        house.lines.by_path("sipuni", old)
    assert house.lines.by_path("sipuni", line.path).id == LINE


async def test_a_removed_line_is_gone_with_its_seats(house: House) -> None:
    """Its webhooks find nobody, here and after a restart."""
    path = own(house).path

    await house.lines.remove(own(house))

    for one in (house, await house.again()):
        with pytest.raises(HookUnknown):
            one.lines.by_path("sipuni", path)
        assert one.lines.users_at(LINE, "201") == ()


@pytest.mark.parametrize("act", ["change", "remove"])
async def test_a_line_of_another_account_is_not_found(house: House, act: str) -> None:
    """Whatever one would do with it."""
    with pytest.raises(NotFound):
        await getattr(house.lines, act)(house.lines.of(ACCOUNT, OTHER_LINE))


@pytest.mark.parametrize(
    ("seat", "error"),
    [
        (Seat(OTHER_LINE, "201", OLGA), NotFound),
        (Seat("l_0", "201", OLGA), NotFound),
        (Seat(LINE, "", OLGA), CallerError),
        (Seat(LINE, "abc", OLGA), CallerError),
        (Seat(LINE, "²", OLGA), CallerError),
    ],
)
async def test_a_seat_that_cannot_be_is_refused_and_the_map_stays(
    house: House, seat: Seat, error: type[Exception]
) -> None:
    """Another account's line, an unknown one, or what is no extension."""
    before = list(house.lines.seats(ACCOUNT))

    with pytest.raises(error):
        await house.lines.set_seats(ACCOUNT, [seat])

    assert list(house.lines.seats(ACCOUNT)) == before
    assert (await house.kept.lines.seats())[ACCOUNT] == before


async def test_a_seat_given_twice_is_one_seat(house: House) -> None:
    """The panel was clicked twice."""
    await house.lines.set_seats(ACCOUNT, [Seat(LINE, "201", OLGA), Seat(LINE, " 201 ", OLGA)])

    assert list(house.lines.seats(ACCOUNT)) == [Seat(LINE, "201", OLGA)]


async def test_the_usual_line_is_the_oldest_however_the_map_was_written(house: House) -> None:
    """Neither saving the map in another order nor changing the line makes agents call through another one."""
    await house.lines.set_seats(ACCOUNT, [Seat(MANGO_LINE, "201", OLGA), Seat(LINE, "201", OLGA)])
    await house.lines.change(own(house), name="Новая")

    line, _ = house.lines.to_dial_from(ACCOUNT, OLGA)

    assert line.id == LINE
    assert [one.id for one in house.lines.of_account(ACCOUNT)] == [LINE, MANGO_LINE]


async def test_one_accounts_map_leaves_anothers_alone(house: House) -> None:
    """The map is replaced as a whole, per account."""
    await house.lines.set_seats(ACCOUNT, [])

    assert house.lines.users_at(OTHER_LINE, "201") != ()
    assert house.lines.users_at(LINE, "201") == ()


async def test_the_last_webhooks_moment_is_kept_by_the_minute(house: House) -> None:
    """The settings show it; a write per webhook would cost more than the webhook."""
    await house.hear(rang())
    first = own(house).last_hook_ms
    house.clock.pass_s(59)
    await house.hear(answered())

    assert own(house).last_hook_ms == first
    house.clock.pass_s(1)
    await house.hear(ended())
    assert own(house).last_hook_ms == house.clock.now_ms
    assert (await house.again()).lines.of(ACCOUNT, LINE).last_hook_ms == house.clock.now_ms


# -- the live check ------------------------------------------------------------------------------------------------


async def checked(house: House, **more: Any) -> dict[str, Check]:
    checks = await Probe(house.lines, house.sender).check(own(house), **more)
    return {check.name: check for check in checks}


async def test_a_line_that_works_is_told_so(house: House) -> None:
    """The PBX accepts the key, a webhook has come, somebody sits at a telephone."""
    house.sender.answers = [VendorAnswer(status=200, body=b'{"success": true, "data": []}')]
    await house.hear(rang())

    assert all(check.ok for check in (await checked(house)).values())


async def test_what_is_amiss_is_named(house: House) -> None:
    """A wrong secret, no webhook yet, no extension."""
    house.sender.answers = [VendorAnswer(status=200, body=b'{"success": false, "message": "wrong hash"}')]
    await house.lines.set_seats(ACCOUNT, [])

    found = await checked(house)

    assert [check.ok for check in found.values()] == [False, False, False]
    problem = found["credentials"].problem
    assert problem is not None
    assert problem.slug == "vendor-credentials"


async def test_a_pbx_that_is_away_is_named(house: House) -> None:
    """The credentials may be right all the same."""
    house.sender.answers = [VendorUnavailable(vendor="sipuni")]

    problem = (await checked(house))["credentials"].problem

    assert problem is not None
    assert problem.slug == "vendor-unavailable"


async def test_what_is_typed_is_checked_and_not_stored(house: House) -> None:
    """Before the administrator saves it."""
    await checked(house, credentials={"user": "999"})

    assert b"user=999" in house.sender.requests[0].body
    assert own(house).credentials["user"] == "078332"


# -- housekeeping --------------------------------------------------------------------------------------------------


async def test_old_webhooks_and_spent_tokens_are_forgotten(house: House) -> None:
    """After their days; younger ones stay."""
    await house.hear(rang())
    await house.kept.accounts.spend("j1", account_id=ACCOUNT, user_id=PAVEL, exp_ms=house.clock.now_ms)
    housekeeping = Housekeeping(
        house.kept.hooks, house.kept.journal, house.kept.accounts, house.expiry,
        hooks_days=30, journal_days=180, clock=house.clock,
    )  # fmt: skip

    await housekeeping.tidy()
    assert await house.kept.accounts.spend("j1", account_id=ACCOUNT, user_id=OLGA, exp_ms=1) == PAVEL
    house.clock.now_ms += 30 * DAY_MS + 1
    await housekeeping.tidy()

    assert await house.kept.accounts.spend("j1", account_id=ACCOUNT, user_id=OLGA, exp_ms=1) is None
    assert await house.kept.hooks.purge(house.clock.now_ms) == 0


async def test_another_accounts_lines_are_its_own(house: House) -> None:
    """What an agent is shown of lines."""
    assert [line.id for line in house.lines.of_account(OTHER_ACCOUNT)] == [OTHER_LINE]
    assert house.lines.extensions(OTHER_ACCOUNT, OLGA) == {}


async def test_a_line_added_while_another_nodes_news_is_read_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read may be older than what was changed here meanwhile: it is read again."""
    read, added = house.kept.lines.of_account, []

    async def slow(account_id: int) -> list[Line]:
        before = await read(account_id)
        if not added:
            added.append(await house.lines.add(ACCOUNT, "sipuni", "Новая", {"user": "1", "secret": "s"}))
        return before

    monkeypatch.setattr(house.kept.lines, "of_account", slow)
    await house.lines.reread(ACCOUNT)

    assert house.lines.by_path("sipuni", added[0].path) == added[0]
