"""Agents' screens, as the widget opens them, and what stands in amoCRM: how tests look at a running sandbox."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from sandboxes import Sandbox

Json = dict[str, Any]


class Screen:
    """An agent's browser: his cards' states by call, as the socket told them."""

    def __init__(self, sandbox: Sandbox, extension: str) -> None:
        self.sandbox = sandbox
        self.extension = extension
        self.views: dict[str, list[Json]] = {}
        self.dials: list[Json] = []
        self.snapshot: Json = {}
        self.bearer = ""

    async def open(self) -> "asyncio.Task[None]":
        """Connect as the widget does: one-time token, session, ticket, snapshot."""
        session = await self.sandbox.session(self.extension)
        self.bearer = session["bearer"]
        protocols = ("kommutator.1", f"ticket.{session['ticket']}")
        socket = await self.sandbox.http.ws_connect(f"{self.sandbox.backend}/api/socket", protocols=protocols)
        self.snapshot = await socket.receive_json(timeout=10)
        for view in self.snapshot.get("calls", ()):
            self._see(view)
        return asyncio.create_task(self._listen(socket))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif message["type"] == "call":
                self._see(message["call"])
            elif message["type"] == "dial":
                self.dials.append(message["dial"])

    def _see(self, view: Json) -> None:
        self.views.setdefault(view["id"], []).append(view)

    def states(self, call_id: str) -> list[str]:
        """The steps of a card, repeats left out."""
        steps = [view["state"] for view in self.views.get(call_id, ())]
        return [step for number, step in enumerate(steps) if number == 0 or step != steps[number - 1]]

    @property
    def dial_states(self) -> list[str]:
        """The steps of the state line."""
        return [dial["state"] for dial in self.dials]

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """A request of the widget's."""
        headers = {"Authorization": f"Bearer {self.bearer}"}
        return await self.sandbox.ask(method, self.sandbox.backend + path, headers=headers, **more)


@contextlib.asynccontextmanager
async def connected(screens: dict[str, Screen]) -> AsyncIterator[None]:
    tasks = [await screen.open() for screen in screens.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def phones(sandbox: Sandbox) -> list[str]:
    """Numbers of contacts that amoCRM knows, each of one contact alone."""
    answer = await sandbox.api("/api/v4/contacts?limit=250")
    fields = [field for contact in answer["_embedded"]["contacts"] for field in contact["custom_fields_values"] or ()]
    found = [field["values"][0]["value"] for field in fields if field["field_code"] == "PHONE"]
    return list(dict.fromkeys(found))


async def notes(sandbox: Sandbox) -> Counter[str]:
    """How often each call of ours stands in amoCRM."""
    found: Counter[str] = Counter()
    for noun in ("contacts", "companies", "leads", "customers"):
        for kind in ("call_in", "call_out"):
            answer = await sandbox.api(f"/api/v4/{noun}/notes?filter[note_type][]={kind}&limit=250")
            items = answer["_embedded"]["notes"] if answer else []
            found.update(str(note["params"].get("uniq")) for note in items)
    return found


async def has_copied(screen: Screen) -> bool:
    """Whether the backend's copy of the phone book is whole."""
    snapshot = await screen.ask("GET", "/api/poll?digest=none")
    return bool(snapshot["directory"]["is_complete"])


async def click(screen: Screen, line: str, key: str, phone: str) -> Json:
    answer: Json = await screen.ask("POST", "/api/dial", json={"key": key, "phone": phone, "line": line})
    return answer["dial"]


def line_of(screen: Screen, vendor: str) -> str:
    return next(line["id"] for line in screen.snapshot["lines"] if line["provider"] == vendor)
