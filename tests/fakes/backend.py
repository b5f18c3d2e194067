"""A fake of our backend that speaks the browser's real protocol, for the widget's tests and pictures.

It answers with the messages of `server/core/messages.py`, so its frames are the server's frames. It holds one agent's
state and decides nothing: a test says what happens through `Backend.show`, `Backend.dialling` and the other verbs.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from server.core import messages as m
from server.core.vocabulary import BEARER_S, LONG_POLL_S, SUBPROTOCOL, DialState, DialWay

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CORS = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Auth-Token",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Max-Age": "600",
}
AGENT = m.AgentView(id=101, name="Мария Орлова", is_admin=True, extensions={"l1": "201"})
LINE = m.LineView(
    id="l1",
    name="Отдел продаж",
    provider="sipuni",
    capabilities=("dial_number", "dial_scheme", "dial_external", "client_first", "cancel", "hangup"),
    schemes={"000-913898": "Очередь продаж"},
)


class Backend:
    """One agent's backend. `refusals` maps a path to the problem that it answers with; `is_blocked` refuses sockets."""

    def __init__(self) -> None:
        self.agent = AGENT
        self.lines: tuple[m.LineView, ...] = (LINE,)
        self.calls: dict[str, m.CallView] = {}
        self.dial: m.DialView | None = None
        self.directory: m.DirectoryView | None = m.DirectoryView(
            is_complete=True, contacts=1204, companies=87, leads=311
        )
        self.show_cards = True
        self.email_action = False
        self.settings: dict[str, Any] = {}
        self.refusals: dict[str, m.Problem] = {}
        self.is_blocked = False
        self.requests: list[tuple[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.noticed: set[str] = set()
        self.sockets: dict[web.WebSocketResponse, list[Any]] = {}
        self._epochs = itertools.count(1)
        self._ids = itertools.count(1)
        self._changed = asyncio.Condition()

    def app(self) -> web.Application:
        """The application, with routes under /api and /healthz."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/healthz", self._healthz)
        app.router.add_post("/api/session", self._session)
        app.router.add_post("/api/ticket", self._session)
        app.router.add_get("/api/socket", self._socket)
        app.router.add_get("/api/poll", self._poll)
        app.router.add_post("/api/dial", self._dial)
        app.router.add_post("/api/dial/{id}/cancel", self._cancel)
        app.router.add_post("/api/calls/{id}/{verb}", self._call)
        app.router.add_get("/api/settings", self._settings)
        app.router.add_get("/api/journal/health", self._health)
        app.router.add_route("*", "/api/{rest:.*}", self._change)
        return app

    # -- what a test says ------------------------------------------------------------------------------------------

    async def show(self, call: m.CallView) -> None:
        """A call appeared or changed."""
        self.calls[call.id] = call
        await self._tell(lambda rev: m.CallMessage(rev=rev, call=call))

    async def dialling(self, dial: m.DialView) -> None:
        """The state line changed."""
        self.dial = dial
        await self._tell(lambda rev: m.DialMessage(rev=rev, dial=dial))

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"calls": 1204, "live": 2, "waiting": 3, "lost": 0, "parked": 0, "held_ms": 0})

    async def copied(self, directory: m.DirectoryView) -> None:
        """The copy of the phone book went on."""
        self.directory = directory
        await self._tell(lambda rev: m.DirectoryMessage(rev=rev, directory=directory))

    async def forget(self) -> None:
        """Nothing goes on: every connection gets a snapshot of that."""
        self.calls, self.dial, self.noticed = {}, None, set()
        await self._tell(self._snapshot)

    async def bye(self, message: m.ByeMessage, code: int) -> None:
        """Say farewell and close every socket with this code."""
        for socket in list(self.sockets):
            await socket.send_str(encode(message))
            await socket.close(code=code)

    async def _tell(self, make: Callable[[str], Any]) -> None:
        for socket, rev in list(self.sockets.items()):
            rev[1] += 1
            await socket.send_str(encode(make(f"{rev[0]}.{rev[1]}")))
        async with self._changed:
            self._changed.notify_all()

    # -- answers ---------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(headers=_cors(request))
        problem = self.refusals.get(request.path)
        response = _refused(problem) if problem else await handler(request)
        if not response.prepared:
            response.headers.update(_cors(request))
        return response

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _session(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, None))
        return answer(
            m.SessionAnswer(
                ticket=f"t{next(self._ids)}",
                bearer=f"b{next(self._ids)}",
                expires_at=int(time.time()) + BEARER_S,
                protocol=1,
                agent=self.agent,
                lines=self.lines,
            )
        )

    def _snapshot(self, rev: str) -> m.Snapshot:
        calls = tuple(self.calls.values())
        return m.Snapshot(
            rev=rev,
            digest=str(hash(encode([calls, self.dial]))),
            now=int(time.time()),
            agent=self.agent,
            lines=self.lines,
            calls=calls,
            dial=self.dial,
            directory=self.directory,
            show_cards=self.show_cards,
            email_action=self.email_action,
        )

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.is_blocked:
            raise web.HTTPForbidden
        socket = web.WebSocketResponse(protocols=[SUBPROTOCOL], compress=False)
        await socket.prepare(request)
        epoch = f"e{next(self._epochs)}"
        self.sockets[socket] = [epoch, 1]
        await socket.send_str(encode(self._snapshot(f"{epoch}.1")))
        async for frame in socket:
            if frame.type == WSMsgType.TEXT:
                await self._heard(socket, frame.json())
        self.sockets.pop(socket, None)
        return socket

    async def _heard(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        self.received.append(message)
        if message["type"] == "notice":
            await socket.send_str(encode(self._claim(message["call_id"])))

    def _claim(self, call_id: str) -> m.NoticedMessage:
        is_yours = call_id not in self.noticed
        self.noticed.add(call_id)
        return m.NoticedMessage(call_id=call_id, is_yours=is_yours)

    async def _poll(self, request: web.Request) -> web.Response:
        if request.query.get("digest") == self._snapshot("").digest:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wait(), LONG_POLL_S)
        return answer(self._snapshot(f"e{next(self._epochs)}.1"))

    async def _wait(self) -> None:
        async with self._changed:
            await self._changed.wait()

    async def _dial(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=m.DialRequest)
        self.requests.append((request.path, asked))
        now = int(time.time())
        self.dial = m.DialView(
            id=f"d{asked.key}",
            way=asked.way,
            state=DialState.ACCEPTED,
            phone=asked.phone,
            started_at=now,
            changed_at=now,
        )
        return answer({"dial": self.dial})

    async def _cancel(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, None))
        now = int(time.time())
        dial = self.dial or m.DialView(
            id="d0", way=DialWay.NUMBER, state=DialState.ENDED, phone="", started_at=now, changed_at=now
        )
        self.dial = msgspec.structs.replace(dial, state=DialState.ENDED, changed_at=now, can=())
        return answer({"dial": self.dial})

    async def _call(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, None))
        is_claim = request.match_info["verb"] == "notice"
        return answer(self._claim(request.match_info["id"]) if is_claim else {})

    async def _settings(self, _: web.Request) -> web.Response:
        return answer(self.settings)

    async def _change(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.requests.append((f"{request.method} {request.path}", body))
        return answer({"checks": self.settings.get("checks", [])} if request.path.endswith("/check") else {})


def encode(message: Any) -> str:
    """A message as the server writes it."""
    return msgspec.json.encode(message).decode()


def answer(body: Any) -> web.Response:
    """A JSON answer."""
    return web.Response(text=encode(body), content_type="application/json")


def _refused(problem: m.Problem) -> web.Response:
    return web.Response(status=409, text=encode({"error": problem}), content_type="application/json")


def _cors(request: web.Request) -> dict[str, str]:
    return {**CORS, "Access-Control-Allow-Origin": request.headers.get("Origin", "*")}
