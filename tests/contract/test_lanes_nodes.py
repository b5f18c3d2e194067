"""Several processes: what a dead, a frozen and a returning node leave behind, on PostgreSQL; a crash also on SQLite."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from databases import database_url, db, postgres_database  # noqa: F401
from lane_fakes import QUICK, Work, settled, turns
from msgspec.structs import replace

from server.core.jobs import Job
from server.lanes import NEVER, LaneKind, Lanes, metadata
from server.sql import Database, connect, create_all

KINDS = {"one": LaneKind(width=1, backoff=lambda _: 0.01)}
SHORT = replace(QUICK, lease_s=0.8, linger_s=0.02)

Node = Callable[[str], Awaitable[tuple[Lanes, Work]]]


class StoppableClock:
    """A node's clock that a test can let jump: a machine that was frozen wakes up later than it thinks."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_ms(self) -> int:
        return int((time.time() + self.ahead_s) * 1000)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
async def shared() -> AsyncIterator[Database]:
    """A PostgreSQL database that several nodes share."""
    database = await connect(await postgres_database())
    await create_all(database, metadata)
    yield database
    await database.close()


@pytest.fixture
async def node(shared: Database) -> AsyncIterator[Node]:
    """Starts nodes by name."""
    started: list[Lanes] = []

    async def start(name: str) -> tuple[Lanes, Work]:
        lanes, work = Lanes(shared, KINDS, owner=name, tuning=SHORT), Work()
        lanes.start({"x": work})
        started.append(lanes)
        return lanes, work

    yield start
    for lanes in started:
        await lanes.close()


async def kill(lanes: Lanes) -> None:
    """The process is gone: nothing is settled, nothing given back."""
    assert lanes._task
    lanes._task.cancel()
    await asyncio.gather(lanes._task, return_exceptions=True)
    lanes._task = None
    for task in list(lanes._runner._tasks):
        task.cancel()
    await asyncio.gather(*lanes._runner._tasks, return_exceptions=True)


def job(key: str, lane: str = "one:1") -> Job:
    return Job(lane, "x", key)


async def hang(_: Sequence[Job]) -> None:
    await asyncio.Event().wait()


async def test_a_crash_leaves_the_job_unsure(db: Database) -> None:  # noqa: F811
    """After a crash in the middle of a job, the next process gets that job as unsure, and loses none."""
    await create_all(db, metadata)
    first, work = Lanes(db, KINDS, owner="local", tuning=QUICK), Work()
    first.start({"x": work})
    work.plan("a", hang)
    await first.put(job("a"), job("b"))
    await work.saw("a")
    await kill(first)

    second, again = Lanes(db, KINDS, owner="local", tuning=QUICK), Work()
    second.start({"x": again})
    await settled(second, done=2)
    await second.close()

    assert (again.lots[0][0].key, again.lots[0][0].unsure) == ("a", True)
    assert sorted(again.keys) == ["a", "b"]


@pytest.mark.external_service
async def test_a_dead_nodes_lanes_are_taken_over(node: Node) -> None:
    """When a node dies for good, another finishes its jobs after the lease, the begun one as unsure."""
    first, work = await node("first")
    work.plan("a", hang)
    await first.put(job("a"), job("b"))
    await work.saw("a")
    await kill(first)

    _, other = await node("second")

    await other.saw("a", "b")
    assert other.jobs("a")[0].unsure


@pytest.mark.external_service
async def test_two_nodes_share_without_doubling(node: Node) -> None:
    """Two nodes at work on many lanes run every job exactly once, each lane in order."""
    first, one = await node("first")
    second, two = await node("second")
    jobs = [job(f"{n % 40:02}-{n:03}", f"one:{n % 40}") for n in range(400)]

    await asyncio.gather(*(lanes.put(each) for each, lanes in zip(jobs, [first, second] * 200, strict=True)))

    await settled(first, done=400)
    assert sorted(one.keys + two.keys) == sorted(each.key for each in jobs)


async def freeze(lanes: Lanes) -> None:
    """The node turns no more, as if its machine stood still; its handlers stay where they are."""
    lanes._pump.end()
    assert lanes._task
    await lanes._task


@pytest.mark.external_service
async def test_a_lane_that_was_lost_is_not_worked_on(shared: Database) -> None:
    """A node frozen past its lease may not send, and starts none of the jobs it had fetched: another has them."""
    clock, release, may_send = StoppableClock(), asyncio.Event(), []
    first, frozen = Lanes(shared, KINDS, owner="first", clock=clock, tuning=QUICK), Work()

    async def send(jobs: Sequence[Job]) -> None:
        may_send.append(first.alive(jobs))
        await release.wait()
        may_send.append(first.alive(jobs))

    frozen.plan("a", send)
    first.start({"x": frozen})
    await first.put(job("a"), job("b"), job("c"))
    await frozen.saw("a")
    await freeze(first)
    clock.ahead_s = 60.0
    second, work = Lanes(shared, KINDS, owner="second", clock=clock, tuning=replace(QUICK, lease_s=300.0)), Work()
    second._pump._sync_at = first._pump._sync_at = float("inf")  # here the turned clock is the right one
    second.start({"x": work})
    await settled(second, done=3)

    release.set()
    await asyncio.gather(*first._runner._tasks)
    await first._pump.turn()

    assert may_send == [True, False]
    assert (frozen.keys, work.keys) == (["a"], ["a", "b", "c"])
    assert first._runner.runs == {}
    await second.close()


@pytest.mark.external_service
async def test_a_stale_answer_does_not_touch_the_new_attempt(shared: Database) -> None:
    """The old owner's "later" arrives after the new owner began the job: the job stays begun, hence unsure."""
    first, old = Lanes(shared, KINDS, owner="first", tuning=QUICK), Work()
    release = asyncio.Event()

    async def late(_: Sequence[Job]) -> None:
        await release.wait()
        raise RuntimeError("too late")

    old.plan("a", late)
    first.start({"x": old})
    await first.put(job("a"))
    await old.saw("a")
    await freeze(first)
    clock = StoppableClock()
    clock.ahead_s = 60.0
    second, new = Lanes(shared, KINDS, owner="second", clock=clock, tuning=replace(QUICK, lease_s=300.0)), Work()
    second._pump._sync_at = float("inf")
    new.plan("a", hang)
    second.start({"x": new})
    await new.saw("a")
    assert (new.jobs("a")[0].unsure, new.jobs("a")[0].tries) == (True, 2)

    release.set()
    await asyncio.gather(*first._runner._tasks)
    await first._pump.turn()

    assert await first.counts() == {"ready": 0, "begun": 1, "done": 0, "parked": 0, "cancelled": 0}
    await kill(second)


@pytest.mark.external_service
async def test_a_pause_on_one_node_reaches_the_owner(node: Node) -> None:
    """A lane paused on another node is stopped by its owner's next renewal, and goes on after resume."""
    first, work = await node("first")
    await first.put(job("warm"))
    await work.saw("warm")
    second, other = await node("second")

    await second.pause("one:1")
    async with asyncio.timeout(10):
        while "one:1" in first._runner.runs or "one:1" in second._runner.runs:
            await turns(first, 1)
    await first.put(job("a"))
    await turns(first, 5)
    await turns(second, 5)
    assert await first.held() == {"one:1": NEVER}
    assert "a" not in work.keys + other.keys

    await second.resume("one:1")
    await settled(first, done=2)


@pytest.mark.external_service
async def test_a_node_follows_the_databases_clock(shared: Database) -> None:
    """A node whose clock is an hour fast does not run timers early, nor steal leases."""
    clock = StoppableClock()
    clock.ahead_s = 3600.0
    lanes, work = Lanes(shared, KINDS, owner="fast", clock=clock, tuning=QUICK), Work()
    lanes.start({"x": work})
    await turns(lanes, 1)

    await lanes.put(Job("one:1", "x", "soon", due_ms=int((time.time() + 600) * 1000)), job("now", "one:2"))

    await work.saw("now")
    await turns(lanes, 5)
    assert work.keys == ["now"]
    await lanes.close()
