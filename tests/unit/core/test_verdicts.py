"""What a call came to: the readings that several legs make difficult."""

from collections.abc import Sequence

import pytest

from server.core import calls
from server.core.calls import Call
from server.core.events import CallClosed, CallEvent, LegAnswered, LegEnded, LegEvent, LegRang
from server.core.vocabulary import Direction, Result, Side

T = 1_700_000_000_000
CLIENT = "+79161234567"


def ms(second: float) -> int:
    return T + int(second * 1000)


def leg(kind: type[LegEvent], second: float, extension: str, **said: object) -> LegEvent:
    return kind(  # type: ignore[call-arg]
        key=f"{kind.__name__}:{extension}:{second}", at_ms=ms(second), call_ref="C", leg_ref=extension, side=Side.AGENT,
        direction=Direction.IN, client_phone=CLIENT, extension=extension, **said,
    )  # fmt: skip


def told(events: Sequence[CallEvent]) -> Call:
    call = calls.begin(call_id="k1", account_id=1, line_id="l1", provider="p", call_ref="C", received_ms=ms(0))
    for event in events:
        call, _ = calls.apply(call, event)
    return call


BOTH_PICK_UP = [
    leg(LegRang, 0, "201"),
    leg(LegRang, 0, "202"),
    leg(LegAnswered, 6, "202"),
    leg(LegAnswered, 6, "201"),
]


@pytest.mark.parametrize(("winner", "loser"), [("201", "202"), ("202", "201")])
@pytest.mark.parametrize("word", [Result.ANSWERED, Result.CANCELLED])
def test_of_two_who_pick_up_at_once_the_one_who_stays_has_the_call(winner: str, loser: str, word: Result) -> None:
    """The PBX drops one of them a second later; the other talks on."""
    dropped = leg(LegEnded, 7, loser, result=word)
    hung_up = leg(LegEnded, 40, winner, result=Result.ANSWERED, answered_at_ms=ms(6))

    assert told([*BOTH_PICK_UP, dropped]).verdict.answered_by == winner
    assert told([*BOTH_PICK_UP, dropped, hung_up]).verdict.answered_by == winner


def test_of_two_whose_hang_ups_are_lost_the_vendor_says_who_had_the_call() -> None:
    """The last word names one of them."""
    closed = CallClosed(key="c", at_ms=ms(40), call_ref="C", answered_at_ms=ms(6), answered_by="201", is_sure=True)

    assert told([*BOTH_PICK_UP, closed]).verdict.answered_by == "201"


def test_who_takes_the_client_back_after_asking_a_colleague_has_the_call() -> None:
    """201 asks 202, who picked up later, and then goes on talking to the client."""
    story = [
        leg(LegRang, 0, "201"), leg(LegAnswered, 3, "201"),
        leg(LegRang, 20, "202"), leg(LegAnswered, 22, "202"), leg(LegEnded, 30, "202", result=Result.ANSWERED),
        leg(LegEnded, 90, "201", result=Result.ANSWERED, answered_at_ms=ms(3)),
    ]  # fmt: skip

    assert told(story[:-1]).verdict.answered_by == "201"
    assert told(story).verdict.answered_by == "201"
    assert told(story).verdict.missed == ()


def test_a_transferred_call_whose_first_hang_up_is_lost_belongs_to_who_answered_last() -> None:
    """Nothing tells that 202 left; 203 picked up later."""
    story = [
        leg(LegRang, 0, "202"), leg(LegAnswered, 3, "202"),
        leg(LegRang, 30, "203", transferred_by="202"), leg(LegAnswered, 35, "203"),
        leg(LegEnded, 90, "203", result=Result.ANSWERED, answered_at_ms=ms(35)),
        CallClosed(key="c", at_ms=ms(90), call_ref="C"),
    ]  # fmt: skip

    assert told(story[:4]).verdict.answered_by == "203"
    assert told(story).verdict.answered_by == "203"


def test_who_rang_first_is_told_by_the_ringing_not_by_the_hang_up() -> None:
    """Sipuni's hang-up tells when the whole call began, which is before the telephone rang."""
    story = [
        leg(LegRang, 2, "201"), leg(LegRang, 3, "202"), leg(LegAnswered, 6, "202"),
        leg(LegEnded, 6, "201", result=Result.CANCELLED),
        leg(LegEnded, 60, "202", result=Result.ANSWERED, started_at_ms=ms(0), answered_at_ms=ms(6)),
    ]  # fmt: skip
    verdict = told(story).verdict

    assert (verdict.rang, verdict.started_ms) == (("201", "202"), ms(0))


def test_a_call_of_which_only_the_last_word_came_still_says_whom_it_rang() -> None:
    """MANGO tells nothing else of an employee outside working hours."""
    missed = CallClosed(key="c", at_ms=ms(20), call_ref="C", direction=Direction.IN, rang=("203",), is_sure=True)
    ringing = leg(LegRang, 0, "201")

    assert told([missed]).verdict.missed == ("203",)
    assert told([ringing, missed]).verdict.missed == ("201",)


def test_the_last_word_alone_says_who_called_and_on_which_number() -> None:
    """The client is known, so that the call reaches the client's card."""
    said = {"direction": Direction.IN, "client_phone": CLIENT, "our_line": "+74951234567"}
    call = told([CallClosed(key="c", at_ms=ms(20), call_ref="C", **said)])  # type: ignore[arg-type]

    assert (call.client_phone, call.our_line) == (CLIENT, "+74951234567")


@pytest.mark.parametrize("off_s", [10_800, 0, -10_800])
def test_a_call_cannot_begin_after_we_heard_of_it(off_s: int) -> None:
    """A clock that is ahead by a time zone is set back to ours, whatever is told first; one that is behind may as well
    be late news, and stands. Talk is as long as it was.
    """
    story: list[CallEvent] = [
        leg(LegRang, off_s, "201"),
        leg(LegAnswered, off_s + 5, "201"),
        leg(LegEnded, off_s + 40, "201", result=Result.ANSWERED, answered_at_ms=ms(off_s + 5)),
    ]
    start = min(off_s, 0)

    for order in (story, story[::-1]):
        verdict = told(order).verdict

        assert (verdict.started_ms, verdict.answered_ms, verdict.ended_ms) == (ms(start), ms(start + 5), ms(start + 40))
        assert verdict.talk_s == 35


def test_a_clock_that_is_a_little_ahead_stands() -> None:
    """Seconds between two machines are no reason to doubt either."""
    assert told([leg(LegRang, 3, "201")]).verdict.started_ms == ms(3)
