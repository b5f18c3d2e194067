"""The pump outlives a database that fails, and loses nothing by it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from server.core.errors import StoreUnavailable
from server.core.jobs import Job
from server.lanes import Lanes, Tuning, metadata, pump
from server.sql import Database, Script, connect, create_all

QUICK = Tuning(tick_s=0.005, idle_s=0.02, linger_s=0.05)


class Failing:
    """A database that fails as told: before a transaction runs, or after it has committed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.dialect = db.dialect
        self.write, self.read, self.read_script = db.write, db.read, db.read_script
        self.fail_before = self.fail_after = 0
        self.failed, self.ran = asyncio.Event(), asyncio.Event()

    async def run(self, script: Callable[..., Script[Any]], *args: Any, **kwargs: Any) -> Any:
        if self.fail_before:
            self.fail_before -= 1
            self.failed.set()
            raise StoreUnavailable
        value = await self._db.run(script, *args, **kwargs)
        self.ran.set()
        if self.fail_after:
            self.fail_after -= 1
            self.failed.set()
            raise StoreUnavailable
        return value

    async def close(self) -> None:
        await self._db.close()


async def run_through(fail: Callable[[Failing], None], monkeypatch: Any) -> list[Job]:
    """Start a job, let the database fail while it is at work, and wait until it is settled: how often it ran."""
    monkeypatch.setattr(pump, "OUTAGE_S", 0.01)  # nothing here is worth half a second
    db = Failing(await connect("sqlite:///:memory:"))
    await create_all(db, metadata)
    lanes, begun, release = Lanes(db, {}, tuning=QUICK), asyncio.Event(), asyncio.Event()
    seen: list[Job] = []

    async def handler(jobs: Sequence[Job]) -> list[Job]:
        seen.extend(jobs)
        begun.set()
        await release.wait()
        return [Job("amo:2", "last", "follow-up")] if jobs[0].kind == "x" else []

    lanes.start({"x": handler, "last": handler})
    await lanes.put(Job("amo:1", "x", "a"))
    await begun.wait()
    fail(db)
    release.set()
    async with asyncio.timeout(10):
        await db.failed.wait()
        while (await lanes.counts())["done"] < 2:
            db.ran.clear()
            await db.ran.wait()
    await lanes.close()
    await db.close()
    return seen


async def test_an_outage_settles_later(monkeypatch: Any) -> None:
    """What ended during an outage is settled after it, follow-ups included; nothing runs twice."""

    def fail(db: Failing) -> None:
        db.fail_before = 5

    assert [job.key for job in await run_through(fail, monkeypatch)] == ["a", "follow-up"]


async def test_an_unknown_commit_settles_twice_without_harm(monkeypatch: Any) -> None:
    """When the commit went through but its answer was lost, settling again changes nothing."""

    def fail(db: Failing) -> None:
        db.fail_after = 2

    ran = [job.key for job in await run_through(fail, monkeypatch)]
    assert ran == ["a", "follow-up"]
