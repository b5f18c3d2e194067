"""The fixed form of a call: what `calls --json` prints and the journal's JSON holds. Other people's programs read it
(docs/reference/cli.md).
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from .calls import Call, Recording
from .legs import Leg
from .recordings import READY, Kept, state_of
from .vocabulary import CallState, Direction, LegState, Origin, RecordingState, Result, Side

NOTHING: Mapping[str, Kept] = {}

Link = Callable[[Call, Recording], str]
"""Makes a link to a recording."""


class RecordingItem(Struct, frozen=True):
    """A recording; `url` is a link of ours that expires, null while there is nothing to hear."""

    provider_key: str
    state: RecordingState
    url: str | None


class LegItem(Struct, frozen=True):
    """A leg; times are Unix seconds."""

    id: str
    extension: str | None
    phone: str | None
    side: Side
    state: LegState
    started_at: int | None
    answered_at: int | None
    ended_at: int | None
    result: Result | None


class CallItem(Struct, frozen=True, kw_only=True):
    """A call; every key is always there. `account` is amoCRM's id, `pending_ref` our order's, times Unix seconds."""

    id: str
    account: int
    provider: str
    line: str
    provider_call_id: str
    direction: Direction
    client_phone: str | None
    our_line: str | None
    started_at: int | None
    answered_at: int | None
    ended_at: int | None
    talk_s: int
    state: CallState
    result: Result | None
    answered_by_ext: str | None
    rang_ext: tuple[str, ...]
    missed_by_ext: tuple[str, ...]
    origin: Origin
    pending_ref: str | None
    recordings: tuple[RecordingItem, ...]
    legs: tuple[LegItem, ...]


def item(call: Call, kept: Mapping[str, Kept] = NOTHING, link: Link | None = None) -> CallItem:
    """The fixed form of a call. `kept`: what we did with its recordings, by the vendor's key."""
    verdict = call.verdict
    legs = sorted(call.legs.values(), key=lambda leg: (_first_ms(leg), leg.ref))
    return CallItem(
        id=call.id,
        account=call.account_id,
        provider=call.provider,
        line=call.line_id,
        provider_call_id=call.call_ref,
        direction=call.direction,
        client_phone=call.client_phone,
        our_line=call.our_line,
        started_at=_seconds(verdict.started_ms or None),
        answered_at=_seconds(verdict.answered_ms),
        ended_at=_seconds(verdict.ended_ms),
        talk_s=verdict.talk_s,
        state=verdict.state,
        result=verdict.result,
        answered_by_ext=verdict.answered_by,
        rang_ext=verdict.rang,
        missed_by_ext=verdict.missed,
        origin=call.origin,
        pending_ref=call.order.id if call.order else None,
        recordings=tuple(_recording(call, one, kept.get(key), link) for key, one in sorted(call.recordings.items())),
        legs=tuple(_leg(leg) for leg in legs),
    )


def _recording(call: Call, one: Recording, kept: Kept | None, link: Link | None) -> RecordingItem:
    state = state_of(one, kept)
    is_open = state in READY and (kept is None or kept.revoked_ms is None)
    return RecordingItem(one.key, state, link(call, one) if link and is_open else None)


def _leg(leg: Leg) -> LegItem:
    return LegItem(
        id=leg.ref,
        extension=leg.extension,
        phone=leg.word("client_phone"),
        side=leg.side,
        state=leg.state,
        started_at=_seconds(leg.began_ms if leg.rang_ms is None else leg.rang_ms),
        answered_at=_seconds(leg.answered_ms),
        ended_at=_seconds(leg.ended_ms),
        result=leg.result,
    )


def _first_ms(leg: Leg) -> int:
    return min((moment for moment in (leg.rang_ms, leg.answered_ms, leg.ended_ms) if moment is not None), default=0)


def _seconds(moment_ms: int | None) -> int | None:
    return None if moment_ms is None else moment_ms // 1000
