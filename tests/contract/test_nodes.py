"""Two nodes on one PostgreSQL, one sandbox: whatever comes to one is seen at the other, and either may die."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from databases import postgres_database
from sandboxes import ROOT, Sandbox, free_ports, running, until
from test_kill import known_phones, notes

from server.core.ports import Hook
from server.core.records import pack
from server.settings import Settings
from server.sql import connect
from server.wiring import stores

pytestmark = [pytest.mark.external_service, pytest.mark.slow]

Json = dict[str, Any]


class Screen:
    """An agent's browser at one node."""

    def __init__(self, sandbox: Sandbox, node: str) -> None:
        self.sandbox = sandbox
        self.node = node
        self.snapshot: Json = {}
        self.calls: dict[str, Json] = {}
        self.session: Json = {}

    async def open(self, *, issuer: str) -> "asyncio.Task[None]":
        """A session from one node opens a socket at another."""
        headers = {"X-Auth-Token": await self.sandbox.one_time_token("201")}
        self.session = await self.sandbox.ask("POST", f"{issuer}/api/session", headers=headers)
        socket = await self.connect(self.node)
        self.snapshot = await socket.receive_json(timeout=10)
        return asyncio.create_task(self._listen(socket))

    async def connect(self, node: str) -> aiohttp.ClientWebSocketResponse:
        protocols = ("kommutator.1", f"ticket.{self.session['ticket']}")
        return await self.sandbox.http.ws_connect(f"{node}/api/socket", protocols=protocols)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif message["type"] == "call":
                self.calls[message["call"]["id"]] = message["call"]

    async def card(self, **having: Any) -> Json:
        """The card that has these values, as soon as there is one."""

        async def found() -> Json | None:
            return next((view for view in self.calls.values() if having.items() <= view.items()), None)

        return await until(found, step_s=0.02)

    async def post(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.session['bearer']}"}
        return await self.sandbox.ask("POST", self.node + path, headers=headers)


@contextlib.asynccontextmanager
async def second_node(sandbox: Sandbox) -> AsyncIterator[str]:
    """Another `serve` with the first one's settings, but for the address it listens at."""
    environ = await asyncio.to_thread(environment_of, sandbox.info["backend_pid"])
    port = free_ports()
    log = await asyncio.to_thread((sandbox.state / "second.log").open, "wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "serve",
        cwd=ROOT, env={**environ, "KOMMUTATOR_LISTEN": f"127.0.0.1:{port}"}, stdout=log, stderr=log,
    )  # fmt: skip
    log.close()
    url = f"http://localhost:{port}"
    try:
        await until(lambda: is_ready(sandbox, url))
        yield url
    finally:
        process.terminate()
        await process.wait()


def environment_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


async def is_ready(sandbox: Sandbox, url: str) -> bool:
    try:
        async with sandbox.http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def events(phone: str) -> list[Json]:
    """Sipuni's events of a call to 201 that is answered: it rings, is answered, ends."""
    start = int(time.time())
    common = {
        "call_id": f"{start}.1", "src_type": 1, "src_num": phone, "dst_type": 2, "dst_num": "078332201",
        "short_dst_num": "201",
    }  # fmt: skip
    end = {"status": "ANSWER", "call_start_timestamp": start, "call_answer_timestamp": start + 1}
    return [
        {**common, "event": 1, "timestamp": start},
        {**common, "event": 3, "timestamp": start + 1},
        {**common, "event": 2, "timestamp": start + 4, **end},
    ]


async def leave_unread(database: str, event: Json, environ: dict[str, str]) -> None:
    """A node stored a webhook, answered it, and died."""
    db = await connect(database)
    kept = stores(Settings(secret_key=environ["KOMMUTATOR_SECRET_KEY"], database=database), db)
    line = next(line for line in await kept.lines.all() if line.provider == "sipuni")
    now = time.time_ns() // 1_000_000
    hook = Hook(method="GET", tail="", query=urlencode(event), content_type="", body=b"", received_ms=now)
    await kept.hooks.put(line.id, key="left by the dead", received_ms=now, raw=pack(hook))
    await kept.hooks.close()
    await db.close()


async def test_two_nodes_are_one(tmp_path: Path) -> None:
    """A webhook at one shows its card at the other; a card closed there is closed here; the webhooks of a node that
    died are read by the other; the call is noted in amoCRM once."""
    database = await postgres_database()
    async with running(tmp_path, KOMMUTATOR_DATABASE=database, KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        environ = environment_of(sandbox.info["backend_pid"])
        first = sandbox.backend
        hook_url = sandbox.info["pbx"]["sipuni"]["hook_url"]
        phone = (await known_phones(sandbox))[0]
        async with second_node(sandbox) as second:
            here, there = Screen(sandbox, first), Screen(sandbox, second)
            listening = [await here.open(issuer=second), await there.open(issuer=first)]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await there.connect(first)  # the ticket was spent at the other node
            ringing, answered, ended = events(phone)

            await sandbox.ask("GET", f"{hook_url}?{urlencode(ringing)}")
            card = await there.card(state="ringing")
            await here.card(state="ringing")
            await sandbox.ask("GET", f"{hook_url.replace(first, second)}?{urlencode(answered)}")
            await here.card(state="talking")
            await there.post(f"/api/calls/{card['id']}/dismiss")
            await here.card(id=card["id"], is_dismissed=True)
            claims = [await one.post(f"/api/calls/{card['id']}/notice") for one in (here, there)]
            assert [claim["is_yours"] for claim in claims] == [True, False]

            await leave_unread(database, ended, environ)
            await sandbox.switch_backend("kill")
            await there.card(id=card["id"], state="ended")

            async def logged() -> list[Json]:
                return await sandbox.log("request", path="/api/v4/calls", status=200)

            await until(logged, timeout_s=30)
            assert (await notes(sandbox))[card["id"]] == 1
            for task in listening:
                task.cancel()
