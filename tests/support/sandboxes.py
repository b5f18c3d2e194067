"""A whole sandbox in processes of its own (amoCRM, the PBXs, the backend), driven over HTTP as anybody may.

async with running(tmp_path) as sandbox:
    await sandbox.play("sipuni", extension="201", scenario="answered")
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
START_S = 60.0
PORTS = 4
Json = dict[str, Any]


class Sandbox:
    """A running sandbox. `info` is its line of JSON (docs/reference/sandbox.md)."""

    def __init__(self, info: Json, http: aiohttp.ClientSession, state: Path) -> None:
        self.info = info
        self.http = http
        self.state = state

    @property
    def amocrm(self) -> str:
        """amoCRM's origin."""
        return str(self.info["amocrm"])

    @property
    def backend(self) -> str:
        """The backend's origin."""
        return str(self.info["backend"])

    def user(self, extension: str) -> Json:
        """The user at an extension."""
        return next(user for user in self.info["users"] if user["extension"] == extension)

    async def ask(self, method: str, url: str, **more: Any) -> Any:
        """One request; its JSON. Raises what aiohttp raises, also for an answer other than 2xx."""
        async with self.http.request(method, url, **more) as response:
            response.raise_for_status()
            return await response.json(content_type=None) if response.status != 204 else None

    async def play(self, vendor: str, **body: Any) -> Json:
        """Let a stand-in PBX live through a call."""
        return await self.ask("POST", f"{self.amocrm}/sandbox/pbx/{vendor}/calls", json=body)

    async def log(self, kind: str = "", **having: Any) -> list[Json]:
        """What the page and the API saw: entries of a kind with these fields."""
        entries = await self.ask("GET", f"{self.amocrm}/sandbox/log")
        wanted = {"kind": kind, **having} if kind else having
        return [entry for entry in entries if wanted.items() <= entry.items()]

    async def api(self, path: str) -> Any:
        """amoCRM's API by the sandbox's own grant; None for "nothing found"."""
        headers = {"Authorization": f"Bearer {self.info['access_token']}"}
        return await self.ask("GET", self.amocrm + path, headers=headers)

    async def switch_backend(self, action: str) -> None:
        """kill, stop or start the backend."""
        await self.ask("POST", f"{self.amocrm}/sandbox/backend", json={"action": action})

    async def switch(self, **values: Any) -> None:
        """Set switches of amoCRM's behaviour."""
        await self.ask("PUT", f"{self.amocrm}/sandbox/switches", json=values)

    async def fault(self, **fault: Any) -> None:
        """Plant a fault."""
        await self.ask("POST", f"{self.amocrm}/sandbox/faults", json=fault)

    async def one_time_token(self, extension: str) -> str:
        """amoCRM's one-time token of a user for our widget."""
        body = {"user": self.user(extension)["id"]}
        answer = await self.ask("POST", f"{self.amocrm}/sandbox/one-time-token", json=body)
        return str(answer["token"])

    async def session(self, extension: str) -> Json:
        """A session with the backend, as the widget opens it."""
        headers = {"X-Auth-Token": await self.one_time_token(extension)}
        return await self.ask("POST", f"{self.backend}/api/session", headers=headers)

    async def close_cards(self, extension: str) -> None:
        """Close every card that this agent would still see."""
        headers = {"Authorization": f"Bearer {(await self.session(extension))['bearer']}"}
        snapshot = await self.ask("GET", f"{self.backend}/api/poll", headers=headers)
        for call in snapshot.get("calls", ()):
            if not call.get("is_dismissed"):
                await self.ask("POST", f"{self.backend}/api/calls/{call['id']}/dismiss", headers=headers)

    async def is_copied(self) -> bool:
        """Whether the backend's copy of the phone book is complete."""
        headers = {"Authorization": f"Bearer {(await self.session('201'))['bearer']}"}
        settings = await self.ask("GET", f"{self.backend}/api/settings", headers=headers)
        return bool(settings["directory"]["is_complete"])

    async def calls(self, **environ: str) -> list[Json]:
        """What `python -m server calls --json` says; `environ` has settings, e.g. another database."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "calls", "--json", "--state", str(self.state),
            cwd=ROOT, env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return json.loads(out)


@contextlib.asynccontextmanager
async def running(state: Path, *options: str, **environ: str) -> AsyncIterator[Sandbox]:
    """A sandbox of its own on free ports; everything ends with it. Its log is in `state`/sandbox.log."""
    await asyncio.to_thread(state.mkdir, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "server", "sandbox", "--json", "--no-reload"]
    command += ["--port", str(free_ports()), "--state", str(state)]
    with (state / "sandbox.log").open("wb") as log:  # a local file, once
        process = await asyncio.create_subprocess_exec(
            *command, *options, cwd=ROOT, env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        assert line, (state / "sandbox.log").read_text(encoding="utf-8")[-4000:]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            yield Sandbox(json.loads(line), http, state)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), START_S)


def free_ports() -> int:
    """The first of four free ports in a row. By worker, so that parallel suites do not meet."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker * 5_000 + os.getpid() % 4_000
    for port in range(first, first + 5_000, PORTS):
        if all(_is_free(port + offset) for offset in range(PORTS)):
            return port
    raise RuntimeError("no four free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def until(ask: Callable[[], Awaitable[Any]], *, timeout_s: float = 15.0, step_s: float = 0.05) -> Any:
    """Ask again and again until the answer is true; that answer. Fails with the last one when the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not (answer := await ask()):
        if loop.time() > deadline:
            raise AssertionError(f"not within {timeout_s} s; last answer: {answer!r}")
        await asyncio.sleep(step_s)
    return answer
