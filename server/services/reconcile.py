"""Reconciliation: what the PBX's statistics know of past calls, against what its webhooks told us. Nightly, and when an
administrator asks.

A missing call is born from the statistics, a wrong or unknown end is corrected; both go the way of any other news, so
that nothing is logged twice. Young calls are left alone: their webhooks may be under way.
"""

import asyncio
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct, structs

from server.core import statistics
from server.core.calls import Corrected, Ended, RecordingKnown
from server.core.errors import (
    KommutatorError,
    OwnError,
    VendorCredentials,
    VendorError,
    VendorRateLimited,
    VendorUnsupported,
)
from server.core.jobs import Hold, Job, Later
from server.core.ports import Pause, Sender, VendorAnswer
from server.core.records import Line, Reconciliation
from server.core.statistics import Match, ToldCall
from server.core.stores import Calls as CallStore
from server.core.stores import Reconciliations
from server.core.vocabulary import Capability

from .accounts import Accounts
from .calls import Calls
from .clock import Clock, now_ms
from .lines import Lines, keys_of

log = structlog.get_logger()

MISSING = "hooks-missing"
"""The alert: the PBX had calls of which no webhook came."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OVERLAP_MS = 2 * HOUR_MS
MOST_DAYS = 7
"""How far back it looks after having been away: MANGO tells of less than thirty days, and people of less."""

LOOK_EVERY_S = 300.0
SPREAD_S = 1800
"""Lines are not asked all in one minute: each has its own within this time, always the same."""

MOSCOW = timezone(timedelta(hours=3))

LIMITED_S = 120.0
LOCKED_OUT_S = 600.0
AWAY_S = (60, 300, 900, 1800)


class Shelf(Protocol):
    """Where durable work is put."""

    async def put(self, *jobs: Job) -> None: ...


class Wanted(Struct, frozen=True):
    """The body of a job: a line's calls that began in this period."""

    line: str
    since_ms: int
    until_ms: int


class Reconcile:
    """Compares lines with their PBXs."""

    def __init__(  # noqa: PLR0913  # it joins six rooms
        self, lines: Lines, calls: Calls, store: CallStore, found: Reconciliations, sender: Sender, accounts: Accounts,
        *, later: Shelf, hour: int = 3, settle_s: int = 600, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        """`hour`: of the night in Moscow; negative: never by itself. `settle_s`: how long a call must be over, or must
        not have been heard of, to be looked at.
        """
        self._lines = lines
        self._calls = calls
        self._store = store
        self._found = found
        self._sender = sender
        self._accounts = accounts
        self._later = later
        self._hour = hour
        self._settle_ms = settle_s * 1000
        self._clock = clock

    async def keep(self) -> None:
        """See to it, until cancelled, that every line is compared once a night, and soon after a night of absence."""
        while self._hour >= 0:
            try:
                await self.plan()
            except OwnError as exc:
                log.warning("reconciliation_not_planned", slug=exc.slug)
            await asyncio.sleep(LOOK_EVERY_S)

    async def plan(self) -> None:
        """Put a job for each line whose night has come. Raises StoreUnavailable."""
        now = self._clock()
        for line in self._lines.all():
            if Capability.STATISTICS not in self._lines.codec(line).capabilities:
                continue
            night_ms = _night_ms(now, self._hour) + zlib.crc32(line.id.encode()) % SPREAD_S * 1000
            last = await self._found.last(line.id)
            done_ms = last.at_ms if last else line.created_ms
            if now >= night_ms > done_ms:
                # At least the day: a comparison that somebody asked for may have been of an hour of it. Calls of before
                # the line was connected are none of ours.
                since_ms = min(last.until_ms if last else now, now - DAY_MS) - OVERLAP_MS
                since_ms = max(since_ms, now - MOST_DAYS * DAY_MS, line.created_ms)
                await self._put(line, since_ms, now, key=f"{night_ms}")

    async def ask(self, line: Line, since_ms: int | None, until_ms: int | None) -> None:
        """Compare a line soon. Raises VendorUnsupported, StoreUnavailable."""
        if Capability.STATISTICS not in self._lines.codec(line).capabilities:
            raise VendorUnsupported(what=Capability.STATISTICS.value)
        now = self._clock()
        start_ms = max(now - DAY_MS, line.created_ms) if since_ms is None else max(since_ms, now - 29 * DAY_MS)
        await self._put(line, start_ms, min(until_ms or now, now), key=f"{now}")

    async def last(self, line: Line) -> Reconciliation | None:
        """What the latest comparison of a line found."""
        return await self._found.last(line.id)

    async def reconcile(self, jobs: Sequence[Job]) -> None:
        """Compare one line. Raises what the engine understands: Later, Hold."""
        (job,) = jobs
        wanted = msgspec.json.decode(job.body, type=Wanted)
        line = self._lines.get(wanted.line)
        if line is None:
            return
        try:
            told = await self._ask(line, wanted)
        except VendorRateLimited as exc:
            raise Hold(LIMITED_S, exc.message, unsure=False) from exc
        except VendorCredentials as exc:
            raise Hold(LOCKED_OUT_S, exc.message, unsure=False) from exc
        except VendorError as exc:
            raise Later(AWAY_S[min(job.tries, len(AWAY_S)) - 1], exc.message, unsure=False) from exc
        with structlog.contextvars.bound_contextvars(line=line.id):
            report = await self._compare(line, wanted, told)
            await self._found.put(report)
            await self._tell(line, report)
            log.info("reconciled", told=report.told, added=report.added, corrected=report.corrected)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _put(self, line: Line, since_ms: int, until_ms: int, *, key: str) -> None:
        await self._later.put(Job(
            lane=f"stat:{line.id}",
            kind="reconcile",
            key=f"reconcile:{line.id}:{key}",
            body=msgspec.json.encode(Wanted(line.id, since_ms, until_ms)),
        ))  # fmt: skip

    async def _ask(self, line: Line, wanted: Wanted) -> list[ToldCall]:
        """Drive the codec's questions."""
        asking = self._lines.codec(line).statistics(wanted.since_ms, wanted.until_ms, keys_of(line))
        answer: VendorAnswer | None = None
        while True:
            try:
                step = asking.send(answer)
            except StopIteration as end:
                told: list[ToldCall] = end.value
                return told
            answer = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            else:
                answer = await self._sender.send(line.provider, step)

    async def _compare(self, line: Line, wanted: Wanted, told: Sequence[ToldCall]) -> Reconciliation:
        old_ms = self._clock() - self._settle_ms
        rows = sorted(told, key=lambda one: one.started_ms)
        old = {number for number, one in enumerate(rows) if one.ended_ms < old_ms}
        zone_ms = statistics.ZONES_MS + statistics.NEAR_MS
        known = await self._store.of_line(line.id, wanted.since_ms - zone_ms, wanted.until_ms + zone_ms)
        report = Reconciliation(
            line_id=line.id, account_id=line.account_id, at_ms=self._clock(), since_ms=wanted.since_ms,
            until_ms=wanted.until_ms, told=len(old),
        )  # fmt: skip
        for number, one in enumerate(statistics.match(rows, known)):
            if number not in old:  # it keeps its call from being taken for another row's
                continue
            what = await self._settle(line, one, old_ms)
            report = structs.replace(report, **{what: getattr(report, what) + 1}) if what else report
        return report

    async def _settle(self, line: Line, one: Match, old_ms: int) -> str:
        """Put one row right; what that was."""
        call, told = one.call, one.told
        if one.is_doubtful:
            log.warning("statistics_doubtful", started_ms=told.started_ms)
            return "doubtful"
        if call is None:
            ref = told.own_ref
            await self._calls.learn(line, ref, statistics.events(told, ref), told.ended_ms)
            return "added"
        if statistics.says_the_same(call, told) or (call.is_live and call.heard_ms > old_ms):
            return ""
        decision = await self._calls.learn(
            line, call.call_ref, statistics.events(told, call.call_ref), max(told.ended_ms, call.heard_ms)
        )
        effects = decision.effects if decision else ()
        return "corrected" if any(isinstance(one, Corrected | Ended | RecordingKnown) for one in effects) else ""

    async def _tell(self, line: Line, report: Reconciliation) -> None:
        try:
            if report.added:
                await self._accounts.alert(
                    line.account_id, MISSING, subject=line.id, line=line.name, count=str(report.added)
                )
            else:
                await self._accounts.settle(line.account_id, MISSING, subject=line.id)
        except KommutatorError as exc:
            log.warning("alert_not_raised", slug=exc.slug)


def _night_ms(now_ms_: int, hour: int) -> int:
    """The latest moment of this hour in Moscow."""
    now = datetime.fromtimestamp(now_ms_ / 1000, UTC).astimezone(MOSCOW)
    night = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return int((night if night <= now else night - timedelta(days=1)).timestamp() * 1000)
