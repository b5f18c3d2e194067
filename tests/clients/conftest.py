"""A sandbox amoCRM that other people's clients reach: by its own address, or under `https://<subdomain>.amocrm.ru`."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web
from peers import Peer, Talk, running
from stage import Authority, Mailbox, Opened, new_authority
from worlds import sample_world, tokens_of

from server.sandbox import integrations
from server.sandbox.app import make_app
from server.sandbox.world import Row, World


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def world() -> World:
    return sample_world()


@pytest.fixture
async def environment(world: World, authority: Authority) -> AsyncIterator[dict[str, str]]:
    """Serve the world by HTTP and by TLS; what a client's process must know of it."""
    runner = web.AppRunner(make_app(world))
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain, authority.key)
    for tls in (None, context):
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    plain, secret = (address[1] for address in runner.addresses)
    world.origin = f"http://127.0.0.1:{plain}"
    trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    yield {"SANDBOX_TLS_PORT": str(secret), **dict.fromkeys(trust, str(authority.trust))}
    await runner.cleanup()


@pytest.fixture
def pair(world: World) -> Row:
    """Tokens of an administrator."""
    return tokens_of(world, "201")


@pytest.fixture
async def opened(world: World, environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Opened]:
    """`await opened(peer, pair=…)`: a client's process that has been told where amoCRM is."""
    subdomain = world.account["subdomain"]
    account = {"origin": world.origin, "subdomain": subdomain, "host": f"{subdomain}.amocrm.ru"}
    integration = integrations.main(world)
    async with AsyncExitStack() as stack:

        async def start(peer: Peer, pair: Row | None = None) -> Talk:
            talk = await stack.enter_async_context(running(peer, environment))
            await talk.do("open", account=account, integration=integration, storage=str(tmp_path), pair=pair)
            return talk

        yield start


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    mailbox, app = Mailbox(), web.Application()
    app.router.add_post("/hook", mailbox.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mailbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield mailbox
    await runner.cleanup()
