"""A server that opens push channels on a real socket, and a client that can break every rule."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop
from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from server.web.channel import frames
from server.web.channel.channels import Channels
from server.web.channel.detached import DetachedListener
from server.web.channel.plain import PlainListener
from server.web.channel.port import Channel, Limits

PROTOCOL = "kommutator.1"
OFFERED = (PROTOCOL, "ticket.secret")
PATIENCE_S = 10.0
LIMITS = Limits(message_bytes=200_000, unsent_bytes=128 * 1024, close_s=0.3)
IMPLEMENTATIONS = {"detached": DetachedListener, "aiohttp": PlainListener}
KEY = b"\x01\x02\x03\x04"


class Ear:
    """The owner of a channel under test: writes down what it hears; `!` makes it fail, `abort` makes it hang up."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.texts: asyncio.Queue[str] = asyncio.Queue()
        self.ends: list[int] = []
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def on_text(self, text: str) -> None:
        self.texts.put_nowait(text)
        if text == "!":
            raise ZeroDivisionError
        if text == "abort":
            self.channel.abort()

    def on_closed(self, code: int) -> None:
        self.ends.append(code)
        if not self.closed.done():
            self.closed.set_result(code)

    async def heard(self) -> str:
        """The next text."""
        return await asyncio.wait_for(self.texts.get(), PATIENCE_S)

    async def end(self) -> int:
        """The code the channel ended with."""
        return await asyncio.wait_for(asyncio.shield(self.closed), PATIENCE_S)


@dataclass
class Service:
    """One implementation, served."""

    runner: web.AppRunner
    channels: Channels
    scheme: str = "ws"
    ears: asyncio.Queue[Ear] = field(default_factory=asyncio.Queue)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.runner.addresses[0][1]

    @property
    def url(self) -> str:
        """Where a channel is opened."""
        return f"{self.scheme}://127.0.0.1:{self.port}/ws"

    async def ear(self) -> Ear:
        """The owner of the next channel that was opened."""
        return await asyncio.wait_for(self.ears.get(), PATIENCE_S)

    async def call(self, *, headers: dict[str, str] | None = None, behind: bytes = b"", method: str = "GET") -> "Raw":
        """Shake hands by hand; an empty header is left out. `behind` travels in the segment of the handshake."""
        tls = trusting() if self.scheme == "wss" else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, limit=2**22)
        asked = {**HANDSHAKE, **(headers or {})}
        lines = [f"{method} /ws HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items() if value)]
        writer.write("\r\n".join([*lines, "", ""]).encode() + behind)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        return Raw(reader, writer, head.decode())


HANDSHAKE = {
    "Host": "127.0.0.1",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol": ", ".join(OFFERED),
}


@dataclass
class Raw:
    """A client with no manners of its own: what is written is what is sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    @property
    def status(self) -> int:
        """The answer to the handshake."""
        return int(self.head.split(" ", 2)[1])

    def header(self, name: str) -> str | None:
        """A header of that answer."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload."""
        async with asyncio.timeout(PATIENCE_S):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return first, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """The code of the close frame that comes next."""
        first, payload = await self.frame()
        assert first == 0x88
        return int.from_bytes(payload[:2], "big")

    async def eof(self) -> None:
        """Wait until the server has hung up."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while await self.reader.read(65536):
                    pass

    async def leave(self) -> None:
        """Hang up without a word."""
        self.writer.transport.abort()
        await asyncio.sleep(0)


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame of any size, from its first byte."""
    frame = bytes(frames.text(payload))
    head = frame[: len(frame) - len(payload)]
    return bytes((first, head[1] | 0x80)) + head[2:] + KEY + frames.unmask(payload, KEY)


def own_tls(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate made for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "own.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    return context


def trusting() -> ssl.SSLContext:
    """A client's context that accepts the test's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.asynccontextmanager
async def serving(
    implementation: str,
    *,
    tls: ssl.SSLContext | None = None,
    middlewares: Sequence[Middleware] = (),
    **options: float,
) -> AsyncIterator[Service]:
    """Serve one implementation; `options` are those of aiohttp's runner."""
    channels = Channels(ping=frames.text('{"type":"ping"}'))
    listener = IMPLEMENTATIONS[implementation](channels, limits=LIMITS)

    def ear(channel: Channel) -> Ear:
        born = Ear(channel)
        service.ears.put_nowait(born)
        return born

    async def connect(request: web.Request) -> web.StreamResponse:
        return await listener.upgrade(request, subprotocol=PROTOCOL, receiver_factory=ear)

    app = web.Application(middlewares=middlewares)
    app.router.add_route("*", "/ws", connect)
    app.router.add_get("/", _page)
    runner = web.AppRunner(app, shutdown_timeout=1, **options)
    service = Service(runner, channels, scheme="wss" if tls else "ws")
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield service
    finally:
        await channels.drain(deadline_s=0.5)
        await runner.cleanup()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>channel</title>", content_type="text/html")


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    """The loop under the test, for modules that import this."""
    return request.param()
