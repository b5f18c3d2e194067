"""For the suites of the durable-work engine: a handler that notes and answers as told, a clock turned by hand, the
engine itself as a fixture (`from lane_fakes import clock, lanes, work`)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from server.core.jobs import Job
from server.lanes import LaneKind, Lanes, Tuning, metadata
from server.sql import Database, create_all

TIMEOUT_S = 20.0
QUICK = Tuning(tick_s=0.005, idle_s=0.02, linger_s=0.05, lease_s=4.0, drain_s=1.0)

Answer = Any | Callable[[Sequence[Job]], Awaitable[Any]]


class HandClock:
    """The wall clock stands ahead by what a test turns it; durations are real."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def monotonic(self) -> float:
        return time.monotonic()


class Work:
    """A handler: notes every lot it is given, then answers what was planned for the first job's key (else: done).

    A planned exception is raised, a planned function awaited with the lot, anything else returned; plans of one key
    are used up one by one, the last one stays.
    """

    def __init__(self) -> None:
        self.lots: list[list[Job]] = []
        self._plans: dict[str, list[Answer]] = {}
        self._news = asyncio.Event()

    @property
    def keys(self) -> list[str]:
        return [job.key for lot in self.lots for job in lot]

    def jobs(self, key: str) -> list[Job]:
        return [job for lot in self.lots for job in lot if job.key == key]

    def plan(self, key: str, *answers: Answer) -> None:
        self._plans[key] = list(answers)

    async def __call__(self, jobs: Sequence[Job]) -> Any:
        self.lots.append(list(jobs))
        self._news.set()
        plans = self._plans.get(jobs[0].key, [None])
        answer = plans.pop(0) if len(plans) > 1 else plans[0]
        if callable(answer):
            answer = await answer(jobs)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the lots noted make `is_so` true."""
        async with asyncio.timeout(TIMEOUT_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def saw(self, *keys: str) -> None:
        await self.until(lambda: all(key in self.keys for key in keys))


async def turns(lanes: Lanes, count: int = 3) -> None:
    """Wait until the pump has turned some more times: whatever was to happen in the database has happened."""
    target = lanes._pump.turns + count
    async with asyncio.timeout(TIMEOUT_S):
        while lanes._pump.turns < target:
            lanes.wake()
            await asyncio.sleep(0.005)


async def settled(lanes: Lanes, **wanted: int) -> None:
    """Wait until `counts()` shows these figures."""
    async with asyncio.timeout(TIMEOUT_S):
        while {name: n for name, n in (await lanes.counts()).items() if name in wanted} != wanted:
            await turns(lanes, 1)


DAY_MS = 86_400_000
KINDS = {
    "one": LaneKind(width=1, backoff=lambda _: 60.0),
    "slow": LaneKind(rate=20, width=4),
    "bulk": LaneKind(width=1, depth=4, batch=10, batch_over=10),
    "quick": LaneKind(backoff=lambda _: 0.01),
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def lanes(db: Database, clock: HandClock) -> AsyncIterator[Lanes]:
    await create_all(db, metadata)
    engine = Lanes(db, KINDS, clock=clock, tuning=QUICK)
    yield engine
    await engine.close()


@pytest.fixture
async def work(lanes: Lanes) -> Work:
    handler = Work()
    lanes.start({"x": handler})
    return handler


def job(key: str, lane: str = "quick:1", **more: object) -> Job:
    return Job(lane, "x", key, **more)  # type: ignore[arg-type]


def waiting(release: asyncio.Event) -> Callable[[Sequence[Job]], object]:
    async def wait(_: Sequence[Job]) -> None:
        await release.wait()

    return wait
