"""What a PBX's own statistics say of past calls, in our words, and how it is held against what its webhooks told.

Statistics know every call, webhooks get lost. But rows of some vendors name no call: they are recognised by who, with
whom and when, and where that is doubtful nothing is added, for a doubled call is worse than one that is looked at.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence

from msgspec import Struct

from .calls import Call
from .events import CallClosed, CallEvent, RecordingSeen
from .phone import last10
from .vocabulary import CallState, Direction, RecordingState, Result

NEAR_MS = 60_000
"""How far the beginnings of one call may lie apart: statistics count from the first ring, or from the menu."""

TALK_S = 1
"""How far two lengths of one talk may lie apart: each is made of whole seconds, rounded anywhere."""

ZONES_MS = 14 * 3_600_000
STEP_MS = 1_800_000
SLIP_MS = 5_000
"""A row that lies whole half-hours beside a call was written by a clock of another zone."""

WORD = "statistics"
"""The raw word of what was learned so."""

CALL_ID = re.compile(r"\d{9,}\.\d+")
"""A recording's id that is the call's own: the form that Asterisk gives its calls."""


HIDDEN, NOWHERE = "hidden", "nowhere"
"""Where calls without a number are found: all of them, for a row that names no telephone; those that name none."""

MADE_UP = "stat-"
"""Begins the reference of a call that its vendor did not name."""


class ToldCall(Struct, frozen=True, kw_only=True):
    """One call of the statistics. Times are UTC milliseconds; `answered_ms` None: nobody talked. `call_ref` is empty
    where the vendor does not name the call.
    """

    direction: Direction
    started_ms: int
    ended_ms: int
    call_ref: str = ""
    client_phone: str | None = None
    our_line: str | None = None
    answered_ms: int | None = None
    answered_by: str | None = None
    rang: tuple[str, ...] = ()
    dialled_by: str | None = None
    recordings: tuple[str, ...] = ()
    result: Result = Result.UNKNOWN

    @property
    def talk_s(self) -> int:
        """How long it was talked."""
        return 0 if self.answered_ms is None else round((self.ended_ms - self.answered_ms) / 1000)

    @property
    def own_ref(self) -> str:
        """A name for a call that the vendor does not name: its recording's where that is a call's, else made up."""
        named = next((key for key in self.recordings if CALL_ID.fullmatch(key)), "")
        told = f"{self.direction} {self.client_phone} {self.our_line} {self.rang} {self.started_ms}"
        return self.call_ref or named or f"{MADE_UP}{hashlib.blake2b(told.encode(), digest_size=9).hexdigest()}"


def events(told: ToldCall, call_ref: str) -> list[CallEvent]:
    """What the call machine is to hear of it."""
    closed = CallClosed(
        key=f"{call_ref}:{WORD}",
        at_ms=told.ended_ms,
        call_ref=call_ref,
        raw_word=WORD,
        result=Result.ANSWERED if told.answered_ms is not None else told.result,
        direction=told.direction,
        client_phone=told.client_phone,
        our_line=told.our_line,
        started_at_ms=told.started_ms,
        answered_at_ms=told.answered_ms,
        answered_by=told.answered_by if told.answered_ms is not None else None,
        rang=told.rang,
        dialled_by=told.dialled_by,
        is_sure=True,
    )
    records = [
        RecordingSeen(
            key=f"{call_ref}:{WORD}:{key}", at_ms=told.ended_ms, call_ref=call_ref, raw_word=WORD,
            recording_key=key, state=RecordingState.AVAILABLE, extension=told.answered_by,
        )
        for key in told.recordings
    ]  # fmt: skip
    return [closed, *records]


def says_the_same(call: Call, told: ToldCall) -> bool:
    """Whether the call reads as the statistics have it."""
    verdict = call.verdict
    is_answered = verdict.answered_ms is not None
    return (
        verdict.state is CallState.ENDED
        and is_answered == (told.answered_ms is not None)
        and abs(verdict.talk_s - told.talk_s) <= TALK_S
        and set(told.recordings) <= call.recordings.keys()
    )


class Match(Struct, frozen=True):
    """A row and the call that it tells of; None: nobody knows it. `is_doubtful`: it may be a call that is known."""

    told: ToldCall
    call: Call | None
    is_doubtful: bool = False


def match(rows: Sequence[ToldCall], calls: Iterable[Call]) -> list[Match]:
    """Recognise the rows among the line's calls of that time; each call is recognised once."""
    known = list(calls)
    by_ref = {call.call_ref: call for call in known}
    by_recording = {key: call for call in known for key in call.recordings}
    taken: set[str] = set()
    found: dict[int, Call] = {}
    for number, told in enumerate(rows):
        names = (told.call_ref, *told.recordings)
        named = next((by_ref.get(name) or by_recording.get(name) for name in names if name), None)
        named = named or by_ref.get(told.own_ref)
        if named is not None:
            found[number] = named
            taken.add(named.id)
    index = _Index(known)
    for within_ms, is_same_way in ((NEAR_MS, True), (SLIP_MS, False)):
        nearest = sorted(
            (_unlike(call, told), _apart_ms(call, told), number, call.id, call)
            for number, told in enumerate(rows)
            if number not in found and not told.call_ref
            for call in index.near(told, within_ms)
            if _may_be(call, told, is_same_way=is_same_way)
        )
        for *_, number, call_id, call in nearest:
            if number not in found and call_id not in taken:
                found[number] = call
                taken.add(call_id)
    return [
        Match(
            told,
            found.get(number),
            number not in found and (_is_shifted(told, index) or _is_beside_other_way(told, index, taken)),
        )
        for number, told in enumerate(rows)
    ]


class _Index:
    """Calls by whom they were with, in order of their beginnings: the client; without a number, the telephones."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._calls: dict[str, list[Call]] = {}
        for call in sorted(calls, key=_started_ms):
            at = [f"at {one}" for one in _extensions_of(call)]
            for who in [last10(call.client_phone)] if call.client_phone else [HIDDEN, *(at or [NOWHERE])]:
                self._calls.setdefault(who, []).append(call)

    def near(self, told: ToldCall, within_ms: int) -> list[Call]:
        """Calls that began so near, with the same client; without a number, with a telephone in common."""
        at = [f"at {one}" for one in (*told.rang, told.answered_by, told.dialled_by) if one]
        hidden = [*at, NOWHERE] if at else [HIDDEN]
        found: dict[str, Call] = {}
        for who in [last10(told.client_phone)] if told.client_phone else hidden:
            calls = self._calls.get(who, [])
            first = bisect_left(calls, told.started_ms - within_ms, key=_started_ms)
            after = bisect_right(calls, told.started_ms + within_ms, key=_started_ms)
            found |= {call.id: call for call in calls[first:after]}
        return list(found.values())


def _started_ms(call: Call) -> int:
    return call.verdict.started_ms


def _extensions_of(call: Call) -> set[str]:
    verdict, closed = call.verdict, call.closed
    told = {verdict.answered_by, *verdict.rang, *(leg.extension for leg in call.legs.values())}
    told |= {closed.answered_by, closed.dialled_by, *closed.rang} if closed is not None else set()
    return {one for one in told if one}


def told_before(event: CallEvent, known: Iterable[Call]) -> Call | None:
    """The call, known from a row alone, of which an event tells late: its vendor's rows name no call, its events do."""
    phone = _digits(getattr(event, "client_phone", None))
    fitting = [
        call
        for call in known
        if call.call_ref.startswith(MADE_UP)
        and _digits(call.client_phone) == phone
        and call.verdict.started_ms - SLIP_MS <= event.at_ms <= (call.verdict.ended_ms or 0) + SLIP_MS
    ]
    return fitting[0] if phone and len(fitting) == 1 else None


def _apart_ms(call: Call, told: ToldCall) -> int:
    return abs(call.verdict.started_ms - told.started_ms)


def _may_be(call: Call, told: ToldCall, *, is_same_way: bool) -> bool:
    """Whether the ways agree. The first leg of a call-back looks inbound: where nobody takes it, webhooks tell of a
    missed call, and the statistics of one going out. A call that goes on after a row's end is not the row's.
    """
    if call.is_live and call.last_ms > told.ended_ms + SLIP_MS:
        return False
    if is_same_way:
        return call.direction in (told.direction, Direction.UNKNOWN)
    return {call.direction, told.direction} == {Direction.IN, Direction.OUT}


def _is_beside_other_way(told: ToldCall, index: _Index, taken: Container[str]) -> bool:
    """Whether a call that is no other row's lies near, the other way."""
    if told.call_ref:
        return False
    near = (call for call in index.near(told, NEAR_MS) if call.id not in taken)
    return any(_may_be(call, told, is_same_way=False) for call in near)


def _unlike(call: Call, told: ToldCall) -> bool:
    """Of several calls of one number in one moment, one that reads the same is the row's."""
    is_beside = _apart_ms(call, told) <= SLIP_MS
    return not (is_beside and says_the_same(call, told))


def _is_shifted(told: ToldCall, index: _Index) -> bool:
    """Whether a call with this number lies whole half-hours beside the row. Where the vendor names calls, none does;
    and colleagues call each other at any time.
    """
    if told.call_ref or not told.client_phone:
        return False
    for call in index.near(told, ZONES_MS):
        apart_ms = _apart_ms(call, told)
        beside_ms = min(apart_ms % STEP_MS, STEP_MS - apart_ms % STEP_MS)
        if apart_ms > NEAR_MS and beside_ms <= SLIP_MS and call.direction is told.direction:
            return True
    return False


def _digits(phone: str | None) -> str:
    return last10(phone) if phone else ""
