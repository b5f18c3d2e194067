"""`calls`: the calls as this server knows them, for people and for programs. The JSON form is fixed: other people's
programs read it (docs/reference/cli.md).
"""

import sys
import time
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from server.core.calls import Call, Recording
from server.core.legs import Leg
from server.core.recordings import READY, Kept, state_of
from server.core.vocabulary import CallState, Direction, LegState, Origin, RecordingState, Result, Side
from server.services.links import Links
from server.settings import Settings
from server.store.calls import started_since
from server.store.recordings import of_calls

from .opened import to_read

NOTHING: Mapping[tuple[str, str], Kept] = {}

PIPED_WIDTH = 120
"""Columns of the table where there is no terminal to ask."""


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


async def known(settings: Settings, since_s: float) -> list[CallItem]:
    """The calls that started since, the oldest first. Raises what `opened.to_read` raises."""
    async with to_read(settings) as db:
        calls = await started_since(db, int(since_s * 1000))
        kept = await of_calls(db, [call.id for call in calls if call.recordings])
    # Without the server's key and address no link can be signed; the vendor's own may hold a secret.
    links = Links(settings.public_url, settings.secret_key) if settings.secret_key and settings.public_url else None
    expires_s = int(time.time()) + settings.recordings_link_s
    return [item(call, links, expires_s, kept) for call in calls]


def as_json(items: Sequence[CallItem]) -> str:
    """One JSON array in the fixed form."""
    return msgspec.json.encode(items).decode()


def item(
    call: Call, links: Links | None = None, expires_s: int = 0, kept: Mapping[tuple[str, str], Kept] = NOTHING
) -> CallItem:
    """The fixed form of a call. `kept`: what we did with recordings, by call and the vendor's key."""
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
        recordings=tuple(
            _recording(call, one, links, expires_s, kept.get((call.id, key)))
            for key, one in sorted(call.recordings.items())
        ),
        legs=tuple(_leg(leg) for leg in legs),
    )


def _recording(call: Call, one: Recording, links: Links | None, expires_s: int, kept: Kept | None) -> RecordingItem:
    state = state_of(one, kept)
    is_open = state in READY and (kept is None or kept.revoked_ms is None)
    return RecordingItem(one.key, state, links.to(call, one, expires_s) if links and is_open else None)


def print_table(items: Sequence[CallItem]) -> None:
    """Print the calls for people; times are this machine's."""
    shown = Table(title=f"{len(items)} calls")
    for name in ("started", "way", "client", "line", "state", "talk"):
        shown.add_column(name, no_wrap=True)
    shown.add_column("answered by")
    shown.add_column("rang")
    for one in items:
        shown.add_row(*_cells(one))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(shown)


def _cells(one: CallItem) -> tuple[str, ...]:
    return (
        time.strftime("%d.%m %H:%M:%S", time.localtime(one.started_at)) if one.started_at else "?",
        one.direction,
        one.client_phone or "",
        one.our_line or one.provider,
        one.result or one.state,
        f"{one.talk_s // 60}:{one.talk_s % 60:02}" if one.talk_s else "",
        one.answered_by_ext or "",
        ", ".join(one.rang_ext),
    )


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
