"""The drill: workers are killed, frozen and buried at random while calls flow; then what arrived is counted.

A worker is a process as in production: it takes webhooks over HTTP, puts durable jobs, and sends them to a fake CRM
that sometimes fails after it has stored the call. The CRM counts every call, so losses and doubles are exact.

    python tests/contract/lane_drill.py --db sqlite:///drill.db --kills 30
    python tests/contract/lane_drill.py --db postgresql://... --nodes 2 --mode freeze --kills 10
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web
from msgspec import Struct

from server.core.jobs import Hold, Job, Later
from server.lanes import LaneKind, Lanes, Tuning, metadata
from server.sql import connect, create_all

LEASE_S = 1.0
FREEZE_S = 1.8  # over the lease, so that another node takes the lanes
QUIET_S = 60.0
ACCOUNTS = 12


class Report(Struct, kw_only=True):
    """What came of a drill."""

    calls: int
    strikes: int
    lost: int
    doubled: int
    failed_after_storing: int
    lookups: int


class Crm:
    """A CRM that fails: before storing a call, after it, and altogether for a while."""

    def __init__(self, dice: random.Random) -> None:
        self.stored: Counter[str] = Counter()
        self.failed_after_storing = 0
        self.lookups = 0
        self.is_down = False
        self._dice = dice

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/calls", self._post)
        app.router.add_get("/calls/{call}", self._get)
        return app

    async def _post(self, request: web.Request) -> web.Response:
        call = (await request.json())["call"]
        if self.is_down:
            return web.Response(status=503)
        await asyncio.sleep(self._dice.uniform(0, 0.03))
        if self._dice.random() < 0.15:
            return web.Response(status=500)
        self.stored[call] += 1
        if self._dice.random() < 0.1:
            self.failed_after_storing += 1
            return web.Response(status=500)
        return web.Response()

    async def _get(self, request: web.Request) -> web.Response:
        if self.is_down:
            return web.Response(status=503)
        self.lookups += 1
        return web.Response(status=200 if self.stored[request.match_info["call"]] else 404)


class Sender:
    """The worker's handler: looks before it sends again, and asks whether the lane is still its own."""

    def __init__(self, lanes: Lanes, http: aiohttp.ClientSession, crm: str) -> None:
        self._lanes = lanes
        self._http = http
        self._crm = crm

    async def __call__(self, jobs: Sequence[Job]) -> None:
        call = json.loads(jobs[0].body)
        try:
            if jobs[0].unsure and await self._is_stored(call):
                return
            if not self._lanes.alive(jobs):
                raise Later(0.1)
            async with self._http.post(f"{self._crm}/calls", json={"call": call}) as answer:
                status = answer.status
        except aiohttp.ClientConnectorError as exc:
            raise Hold(0.2) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise Later(0.2, unsure=True) from exc
        if status == 503:
            raise Hold(0.2, unsure=False)
        if status != 200:
            raise Later(0.1, unsure=True)

    async def _is_stored(self, call: str) -> bool:
        async with self._http.get(f"{self._crm}/calls/{call}") as answer:
            if answer.status == 503:
                raise Hold(0.2)
            return answer.status == 200


async def work(db_url: str, crm: str, port: int) -> None:
    """The worker process: webhooks in, calls out, until it is killed."""
    db = await connect(db_url)
    await create_all(db, metadata)
    kinds = {"amo": LaneKind(rate=40, width=3, backoff=lambda _: 0.1)}
    lanes = Lanes(db, kinds, tuning=Tuning(lease_s=LEASE_S, tick_s=0.02, idle_s=0.05, linger_s=0.1))
    http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5))  # below the lease
    lanes.start({"call": Sender(lanes, http, crm)})

    async def hook(request: web.Request) -> web.Response:
        call = (await request.json())["call"]
        lane = f"amo:{int(call.removeprefix('call')) % ACCOUNTS}"
        await lanes.put(Job(lane, "call", f"call:{call}", json.dumps(call)))
        return web.Response()

    async def left(_: web.Request) -> web.Response:
        counts = await lanes.counts()
        return web.json_response(counts["ready"] + counts["begun"])

    app = web.Application()
    app.router.add_post("/hook", hook)
    app.router.add_get("/left", left)
    await _serve(app, port)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _serve(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner, runner.addresses[0][1]


class Drill:
    """Feeds calls, strikes the workers, counts."""

    def __init__(self, db_url: str, *, nodes: int, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # repeatable
        self.crm = Crm(self.dice)
        self._db_url = db_url
        self._workers: list[Process | None] = [None] * nodes
        self._ports: list[int] = [0] * nodes
        self._crm_url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[aiohttp.ClientSession]:
        runner, port = await _serve(self.crm.app(), 0)
        self._crm_url = f"http://127.0.0.1:{port}"
        try:
            for node in range(len(self._workers)):
                await self.boot(node)
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
                yield http
        finally:
            for worker in self._workers:
                if worker and worker.returncode is None:
                    worker.kill()
                    await worker.communicate()
            await runner.cleanup()

    async def boot(self, node: int) -> None:
        """Start a worker; returns when it takes webhooks."""
        runner, self._ports[node] = await _serve(web.Application(), 0)  # a port that is free
        await runner.cleanup()
        here = Path(__file__)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, here, "--work", "--db", self._db_url, "--crm", self._crm_url,
            "--port", str(self._ports[node]), stdout=PIPE, env={**os.environ, "PYTHONPATH": str(here.parents[2])},
        )  # fmt: skip
        self._workers[node] = worker
        assert worker.stdout
        async with asyncio.timeout(QUIET_S):
            assert await worker.stdout.readline() == b"up\n"

    async def strike(self, mode: str) -> None:
        """Hit one worker. `kill` starts it again, `freeze` lets it go on after its lease, `bury` leaves it dead."""
        node = self.dice.choice([n for n, worker in enumerate(self._workers) if worker])
        worker = self._workers[node]
        assert worker
        if mode == "freeze":
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(FREEZE_S)
            worker.send_signal(signal.SIGCONT)
            return
        worker.kill()
        await worker.communicate()
        self._workers[node] = None
        if mode == "kill":
            await self.boot(node)

    async def feed(self, http: aiohttp.ClientSession, call: str) -> None:
        """A PBX: sends its webhook until it is answered 200, and now and then once more."""
        repeats = 2 if self.dice.random() < 0.05 else 1
        while repeats:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.post(f"{self._any_url()}/hook", json={"call": call}) as answer:
                    if answer.status == 200:
                        repeats -= 1
                        continue
            await asyncio.sleep(0.05)

    async def drained(self, http: aiohttp.ClientSession) -> None:
        """Wait until no live job is left."""
        async with asyncio.timeout(QUIET_S):
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(f"{self._any_url()}/left") as answer:
                        if await answer.json() == 0:
                            return
                await asyncio.sleep(0.05)

    def _any_url(self) -> str:
        alive = [self._ports[n] for n, worker in enumerate(self._workers) if worker]
        return f"http://127.0.0.1:{self.dice.choice(alive or self._ports)}"


async def drill(db_url: str, *, mode: str = "kill", strikes: int = 6, nodes: int = 1, seed: int = 7) -> Report:
    """Run a drill on an empty database; `mode` is kill, freeze or bury."""
    it = Drill(db_url, nodes=nodes, seed=seed)
    calls = [f"call{n}" for n in range(strikes * 60)]
    async with it.running() as http:
        struck = asyncio.create_task(_strike_all(it, mode, strikes))
        async with asyncio.TaskGroup() as feeds:
            for call in calls:
                feeds.create_task(it.feed(http, call))
                await asyncio.sleep(0.015)
        await struck
        it.crm.is_down = False
        await it.drained(http)
    return Report(
        calls=len(calls),
        strikes=strikes,
        lost=sum(1 for call in calls if not it.crm.stored[call]),
        doubled=sum(1 for count in it.crm.stored.values() if count > 1),
        failed_after_storing=it.crm.failed_after_storing,
        lookups=it.crm.lookups,
    )


async def _strike_all(it: Drill, mode: str, strikes: int) -> None:
    for number in range(strikes):
        await asyncio.sleep(it.dice.uniform(0.1, 0.7))
        it.crm.is_down = number % 5 == 3  # an outage falls over some of the strikes
        await it.strike(mode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True)
    parser.add_argument("--mode", choices=["kill", "freeze", "bury"], default="kill")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--work", action="store_true", help="be a worker (used by the drill itself)")
    parser.add_argument("--crm", default="")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.work:
        asyncio.run(work(given.db, given.crm, given.port))
        return
    report = asyncio.run(drill(given.db, mode=given.mode, strikes=given.kills, nodes=given.nodes, seed=given.seed))
    sys.stdout.write(f"{report}\n")
    sys.exit(bool(report.lost or report.doubled))


if __name__ == "__main__":
    main()
