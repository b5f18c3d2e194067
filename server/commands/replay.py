"""`replay`: the stored webhooks read once more, by today's codecs and call machine, and compared with the stored calls.

After a codec was mended it shows what would read differently (`--dry-run`: read-only, while `serve` runs), and corrects
the calls. It makes no jobs: nothing is written to amoCRM, dialled or shown for it.

A call is judged only when all its webhooks are still kept: older ones were purged (setting `hooks_keep_days`). What a
webhook cannot tell stays as it is: the order that a click made, what the PBX's statistics said, and that we gave up
waiting for a hang-up.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import structs

from server.core import calls, statistics
from server.core.calls import Call
from server.core.errors import ConfigError, NotFound
from server.core.events import OrderAnswered
from server.core.listing import item
from server.core.ports import LineKeys
from server.core.records import Decision, Line, StoredHook, unpack
from server.providers.registry import CODECS
from server.services.clock import new_id
from server.settings import Settings
from server.sql import Script, connect
from server.store import calls as stored_calls
from server.store import hooks as stored_hooks
from server.store.hooks import HookStore
from server.store.migrate import check_current
from server.wiring import Stores, stores

from .opened import database_url, to_read

NEW, GONE = "(no such call)", "(no webhook speaks of it)"

FOREVER_MS = 1 << 60

Key = tuple[str, str]
"""A call as its vendor names it: line and the vendor's id."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which calls: those first heard of from `since_ms` to before `until_ms`, or one of them."""

    since_ms: int = 0
    until_ms: int = FOREVER_MS
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that reads differently now. `before` None: it was not known; `after` None: nothing speaks of it now."""

    before: Call | None
    after: Call | None

    def lines(self) -> Iterator[str]:
        """What differs, a field a line."""
        one = self.after or self.before
        if one is None:
            return
        yield f"{one.id if self.before else 'new call'}  {one.provider} {one.call_ref}  {one.client_phone or ''}"
        if self.before is None or self.after is None:
            yield f"    {NEW if self.before is None else 'stored'} -> {GONE if self.after is None else 'made'}"
            return
        before, after = structs.asdict(item(self.before)), structs.asdict(item(self.after))
        for name, value in before.items():
            if value != after[name]:
                yield f"    {name}: {value} -> {after[name]}"


@dataclass(slots=True)
class Report:
    """What a replay found."""

    hooks: int = 0
    same: int = 0
    partly_purged: int = 0
    unreadable: int = 0
    lines_gone: int = 0
    differences: list[Difference] = field(default_factory=list)

    def summary(self) -> str:
        """The counts in a sentence."""
        counts = [f"{self.hooks} webhooks read", f"{self.same} calls read the same", f"{len(self.differences)} differ"]
        more = {
            "calls not judged, for older webhooks are not kept": self.partly_purged,
            "webhooks could not be read": self.unreadable,
            "webhooks belong to lines that were removed": self.lines_gone,
        }
        return "; ".join(counts + [f"{count} {what}" for what, count in more.items() if count]) + "."


class Reading:
    """Hears stored webhooks and makes calls of them, from nothing."""

    def __init__(self, lines: dict[str, Line], report: Report) -> None:
        self._lines = lines
        self._report = report
        self.made: dict[Key, Call] = {}
        self.mentioned: dict[str, None] = {}

    def hear(self, stored: StoredHook) -> None:
        """One webhook."""
        line = self._lines.get(stored.line_id)
        if line is None:
            self._report.lines_gone += 1
            return
        self._report.hooks += 1
        if stored.call_id:
            self.mentioned[stored.call_id] = None
        try:
            events = CODECS[line.provider].read(unpack(stored.raw), LineKeys(line.credentials))
        except Exception:  # noqa: BLE001  # a codec that trips over a real webhook is what a replay is to find
            self._report.unreadable += 1
            return
        for event in events:
            if not isinstance(event, OrderAnswered):
                key = line.id, event.call_ref
                self.made[key], _ = calls.apply(self.made.get(key) or _fresh(line, event.call_ref, stored), event)


async def run(settings: Settings, *, since: float, until: float | None, call_id: str, dry_run: bool) -> list[str]:
    """The lines to print. Raises what `compare` and `correct` raise."""
    wanted = Range(int(since * 1000), FOREVER_MS if until is None else int(until * 1000), call_id)
    report = await (compare if dry_run else correct)(settings, wanted)
    return [line for one in report.differences for line in one.lines()] + [report.summary()]


async def compare(settings: Settings, wanted: Range) -> Report:
    """Compare and change nothing. Raises ConfigError, StoreUnavailable, NotFound for an unknown call."""
    _need_key(settings)
    async with to_read(settings) as db:
        return await _compare(stores(settings, db), wanted)


async def correct(settings: Settings, wanted: Range) -> Report:
    """Compare and store the calls as they read now. Raises StoreLocked while the server runs, else as `compare`."""
    _need_key(settings)
    db = await connect(database_url(settings))
    try:
        await check_current(db)
        kept = stores(settings, db)
        report = await _compare(kept, wanted)
        now_ms = time.time_ns() // 1_000_000
        for one in report.differences:
            if one.after is not None:
                await _store(kept, one.after if one.before else _closed(one.after, now_ms))
        return report
    finally:
        await db.close()


def _need_key(settings: Settings) -> None:
    if not settings.secret_key:
        raise ConfigError("secret_key: stored webhooks are encrypted; give the server's settings (--config)")


async def _compare(kept: Stores, wanted: Range) -> Report:
    lines = {line.id: line for line in await kept.lines.all()}
    return await kept.db.read_script(_compared, kept.hooks, lines, wanted)


def _compared(hooks: HookStore, lines: dict[str, Line], wanted: Range) -> Script[Report]:
    """On one snapshot, so that a call in progress is compared with just the webhooks that made it."""
    if wanted.call_id:
        one = yield from stored_calls.of_id(wanted.call_id)
        if one is None:
            raise NotFound("There is no such call.", call=wanted.call_id)
        wanted = Range(one.received_ms, one.received_ms + 1, one.id)
    oldest_ms = (yield from stored_hooks.oldest()) or 0
    report = Report()
    reading = Reading(lines, report)
    yield from hooks.settled(wanted.since_ms, reading.hear)
    for (line_id, call_ref), made in reading.made.items():
        before = yield from stored_calls.of_vendor(line_id, call_ref)
        if before is not None:
            reading.mentioned.pop(before.id, None)
        if _is_wanted(before or made, wanted):
            _judge(report, before, made, oldest_ms)
    for call_id in reading.mentioned:
        before = yield from stored_calls.of_id(call_id)
        if before is not None and _is_wanted(before, wanted) and before.received_ms >= oldest_ms:
            report.differences.append(Difference(before, None))
    return report


def _is_wanted(call: Call, wanted: Range) -> bool:
    if wanted.call_id and call.id != wanted.call_id:
        return False
    return wanted.since_ms <= call.received_ms < wanted.until_ms


def _judge(report: Report, before: Call | None, made: Call, oldest_ms: int) -> None:
    if before is not None and before.received_ms < oldest_ms:
        report.partly_purged += 1
        return
    after = made if before is None else _with_history(made, before)
    if before is not None and item(before) == item(after):
        report.same += 1
    else:
        report.differences.append(Difference(before, after))


def _with_history(made: Call, before: Call) -> Call:
    """The call with what no webhook tells: our id, the click that made it, our giving up."""
    call = structs.replace(made, id=before.id, received_ms=before.received_ms, heard_ms=before.heard_ms)
    if before.closed is not None and before.closed.raw_word == statistics.WORD:
        call, _ = calls.apply(call, before.closed)
    if before.order is not None:
        call, _ = calls.bind(call, before.order)
    if before.expired_ms is not None:
        call, _ = calls.expire(call, before.expired_ms)
    return call


def _fresh(line: Line, call_ref: str, stored: StoredHook) -> Call:
    call = calls.begin(
        call_id=new_id("c"),
        account_id=line.account_id,
        line_id=line.id,
        provider=line.provider,
        call_ref=call_ref,
        received_ms=stored.received_ms,
    )
    return structs.replace(call, heard_ms=stored.received_ms)


def _closed(call: Call, now_ms: int) -> Call:
    """A new call gets no timer that would close it, so an open one is closed now; later news still counts."""
    closed, _ = calls.expire(call, now_ms)
    return closed


async def _store(kept: Stores, call: Call) -> None:
    await kept.calls.digest(
        call.line_id, call.call_ref, hook_id=None, decide=lambda _before, _waiting: Decision(call=call)
    )
