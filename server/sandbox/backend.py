"""Our backend as a child process: a stranger to the sandbox, known only by its command line, its address and its
signals.

It dies with the sandbox, whatever way the sandbox dies.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from server.sandbox.errors import SandboxError
from server.sandbox.log import Log

_READY_S: Final = 30.0  # a cold start with migrations on a busy machine
_STOP_S: Final = 10.0  # the backend drains its sockets before it goes
_POLL_S: Final = 0.05
_PR_SET_PDEATHSIG: Final = 1


class BackendError(SandboxError):
    """The backend did not come up; the message carries the end of its own output."""


class Backend:
    """One child process that can be stopped, killed and started again."""

    def __init__(
        self,
        url: str,
        *,
        environment: Mapping[str, str],
        output: Path,
        log: Log,
        command: Sequence[str] = (sys.executable, "-m", "server", "serve"),
    ) -> None:
        self.url = url
        self._command = command
        self._environment = {**os.environ, **environment}
        self._output = output
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._restart: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()  # one child at a time, whoever asks for it

    @property
    def pid(self) -> int | None:
        """The child's process id; None while it does not run."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and alive else None

    async def start(self) -> None:
        """Start the child and wait until it is ready; does nothing when it runs. Raises `BackendError`."""
        self._forget_restart()
        async with self._moving:
            await self._spawn()
            await self._wait_until_ready()

    async def _spawn(self) -> None:
        if self.pid is None:
            self._output.parent.mkdir(parents=True, exist_ok=True)
            with self._output.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    env=self._environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )  # fmt: skip
            self._log.note("backend", action="start", pid=self.pid)

    async def stop(self) -> None:
        """Ask the child to end, and end it when it does not listen."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill the child at once, as a crash would."""
        await self._end(signal.SIGKILL)

    def start_after(self, delay_s: float) -> None:
        """Start the child again after a while: the end of an outage."""
        self._forget_restart()

        async def later() -> None:
            await asyncio.sleep(delay_s)
            self._restart = None
            await self.start()

        self._restart = asyncio.create_task(later())

    def view(self) -> dict[str, Any]:
        """The state of the child, for `GET /sandbox/backend`."""
        return {"url": self.url, "pid": self.pid, "running": self.pid is not None}

    async def _end(self, how: signal.Signals) -> None:
        self._forget_restart()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        self._log.note("backend", action="ended", signal=how.name, code=process.returncode)

    async def _wait_until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + _READY_S
        async with ClientSession(timeout=ClientTimeout(total=2)) as client:
            while not await _is_ready(client, f"{self.url}/readyz"):
                if self.pid is None:
                    raise BackendError(f"the backend ended at its start:\n{self._last_words()}")
                if asyncio.get_running_loop().time() > deadline:
                    raise BackendError(f"the backend was not ready within {_READY_S:.0f} s:\n{self._last_words()}")
                await asyncio.sleep(_POLL_S)

    def _last_words(self) -> str:
        lines = self._output.read_text("utf-8", "replace").splitlines() if self._output.exists() else []
        return "\n".join(lines[-20:])

    def _forget_restart(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None


BACKEND: Final = web.AppKey("backend", Backend)


async def _is_ready(client: ClientSession, url: str) -> bool:
    try:
        async with client.get(url) as answer:
            return answer.status == 200
    except (ClientError, TimeoutError, OSError):
        return False


def _die_with_parent() -> None:
    """Runs in the child before it becomes the backend: end when the sandbox ends, even by kill -9 (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
