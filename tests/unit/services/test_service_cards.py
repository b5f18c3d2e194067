"""Who sees which call, with which caller, and what is remembered of a card."""

import asyncio

import pytest
from fakes.hooks import answered, ended, rang
from fakes.house import (
    ACCOUNT,
    IRINA,
    LINE,
    OLGA,
    OTHER_ACCOUNT,
    PAVEL,
    SEATS,
    STRANGER,
    USERS,
    House,
    user,
)
from msgspec import structs

from server.core.book import BookRow
from server.core.errors import CallGone, CrmUnavailable, NotFound
from server.core.messages import AgentView, CallView, DirectoryView
from server.core.records import Seat
from server.core.vocabulary import RECENT_S, CallerKind, CardState, NoticeWay

ANNA = BookRow(id=501, name="Анна", owner_id=OLGA, group_id=1, company_id=701, phones=("9161234567",))
FIRM = BookRow(id=701, name="Ромашка", owner_id=OLGA, group_id=1)
LEAD = BookRow(id=901, name="Окна", owner_id=OLGA, group_id=1, bonds=(("contacts", 501),))


async def know_anna(house: House) -> None:
    for noun, row in (("companies", FIRM), ("contacts", ANNA), ("leads", LEAD)):
        await house.kept.directory.put(ACCOUNT, noun, [row])


async def views(house: House, user_id: int = OLGA) -> list[CallView]:
    snapshot = await house.cards.snapshot(ACCOUNT, AgentView(id=user_id, name=""))
    return list(snapshot.calls)


async def incomplete(house: House) -> None:
    await house.accounts.set_progress(ACCOUNT, DirectoryView(is_complete=False))


async def waited(house: House) -> None:
    """Let the background look-up come to its end."""
    while house.cards._searches:
        await asyncio.wait(set(house.cards._searches))


async def test_only_the_agent_whose_extension_rings_sees_the_card(house: House) -> None:
    """Not the colleague, not a user without extension, not another account's user of the same extension."""
    olga, pavel, irina = house.screen(OLGA), house.screen(PAVEL), house.screen(IRINA)
    stranger = house.screen(STRANGER, OTHER_ACCOUNT)

    await house.hear(rang("201"))

    assert olga.states == ["ringing"]
    assert [pavel.messages, irina.messages, stranger.messages] == [[], [], []]


async def test_all_browsers_of_an_agent_are_told(house: House) -> None:
    """Two machines, one person."""
    screens = [house.screen(), house.screen()]

    await house.hear(rang())

    assert [screen.states for screen in screens] == [["ringing"], ["ringing"]]


async def test_the_revision_counts_each_browsers_changes(house: House) -> None:
    """A gap in it is how a browser notices that it missed something."""
    screen = house.screen()
    await house.hear(rang())
    await house.hear(answered())

    revisions = [message["rev"].partition(".") for message in screen.messages]

    assert [number for _, _, number in revisions] == ["1", "2"]
    assert len({epoch for epoch, _, _ in revisions}) == 1


async def test_a_group_of_two_ends_as_taken_and_elsewhere(house: House) -> None:
    """Both telephones ring; who does not take it sees that a colleague did."""
    olga, pavel = house.screen(OLGA), house.screen(PAVEL)

    for hook in (
        rang("201"),
        rang("202"),
        answered("202", at_s=3),
        ended("201", at_s=3, talk_from_s=None),
        ended("202", at_s=9, talk_from_s=3),
    ):
        await house.hear(hook)

    assert olga.states[0] == "ringing"
    assert olga.states[-1] == "elsewhere"
    assert pavel.states[-2:] == ["talking", "ended"]


async def test_a_shared_extension_shows_the_card_to_both(house: House) -> None:
    """Two people at one telephone."""
    await house.lines.set_seats(ACCOUNT, [*SEATS, Seat(LINE, "201", IRINA)])
    olga, irina = house.screen(OLGA), house.screen(IRINA)

    await house.hear(rang("201"))

    assert (olga.states, irina.states) == (["ringing"], ["ringing"])


async def test_a_known_caller_is_named_without_a_request(house: House) -> None:
    """Name, company and open lead stand in the local phone book."""
    await know_anna(house)
    screen = house.screen()

    await house.hear(rang())

    assert screen.caller["kind"] == CallerKind.CONTACT
    assert screen.caller["name"] == "Анна"
    assert screen.caller["company"]["name"] == "Ромашка"
    assert screen.caller["lead"]["path"] == "/leads/detail/901"
    assert house.crm.asked == []


async def test_an_unknown_caller_is_unknown(house: House) -> None:
    """The copy is complete, so nobody is asked."""
    screen = house.screen()

    await house.hear(rang())

    assert screen.caller == {"kind": "unknown", "phone": "+79161234567"}
    assert house.crm.asked == []


async def test_a_caller_whom_the_agent_may_not_view_is_a_number(house: House) -> None:
    """He is in amoCRM; who may see him sees him."""
    await know_anna(house)
    mine_only = user(PAVEL, "Павел", view={"contacts": "M", "companies": "M", "leads": "M"})
    await house.accounts.set_users(ACCOUNT, [USERS[0], mine_only])
    olga, pavel = house.screen(OLGA), house.screen(PAVEL)

    await house.hear(rang("201"))
    await house.hear(rang("202"))

    assert olga.caller["name"] == "Анна"
    assert pavel.caller == {"kind": "hidden", "phone": "+79161234567"}


async def test_a_withheld_number_is_anonymous(house: House) -> None:
    """There is nothing to look up."""
    screen = house.screen()

    await house.hear(rang(src_num="anonymous"))

    assert screen.caller == {"kind": "anonymous"}


async def test_an_internal_call_names_the_colleague(house: House) -> None:
    """Pavel calls Olga."""
    screen, other = house.screen(OLGA), house.screen(PAVEL)

    await house.hear(rang("201", src_type=2, src_num="078332202", short_src_num="202"))

    assert screen.caller == {"kind": "internal", "phone": "202", "name": "Павел"}
    assert other.caller == {"kind": "internal", "phone": "201", "name": "Ольга"}


async def test_while_the_first_copy_runs_the_card_comes_at_once_and_the_caller_later(house: House) -> None:
    """The telephone does not wait for amoCRM."""
    await incomplete(house)
    house.crm.rows["contacts"] = [ANNA]
    house.crm.search_gate.clear()
    screen = house.screen()

    await house.hear(rang())
    assert screen.caller["kind"] == CallerKind.SEARCHING

    house.crm.search_gate.set()
    await waited(house)
    assert screen.caller["name"] == "Анна"


async def test_a_call_is_searched_for_once(house: House) -> None:
    """However many events it has: requests to amoCRM are few."""
    await incomplete(house)
    for hook in (rang(), answered(), ended()):
        await house.hear(hook)
        await waited(house)

    assert house.crm.count("search") == 1


async def test_a_search_that_fails_leaves_an_unknown_caller(house: House) -> None:
    """amoCRM is away; the call goes on."""
    await incomplete(house)
    house.crm.fail("search", CrmUnavailable())
    screen = house.screen()

    await house.hear(rang())
    await waited(house)

    assert screen.caller["kind"] == CallerKind.UNKNOWN


async def test_a_number_that_is_learned_renames_the_card(house: House) -> None:
    """Somebody creates the contact while the client is on the line."""
    screen = house.screen()
    await house.hear(rang())
    await know_anna(house)

    await house.cards.found(ACCOUNT, {"9161234567"})

    assert screen.caller["name"] == "Анна"


async def test_a_short_number_is_learned_too(house: House) -> None:
    """The Faroe Islands have nine digits, country code included."""
    screen = house.screen()
    await house.hear(rang(src_num="298201234"))
    await house.kept.directory.put(ACCOUNT, "contacts", [structs.replace(ANNA, phones=("298201234",))])

    await house.cards.found(ACCOUNT, {"298201234"})

    assert screen.caller["name"] == "Анна"


async def test_other_numbers_learned_say_nothing(house: House) -> None:
    """Thousands of contacts are learned while somebody talks."""
    screen = house.screen()
    await house.hear(rang())

    await house.cards.found(ACCOUNT, {"9990000000"})

    assert len(screen.messages) == 1


async def test_news_that_changes_nothing_on_the_card_is_not_sent(house: House) -> None:
    """The end of a colleague's leg is nothing to who talks."""
    screen = house.screen(PAVEL)
    for hook in (rang("201"), rang("202"), answered("202")):
        await house.hear(hook)
    count = len(screen.messages)

    await house.hear(ended("201", at_s=3, talk_from_s=None))

    assert len(screen.messages) == count


async def test_who_comes_back_is_sent_what_he_missed_even_if_it_is_as_before(house: House) -> None:
    """Talking, gone, held, back with a snapshot of the hold, talking again: that must be sent."""
    screen = house.screen()
    await house.hear(rang())
    await house.hear(answered())
    (connection,) = list(house.agents.online(ACCOUNT))
    house.agents.leave(connection)
    call = house.call
    held = structs.replace(call, verdict=structs.replace(call.verdict, talk_s=1))
    await house.cards.changed(structs.replace(house.decisions[-1], call=held))
    back = house.screen()

    await house.cards.changed(structs.replace(house.decisions[-1], call=call))

    assert screen.states == ["ringing", "talking"]
    assert back.states == ["talking"]


async def test_the_snapshot_holds_the_agents_calls_oldest_first(house: House) -> None:
    """His own, not his colleagues'."""
    await house.hear(rang("201", ref="r2", at_s=30))
    await house.hear(rang("201", ref="r1", at_s=0))
    await house.hear(rang("202", ref="r3", at_s=5))

    assert [view.started_at for view in await views(house)] == sorted(view.started_at for view in await views(house))
    assert len(await views(house)) == 2


async def test_an_ended_call_leaves_the_snapshot_after_two_minutes(house: House) -> None:
    """A live one stays, however old it is."""
    await house.hear(rang(ref="r1"))
    await house.hear(rang(ref="r2"))
    await house.hear(ended(ref="r2"))
    house.clock.pass_s(RECENT_S + 8)
    assert {view.state for view in await views(house)} == {CardState.RINGING, CardState.ENDED}

    house.clock.pass_s(1)

    assert [view.state for view in await views(house)] == [CardState.RINGING]


async def test_a_restart_in_mid_call_changes_nothing_on_screens(house: House) -> None:
    """The snapshot of the new process is that of the old one."""
    await know_anna(house)
    await house.hear(rang())
    await house.hear(answered())
    before = await views(house)

    after = await views(await house.again())

    assert after == before


async def test_the_notification_is_granted_once_for_ever(house: House) -> None:
    """Two tabs, a reload and a restart: amoCRM's notification centre shows the call once."""
    await house.hear(rang())
    call_id = house.call.id

    granted = [await house.cards.notice(ACCOUNT, OLGA, call_id) for _ in range(2)]
    reborn = await house.again()

    assert granted == [True, False]
    assert await reborn.cards.notice(ACCOUNT, OLGA, call_id) is False
    assert (await views(reborn))[0].is_noticed


async def test_of_many_claims_at_once_one_is_granted(house: House) -> None:
    """Five tabs of one agent."""
    await house.hear(rang())

    granted = await asyncio.gather(*(house.cards.notice(ACCOUNT, OLGA, house.call.id) for _ in range(5)))

    assert sorted(granted) == [False, False, False, False, True]


async def test_a_colleague_has_a_claim_of_his_own(house: House) -> None:
    """A group call rings at two; each has a notification centre."""
    await house.hear(rang("201"))
    await house.hear(rang("202"))

    assert await house.cards.notice(ACCOUNT, OLGA, house.call.id)
    assert await house.cards.notice(ACCOUNT, PAVEL, house.call.id)


async def test_a_dismissed_card_stays_closed(house: House) -> None:
    """In every browser of the agent, through later news and a restart."""
    screen = house.screen()
    await house.hear(rang())

    await house.cards.dismiss(ACCOUNT, OLGA, house.call.id)
    await house.hear(answered())

    assert [message["call"].get("is_dismissed", False) for message in screen.of("call")] == [False, True, True]
    assert (await views(await house.again()))[0].is_dismissed


async def test_a_claim_of_a_call_that_left_the_board_meanwhile_is_answered(house: House) -> None:
    """Two minutes pass, and another call rings, while the claim is being stored."""
    await house.hear(rang(ref="r1"))
    await house.hear(ended(ref="r1"))
    old = house.call.id
    house.clock.pass_s(RECENT_S + 10)

    granted, *_ = await asyncio.gather(house.cards.notice(ACCOUNT, OLGA, old), house.hear(rang(ref="r2", at_s=200)))

    assert granted is True


@pytest.mark.parametrize(
    ("account_id", "user_id"), [(OTHER_ACCOUNT, STRANGER), (ACCOUNT, PAVEL), (OTHER_ACCOUNT, OLGA)]
)
async def test_a_call_of_somebody_else_is_not_found(house: House, account_id: int, user_id: int) -> None:
    """Another account's, or a colleague's: neither claimed nor closed nor hung up."""
    await house.hear(rang("201"))
    call_id = house.call.id

    for act in (house.cards.notice, house.cards.dismiss):
        with pytest.raises(NotFound):
            await act(account_id, user_id, call_id)
    with pytest.raises(NotFound):
        await house.cards.to_hang_up(account_id, user_id, call_id)

    assert await house.kept.calls.marks([call_id]) == []


async def test_a_call_that_is_over_cannot_be_hung_up(house: House) -> None:
    """The click came a moment too late: the PBX is not bothered."""
    await house.hear(rang())
    await house.hear(answered())
    assert (await house.cards.to_hang_up(ACCOUNT, OLGA, house.call.id)).id == house.call.id

    await house.hear(ended())

    with pytest.raises(CallGone):
        await house.cards.to_hang_up(ACCOUNT, OLGA, house.call.id)


async def test_a_colleagues_talk_cannot_be_hung_up(house: House) -> None:
    """The card says ELSEWHERE, and offers no such button."""
    for hook in (rang("201"), rang("202"), answered("202"), ended("201", at_s=3, talk_from_s=None)):
        await house.hear(hook)

    with pytest.raises(NotFound):
        await house.cards.to_hang_up(ACCOUNT, OLGA, house.call.id)


async def test_an_unmapped_extension_raises_one_alert(house: House) -> None:
    """The call is made all the same, and nobody sees its card."""
    admin, agent = house.screen(OLGA, is_admin=True), house.screen(PAVEL)

    await house.hear(rang("777", ref="r1"))
    await house.hear(rang("777", ref="r2"))

    (alert,) = admin.of("alert")
    assert alert["alert"] == {"slug": "extension-unmapped", "details": {"extension": "777", "line": "Сипуни"}}
    assert agent.messages == []
    assert house.call.is_live


async def test_a_call_of_a_removed_line_stays_on_screens(house: House) -> None:
    """An administrator disconnects a PBX in mid-call."""
    await house.hear(rang())
    line = house.lines.get(LINE)
    assert line is not None

    await house.lines.remove(line)
    await house.cards.changed(house.decisions[-1])

    assert await views(house) == []  # nobody has an extension there any more


@pytest.mark.parametrize(("way", "count"), [(NoticeWay.CARD, 0), (NoticeWay.CRM, 1), (NoticeWay.BOTH, 1)])
async def test_amocrms_own_notice_is_sent_once_where_it_is_wanted(house: House, way: NoticeWay, count: int) -> None:
    """To the users whose telephones ring."""
    await house.accounts.set_prefs(ACCOUNT, notice=way)

    for hook in (rang(), answered(), ended()):
        await house.hear(hook)
    await house.notice.drain()

    assert house.crm.asked == [("notify", "+79161234567", (OLGA,))] * count


async def test_a_notice_that_fails_costs_nothing(house: House) -> None:
    """It is worth something only while the telephone rings: it is not repeated."""
    await house.accounts.set_prefs(ACCOUNT, notice=NoticeWay.CRM)
    house.crm.fail("notify", CrmUnavailable())

    await house.hear(rang())
    await house.notice.drain()

    assert house.crm.count("notify") == 1
    assert house.call.is_live
