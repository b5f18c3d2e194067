"""Webhooks stored before the answer, and the whole way from webhook to socket, per second and core.

    python bench/hooks.py [--quick] [--postgres]

Ours is the real process (`python -m server serve`); the peer a plain aiohttp application that commits each webhook by
itself. Both get the same signed webhooks of two vendors over keep-alive connections. "Per second and core" is one over
the processor time that the server spent on one webhook, in all its threads: what the disk and this load generator take
does not count. The wall clock's rates stand beside it.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from _backend import HERE, Backend, cpu_s, extensions, free_port, furnish, phone, user_of, wait_until_ready
from _hook_load import Audience, ask, hello, send_all, session_request
from _hook_peer import CONTACTS
from _postgres import Postgres
from _report import Row, percentile, raise_descriptor_limit, show
from _vendors import Exchange

from server.core.vocabulary import SUBPROTOCOL, TICKET_PREFIX

AGENTS = 200
CONNECTIONS = 64
PACED_PER_S = 200
SETTLE_S = 20.0
MUST_STORED, SHOULD_STORED = 5_000, 8_000
MUST_PUSHED, SHOULD_PUSHED = 2_000, 4_000


@dataclass(frozen=True)
class Size:
    """How much is sent."""

    stored: int
    calls: int
    peer: int
    paced: int


FULL, QUICK = Size(30_000, 5_000, 6_000, 1_000), Size(6_000, 1_000, 1_500, 300)


@dataclass(frozen=True)
class Figures:
    """One server. Rates per second and core, wall rates per second, delays in milliseconds."""

    stored_core: float
    stored_wall: float
    pushed_core: float
    pushed_wall: float
    delays_ms: list[float]


class Server:
    """A running server under load: ours or the peer."""

    def __init__(self, port: int, pids: list[int], backend: Backend | None = None) -> None:
        self.port = port
        self.backend = backend
        self._pids = pids
        self.audience = Audience()
        self.exchange = Exchange([phone(number) for number in range(1, CONTACTS + 1)])

    def cpu_s(self) -> float:
        """Processor time so far."""
        return sum(cpu_s(pid) for pid in self._pids)

    async def open_screens(self) -> None:
        """One connected agent per extension."""
        for extension in extensions(AGENTS):
            greeting = hello(f"/api/socket?extension={extension}")
            if self.backend is not None:
                session = await ask(self.port, session_request(self.backend.token(user_of(extension))))
                greeting = hello("/api/socket", protocols=f"{SUBPROTOCOL}, {TICKET_PREFIX}{session['ticket']}")
            await self.audience.join(self.port, extension, greeting)

    async def measure(self, requests: Iterator[bytes], *, calls: int = 0) -> tuple[float, float]:
        """Send them all (with `calls`: the whole of so many): webhooks per second and core, and per second, until they
        are answered, or until the agents have seen the ends of all calls.
        """
        self.audience.expect(calls, only_ended=True)
        cpu, started = self.cpu_s(), time.perf_counter()
        count = await send_all(self.port, requests, connections=CONNECTIONS)
        answered_s = time.perf_counter() - started
        if calls:
            await self.audience.enough()
        await self.settle()
        wall_s = time.perf_counter() - started if calls else answered_s
        return count / (self.cpu_s() - cpu), count / wall_s

    async def settle(self) -> None:
        """Wait until every stored webhook has been read."""
        deadline = time.monotonic() + SETTLE_S
        while self.backend is not None and (left := await self.backend.backlog()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{left} webhooks were not read within {SETTLE_S} s")
            await asyncio.sleep(0.05)

    async def delays(self, count: int) -> list[float]:
        """From the sending of a webhook to its message at the agent, at a rate of a busy day, milliseconds."""
        places = extensions(AGENTS)
        requests = self.exchange.rounds(places, -(-count // 3))
        found = []
        begun = time.perf_counter()
        for number, request in zip(range(count), requests, strict=False):
            await asyncio.sleep(max(0.0, begun + number / PACED_PER_S - time.perf_counter()))
            self.audience.expect(1)
            sent = time.perf_counter()
            await send_all(self.port, iter([request]), connections=1)
            await self.audience.enough()
            found.append((max(self.audience.last_at.values()) - sent) * 1000)
        return found


async def figures(server: Server, size: Size, *, stored: int) -> Figures:
    """Warm up, then measure."""
    await server.open_screens()
    await server.measure(server.exchange.unread(300))
    await server.measure(server.exchange.rounds(extensions(AGENTS), AGENTS), calls=AGENTS)
    stored_core, stored_wall = await server.measure(server.exchange.unread(stored))
    calls = size.calls if server.backend else size.peer // 3
    rounds = server.exchange.rounds(extensions(AGENTS), calls)
    pushed_core, pushed_wall = await server.measure(rounds, calls=calls)
    return Figures(stored_core, stored_wall, pushed_core, pushed_wall, await server.delays(size.paced))


async def ours(folder: Path, size: Size, database: str, *, extra: list[int]) -> Figures:
    """Our backend; `extra`: processes whose time counts as its own."""
    await furnish(database, agents=AGENTS, contacts=CONTACTS)
    with Backend(database, folder) as backend:
        return await figures(Server(backend.port, [backend.pid, *extra], backend), size, stored=size.stored)


async def peer(folder: Path, size: Size) -> Figures:
    """The plain application."""
    port = free_port()
    command = [sys.executable, str(HERE / "_hook_peer.py"), str(folder / "peer.db"), str(port)]
    with subprocess.Popen(command) as process:  # noqa: ASYNC220  # nothing else runs here yet
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
            return await figures(Server(port, [process.pid]), size, stored=size.peer)
        finally:
            process.kill()


def rows(mine: Figures, other: Figures) -> list[Row]:
    """The table; the design's limits are per core."""
    p50, p95 = ([percentile(one.delays_ms, part) for one in (mine, other)] for part in (0.5, 0.95))
    return [
        Row("stored before the answer, per s and core", mine.stored_core, other.stored_core,
            MUST_STORED, SHOULD_STORED, is_rate=True),
        Row("stored before the answer, per s", mine.stored_wall, other.stored_wall, is_rate=True),
        Row("stored, decided, pushed, per s and core", mine.pushed_core, other.pushed_core,
            MUST_PUSHED, SHOULD_PUSHED, is_rate=True),
        Row("stored, decided, pushed, per s", mine.pushed_wall, other.pushed_wall, is_rate=True),
        Row(f"webhook to message, p50, ms ({PACED_PER_S}/s)", *p50),
        Row("webhook to message, p95, ms", *p95),
    ]  # fmt: skip


async def run(size: Size, *, on_postgres: bool) -> int:
    """Everything; the exit code."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-hooks-")))
        other = await peer(folder, size)
        database = f"sqlite:///{folder / 'kommutator.db'}"
        mine = await ours(folder, size, database, extra=[])
        title = f"Webhooks of Sipuni and MANGO OFFICE, {CONNECTIONS} connections, {AGENTS} agents connected"
        code = show(f"{title}; SQLite", rows(mine, other), peer="aiohttp, a commit each")
        if on_postgres:
            server = stack.enter_context(Postgres())
            mine = await ours(folder, size, server.database(), extra=[])
            code |= show(f"{title}; PostgreSQL (its own time not counted)", rows(mine, other), peer="the same, SQLite")
        return code


def main() -> int:
    """1 when a "must" is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the webhooks")
    parser.add_argument("--postgres", action="store_true", help="also on a private PostgreSQL (fsync on)")
    options = parser.parse_args()
    raise_descriptor_limit()
    work = run(QUICK if options.quick else FULL, on_postgres=options.postgres)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return int(uvloop.run(work))


if __name__ == "__main__":
    sys.exit(main())
