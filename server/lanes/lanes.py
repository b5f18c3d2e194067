"""The face of the engine: put work, start working, and what people do with it."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import structlog

from server.core.jobs import Handler, Job, ParkedJob, WaitingJob
from server.sql import Database, Group, Script

from . import queries, scripts
from .clock import Clock, SharedClock, SystemClock
from .kinds import PATIENCE_S, Kinds, LaneKind
from .pump import Pump, Tuning
from .runner import Runner
from .schema import NEVER, State

log = structlog.get_logger(__name__)


class Lanes:
    """Durable work over an open database, which stays its owner's to close; the tables must exist.

    `kinds`: the rules per kind of lane (the word before the colon). `owner`: this node's name among the nodes of one
    PostgreSQL database, "" for a fresh one; a stable name (a pod's) takes its lanes back at once after a restart, and
    must never be borne by two processes at a time.
    """

    def __init__(
        self,
        db: Database,
        kinds: Mapping[str, LaneKind],
        *,
        owner: str = "",
        clock: Clock | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self._db = db
        self._tuning = tuning or Tuning()
        self._clock = SharedClock(clock or SystemClock())
        self._kinds = Kinds(kinds)
        slots, linger_s = self._tuning.slots, self._tuning.linger_s
        self._runner = Runner(self._kinds, self._clock, slots=slots, linger_s=linger_s, wake=self.wake)
        owner = owner or _owner(db.dialect)
        self._pump = Pump(db, self._runner, clock=self._clock, owner=owner, tuning=self._tuning)
        self._group: Group[Sequence[Job], None] = Group(db, self._add_lots)
        self._task: asyncio.Task[None] | None = None

    # -- putting work ----------------------------------------------------------------------------------------------

    def add(self, jobs: Iterable[Job]) -> Script[None]:
        """Put jobs within the caller's transaction: `yield from lanes.add(jobs)`; then `wake()` once it has committed.

        A job whose key is remembered is ignored. Raises ValueError for a job that no database could take.
        """
        yield from scripts.add(jobs, self._kinds, self._clock.now_ms)

    async def put(self, *jobs: Job) -> None:
        """Put jobs in a transaction of their own, shared with others' (group commit); durable when this returns.

        Raises StoreUnavailable, or ValueError as `add`.
        """
        await self._group.put(jobs)
        self.wake()

    def wake(self) -> None:
        """Look for due work now rather than within the idle time. Only from the event loop's thread."""
        self._pump.wake()

    def _add_lots(self, lots: list[Sequence[Job]]) -> Script[Sequence[None]]:
        yield from self.add(chain.from_iterable(lots))
        return [None] * len(lots)

    # -- working ---------------------------------------------------------------------------------------------------

    def start(self, handlers: Mapping[str, Handler]) -> None:
        """Begin to work; `handlers` by kind of job. Without `start`, jobs can be put and looked at all the same."""
        self._runner.serve(handlers)
        self._task = asyncio.get_running_loop().create_task(self._pump.run())

    def alive(self, jobs: Iterable[Job]) -> bool:
        """To be asked by a handler right before every irreversible request: are its jobs surely still ours?

        If not, it raises `Later(0)` and sends nothing: another node may be at work on them.
        """
        return self._runner.is_alive(jobs)

    async def close(self) -> None:
        """Start nothing more, wait for the handlers at work, settle, and give the lanes back.

        A handler that takes longer than `drain_s` is cancelled; its jobs are tried again as unsure.
        """
        await self._group.close()
        if self._task is None:
            return
        self._pump.end()
        self._runner.stop_all()
        await self._task
        self._task = None
        self._runner.stop_all()  # the last turn may have leased anew
        await self._runner.drain(self._tuning.drain_s)
        try:
            await self._pump.turn(leases=False)
        except Exception:  # nothing is lost: the leases run out, the jobs are begun, hence unsure
            log.exception("lanes.not_settled")

    # -- what people and the domain do with work ---------------------------------------------------------------------

    def cancelling(self, grp: str) -> Script[int]:
        """Cancel all live jobs of a group within the caller's transaction; how many they were.

        After its commit call `forget(grp)`, so that none of them starts from memory.
        """
        count: int = yield queries.CANCEL, {"grp": grp, "now": self._clock.now_ms()}
        return count

    def forget(self, grp: str) -> None:
        """Start none of the cancelled jobs that this node has fetched already.

        Another node may have fetched some, too: a handler of cancellable work looks at its domain before it acts.
        """
        self._runner.forget(grp, turn=self._pump.turns)

    async def cancel(self, grp: str) -> int:
        """Cancel all live jobs of a group; how many they were. What is in flight runs to its end."""
        count = await self._db.run(self.cancelling, grp)
        self.forget(grp)
        return count

    async def pause(self, lane: str, until_ms: int = NEVER) -> None:
        """Stop a lane. When this returns, this node starts nothing in it; others stop within a quarter of a lease."""
        await self._db.write(queries.SET_HOLD, {"lane": lane, "next_ms": NEVER, "hold_ms": until_ms})
        self._runner.pause(lane, turn=self._pump.turns)

    async def resume(self, lane: str) -> None:
        """End a pause, or a breaker's hold, be it written yet or not."""
        async with self._pump.turning:
            await self._db.write(queries.SET_HOLD, {"lane": lane, "next_ms": NEVER, "hold_ms": 0})
            self._runner.resume(lane)
        self.wake()

    async def rearm(self, key: str, patience_s: float = PATIENCE_S) -> bool:
        """Give a parked job another chance, as unsure; False when no job with this key is parked."""
        now_ms = self._clock.now_ms()
        dead_ms = now_ms + round(patience_s * 1000)
        is_found = await self._db.run(scripts.rearm, key, now_ms=now_ms, dead_ms=dead_ms)
        self.wake()
        return is_found

    async def rearm_lane(self, lane: str, patience_s: float = PATIENCE_S) -> int:
        """Give all parked jobs of a lane another chance, as unsure; how many. Those that waited get time anew."""
        now_ms = self._clock.now_ms()
        dead_ms = now_ms + round(patience_s * 1000)
        count = await self._db.run(scripts.rearm_lane, lane, now_ms=now_ms, dead_ms=dead_ms)
        self.wake()
        return count

    async def purge(self, older_s: float) -> int:
        """Remove jobs done or cancelled longer ago than this, up to 2 000 of each; the larger of the two numbers.

        Parked ones stay. The pump does it by itself, once a minute, after `retention_s`.
        """
        return await self._pump.purge(older_s)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def parked(self, most: int = 100, *, lanes: Sequence[str] | None = None) -> list[ParkedJob]:
        """Jobs that were given up, oldest first: of these lanes, or of all."""
        stmt, which = (queries.PARKED, {}) if lanes is None else (queries.PARKED_IN, {"lanes": lanes})
        return [ParkedJob(*row) for row in await self._db.read(stmt, {"most": most, **which})]

    async def waiting(self, grp: str) -> list[WaitingJob]:
        """The live jobs of a group, the earliest first."""
        return [WaitingJob(*row) for row in await self._db.read(queries.WAITING, {"grp": grp})]

    async def depth(self, lanes: Sequence[str]) -> int:
        """How many jobs of these lanes are live."""
        ((count,),) = await self._db.read(queries.DEPTH, {"lanes": lanes})
        return int(count)

    async def busy(self, groups: Sequence[str], kind: str) -> set[str]:
        """Which of these groups have a live job of this kind."""
        return {grp for (grp,) in await self._db.read(queries.BUSY, {"groups": groups, "kind": kind})}

    async def counts(self) -> dict[str, int]:
        """How many jobs are ready, begun, done, parked, cancelled. Walks the table: for pages, not for loops."""
        counted: dict[int, int] = dict(await self._db.read(queries.COUNTS))
        return {state.name.lower(): counted.get(state, 0) for state in State}

    async def held(self) -> dict[str, int]:
        """Lanes that are paused or held, and until when (NEVER: until resumed)."""
        return dict(await self._db.read(queries.HELD, {"now": self._clock.now_ms()}))

    async def oldest_due_s(self) -> dict[str, float]:
        """For each lane with due work, how long its oldest due job has been waiting, seconds."""
        now_ms = self._clock.now_ms()
        rows = await self._db.read(queries.OLDEST_DUE, {"now": now_ms})
        return {lane: (now_ms - due_ms) / 1000 for lane, due_ms in rows}


def _owner(dialect: str) -> str:
    """On SQLite there is one process, guarded by the file lock: a restart takes its lanes back at once."""
    if dialect == "sqlite":
        return "local"
    return f"{os.uname().nodename}:{os.getpid()}:{os.urandom(3).hex()}"
