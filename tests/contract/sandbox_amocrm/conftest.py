"""A sandbox amoCRM in this process, spoken to over real HTTP as its clients do."""

import socket
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from amocrm_client import Api, Receiver, Site
from worlds import sample_world, tokens_of

from server.sandbox import integrations, ports
from server.sandbox.app import make_app
from server.sandbox.world import Row, World


@pytest.fixture
def world() -> World:
    return sample_world()


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    server = TestServer(make_app(world))
    await server.start_server()
    world.origin = f"http://127.0.0.1:{server.port}"
    async with TestClient(server) as client:
        yield client


@pytest.fixture
def integration(world: World) -> Row:
    return integrations.main(world)


@pytest.fixture
def enter(world: World, site: Site) -> Callable[[str], Api]:
    """`enter("203")`: the API as the user with this extension."""

    def entered(extension: str) -> Api:
        return Api(site, tokens_of(world, extension)["access_token"])

    return entered


@pytest.fixture
def api(enter: Callable[[str], Api]) -> Api:
    """The API as an administrator."""
    return enter("201")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver


@pytest.fixture
def port() -> int:
    """A port that is free and is followed by three free ones."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        try:
            for number in range(first, first + 4):
                ports.check_free("127.0.0.1", number)
        except ports.PortTakenError:
            continue
        return first
    raise AssertionError("no free ports")
