"""A recording customer, and both stand-ins on real ports with a clock that costs nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx.clock import StoryClock
from server.sandbox.pbx.mango import Mango
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.pbx.stand_in import StandIn

SIPUNI_USER = "078332"
SIPUNI_SECRET = "0.test5ecret01"
MANGO_KEY = "testapikey000000000000000000000a"
MANGO_SALT = "testapisalt000000000000000000000b"


class Consumer:
    """A customer's server that writes down what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.raw: list[tuple[str, dict[str, str]]] = []
        self.answer: dict[str, Any] = {"success": True}
        self.url = ""
        self.answers = asyncio.Event()
        self.answers.set()
        self._news = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text(), keep_blank_values=True).items()}
        path = request.path.removeprefix("/hook").strip("/")
        self.raw.append((path, {**request.query, **form}))
        fields = json.loads(form["json"]) if "json" in form else {**request.query, **form}
        self.got.append({"path": path, **fields})
        self._news.set()
        await self.answers.wait()
        return web.json_response(self.answer)

    async def heard(self, count: int) -> None:
        """Return when this many requests have come, answered or not."""
        async with asyncio.timeout(5):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()

    def events(self, path: str) -> list[dict[str, Any]]:
        """What came to this path below the hook."""
        return [event for event in self.got if event["path"] == path]


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    """A running customer; its `url` is the hook."""
    consumer = Consumer()
    app = web.Application()
    app.router.add_route("*", "/hook{tail:.*}", consumer.take)
    async with TestServer(app) as server:
        consumer.url = str(server.make_url("/hook"))
        yield consumer


@pytest.fixture
async def sipuni(consumer: Consumer, aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Sipuni:
    """A running Sipuni that tells the consumer."""
    pbx = Sipuni(user=SIPUNI_USER, secret=SIPUNI_SECRET, log=Log(), faults=Faults(), clock=StoryClock())
    server = await aiohttp_server(pbx.app())
    pbx.base_url, pbx.hook = str(server.make_url("")).rstrip("/"), consumer.url
    return pbx


@pytest.fixture
async def mango(consumer: Consumer, aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Mango:
    """A running MANGO product that tells the consumer."""
    pbx = Mango(api_key=MANGO_KEY, api_salt=MANGO_SALT, log=Log(), faults=Faults(), clock=StoryClock())
    server = await aiohttp_server(pbx.app())
    pbx.base_url, pbx.hook = str(server.make_url("")).rstrip("/"), consumer.url
    return pbx


@pytest.fixture(params=["sipuni", "mango"])
def pbx(request: pytest.FixtureRequest) -> StandIn:
    """Either stand-in, for what both must do."""
    stand_in: StandIn = request.getfixturevalue(request.param)
    return stand_in


async def _waits(seconds: float) -> None:
    if seconds:
        await asyncio.Event().wait()


@pytest.fixture
def still_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time does not pass: people have as long as they need before anything rings out."""
    monkeypatch.setattr(StoryClock, "sleep", lambda _, seconds: _waits(seconds))


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    """A client that follows nothing by itself."""
    async with ClientSession() as session:
        yield session
