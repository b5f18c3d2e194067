"""The peer of `hooks.py`: the plain aiohttp application that one would write first. `_hook_peer.py DATABASE PORT`.

It verifies a webhook, commits it in a SQLite transaction of its own (WAL, `synchronous=FULL`), answers, looks the
caller up in a dict and tells the agent's socket. It decides nothing: every event is pushed as it came.
"""

import asyncio
import hashlib
import hmac
import json
import sqlite3
import sys

from _backend import phone
from _vendors import API_KEY, API_SALT
from aiohttp import web

BACKLOG = 4096
CONTACTS = 10_000


class Peer:
    """The whole of it."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.execute("CREATE TABLE hook (id INTEGER PRIMARY KEY, key TEXT UNIQUE, raw BLOB)")
        self.names = {phone(number): f"Client {number}" for number in range(1, CONTACTS + 1)}
        self.sockets: dict[str, web.WebSocketResponse] = {}

    async def sipuni(self, request: web.Request) -> web.Response:
        """Unsigned; the fields are in the query."""
        fields = dict(request.query)
        digest = hashlib.sha256(request.query_string.encode()).hexdigest()
        self._keep(digest, request.query_string.encode())
        await self._push(fields.get("short_dst_num", ""), fields.get("src_num", ""), fields)
        return web.json_response({"success": True})

    async def mango(self, request: web.Request) -> web.Response:
        """Signed; a form with JSON."""
        form = await request.post()
        text, sign = str(form["json"]), str(form["sign"])
        expected = hashlib.sha256(f"{API_KEY}{text}{API_SALT}".encode()).hexdigest()
        if not hmac.compare_digest(sign, expected):
            raise web.HTTPForbidden
        message = json.loads(text)
        self._keep(sign, text.encode())
        extension = message.get("to", {}).get("extension", "")
        await self._push(extension, message.get("from", {}).get("number", ""), message)
        return web.json_response({})

    def _keep(self, key: str, raw: bytes) -> None:
        self.db.execute("INSERT OR IGNORE INTO hook (key, raw) VALUES (?, ?)", (key, raw))

    async def _push(self, extension: str, number: str, event: dict[str, object]) -> None:
        if socket := self.sockets.get(extension):
            state = "ended" if event.get("event") == "2" or event.get("call_state") == "Disconnected" else "live"
            card = {"type": "call", "state": state, "caller": self.names.get(number, ""), "event": event}
            await socket.send_str(json.dumps(card, separators=(",", ":")))

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """An agent's socket."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.sockets[request.query["extension"]] = socket
        async for _ in socket:
            pass
        return socket


async def serve(path: str, port: int) -> None:
    """Serve until killed."""
    peer = Peer(path)
    app = web.Application()
    app.add_routes(
        [
            web.get("/hooks/sipuni/{path}", peer.sipuni),
            web.post("/hooks/mango/{path}/{tail:.*}", peer.mango),
            web.get("/api/socket", peer.connect),
            web.get("/readyz", lambda _: asyncio.sleep(0, web.Response())),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
    except ImportError:
        asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
