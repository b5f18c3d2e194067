"""A model of the lanes' states, walked at random: puts, turns, outcomes, pauses, cancels, crashes, in any order.

The model is what a user of the engine may rely on: no job starts twice at a time, nor before it is due, nor in a lane
that is paused or held, nor after its end; what was perhaps sent comes back as unsure; and everything ends.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select
from structlog.testing import capture_logs

from server.core.jobs import Done, Hold, Job, Later, Park
from server.lanes import NEVER, LaneKind, Lanes, Tuning, metadata
from server.lanes.schema import State
from server.lanes.schema import job as job_table
from server.sql import Database, Stmt, connect, create_all

LANES = ("one:a", "wide:a")
PATIENT = LaneKind(width=1, depth=2, patience_s=1e9, backoff=lambda _: 5.0)
KINDS = {"one": PATIENT, "wide": LaneKind(width=3, depth=2, patience_s=1e9, backoff=lambda _: 5.0)}
STATES = Stmt(select(job_table.c.key, job_table.c.state))
ENDS = {State.DONE, State.PARKED, State.CANCELLED}

keys = st.integers(0, 5).map("k{}".format)
lanes_drawn = st.sampled_from(LANES)
groups = st.sampled_from(["g0", "g1", None])


class HandClock:
    """Stands still unless turned."""

    def __init__(self) -> None:
        self.now_s = 1_000_000

    def now_ms(self) -> int:
        return self.now_s * 1000

    def monotonic(self) -> float:
        return float(self.now_s)


@dataclass
class Wanted:
    """What the model knows of a job. `ending` is an outcome that no turn has settled yet."""

    lane: str
    grp: str | None
    due_ms: int
    state: State = State.READY
    unsure: bool = False
    ending: Any = None
    next_due_ms: int = 0


class LaneStates(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = HandClock()
        self.jobs: dict[str, Wanted] = {}
        self.flying: dict[str, asyncio.Future[Any]] = {}
        self.held: dict[str, int] = {}
        self.wrong: list[str] = []
        self.is_turning = False
        self.quiet = ExitStack()
        self.quiet.enter_context(capture_logs())  # planned failures, by the thousand
        self.db: Database = self.do(connect("sqlite:///:memory:"))
        self.do(create_all(self.db, metadata))
        self.boot()

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def boot(self) -> None:
        self.lanes = Lanes(self.db, KINDS, clock=self.clock, tuning=Tuning(linger_s=0.0))
        self.lanes._runner.serve({"x": self.handle})

    # -- the engine's side: every start is checked -----------------------------------------------------------------

    async def handle(self, lot: Sequence[Job]) -> Any:
        [job] = lot
        self.check_start(job)
        self.flying[job.key] = self.loop.create_future()
        return await self.flying[job.key]

    def check_start(self, job: Job) -> None:
        if self.is_turning:  # what a turn brings starts after it has settled
            self.settle_all()
        wanted, now_ms = self.jobs[job.key], self.clock.now_ms()
        beside = [key for key in self.flying if self.jobs[key].lane == job.lane]
        claims = {
            "twice at a time": job.key in self.flying,
            "while its end is not settled": wanted.ending is not None,
            "after its end": wanted.state in ENDS,
            "before it was due": now_ms < wanted.due_ms,
            "in a held lane": now_ms < self.held.get(job.lane, 0),
            "over the width": len(beside) >= KINDS[job.lane.partition(":")[0]].width,
            "without its mark": wanted.unsure and not job.unsure,
            "without a lease": not self.lanes.alive([job]),
        }
        self.wrong += [f"{job.key} started {claim}" for claim, is_so in claims.items() if is_so]

    @invariant()
    def nothing_started_wrongly(self) -> None:
        assert not self.wrong

    async def spin(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    # -- what happens ----------------------------------------------------------------------------------------------

    @rule(key=keys, lane=lanes_drawn, grp=groups, delay_s=st.sampled_from([0, 0, 0, 30]))
    def put(self, key: str, lane: str, grp: str | None, delay_s: int) -> None:
        due_ms = self.clock.now_ms() + delay_s * 1000
        self.do(self.lanes.put(Job(lane, "x", key, due_ms=due_ms, grp=grp)))
        self.jobs.setdefault(key, Wanted(lane, grp, due_ms))

    @rule(times=st.integers(1, 3))
    def turn(self, times: int) -> None:
        for _ in range(times):
            self.is_turning = True
            self.do(self.lanes._pump.turn())
            self.settle_all()
            self.is_turning = False
            self.do(self.spin())

    @rule(seconds=st.sampled_from([1, 5, 31, 3600]))
    def advance(self, seconds: int) -> None:
        self.clock.now_s += seconds

    @rule(seconds=st.sampled_from([5, 31]))
    def live_on(self, seconds: int) -> None:
        """Time passes and the pump turns: the usual course, drawn more often than the rest."""
        self.advance(seconds)
        self.turn(2)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), how=st.sampled_from(["done", "next", "later", "unsure", "hold", "park", "error"]))
    def finish(self, data: st.DataObject, how: str) -> None:
        self.end(data.draw(st.sampled_from(sorted(self.flying))), how)

    @rule(lane=lanes_drawn)
    def pause(self, lane: str) -> None:
        self.do(self.lanes.pause(lane))
        self.held[lane] = NEVER

    @rule(lane=lanes_drawn)
    def resume(self, lane: str) -> None:
        self.do(self.lanes.resume(lane))
        self.held[lane] = 0

    @rule(grp=st.sampled_from(["g0", "g1"]))
    def cancel(self, grp: str) -> None:
        self.do(self.lanes.cancel(grp))
        for wanted in self.jobs.values():
            if wanted.grp == grp and wanted.state not in ENDS:
                wanted.state = State.CANCELLED

    @rule(key=keys)
    def rearm(self, key: str) -> None:
        wanted = self.jobs.get(key)
        is_parked = wanted is not None and wanted.state is State.PARKED
        assert self.do(self.lanes.rearm(key)) is is_parked
        if wanted and is_parked:
            wanted.state, wanted.unsure, wanted.due_ms = State.BEGUN, True, self.clock.now_ms()

    @rule()
    def crash(self) -> None:
        """The process dies: its memory is gone, what it had begun was perhaps sent."""
        self.lanes._runner.stop_all()  # the dead start nothing
        for task in list(self.lanes._runner._tasks):
            task.cancel()
        self.do(self.spin())
        for key, wanted in self.jobs.items():
            if key in self.flying or wanted.ending is not None:
                wanted.unsure, wanted.ending = True, None
        self.flying.clear()
        self.held = {lane: until for lane, until in self.held.items() if until == NEVER}  # a hold may not be written
        self.boot()

    # -- the model's side of an end --------------------------------------------------------------------------------

    def end(self, key: str, how: str) -> None:
        wanted, future, lane = self.jobs[key], self.flying.pop(key), self.jobs[key].lane
        wanted.ending = how
        answers: dict[str, Any] = {
            "done": None,
            "next": {key: Done((Job(lane, "x", key + "+"),))},
            "later": Later(5.0),
            "unsure": Later(5.0, unsure=True),
            "hold": Hold(30.0),
            "park": Park("no"),
            "error": RuntimeError("reset"),
        }
        if how == "hold":
            self.held[lane] = max(self.held.get(lane, 0), self.clock.now_ms() + 30_000)
        wanted.next_due_ms = self.clock.now_ms() + 5_000
        if isinstance(answers[how], Exception):
            future.set_exception(answers[how])
        else:
            future.set_result(answers[how])
        self.do(self.spin())

    def settle_all(self) -> None:
        for key in [key for key, wanted in self.jobs.items() if wanted.ending is not None]:
            self.settle(key)

    def settle(self, key: str) -> None:
        wanted, how = self.jobs[key], self.jobs[key].ending
        wanted.ending = None
        if how == "next":
            self.jobs.setdefault(key + "+", Wanted(wanted.lane, None, 0))
        if wanted.state in ENDS:  # cancelled while it was at work
            return
        wanted.unsure = wanted.unsure or how in ("unsure", "error")
        if how in ("later", "unsure", "error"):
            wanted.due_ms = wanted.next_due_ms
        if how in ("done", "next"):
            wanted.state = State.DONE
        elif how == "park":
            wanted.state = State.PARKED

    def teardown(self) -> None:
        """Whatever happened, everything ends: resume, let time pass, answer done."""
        try:
            self.end_all()
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.do(self.spin())
            self.do(self.db.close())
            self.loop.close()
            self.quiet.close()

    def end_all(self) -> None:
        for lane in LANES:
            self.resume(lane)
        for _ in range(200):
            self.turn(1)
            for key in list(self.flying):
                self.end(key, "done")
            if all(wanted.state in ENDS for wanted in self.jobs.values()) and not self.flying:
                break
            self.advance(31)
        stored = {key: State(state) for key, state in self.do(self.db.read(STATES))}
        assert not self.wrong
        assert stored == {key: wanted.state for key, wanted in self.jobs.items()}
        assert set(stored.values()) <= ENDS


TestLaneStates = LaneStates.TestCase
TestLaneStates.settings = settings(max_examples=120, stateful_step_count=40)
