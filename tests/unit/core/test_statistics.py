"""Rows of a PBX's statistics are recognised among the calls we know, and converge with what webhooks tell."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from server.core import calls, statistics
from server.core.calls import Call
from server.core.events import LegAnswered, LegEnded, LegRang
from server.core.statistics import ToldCall
from server.core.vocabulary import CallState, Direction, Result, Side

PHONE = "+79161234567"
T = 1_700_000_000_000


def told(**changed: Any) -> ToldCall:
    """Two seconds of ringing at 201, ten of talk."""
    values: dict[str, Any] = {
        "direction": Direction.IN, "started_ms": T, "ended_ms": T + 12_000, "client_phone": PHONE,
        "answered_ms": T + 2_000, "answered_by": "201", "rang": ("201",), "result": Result.MISSED,
    }  # fmt: skip
    return ToldCall(**values | changed)


def story(ref: str = "r") -> list[Any]:
    """What webhooks tell of the same call."""
    leg: dict[str, Any] = {
        "call_ref": ref, "leg_ref": "201", "side": Side.AGENT, "extension": "201", "client_phone": PHONE,
        "direction": Direction.IN,
    }  # fmt: skip
    return [
        LegRang(key="1", at_ms=T, **leg),
        LegAnswered(key="2", at_ms=T + 2_000, **leg),
        LegEnded(key="3", at_ms=T + 12_000, result=Result.ANSWERED, **leg),
    ]


def heard(*events: Any, ref: str = "r") -> Call:
    call = calls.begin(call_id=f"c_{ref}", account_id=1, line_id="l", provider="sipuni", call_ref=ref, received_ms=T)
    for event in events:
        call, _ = calls.apply(call, event)
    return call


def test_a_call_that_was_told_whole_needs_nothing() -> None:
    """It reads as the statistics have it, a second aside."""
    call = heard(*story())

    assert statistics.says_the_same(call, told())
    assert statistics.says_the_same(call, told(answered_ms=T + 3_000))
    assert not statistics.says_the_same(call, told(answered_ms=None))
    assert not statistics.says_the_same(call, told(answered_ms=T + 8_000))
    assert not statistics.says_the_same(call, told(recordings=("rec",)))
    assert not statistics.says_the_same(heard(*story()[:2]), told())


def test_a_call_that_was_never_told_is_whole_by_the_statistics() -> None:
    """Who, with whom, how long, who did not take it."""
    call = heard(*statistics.events(told(recordings=("rec",)), "r"))

    verdict = call.verdict
    assert (verdict.state, verdict.result, verdict.talk_s) == (CallState.ENDED, Result.ANSWERED, 10)
    assert (verdict.answered_by, verdict.rang, call.client_phone) == ("201", ("201",), PHONE)
    assert list(call.recordings) == ["rec"]

    missed = heard(*statistics.events(told(answered_ms=None, answered_by=None), "r"))
    assert (missed.verdict.result, missed.verdict.missed) == (Result.MISSED, ("201",))


@given(st.permutations([*range(3), "statistics"]), st.sets(st.integers(0, 2)))
def test_webhooks_before_and_after_come_to_the_same_call(order: list[Any], lost: set[int]) -> None:
    """Whatever was lost and whatever came late: with the statistics heard, the call reads as the PBX has it."""
    events = story()
    call = heard()
    for what in order:
        for event in statistics.events(told(), "r") if what == "statistics" else [] if what in lost else [events[what]]:
            call, _ = calls.apply(call, event)

    verdict = call.verdict
    assert (verdict.state, verdict.result, verdict.talk_s) == (CallState.ENDED, Result.ANSWERED, 10)
    assert verdict.answered_by == "201"


def at(seconds: int, ref: str, phone: str = PHONE) -> Call:
    """A call that began then."""
    call = heard(*story(ref), ref=ref)
    events = [structs.replace(event, at_ms=event.at_ms + seconds * 1000, client_phone=phone) for event in story(ref)]
    return heard(*events, ref=ref) if seconds or phone != PHONE else call


def matched(rows: list[ToldCall], known: list[Call]) -> list[tuple[str | None, bool]]:
    return [(one.call.call_ref if one.call else None, one.is_doubtful) for one in statistics.match(rows, known)]


def test_a_row_that_names_its_call_is_recognised_by_that() -> None:
    """Whatever the clock says; a name that nobody knows is a new call."""
    assert matched([told(call_ref="r", started_ms=T + 9_999_000)], [at(0, "r")]) == [("r", False)]
    assert matched([told(call_ref="x")], [at(0, "r")]) == [(None, False)]


def test_a_row_is_recognised_by_its_recording() -> None:
    """Its id is the call's own, or a call has the recording."""
    assert matched([told(recordings=("r",), started_ms=T + 999_000)], [at(0, "r")]) == [("r", False)]


def test_redials_are_told_apart_by_their_moments() -> None:
    """Three calls of one number within two minutes: each row finds the nearest, none is taken twice."""
    known = [at(0, "a"), at(40, "b"), at(90, "c")]
    rows = [told(started_ms=T + seconds * 1000) for seconds in (1, 41, 92)]

    for order in itertools.permutations(rows):
        found = dict(zip([row.started_ms for row in order], matched(list(order), known), strict=True))
        assert [found[T + seconds * 1000] for seconds in (1, 41, 92)] == [("a", False), ("b", False), ("c", False)]
    assert matched([*rows, told(started_ms=T + 93_000)], known)[-1] == (None, False)


def test_of_two_calls_in_one_moment_the_row_finds_its_like() -> None:
    """One of them was never told of: the other must not be taken for it."""
    missed = told(answered_ms=None, answered_by=None, ended_ms=T + 12_000)

    assert matched([missed, told(started_ms=T + 1_000)], [at(0, "r")]) == [(None, False), ("r", False)]


@pytest.mark.parametrize("hours", [-3, 1, 5.5, 14])
def test_a_row_of_another_zone_is_doubtful_and_adds_nothing(hours: float) -> None:
    """A cabinet whose zone is not what we think would else double every call."""
    assert matched([told(started_ms=T + round(hours * 3_600_000))], [at(0, "r")]) == [(None, True)]


def test_another_number_or_a_colleague_is_another_call() -> None:
    """Also at the same moment."""
    assert matched([told(client_phone="+79990000000")], [at(0, "r")]) == [(None, False)]
    assert matched([told(direction=Direction.INTERNAL, client_phone=None)], [at(0, "r")]) == [(None, False)]


def test_a_call_back_that_webhooks_tell_as_incoming_is_recognised() -> None:
    """Sipuni's first leg of a call-back looks inbound, its statistics say outbound: at one moment it is one call."""
    out = told(direction=Direction.OUT, answered_ms=None, answered_by=None)

    assert matched([out], [at(0, "r")]) == [("r", False)]
    assert matched([structs.replace(out, started_ms=T + 30_000)], [at(0, "r")]) == [(None, True)]


def test_a_missed_call_and_the_call_back_at_once_are_two_calls() -> None:
    """Each way has a row of its own: the one that webhooks did not tell of is missing, not doubtful."""
    back = told(direction=Direction.OUT, started_ms=T + 3_000)

    assert matched([told(), back], [at(0, "r")]) == [("r", False), (None, False)]


def test_a_call_without_a_name_gets_one_that_stays() -> None:
    """The same row makes the same call; a recording's name that is a call's is taken for it."""
    assert told().own_ref == told().own_ref != told(started_ms=T + 1).own_ref
    assert told(recordings=("1700000000.123",)).own_ref == "1700000000.123"
    assert matched([told()], [heard(*statistics.events(told(), told().own_ref), ref=told().own_ref)])[0][0]
