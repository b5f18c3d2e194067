"""What a call came to: read from its legs and the vendor's last word, never from one status word.

Everything here is a pure reading of the facts; nothing is remembered, so late news simply gives a new reading.
"""

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from .events import CallClosed
from .legs import Leg, earliest, latest
from .vocabulary import CallState, Direction, LegState, Result, Side

PEOPLE = frozenset({Side.AGENT, Side.CLIENT})
"""Legs with a person at the end. A menu or a queue that "answers" is no talk."""

SPECIFIC = frozenset(
    {Result.BUSY, Result.REJECTED, Result.UNAVAILABLE, Result.FORBIDDEN, Result.FAILED, Result.CANCELLED}
)
"""Results that say more than "nobody took it"."""


AHEAD_MS = 5 * 60_000
"""How far the vendor's clock may be ahead of ours before its times are set back: clocks differ by seconds, and one that
is wrong is wrong by a time zone."""

STAYS_MS = 1 << 60
"""When a leg ends that still goes on."""


class Verdict(Struct, frozen=True, omit_defaults=True):
    """The reading of a call. Times are UTC milliseconds; `talk_s` is 0 when nobody talked."""

    state: CallState
    direction: Direction
    result: Result | None = None
    started_ms: int = 0
    answered_ms: int | None = None
    ended_ms: int | None = None
    talk_s: int = 0
    answered_by: str | None = None
    rang: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


def judge(
    legs: Sequence[Leg], closed: CallClosed | None, *, direction: Direction, received_ms: int, expired_ms: int | None
) -> Verdict:
    """Read the call. `received_ms` stands in for a start that nobody told; `expired_ms` is when we gave up waiting.

    A call that is told to begin well after we heard of it began when we heard: the vendor's clock is wrong. One that
    began long before may be told late, so that an earlier time stands.
    """
    state = _state(legs, closed, expired_ms)
    is_over = state is not CallState.LIVE
    ordered = sorted(legs, key=_rang_at)
    talks = _talks(ordered, direction)
    answered_ms = _answered_ms(talks, closed)
    ended_ms = _ended_ms(legs, closed, expired_ms) if is_over else None
    rang = tuple(dict.fromkeys(leg.extension for leg in ordered if leg.side is Side.AGENT and leg.extension))
    if not rang and closed is not None:
        rang = closed.rang
    takers = [leg for leg in _takers(ordered, talks, direction) if leg.extension]
    took = {leg.extension for leg in takers}
    named = closed.answered_by if closed and answered_ms is not None else None
    answered_by = max(takers, key=partial(_stayed, over_ms=ended_ms, named=named)).extension if takers else named
    missed = tuple(extension for extension in rang if extension not in (*took, answered_by))
    started_ms = _started_ms(legs, closed) or received_ms
    ahead_ms = started_ms - received_ms if started_ms - received_ms > AHEAD_MS else 0
    return Verdict(
        state=state,
        direction=direction,
        result=_result(legs, closed, direction, is_answered=answered_ms is not None) if is_over else None,
        started_ms=started_ms - ahead_ms,
        answered_ms=None if answered_ms is None else answered_ms - ahead_ms,
        ended_ms=None if ended_ms is None else ended_ms - ahead_ms,
        talk_s=max(0, round((ended_ms - answered_ms) / 1000)) if ended_ms and answered_ms else 0,
        answered_by=answered_by,
        rang=rang,
        missed=missed if is_over else (),
    )


def _rang_at(leg: Leg) -> tuple[int, str]:
    """The order of a call's legs: by first ring, or whatever else is the first that is known of a leg."""
    return earliest(leg.rang_ms, leg.answered_ms, leg.ended_ms) or 0, leg.ref


def _state(legs: Sequence[Leg], closed: CallClosed | None, expired_ms: int | None) -> CallState:
    """Over with the vendor's last word, or when each leg that had a person at its end is over.

    A menu leg that ends proves nothing: the next leg is about to ring. A telephone that rings without a last word
    may do so for ever (the hang-up was lost): `expired_ms` is the end then, until news comes.
    """
    people = [leg for leg in legs if leg.side in PEOPLE]
    if closed is not None or (people and all(_is_over(leg, people) for leg in people) and not _moves_on(people)):
        return CallState.ENDED
    return CallState.LIVE if expired_ms is None else CallState.ENDED_UNKNOWN


def _is_over(leg: Leg, people: Sequence[Leg]) -> bool:
    """A leg that ended, or an agent's of which Sipuni tells no end: in a call-back it ends with the client's leg."""
    if not leg.is_open:
        return True
    clients = [other for other in people if other.side is Side.CLIENT and other.extension == leg.extension]
    is_answered = leg.side is Side.AGENT and leg.state is not LegState.RINGING
    return is_answered and bool(clients) and not any(client.is_open for client in clients)


def _moves_on(people: Sequence[Leg]) -> bool:
    """A call between two legs: the first is over, the next is about to ring.

    An answered agent's leg that ended outbound for no reason (MANGO rings the client next), or one that handed the call
    on, while nothing was heard of whoever gets it.
    """
    if any(_is_handed_on(leg) and not _is_followed(leg, people) for leg in people):
        return True
    if any(leg.side is Side.CLIENT for leg in people):
        return False
    return any(
        leg.answered_ms is not None and leg.result is Result.UNKNOWN and leg.word("direction") == Direction.OUT
        for leg in people
    )


def _is_handed_on(leg: Leg) -> bool:
    return leg.ended_ms is not None and leg.extension is not None and leg.word("transferred_by") == leg.extension


def _is_followed(leg: Leg, people: Sequence[Leg]) -> bool:
    """Whether another leg began when this one ended, outlived it, or got the call from it.

    A consulted colleague's leg is older than the hand-over, and in whole seconds it may end together with it.
    """
    ended_ms = leg.ended_ms or 0
    others = [other for other in people if other.ref != leg.ref]
    return any(
        (other.rang_ms or 0) >= ended_ms
        or (other.ended_ms or 0) > ended_ms
        or (other.ended_ms == ended_ms and other.word("transferred_by") == leg.extension)
        for other in others
    )


def _talks(legs: Sequence[Leg], direction: Direction) -> list[Leg]:
    """The legs whose answer is talk between the company and the other side.

    Going out, only the client's answer counts: in a call-back the agent's own telephone is picked up first.
    """
    sides = {Side.CLIENT} if direction is Direction.OUT else PEOPLE
    return [leg for leg in legs if leg.side in sides and leg.answered_ms is not None]


def _takers(ordered: Sequence[Leg], talks: Sequence[Leg], direction: Direction) -> list[Leg]:
    """The legs whose employees talked, in order. Going out, the employee may stand on the client's leg."""
    if direction is Direction.OUT and not talks:
        return []
    agents = [leg for leg in ordered if leg.side is Side.AGENT and leg.answered_ms is not None]
    return agents or list(talks)


def _stayed(leg: Leg, *, over_ms: int | None, named: str | None) -> tuple[int, int, bool, str]:
    """Who of several that talked has the call: who stayed longest, then who answered last, then whom the vendor names.

    Two may pick up in the same second, and the PBX drops one; a colleague who was only asked leaves again; and of a
    call that was handed on, the first hang-up may never be told.
    """
    until_ms = leg.ended_ms if leg.ended_ms is not None and not leg.is_open else over_ms or STAYS_MS
    return until_ms, leg.answered_ms or 0, leg.extension == named, leg.ref


def _started_ms(legs: Sequence[Leg], closed: CallClosed | None) -> int | None:
    told = [moment for leg in legs for moment in (leg.began_ms, leg.rang_ms)]
    return earliest(*told, closed.started_at_ms if closed else None)


def _answered_ms(talks: Sequence[Leg], closed: CallClosed | None) -> int | None:
    """When talk began. The legs' evidence is never taken back by a vendor's "nobody talked"."""
    if closed is not None and closed.is_sure and closed.answered_at_ms is not None:
        return closed.answered_at_ms
    return earliest(*(leg.answered_ms for leg in talks), closed.answered_at_ms if closed else None)


def _ended_ms(legs: Sequence[Leg], closed: CallClosed | None, expired_ms: int | None) -> int | None:
    if closed is not None:
        return closed.at_ms
    return latest(*(leg.ended_ms for leg in legs)) or expired_ms


def _result(legs: Sequence[Leg], closed: CallClosed | None, direction: Direction, *, is_answered: bool) -> Result:
    if is_answered:
        return Result.ANSWERED
    silent = Result.MISSED if direction is Direction.IN else Result.NO_ANSWER
    asked = _asked(legs, direction)
    words = {leg.result for leg in asked if leg.result is not None}
    if len(words) == 1 and (word := words.pop()) in SPECIFIC:
        return silent if _is_hung_up_on(word, direction) else word
    if not asked and closed is not None and closed.result in SPECIFIC:
        return silent if _is_hung_up_on(closed.result, direction) else closed.result
    return silent


def _asked(legs: Sequence[Leg], direction: Direction) -> list[Leg]:
    """The legs that decide why nobody talked: outbound the client's, and the agent's while the client was not rung."""
    people = [leg for leg in legs if leg.side in PEOPLE and leg.state is LegState.ENDED]
    clients = [leg for leg in people if leg.side is Side.CLIENT]
    return clients if direction is Direction.OUT and clients else people


def _is_hung_up_on(word: Result, direction: Direction) -> bool:
    """A caller who gives up waiting leaves a missed call, not a cancelled one."""
    return word is Result.CANCELLED and direction is Direction.IN
