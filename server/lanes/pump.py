"""The pump turns: once per tick, one transaction for all lanes of this node, then the runner goes on.

Ownership is the lane's lease. Its owner renews it every quarter and starts nothing after 80 % of it; every node frees
what ran out. Nothing else is distributed: no membership, no leader.
"""

import asyncio
from contextlib import suppress

import structlog
from msgspec import Struct

from server.core.errors import StoreUnavailable
from server.sql import Database

from . import queries, scripts
from .clock import SharedClock
from .ledger import Settlement
from .runner import Runner
from .scripts import Turn

log = structlog.get_logger(__name__)

RENEW_AT, STOP_AT = 0.25, 0.8
"""Parts of the lease: three renewals may fail before the last fifth, which is left for clocks that differ."""

SYNC_S = 60.0
PURGE_S = 60.0
"""The database's clock is asked, and old jobs are removed, once a minute."""

OUTAGE_S = 0.5
"""Pause before the next turn while the database is away, seconds."""


class Tuning(Struct, frozen=True, kw_only=True):
    """The engine's measures; the defaults are those that were measured (docs/why)."""

    lease_s: float = 15.0
    """A dead node's lanes are taken over after this. Requests' time-outs must stay below."""
    tick_s: float = 0.05
    """Least time between two turns."""
    idle_s: float = 0.2
    """Longest time between two turns: how soon a put on another node, or a timer, is noticed."""
    slots: int = 256
    most_lanes: int = 2000
    linger_s: float = 1.0
    """How long a lane without work is kept: its next job starts without a lease."""
    drain_s: float = 8.0
    """How long `close` waits for handlers at work."""
    retention_s: float = 30 * 86_400.0
    """How long an ended job is remembered: this is the memory that makes keys idempotent."""


class Pump:
    """Carries out turns, one at a time."""

    def __init__(self, db: Database, runner: Runner, *, clock: SharedClock, owner: str, tuning: Tuning) -> None:
        self.turns = 0  # begun so far
        self.turning = asyncio.Lock()
        """Whoever has it changes what a turn would write over."""
        self._db = db
        self._runner = runner
        self._clock = clock
        self._owner = owner
        self._tuning = tuning
        self._woken = asyncio.Event()
        self._is_first = True
        self._is_ending = False
        self._care_at = 0.0
        self._sync_at = 0.0
        self._purge_at = 0.0

    def wake(self) -> None:
        """Turn soon."""
        self._woken.set()

    def end(self) -> None:
        """Let `run` return after the turn it is in."""
        self._is_ending = True
        self._woken.set()

    async def run(self) -> None:
        """Turn until `end`. A turn that fails loses nothing: what it was to settle is settled by the next."""
        is_down = False
        while not self._is_ending:
            self._woken.clear()
            started = self._clock.monotonic()
            try:
                await self.turn()
                await self._purge()
            except Exception as exc:  # noqa: BLE001  # the pump outlives every fault; the jobs are safe
                _report(exc, is_news=not is_down)
                is_down = True
                await asyncio.sleep(OUTAGE_S)
                continue
            if is_down:
                log.info("lanes.turning_again")
                is_down = False
            await asyncio.sleep(max(0.0, self._tuning.tick_s - (self._clock.monotonic() - started)))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._tuning.idle_s)

    async def turn(self, *, leases: bool = True) -> None:
        """One turn. With `leases` false it only settles and gives back: the last one of a process."""
        await self._sync()
        async with self.turning:
            await self._turn(leases=leases)

    async def _turn(self, *, leases: bool) -> None:
        started = self._clock.monotonic()
        cares = leases and started >= self._care_at
        self.turns += 1
        settlement = self._runner.ledger.take()
        order = self._order(settlement, cares=cares, leases=leases)
        try:
            turned = await self._db.run(scripts.turn, order)
        except BaseException:
            self._runner.ledger.give_back(settlement)
            raise
        if cares:
            self._care_at = started + self._tuning.lease_s * RENEW_AT
            self._is_first = False
        self._runner.commit(order, turned, lease_until=started + self._tuning.lease_s * STOP_AT)

    def _order(self, settlement: Settlement, *, cares: bool, leases: bool) -> Turn:
        runs = self._runner.runs.values()
        more = [run for run in runs if run.has_more and not run.is_stopping and not run.is_released]
        return Turn(
            number=self.turns,
            now=self._clock.now_ms,
            owner=self._owner,
            kinds=self._runner.kinds,
            settlement=settlement,
            mine=frozenset(self._runner.runs),
            again=frozenset(run.lane for run in more if not run.queue),
            deep=frozenset(run.lane for run in more),
            known=frozenset(self._runner.known - settlement.ids()),
            lease_ms=round(self._tuning.lease_s * 1000),
            cares=cares,
            reaps_own=self._is_first,
            most_lanes=self._tuning.most_lanes if leases else 0,
            locks=self._db.dialect == "postgresql",
        )

    async def _sync(self) -> None:
        """Follow the database's clock: the nodes of an installation must agree on when a lease ends."""
        now = self._clock.monotonic()
        if self._db.dialect != "postgresql" or now < self._sync_at:
            return
        before_ms = self._clock.raw_ms()
        rows = await self._db.read(queries.DATABASE_NOW)
        self._clock.correct(rows[0][0], asked_ms=(before_ms + self._clock.raw_ms()) // 2)
        self._sync_at = now + SYNC_S

    async def _purge(self) -> None:
        now = self._clock.monotonic()
        if now < self._purge_at:
            return
        removed = await self.purge(self._tuning.retention_s)
        self._purge_at = now + (PURGE_S if removed < queries.PURGE_MOST else 0.0)

    async def purge(self, older_s: float) -> int:
        """Remove jobs done or cancelled longer ago than this, up to 2 000 of each; the larger of the two numbers."""
        return await self._db.run(scripts.purge, self._clock.now_ms() - round(older_s * 1000))


def _report(error: Exception, *, is_news: bool) -> None:
    """An outage is logged once; a fault of ours each time, with its place."""
    if not isinstance(error, StoreUnavailable):
        log.error("lanes.turn_failed", exc_info=error)
    elif is_news:
        log.warning("lanes.database_away", error=str(error))
