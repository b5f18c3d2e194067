"""What a PBX's own statistics say of past calls, in our words, and how it is held against what its webhooks told.

Statistics know every call, webhooks get lost. But rows of some vendors name no call: they are recognised by who, with
whom and when, and where that is doubtful nothing is added, for a doubled call is worse than one that is looked at.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from .calls import Call
from .events import CallClosed, CallEvent, RecordingSeen
from .phone import last10
from .vocabulary import CallState, Direction, RecordingState, Result

NEAR_MS = 60_000
"""How far the beginnings of one call may lie apart: statistics count from the first ring, or from the menu."""

TALK_S = 2
"""How far two lengths of one talk may lie apart: each is made of whole seconds, rounded anywhere."""

ZONES_MS = 14 * 3_600_000
STEP_MS = 1_800_000
SLIP_MS = 5_000
"""A row that lies whole half-hours beside a call was written by a clock of another zone."""

WORD = "statistics"
"""The raw word of what was learned so."""

CALL_ID = re.compile(r"\d{9,}\.\d+")
"""A recording's id that is the call's own: the form that Asterisk gives its calls."""


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
    by_phone: dict[str, list[Call]] = {}
    for call in known:
        by_phone.setdefault(_digits(call.client_phone), []).append(call)
    for within_ms, is_same_way in ((NEAR_MS, True), (SLIP_MS, False)):
        nearest = sorted(
            (_unlike(call, told), _apart_ms(call, told), number, call.id, call)
            for number, told in enumerate(rows)
            if number not in found and not told.call_ref
            for call in by_phone.get(_digits(told.client_phone), ())
            if _may_be(call, told, is_same_way=is_same_way) and _apart_ms(call, told) <= within_ms
        )
        for *_, number, call_id, call in nearest:
            if number not in found and call_id not in taken:
                found[number] = call
                taken.add(call_id)
    left = {phone: [call for call in calls if call.id not in taken] for phone, calls in by_phone.items()}
    return [
        Match(
            told,
            found.get(number),
            number not in found and (_is_shifted(told, by_phone) or _is_beside_other_way(told, left)),
        )
        for number, told in enumerate(rows)
    ]


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
    missed call, and the statistics of one going out.
    """
    if is_same_way:
        return call.direction in (told.direction, Direction.UNKNOWN)
    return {call.direction, told.direction} == {Direction.IN, Direction.OUT}


def _is_beside_other_way(told: ToldCall, left: Mapping[str, Sequence[Call]]) -> bool:
    """Whether a call that is no other row's lies near, the other way."""
    if told.call_ref:
        return False
    near = (call for call in left.get(_digits(told.client_phone), ()) if _apart_ms(call, told) <= NEAR_MS)
    return any(_may_be(call, told, is_same_way=False) for call in near)


def _unlike(call: Call, told: ToldCall) -> bool:
    """Of several calls of one number in one moment, one that reads the same is the row's."""
    is_beside = _apart_ms(call, told) <= SLIP_MS
    return not (is_beside and says_the_same(call, told))


def _is_shifted(told: ToldCall, by_phone: dict[str, list[Call]]) -> bool:
    """Whether a call with this number lies whole half-hours beside the row. Where the vendor names calls, none does."""
    if told.call_ref:
        return False
    for call in by_phone.get(_digits(told.client_phone), ()):
        apart_ms = abs(call.verdict.started_ms - told.started_ms)
        beside_ms = min(apart_ms % STEP_MS, STEP_MS - apart_ms % STEP_MS)
        if NEAR_MS < apart_ms <= ZONES_MS and beside_ms <= SLIP_MS and call.direction is told.direction:
            return True
    return False


def _digits(phone: str | None) -> str:
    return last10(phone) if phone else ""
