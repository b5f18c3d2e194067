"""The nodes of the backend: the sandbox's own child, and, on PostgreSQL, a second process behind a distributor.

That does what a proxy in front of them would: it takes the next node, and another one only when the first cannot be
reached.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from sandboxes import ROOT, Sandbox, until

START_S = 30.0


class Node:
    """One process that can be killed and started."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cpu_s = 0.0
        self.peak_mb = 0.0

    async def kill(self) -> None:
        """As a power cut would."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        raise NotImplementedError

    def count(self) -> None:
        """Add what the living process has used; to be called right before it ends."""
        if self.pid is not None:
            self.cpu_s += cpu_seconds(self.pid)
            self.peak_mb = max(self.peak_mb, peak_megabytes(self.pid))


class OwnChild(Node):
    """The backend that the sandbox started."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox.backend)
        self._sandbox = sandbox
        self._pid: int | None = sandbox.info["backend_pid"]

    @property
    def pid(self) -> int | None:
        return self._pid

    async def kill(self) -> None:
        self.count()
        self._pid = None
        await self._sandbox.switch_backend("kill")

    async def start(self) -> None:
        await self._sandbox.switch_backend("start")
        state = await self._sandbox.ask("GET", f"{self._sandbox.amocrm}/sandbox/backend")
        self._pid = state["pid"]


class SecondNode(Node):
    """A process like the first one, on the same database, at a port of its own."""

    def __init__(self, like: int, port: int, log: Path) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        told = Path(f"/proc/{like}/environ").read_bytes().split(b"\0")
        self._environ = dict(pair.decode().split("=", 1) for pair in told if b"=" in pair)
        self._environ["KOMMUTATOR_LISTEN"] = f"127.0.0.1:{port}"
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and alive else None

    async def kill(self) -> None:
        self.count()
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Let it go in good order."""
        self.count()
        await self._end(signal.SIGTERM)

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server", "serve", cwd=ROOT, env=self._environ, stdout=output, stderr=output
            )
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            await until(lambda: _is_ready(http, self.url), timeout_s=START_S, step_s=0.1)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()


@asynccontextmanager
async def distributor(nodes: list[Node], port: int) -> AsyncIterator[str]:
    """Hands each request to the next node, and on to another one only if that one does not listen."""
    turns = itertools.count()
    async with aiohttp.ClientSession(auto_decompress=False) as http:

        async def hand_on(request: web.Request) -> web.Response:
            body, first = await request.read(), next(turns)
            headers = {name: value for name, value in request.headers.items() if name.lower() in ("content-type",)}
            for offset in range(len(nodes)):
                url = nodes[(first + offset) % len(nodes)].url + request.path_qs
                try:
                    async with http.request(request.method, url, data=body, headers=headers) as answer:
                        return web.Response(status=answer.status, body=await answer.read())
                except aiohttp.ClientConnectorError:
                    continue
                except aiohttp.ClientError:
                    break
            return web.Response(status=502)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", hand_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
        await runner.cleanup()


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def cpu_seconds(pid: int) -> float:
    """What a process has used, all its threads."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has held."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
