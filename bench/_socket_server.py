"""One of the servers that `sockets.py` compares, in a process of its own: `_socket_server.py VARIANT`.

Prints its port when ready. `GET /ws` opens a channel after checking an HMAC ticket in the subprotocol, as the product
does; `POST /fan?n=N` sends one message to the first N channels; `GET /cpu` tells the processor seconds used so far.
"""

import asyncio
import gc
import hmac
import json
import resource
import sys
import time
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from server.web.channel import frames
from server.web.channel.channels import Channels
from server.web.channel.detached import DetachedListener
from server.web.channel.plain import PlainListener
from server.web.channel.port import Channel, Listener

SECRET = b"bench-secret"
PROTOCOL = "kommutator.1"
MESSAGE = json.dumps({"type": "call", "card": "x" * 270})
BACKLOG = 4096


def ticket(agent: str) -> str:
    """What an agent shows at the handshake."""
    return f"ticket.{agent}.{hmac.digest(SECRET, agent.encode(), 'sha256').hex()}"


def check_ticket(request: web.Request) -> str:
    """The agent who shows a sound ticket; 403 without one."""
    for offered in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        word, _, rest = offered.strip().partition(".")
        agent = rest.partition(".")[0]
        if word == "ticket" and hmac.compare_digest(ticket(agent), offered.strip()):
            return agent
    raise web.HTTPForbidden


class Agent:
    """Owns a channel and does nothing with it."""

    __slots__ = ("channel", "home")

    def __init__(self, channel: Channel, home: "set[Agent]") -> None:
        self.channel, self.home = channel, home
        home.add(self)

    def on_text(self, text: str) -> None:
        """Nobody speaks here."""

    def on_closed(self, _: int) -> None:
        """Gone."""
        self.home.discard(self)


class Ours:
    """The product's channel, heartbeats and all."""

    def __init__(self, kind: type[DetachedListener] | type[PlainListener]) -> None:
        self.agents: set[Agent] = set()
        self.channels = Channels(ping=frames.text('{"type":"ping"}'))
        self.listener: Listener = kind(self.channels)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """`GET /ws`."""
        check_ticket(request)
        return await self.listener.upgrade(
            request, subprotocol=PROTOCOL, receiver_factory=lambda channel: Agent(channel, self.agents)
        )

    async def fan(self, limit: int) -> None:
        """One message to the first `limit` agents."""
        frame = frames.text(MESSAGE)
        for agent in list(self.agents)[:limit]:
            agent.channel.send(frame)


class Stock:
    """The peer: aiohttp's `WebSocketResponse` as its documentation shows it."""

    def __init__(self, *, compress: bool) -> None:
        self.compress = compress
        self.sockets: set[web.WebSocketResponse] = set()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """`GET /ws`."""
        check_ticket(request)
        socket = web.WebSocketResponse(protocols=(PROTOCOL,), compress=self.compress)
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            self.sockets.discard(socket)
        return socket

    async def fan(self, limit: int) -> None:
        """One message to the first `limit` agents."""
        for socket in list(self.sockets)[:limit]:
            await socket.send_str(MESSAGE)


VARIANTS = {
    "detached": lambda: Ours(DetachedListener),
    "plain": lambda: Ours(PlainListener),
    "aiohttp": lambda: Stock(compress=False),
    "aiohttp-deflate": lambda: Stock(compress=True),
}


async def serve(variant: str) -> None:
    """Serve until killed."""
    server = VARIANTS[variant]()

    async def fan(request: web.Request) -> web.Response:
        await server.fan(int(request.query["n"]))
        return web.Response()

    async def cpu(_: web.Request) -> web.Response:
        return web.Response(text=repr(time.process_time()))

    app = web.Application()
    app.add_routes([web.get("/ws", server.connect), web.post("/fan", fan), web.get("/cpu", cpu)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
    gc.collect()
    gc.freeze()
    print(runner.addresses[0][1], flush=True)
    if isinstance(server, Ours):
        await server.channels.keep_beating()
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        import uvloop

        uvloop.run(serve(sys.argv[1]))
    except ImportError:
        asyncio.run(serve(sys.argv[1]))
