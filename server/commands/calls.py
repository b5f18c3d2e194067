"""`calls`: the calls as this server knows them, for people and for programs."""

import sys
import time
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from server.core.listing import NOTHING, CallItem, Link, item
from server.services.links import Links
from server.settings import Settings
from server.store.calls import started_since
from server.store.recordings import of_calls

from .opened import to_read

PIPED_WIDTH = 120
"""Columns of the table where there is no terminal to ask."""


async def known(settings: Settings, since_s: float) -> list[CallItem]:
    """The calls that started since, the oldest first. Raises what `opened.to_read` raises."""
    async with to_read(settings) as db:
        calls = await started_since(db, int(since_s * 1000))
        kept = await of_calls(db, [call.id for call in calls if call.recordings])
    link = _linking(settings)
    return [item(call, kept.get(call.id, NOTHING), link) for call in calls]


def _linking(settings: Settings) -> Link | None:
    """Without the server's key and address no link can be signed; the vendor's own may hold a secret."""
    if not (settings.secret_key and settings.public_url):
        return None
    links = Links(settings.public_url, settings.secret_key)
    expires_s = int(time.time()) + settings.recordings_link_s
    return lambda call, recording: links.to(call, recording, expires_s)


def as_json(items: Sequence[CallItem]) -> str:
    """One JSON array in the fixed form."""
    return msgspec.json.encode(items).decode()


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
