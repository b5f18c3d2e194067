"""A sandbox amoCRM that other people's clients reach: by its own address, or under `https://<subdomain>.amocrm.ru`."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from peers import Peer, Talk, running

from server.sandbox import integrations
from server.sandbox.app import make_app
from server.sandbox.oauth.tokens import new_grant, token_answer
from server.sandbox.seed import seed
from server.sandbox.world import Row, World

REDIRECT_URI = "http://localhost:18801/amo/oauth"


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests' own, and the certificate of `*.amocrm.ru` from it."""

    trust: Path
    chain: Path
    key: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), x509.BasicConstraints(ca=True, path_length=0)).sign(
        ca_key, hashes.SHA256()
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amocrm")])
    leaf = _certificate(name, ca_name, key.public_key(), x509.SubjectAlternativeName([x509.DNSName("*.amocrm.ru")]))
    found = Authority(folder / "ca.pem", folder / "site.pem", folder / "site.key")
    found.trust.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    found.chain.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    named = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    dated = named.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    return dated.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)


@pytest.fixture
def world() -> World:
    world = World()
    seed(world, 1, redirect_uri=REDIRECT_URI)
    world.switches.set({"limit_integration_per_s": 0, "limit_account_per_s": 0})
    return world


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


def tokens_of(world: World, extension: str) -> Row:
    """Fresh tokens of the user at an extension."""
    user = world.user_named(extension)
    assert user is not None
    return token_answer(world, new_grant(world, client_id=integrations.main(world)["id"], user_id=user["id"]))


Opened = Callable[..., Awaitable[Talk]]


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


@dataclass
class Mailbox:
    """Somebody's server that gets webhooks, as the bytes they are."""

    url: str = ""
    got: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.Response:
        self.got.put_nowait(await request.text())
        return web.Response()

    async def next(self) -> str:
        return await asyncio.wait_for(self.got.get(), 15)


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


def asked(world: World, **having: Any) -> list[int]:
    """The statuses of the requests that the sandbox saw, as `GET /sandbox/log` tells them."""
    return [entry["status"] for entry in world.log.entries("request") if having.items() <= entry.items()]
