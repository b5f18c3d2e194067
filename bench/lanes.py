"""Durable work under load: jobs put and run per second, and what a job costs us, on the database given.

    python bench/lanes.py sqlite:///bench.db [jobs]
    python bench/lanes.py postgresql://...

The peers were measured with the same figures (docs/why): DBOS 5 to 11 ms of CPU a job, procrastinate 1.9 ms.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

from server.core.jobs import Job
from server.lanes import Lanes, metadata
from server.sql import connect, create_all

ACCOUNTS = 500
CALLERS = 64


async def main(url: str, jobs: int) -> None:
    db = await connect(url)
    await create_all(db, metadata)
    lanes = Lanes(db, {})
    run_id, ran, finished = time.time_ns(), 0, asyncio.Event()

    async def handler(lot: Sequence[Job]) -> None:
        nonlocal ran
        ran += len(lot)
        if ran == jobs:
            finished.set()

    async def caller(first: int) -> None:
        for n in range(first, jobs, CALLERS):
            await lanes.put(Job(f"amo:{n % ACCOUNTS}", "x", f"{run_id}:{n}"))

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller(n) for n in range(CALLERS)))
    report("put, 64 callers", jobs, started, cpu)
    started, cpu = time.perf_counter(), time.process_time()
    lanes.start({"x": handler})
    await finished.wait()
    await lanes.close()
    report("run", jobs, started, cpu)
    await db.close()


def report(what: str, jobs: int, started: float, cpu: float) -> None:
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(f"{what:16} {jobs / seconds:9,.0f} jobs/s {cpu_s / jobs * 1e6:7.0f} us CPU a job")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4000))
