"""What the tests of the sandbox's amoCRM share: a client with a token, somebody's server, short words for bodies."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

from server.sandbox.world import Row

Site = TestClient[web.Request, web.Application]


class Api:
    """An integration's HTTP client with its Bearer token."""

    def __init__(self, client: Site, token: str) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, **words: Any) -> ClientResponse:
        headers = {**self.headers, **words.pop("headers", {})}
        return await self._client.request(method, URL(path, encoded=True), headers=headers, **words)

    async def get(self, path: str, **words: Any) -> ClientResponse:
        return await self.call("GET", path, **words)

    async def post(self, path: str, body: Any = None, **words: Any) -> ClientResponse:
        return await self.call("POST", path, json=body, **words)

    async def patch(self, path: str, body: Any) -> ClientResponse:
        return await self.call("PATCH", path, json=body)

    async def delete(self, path: str, body: Any = None) -> ClientResponse:
        return await self.call("DELETE", path, json=body)


class Receiver:
    """Somebody's server that gets webhooks and install hooks; `answer` decides what it says."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.url = ""
        self.answer: Callable[[web.Request], Awaitable[web.Response]] = self._ok

    async def _ok(self, _: web.Request) -> web.Response:
        return web.Response()

    async def handle(self, request: web.Request) -> web.Response:
        form = dict(await request.post()) if request.method == "POST" else {}
        self.got.put_nowait({"method": request.method, "query": dict(request.query), "form": form,
                             "type": request.content_type})  # fmt: skip
        return await self.answer(request)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.got.get(), 5)


def new_contact(name: str, phone: str | None = None) -> Row:
    """The body of a contact as clients write it."""
    fields = [{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}] if phone else None
    return {"name": name, "custom_fields_values": fields}


async def made(answer: ClientResponse, name: str) -> list[Row]:
    """The entities a write has made."""
    assert answer.status == 200, await answer.text()
    rows: list[Row] = (await answer.json(content_type=None))["_embedded"][name]
    return rows


async def listed(answer: ClientResponse) -> list[Row]:
    """What a list of /api/v2 shows."""
    rows: list[Row] = (await body(answer))["_embedded"]["items"]
    return rows


async def write(api: Api, kind: str, **asked: Any) -> Row:
    """`add` and `update` of /api/v2; the embedded part of the answer."""
    told: Row = (await body(await api.post(f"/api/v2/{kind}", asked)))["_embedded"]
    return told


async def body(answer: ClientResponse, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)
