"""The peer of `ring.py`: the design of the classic amoCRM–Asterisk script, in its parts that take time.

The PBX's webhook is stored; each agent's page asks once a second whether there is a call for him; when there is, the
caller is looked up in amoCRM (`GET /api/v4/contacts?query=`), and then the card is shown.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

PAGE = """<!doctype html><title>polling</title><body><script>
const EVERY_MS = 1000;
async function ask(extension) {
  for (const { id, phone } of await (await fetch(`/poll?extension=${extension}`)).json()) {
    const name = await (await fetch(`/contact?phone=${phone}`)).text();
    const card = document.createElement("div");
    card.textContent = `${name} ${phone}`;
    document.body.append(card);
    requestAnimationFrame(() => requestAnimationFrame(() => painted(id, performance.timeOrigin + performance.now())));
  }
}
for (const extension of new URLSearchParams(location.search).getAll("extension")) {
  setTimeout(() => setInterval(ask, EVERY_MS, extension), Math.random() * EVERY_MS);
}
</script>"""


class PollPeer:
    """Stores calls, answers polls, asks amoCRM."""

    def __init__(self, path: Path, amocrm: str, access_token: str, http: aiohttp.ClientSession) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE ring (id TEXT PRIMARY KEY, extension TEXT, phone TEXT, is_told INTEGER DEFAULT 0)",
            "CREATE INDEX waiting ON ring (extension) WHERE is_told = 0",
        ):
            self._db.execute(statement)
        self._amocrm = amocrm
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._http = http

    async def hook(self, request: web.Request) -> web.Response:
        """A call rings."""
        query = request.query
        values = (query["id"], query["extension"], query["phone"])
        self._db.execute("INSERT OR IGNORE INTO ring (id, extension, phone) VALUES (?, ?, ?)", values)
        return web.Response()

    async def poll(self, request: web.Request) -> web.Response:
        """Calls that the page was not told of."""
        statement = "UPDATE ring SET is_told = 1 WHERE extension = ? AND is_told = 0 RETURNING id, phone"
        rows = self._db.execute(statement, (request.query["extension"],)).fetchall()
        return web.json_response([{"id": one, "phone": phone} for one, phone in rows])

    async def contact(self, request: web.Request) -> web.Response:
        """Who it is, asked of amoCRM."""
        url, query = f"{self._amocrm}/api/v4/contacts", {"query": request.query["phone"]}
        async with self._http.get(url, params=query, headers=self._headers) as answer:
            found = await answer.json(content_type=None) if answer.status == 200 else None
        return web.Response(text=found["_embedded"]["contacts"][0]["name"] if found else "?")

    async def page(self, _: web.Request) -> web.Response:
        """The agent's page."""
        return web.Response(text=PAGE, content_type="text/html")


@asynccontextmanager
async def polling(peer: PollPeer) -> AsyncIterator[str]:
    """The peer at work; its address."""
    app = web.Application()
    routes = {"/": peer.page, "/hook": peer.hook, "/poll": peer.poll, "/contact": peer.contact}
    app.add_routes([web.get(path, handler) for path, handler in routes.items()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
