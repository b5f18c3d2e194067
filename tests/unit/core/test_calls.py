"""The call machine: whatever order, repetition and loss a vendor's story arrives with, the call comes out right."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core import calls
from server.core.calls import Call, Corrected, Ended, Order, Rang, RecordingKnown, Reopened
from server.core.events import CallClosed, CallEvent, LegAnswered, LegEnded, LegEvent, LegHeld, LegRang, RecordingSeen
from server.core.vocabulary import CallState, Direction, Origin, RecordingState, Result, Side

T = 1_700_000_000_000
CLIENT = "+79161234567"
OUR = "+74951234567"


def ms(second: float) -> int:
    return T + int(second * 1000)


def leg(kind: type[LegEvent], second: float, ref: str, **said: object) -> LegEvent:
    said.setdefault("side", Side.AGENT)
    if said["side"] is Side.AGENT:
        said.setdefault("extension", ref)
    said.setdefault("direction", Direction.IN)
    said.setdefault("client_phone", CLIENT)
    return kind(key=f"{kind.__name__}:{ref}:{second}", at_ms=ms(second), call_ref="C", leg_ref=ref, **said)  # type: ignore[arg-type]


def closed(second: float, **said: object) -> CallClosed:
    return CallClosed(key=f"closed:{second}", at_ms=ms(second), call_ref="C", **said)  # type: ignore[arg-type]


def blank() -> Call:
    return calls.begin(call_id="k1", account_id=1, line_id="l1", provider="p", call_ref="C", received_ms=ms(0))


def told(events: Sequence[CallEvent], call: Call | None = None) -> Call:
    call = call or blank()
    for event in events:
        call, _ = calls.apply(call, event)
    return call


ANSWERED = [
    leg(LegRang, 0, "201"),
    leg(LegAnswered, 6, "201"),
    leg(LegEnded, 66, "201", result=Result.ANSWERED, answered_at_ms=ms(6), started_at_ms=ms(0)),
]
MISSED = [leg(LegRang, 0, "201"), leg(LegEnded, 20, "201", result=Result.NO_ANSWER), closed(20)]
BUSY = [leg(LegRang, 0, "201"), leg(LegEnded, 0, "201", result=Result.BUSY), closed(1)]
GROUP = [
    leg(LegRang, 0, "201"),
    leg(LegRang, 0, "202"),
    leg(LegAnswered, 6, "202"),
    leg(LegEnded, 6, "201", result=Result.CANCELLED),
    leg(LegEnded, 60, "202", result=Result.ANSWERED, answered_at_ms=ms(6)),
    closed(60, result=Result.ANSWERED),
]
TRANSFER = [
    leg(LegRang, 0, "202"),
    leg(LegAnswered, 3, "202"),
    leg(LegEnded, 30, "202", result=Result.ANSWERED, answered_at_ms=ms(3)),
    leg(LegRang, 30, "203", transferred_by="202"),
    leg(LegAnswered, 35, "203"),
    leg(LegEnded, 90, "203", result=Result.ANSWERED, answered_at_ms=ms(35)),
    closed(90),
]
CALL_BACK = [
    leg(LegRang, 0, "L1", extension="201", direction=Direction.OUT, seq=1, order_ref="o1"),
    leg(LegAnswered, 4, "L1", extension="201", direction=Direction.OUT, seq=2, order_ref="o1"),
    leg(LegEnded, 4, "L1", extension="201", direction=Direction.OUT, seq=3, order_ref="o1"),
    leg(LegRang, 4, "L2", side=Side.CLIENT, extension="201", direction=Direction.OUT, seq=1),
    leg(LegAnswered, 12, "L2", side=Side.CLIENT, extension="201", direction=Direction.OUT, seq=2),
    leg(LegEnded, 50, "L2", side=Side.CLIENT, extension="201", direction=Direction.OUT, seq=3),
    closed(50, direction=Direction.OUT, answered_at_ms=ms(12), is_sure=True, result=Result.ANSWERED),
]
HELD = [
    leg(LegRang, 0, "L1", extension="201", seq=1),
    leg(LegAnswered, 3, "L1", extension="201", seq=2),
    leg(LegHeld, 10, "L1", extension="201", seq=3),
    leg(LegAnswered, 20, "L1", extension="201", seq=4),
    leg(LegEnded, 30, "L1", extension="201", seq=5),
    RecordingSeen(key="r", at_ms=ms(31), call_ref="C", recording_key="rec", state=RecordingState.EXPECTED),
    RecordingSeen(key="r2", at_ms=ms(40), call_ref="C", recording_key="rec", state=RecordingState.AVAILABLE, url="u"),
]
SIPUNI_CALL_BACK = [
    leg(LegRang, 0, "201"),
    leg(LegAnswered, 4, "201"),
    leg(LegRang, 4, "client", side=Side.CLIENT, extension="201", direction=Direction.OUT),
    leg(LegAnswered, 12, "client", side=Side.CLIENT, extension="201", direction=Direction.OUT),
    leg(LegEnded, 50, "client", side=Side.CLIENT, extension="201", direction=Direction.OUT, result=Result.ANSWERED,
        answered_at_ms=ms(12)),
]  # fmt: skip
STORIES = {
    "sipuni_call_back": SIPUNI_CALL_BACK,
    "answered": ANSWERED, "missed": MISSED, "busy": BUSY, "group": GROUP, "transfer": TRANSFER, "call_back": CALL_BACK,
    "held": HELD,
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_any_shuffling_and_doubling_ends_in_the_same_call(story: str) -> None:
    """The same events in any order, any of them twice, make the same call to the last field."""
    events = STORIES[story]
    expected = told(events)

    @settings(deadline=None)  # a busy machine is no defect
    @given(st.permutations(events), st.lists(st.sampled_from(events), max_size=6))
    def check(shuffled: list[CallEvent], again: list[CallEvent]) -> None:
        assert told([*shuffled, *again]) == expected

    check()


@pytest.mark.parametrize("story", STORIES)
def test_losing_any_one_event_but_the_evidence_keeps_the_verdict(story: str) -> None:
    """Who talked and the result survive the loss of one event that is not the only evidence of an answer."""
    events = STORIES[story]
    expected = told(events).verdict

    for lost in range(len(events)):
        rest = [event for place, event in enumerate(events) if place != lost]
        verdict = told(rest).verdict
        if verdict.state is not CallState.ENDED or isinstance(events[lost], LegAnswered | CallClosed | LegEnded):
            continue
        assert (verdict.result, verdict.answered_by) == (expected.result, expected.answered_by)


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(st.sampled_from([event for story in STORIES.values() for event in story])))
def test_no_mixture_of_remote_events_ever_raises(events: list[CallEvent]) -> None:
    """Even a nonsensical story is absorbed."""
    call = told(events)

    assert call.verdict.talk_s >= 0


def test_an_answered_call_has_talk_time_and_its_agent() -> None:
    """Sixty seconds of talk with 201."""
    verdict = told(ANSWERED).verdict

    assert (verdict.result, verdict.answered_by, verdict.talk_s, verdict.missed) == (Result.ANSWERED, "201", 60, ())
    assert (verdict.started_ms, verdict.answered_ms, verdict.ended_ms) == (ms(0), ms(6), ms(66))


def test_nobody_took_it_is_missed_by_all_who_rang() -> None:
    """An inbound call that rings out is missed."""
    verdict = told(MISSED).verdict

    assert (verdict.result, verdict.rang, verdict.missed, verdict.answered_ms) == (
        Result.MISSED,
        ("201",),
        ("201",),
        None,
    )


def test_a_busy_only_agent_makes_a_busy_call() -> None:
    """Busy says more than missed."""
    assert told(BUSY).verdict.result is Result.BUSY


def test_a_group_call_is_answered_by_one_and_missed_by_the_other() -> None:
    """The colleague's cancelled leg does not downgrade the call."""
    verdict = told(GROUP).verdict

    assert (verdict.result, verdict.answered_by, verdict.missed) == (Result.ANSWERED, "202", ("201",))


def test_a_transferred_call_belongs_to_the_last_who_talked() -> None:
    """202 talked first, 203 had the customer in the end; the talk counts from the first word."""
    verdict = told(TRANSFER).verdict

    assert (verdict.answered_by, verdict.talk_s, verdict.missed) == ("203", 87, ())


def test_a_call_back_counts_only_the_clients_answer() -> None:
    """The agent's own telephone is picked up first: that is no talk."""
    up_to_the_client = told(CALL_BACK[:4])
    unanswered = told([*CALL_BACK[:4], leg(LegEnded, 30, "L2", side=Side.CLIENT, seq=3, result=Result.BUSY)])

    assert up_to_the_client.verdict.answered_ms is None
    assert unanswered.verdict.result is Result.BUSY
    assert told(CALL_BACK).verdict.talk_s == 38
    assert told(CALL_BACK).verdict.answered_by == "201"


def test_a_call_back_goes_on_between_its_two_legs() -> None:
    """MANGO ends the agent's first leg before it rings the client's: nothing is over."""
    assert told(CALL_BACK[:3]).is_live
    assert not told([*CALL_BACK[:3], closed(5, direction=Direction.OUT, is_sure=True)]).is_live


def test_a_menu_that_answers_is_no_talk() -> None:
    """An IVR picks up every call; a call that ends there was missed."""
    menu = [leg(LegAnswered, 0, "ivr", side=Side.MENU), leg(LegEnded, 15, "ivr", side=Side.MENU), closed(15)]

    assert told(menu).verdict.result is Result.MISSED


def test_a_menu_leg_that_ends_does_not_end_the_call() -> None:
    """The next leg is about to ring."""
    call = told([leg(LegRang, 0, "ivr", side=Side.MENU), leg(LegEnded, 5, "ivr", side=Side.MENU)])

    assert call.is_live


def test_a_telephone_that_ended_may_ring_again() -> None:
    """A queue comes back to the same extension: it rings again, though its first ring ended."""
    events = [leg(LegRang, 0, "201"), leg(LegEnded, 10, "201", result=Result.NO_ANSWER), leg(LegRang, 30, "201")]

    assert told(events).is_live
    assert told(list(reversed(events))).is_live


def test_ringing_announces_each_extension_once() -> None:
    """The effects name who must see a card, when their telephone starts to ring."""
    call, first = calls.apply(blank(), GROUP[0])
    call, repeated = calls.apply(call, GROUP[0])
    _, second = calls.apply(call, GROUP[1])

    assert Rang("201") in first
    assert repeated == []
    assert Rang("202") in second
    assert Rang("201") not in second


def test_a_late_answer_corrects_a_missed_call() -> None:
    """The call seemed missed; then the delayed answer arrives."""
    missed = told([GROUP[0], leg(LegEnded, 20, "201", result=Result.UNKNOWN)])

    call, effects = calls.apply(missed, leg(LegAnswered, 5, "201"))

    assert Corrected() in effects
    assert call.verdict.result is Result.ANSWERED


def test_a_transfer_after_the_end_of_the_first_leg_reopens_the_call() -> None:
    """Between two legs of a blind transfer nobody is on the line for a moment."""
    over, effects = calls.apply(told(TRANSFER[:2]), TRANSFER[2])
    reopened, more = calls.apply(over, TRANSFER[3])

    assert Ended() in effects
    assert Reopened() in more
    assert reopened.is_live


def test_a_call_without_a_hang_up_is_closed_by_time_and_corrected_by_news() -> None:
    """ended_unknown is a state of ignorance: a real end replaces it."""
    lost, effects = calls.expire(told(ANSWERED[:2]), ms(9000))
    found, _ = calls.apply(lost, ANSWERED[2])

    assert lost.verdict.state is CallState.ENDED_UNKNOWN
    assert Ended() in effects
    assert found.verdict.state is CallState.ENDED
    assert found.verdict.talk_s == 60


def test_a_call_that_was_closed_by_time_goes_on_with_news() -> None:
    """It waited in a queue for longer than we had patience; now somebody takes it."""
    lost, _ = calls.expire(told(ANSWERED[:1]), ms(9000))
    found, effects = calls.apply(lost, ANSWERED[1])

    assert found.is_live
    assert Reopened() in effects


@pytest.mark.parametrize("rest", [[], [leg(LegRang, 30, "203", transferred_by="202")], TRANSFER[3:5]])
def test_a_call_that_was_handed_on_is_not_over(rest: list[CallEvent]) -> None:
    """Sipuni's event 4 ends the leg, not the call: whoever gets it is about to ring."""
    moved = leg(LegEnded, 30, "202", result=Result.ANSWERED, answered_at_ms=ms(3), transferred_by="202")

    assert told([*TRANSFER[:2], moved, *rest]).is_live


def test_a_call_that_was_handed_on_ends_with_the_leg_that_followed() -> None:
    """Whether that rang after the hand-over or, in a consultation, before it."""
    for rang_s in (10, 30):
        moved = leg(LegEnded, 30, "202", result=Result.ANSWERED, answered_at_ms=ms(3), transferred_by="202")
        call = told([*TRANSFER[:2], leg(LegRang, rang_s, "203"), moved, *TRANSFER[4:6]])

        assert not call.is_live
        assert call.verdict.answered_by == "203"


@pytest.mark.parametrize("end", [30, 31])
def test_a_consulted_colleague_who_hangs_up_at_once_ends_the_call(end: float) -> None:
    """He rang before the hand-over, and vendors give whole seconds: it may end in the second in which he got it."""
    asked = [leg(LegRang, 20, "203", from_extension="202"), leg(LegAnswered, 25, "203", from_extension="202")]
    moved = leg(LegEnded, 30, "202", result=Result.ANSWERED, answered_at_ms=ms(3), transferred_by="202")
    taken = leg(LegAnswered, 30, "203", transferred_by="202")
    over = leg(LegEnded, end, "203", result=Result.ANSWERED, answered_at_ms=ms(25), transferred_by="202")

    assert told([*TRANSFER[:2], *asked, moved, taken]).is_live
    assert not told([*TRANSFER[:2], *asked, moved, taken, over]).is_live


def test_an_earlier_hand_over_to_the_same_colleague_ends_nothing() -> None:
    """He had the client, gave him back and is to get him once more: his telephone is about to ring."""
    first = [
        leg(LegRang, 10, "203", transferred_by="202"), leg(LegAnswered, 12, "203"), leg(LegEnded, 20, "203"),
    ]  # fmt: skip
    moved = leg(LegEnded, 30, "202", result=Result.ANSWERED, answered_at_ms=ms(3), transferred_by="202")

    assert told([*TRANSFER[:2], *first, moved]).is_live


def test_a_call_that_is_handed_on_to_the_outside_stays_inbound() -> None:
    """MANGO's leg to the stranger begins as the agent's, outbound, and then is said to be the caller's."""
    new = {"side": Side.CLIENT, "extension": "202"}
    theirs = leg(LegRang, 30, "new", direction=Direction.OUT, transferred_by="202", seq=1, **new)
    again = leg(LegRang, 30, "new", direction=None, client_phone=CLIENT, seq=2, **new)

    assert told([*TRANSFER[:2], theirs, again]).direction is Direction.IN


def test_expiring_an_ended_call_changes_nothing() -> None:
    """The timer that fires late finds its work done."""
    call = told(ANSWERED)

    assert calls.expire(call, ms(9000)) == (call, [])


def test_a_bound_call_is_outgoing_and_of_the_widget() -> None:
    """An order recognised in a call that looked inbound."""
    order = Order(id="o1", agent_id=7, extension="201", phone=CLIENT)

    call, _ = calls.bind(told([ANSWERED[0]]), order)

    assert (call.direction, call.origin, call.client_phone) == (Direction.OUT, Origin.WIDGET, CLIENT)
    assert calls.bind(call, order) == (call, [])


def test_binding_a_call_to_a_second_order_is_our_own_mistake() -> None:
    """Our misuse raises, unlike any remote event."""
    call, _ = calls.bind(blank(), Order(id="o1", agent_id=7, extension="201", phone=CLIENT))

    with pytest.raises(ValueError, match="o1"):
        calls.bind(call, Order(id="o2", agent_id=7, extension="201", phone=CLIENT))


@pytest.mark.parametrize("bound_after", range(5))
def test_between_two_outside_numbers_only_the_client_is_the_client(bound_after: int) -> None:
    """The agent's own mobile is dialled first: that is no talk yet, and not whose call it is."""
    own = {"side": Side.CLIENT, "extension": "201", "direction": Direction.OUT, "client_phone": "+79000000201"}
    out = {"side": Side.CLIENT, "extension": "201", "direction": Direction.OUT}
    story = [
        leg(LegRang, 0, "own", **own), leg(LegAnswered, 4, "own", **own),
        leg(LegRang, 4, "client", **out), leg(LegAnswered, 12, "client", **out),
    ]  # fmt: skip
    order = Order("d1", 7, "201", CLIENT, "89000000201")

    call, _ = calls.bind(told(story[:bound_after]), order)
    early, late = told(story[bound_after:3], call), told(story[bound_after:], call)

    assert late.client_phone == CLIENT
    assert late.verdict.answered_ms == ms(12)
    assert bound_after > 3 or early.verdict.answered_ms is None


def test_a_recording_is_announced_when_it_can_be_had() -> None:
    """Expected is no news for anybody; available is, once."""
    call = told(HELD[:-1])

    call, effects = calls.apply(call, HELD[-1])
    _, again = calls.apply(call, HELD[-2])

    assert RecordingKnown("rec") in effects
    assert RecordingKnown("rec") not in again
    assert call.recordings["rec"].url == "u"


def test_a_call_back_ends_with_the_clients_leg_though_the_agents_end_is_not_told() -> None:
    """Sipuni tells only the client's hang-up of an ordered call; without our order it is outgoing all the same."""
    verdict = told(SIPUNI_CALL_BACK).verdict

    assert (verdict.state, verdict.direction, verdict.talk_s) == (CallState.ENDED, Direction.OUT, 38)
    assert told(SIPUNI_CALL_BACK[:-1]).is_live


def test_a_colleague_who_transferred_is_no_caller_any_more() -> None:
    """A transferred leg first says that 201 calls, then that the client does."""
    consulted = told([leg(LegRang, 0, "L2", extension="203", from_extension="201", client_phone=None, seq=1)])
    joined = told([leg(LegAnswered, 5, "L2", extension="203", seq=2)], consulted)

    assert consulted.legs["L2"].from_extension == "201"
    assert joined.legs["L2"].from_extension is None
