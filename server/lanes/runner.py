"""Starts the jobs of the leased lanes: pace, width, slots, holds. It works in memory alone; the pump stands between it
and the database.

Everything is driven by events: a lane is advanced when jobs arrive, when one ends, when a slot frees and when its pace
allows the next start. Nothing polls.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from server.core.jobs import Done, Handler, Hold, Job, Later, NotDone, Outcome, Park

from .clock import Clock
from .fence import Fence
from .kinds import Kinds, Pace
from .ledger import Ledger, failure, outcomes
from .run import Run
from .scripts import Turn, Turned, check

log = structlog.get_logger(__name__)


class Runner:
    """The lanes that this node has leased, and the jobs in them.

    `wake` asks for a turn of the pump soon. `slots`: handlers at work at a time, over all lanes.
    """

    def __init__(self, kinds: Kinds, clock: Clock, *, slots: int, linger_s: float, wake: Callable[[], None]) -> None:
        self.runs: dict[str, Run] = {}
        self.known: set[int] = set()  # jobs this node answers for: queued, in flight, or not settled yet
        self.ledger = Ledger()
        self.kinds = kinds
        self._clock = clock
        self._slots = slots
        self._linger_s = linger_s
        self._wake = wake
        self._handlers: Mapping[str, Handler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flights: dict[int, Run] = {}
        self._for_slot: dict[str, Run] = {}  # in order of asking
        self._paces: dict[str, Pace] = {}  # outlive the lease, so that a lane leased anew does not start in a burst
        self._fence = Fence()
        self._is_stopping = False

    def serve(self, handlers: Mapping[str, Handler]) -> None:
        """Set who carries out which kind of jobs."""
        self._handlers = dict(handlers)

    def is_alive(self, jobs: Iterable[Job]) -> bool:
        """Whether the lanes of these jobs, in flight, surely are still ours."""
        now = self._clock.monotonic()
        runs = [self._flights.get(job.id) for job in jobs]
        return all(run is not None and run.is_alive(now) for run in runs)

    # -- what a turn brings ----------------------------------------------------------------------------------------

    def commit(self, order: Turn, turned: Turned, *, lease_until: float) -> None:
        """A turn has committed: forget what it settled, learn what it leased and fetched."""
        self.known -= order.settlement.ids()
        for lane in order.settlement.released:
            self._close(lane)
        if turned.held is not None:
            self._renew(turned.held, order.mine, lease_until)
        for lane in turned.leased:
            self._open(lane).lease_until = lease_until
        fetched: dict[str, list[Job]] = {lane: [] for lane in turned.full}
        for job in turned.jobs:
            fetched[job.lane].append(job)
        for lane, jobs in fetched.items():
            self._receive(self._open(lane), jobs, has_more=turned.full[lane])
        self._fence.lift(order.number)

    def _receive(self, run: Run, jobs: list[Job], *, has_more: bool) -> None:
        self.known.update(job.id for job in jobs)
        run.stop_timer()
        run.receive(jobs, has_more=has_more)
        self._put_back(run, lambda job: self._fence.bars(job.grp))
        if self._fence.stops(run.lane):
            run.is_stopping = True
        if run.is_stopping or run.is_released:
            self._put_back(run)
        self.advance(run)

    def _renew(self, held: Mapping[str, int], mine: Iterable[str], lease_until: float) -> None:
        now_ms = self._clock.now_ms()
        for lane in mine:
            run = self.runs.get(lane)
            if run is None:
                continue
            if lane not in held:
                self._lose(run)
                continue
            run.lease_until = lease_until
            if held[lane] > now_ms:  # paused on another node
                self._stop(run)
            self.advance(run)
        now = self._clock.monotonic()
        self._paces = {n: pace for n, pace in self._paces.items() if n in self.runs or not pace.is_spent(now)}

    def _open(self, lane: str) -> Run:
        run = self.runs.get(lane)
        if run is None:
            kind = self.kinds.of(lane)
            pace = self._paces.setdefault(lane, Pace(kind.rate))
            run = self.runs[lane] = Run(lane=lane, kind=kind, pace=pace, lease_until=0.0, is_stopping=self._is_stopping)
        return run

    def _close(self, lane: str) -> None:
        run = self.runs.pop(lane, None)
        if run:
            run.stop_timer()

    def _lose(self, run: Run) -> None:
        """Another node has the lane. What is in flight here stays known until it ends, so that it is not fetched twice
        should the lane come back; its queue is the new owner's."""
        log.warning("lanes.lost", lane=run.lane, in_flight=run.busy, queued=len(run.queue))
        run.is_lost = True
        self.known.difference_update(job.id for job in run.drain())
        self._close(run.lane)

    # -- what people and the process's end bring -------------------------------------------------------------------

    def pause(self, lane: str, *, turn: int) -> None:
        """The lane was paused, in the database too: start nothing more in it. `turn`: the last one that had begun."""
        self._fence.pause(lane, turn=turn)
        if run := self.runs.get(lane):
            self._stop(run)

    def resume(self, lane: str) -> None:
        """The pause is over, in the database too. A lane on its way back returns by its next lease."""
        self._fence.resume(lane)
        if run := self.runs.get(lane):
            run.hold_ms = 0
        if lane in self.ledger.entries.released:
            self.ledger.entries.released[lane] = 0

    def forget(self, grp: str, *, turn: int) -> None:
        """Jobs of `grp` were cancelled: those that have not started do not start."""
        self._fence.cancel(grp, turn=turn)
        for run in list(self.runs.values()):
            self._put_back(run, lambda job: job.grp == grp)
            self.advance(run)

    def stop_all(self) -> None:
        """The process ends: start nothing more, give every lane back."""
        self._is_stopping = True
        for run in list(self.runs.values()):
            self._stop(run)

    def _stop(self, run: Run) -> None:
        if not run.is_stopping:
            run.is_stopping = True
            self._put_back(run)
            self.advance(run)

    async def drain(self, seconds: float) -> None:
        """Wait for the handlers at work; cancel those that take longer. Their jobs stay begun, hence unsure."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- running ---------------------------------------------------------------------------------------------------

    def advance(self, run: Run) -> None:
        """Start what may start in this lane now; else arrange for the next look at it."""
        now = self._clock.monotonic()
        while run.may_start(now):
            if len(self._tasks) >= self._slots:
                self._for_slot[run.lane] = run
                return
            if wait_s := run.pace.wait(now):
                self._call_later(run, wait_s, self.advance)
                return
            run.pace.spend(now)
            self._start(run, run.take_lot())
        if run.has_more and not run.queue:
            self._wake()
        if not run.busy:
            self._rest(run, now)

    def _rest(self, run: Run, now: float) -> None:
        """Nothing of this lane is in flight: give it back, or keep it a while for its next job."""
        if run.is_released or run.is_lost:
            return
        if run.is_stopping:
            self._release(run, run.hold_ms)
        elif run.queue or run.has_more:
            return  # the lease's renewal, or the next fetch, goes on
        elif run.put_off:
            wait_ms = round(run.pace.wait(now) * 1000)  # another node may lease it: the pace goes along as a hold
            self._release(run, self._clock.now_ms() + wait_ms if wait_ms else 0)
        elif run.timer is None:
            self._call_later(run, self._linger_s, self._expire)

    def _call_later(self, run: Run, seconds: float, look: Callable[[Run], None]) -> None:
        def ring() -> None:
            run.timer = None
            look(run)

        run.stop_timer()
        run.timer = asyncio.get_running_loop().call_later(seconds, ring)

    def _expire(self, run: Run) -> None:
        if not (run.busy or run.queue or run.has_more or run.is_released or run.is_lost):
            self._release(run, 0)

    def _release(self, run: Run, hold_ms: int) -> None:
        run.is_released = True
        self._put_back(run)
        self.ledger.entries.released[run.lane] = hold_ms
        self._wake()

    def _put_back(self, run: Run, unwanted: Callable[[Job], bool] = lambda _: True) -> None:
        """Give jobs back that have not started. They may be live all the same, so the lane is soon looked at anew."""
        jobs = run.drain(unwanted)
        self.ledger.entries.unsent += jobs
        run.put_off = run.put_off or bool(jobs)

    def _start(self, run: Run, lot: list[Job]) -> None:
        run.busy += 1
        for job in lot:
            self._flights[job.id] = run
        task = asyncio.get_running_loop().create_task(self._perform(run, lot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._serve_slots())

    def _serve_slots(self) -> None:
        while self._for_slot and len(self._tasks) < self._slots:
            lane = next(iter(self._for_slot))
            self.advance(self._for_slot.pop(lane))

    async def _perform(self, run: Run, lot: list[Job]) -> None:
        try:
            results = await self._attempt(run, lot)
            for job, outcome in zip(lot, results, strict=True):
                self._record(run, job, outcome)
        finally:
            run.busy -= 1
            for job in lot:
                self._flights.pop(job.id, None)
            self._wake()
            self.advance(run)

    async def _attempt(self, run: Run, lot: list[Job]) -> list[Outcome]:
        """One call of the handler, and what it says of each job."""
        handler = self._handlers.get(lot[0].kind)
        if handler is None:  # e.g. put by a newer version on another node
            log.error("lanes.no_handler", kind=lot[0].kind, lane=run.lane)
            return [Later(run.kind.backoff(job.tries), f"no handler for {job.kind!r}") for job in lot]
        try:
            answers = outcomes(lot, await handler(lot))
            _check_follow_ups(answers)
        except NotDone as answer:
            return [_as_outcome(answer)] * len(lot)
        except Exception as exc:
            log.exception("lanes.handler_failed", kind=lot[0].kind, lane=run.lane, keys=[job.key for job in lot])
            return [failure(job, exc, run.kind) for job in lot]
        silent = LookupError("the handler did not say how this job went")
        return [answer or failure(job, silent, run.kind) for job, answer in zip(lot, answers, strict=True)]

    def _record(self, run: Run, job: Job, outcome: Outcome) -> None:
        if run.is_lost and not isinstance(outcome, Done):
            self.known.discard(job.id)  # the new owner decides
            return
        now_ms = self._clock.now_ms()
        self.ledger.record(job, outcome, now_ms)
        if isinstance(outcome, Hold):
            run.hold_ms = max(run.hold_ms, now_ms + round(outcome.after_s * 1000))
            run.is_stopping = True
            run.pace.slow(self._clock.monotonic() + outcome.after_s + outcome.slow_s if outcome.slow_s else 0.0)
            self._put_back(run)
        elif isinstance(outcome, Later):
            run.put_off = True


def _as_outcome(answer: NotDone) -> Outcome:
    """A bare NotDone says no more than that: try again after the shortest back-off."""
    return answer if isinstance(answer, Later | Park) else Later(1.0, answer.note)


def _check_follow_ups(answers: Sequence[Outcome | None]) -> None:
    for answer in answers:
        for job in answer.follow_ups if isinstance(answer, Done) else ():
            check(job)
