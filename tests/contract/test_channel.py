"""What every push channel does, on real sockets, judged by the `websockets` library, aiohttp's client and Chromium.

Both implementations, on both event loops that the product runs on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from channel_service import (  # noqa: F401
    IMPLEMENTATIONS,
    LIMITS,
    OFFERED,
    PATIENCE_S,
    PROTOCOL,
    Service,
    event_loop_policy,
    masked,
    own_tls,
    serving,
    trusting,
)
from websockets.asyncio.client import connect as dial

from server.web.channel import frames

# The hook that replaces this fixture would run every contract suite on both loops.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy:DeprecationWarning")


@pytest.fixture(params=list(IMPLEMENTATIONS))
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """One implementation, served."""
    async with serving(request.param) as served:
        yield served


@pytest.fixture(params=list(IMPLEMENTATIONS))
async def tls_service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """One implementation behind TLS that ends in this process."""
    async with serving(request.param, tls=own_tls(tmp_path)) as served:
        yield served


@pytest.fixture
async def detached() -> AsyncIterator[Service]:
    """The implementation that must not lean on aiohttp's habits."""
    async with serving("detached", keepalive_timeout=0.05) as served:
        yield served


# -- talking


async def test_text_travels_both_ways(service: Service) -> None:
    """A browser tab and the server exchange texts."""
    async with dial(service.url, subprotocols=OFFERED) as tab:
        ear = await service.ear()
        await tab.send("привет")
        assert await ear.heard() == "привет"

        assert ear.channel.send(frames.text("карточка"))

        assert await tab.recv() == "карточка"


async def test_aiohttps_client_understands(service: Service) -> None:
    """A second library reads our frames and we read its."""
    async with aiohttp.ClientSession() as session, session.ws_connect(service.url, protocols=OFFERED) as tab:
        ear = await service.ear()
        await tab.send_str("привет")
        assert await ear.heard() == "привет"

        ear.channel.send(frames.text("карточка"))

        assert await tab.receive_str(timeout=PATIENCE_S) == "карточка"


async def test_one_subprotocol_and_no_extension_is_answered(service: Service) -> None:
    """The ticket is never echoed, compression never agreed to."""
    async with dial(service.url, subprotocols=OFFERED, compression="deflate") as tab:
        assert tab.subprotocol == PROTOCOL
        assert tab.response is not None
        assert "Sec-WebSocket-Extensions" not in tab.response.headers


async def test_fragments_are_put_together(service: Service) -> None:
    """A message sent in pieces arrives as one."""
    async with dial(service.url, subprotocols=OFFERED) as tab:
        ear = await service.ear()

        await tab.send(["при", "", "вет"])

        assert await ear.heard() == "привет"


async def test_big_messages_pass(service: Service) -> None:
    """A message as long as the limit gets in, a long frame gets out."""
    big = "x" * LIMITS.message_bytes
    async with dial(service.url, subprotocols=OFFERED, max_size=None) as tab:
        ear = await service.ear()
        await tab.send(big)
        assert await ear.heard() == big

        ear.channel.send(frames.text(big * 10))

        assert await tab.recv() == big * 10


async def test_a_ping_is_answered(service: Service) -> None:
    """Whoever asks at protocol level whether we are there gets a pong."""
    async with dial(service.url, subprotocols=OFFERED) as tab, asyncio.timeout(PATIENCE_S):
        await (await tab.ping(b"there?"))


async def test_a_frame_in_the_handshakes_segment_is_heard(service: Service) -> None:
    """A client need not wait for our answer before it speaks."""
    await service.call(behind=masked(0x81, b"early"))

    ear = await service.ear()

    assert await ear.heard() == "early"


@pytest.mark.parametrize("implementation", list(IMPLEMENTATIONS))
async def test_reading_goes_on_after_a_flood_behind_the_handshake(implementation: str) -> None:
    """aiohttp stops reading when much follows a handshake; the channel hears all of it, and what comes later."""
    flood = [letter * 150_000 for letter in "abcdef"]

    @web.middleware
    async def slow(request: web.Request, handler: Handler) -> web.StreamResponse:
        assert request.transport is not None
        while request.transport.is_reading():  # noqa: ASYNC110  aiohttp gives no event for it
            await asyncio.sleep(0)
        return await handler(request)

    async with serving(implementation, middlewares=(slow,)) as service:
        client = await service.call(behind=b"".join(masked(0x81, text.encode()) for text in flood))
        client.writer.write(masked(0x81, b"later"))

        ear = await service.ear()

        assert [await ear.heard() for _ in range(7)] == [*flood, "later"]


async def test_tls_carries_a_channel(tls_service: Service) -> None:
    """Where TLS ends in this process, texts and the close handshake work as well."""
    async with dial(tls_service.url, subprotocols=OFFERED, ssl=trusting()) as tab:
        ear = await tls_service.ear()
        await tab.send("привет")
        assert await ear.heard() == "привет"
        ear.channel.send(frames.text("карточка"))
        assert await tab.recv() == "карточка"

        ear.channel.close(4001)

        assert await ear.end() == 4001
        await tab.wait_closed()
        assert tab.close_code == 4001


async def test_tls_carries_an_early_frame(tls_service: Service) -> None:
    """A frame behind the handshake is heard under TLS too, and a broken rule answered."""
    client = await tls_service.call(behind=masked(0x81, b"early") + masked(0x81, b"\xff"))

    ear = await tls_service.ear()

    assert await ear.heard() == "early"
    assert await client.close_code() == frames.INVALID_TEXT
    await client.leave()
    assert await ear.end() == frames.INVALID_TEXT


@pytest.mark.browser
async def test_chromium_understands(service: Service) -> None:
    """A real browser opens, talks in long and short, and closes with a code."""
    from playwright.async_api import async_playwright

    script = """async ([url, protocols]) => {
      const socket = new WebSocket(url, protocols);
      await new Promise((done, fail) => { socket.onopen = done; socket.onerror = () => fail(new Error("refused")); });
      socket.send("я".repeat(50000));
      const got = await new Promise((done) => { socket.onmessage = (event) => done(event.data); });
      const closed = new Promise((done) => { socket.onclose = done; });
      socket.close(4001, "пока");
      const { code, wasClean } = await closed;
      return [socket.protocol, socket.extensions, got, code, wasClean];
    }"""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{service.port}/")
        evaluation = asyncio.ensure_future(page.evaluate(script, [service.url, list(OFFERED)]))
        ear = await service.ear()
        assert await ear.heard() == "я" * 50_000

        ear.channel.send(frames.text("карточка"))

        assert await evaluation == [PROTOCOL, "", "карточка", 4001, True]
        assert await ear.end() == 4001
        await browser.close()


# -- aiohttp's books (the three names that `detached` leans on)


async def test_aiohttp_forgets_a_detached_connection(detached: Service) -> None:
    """After the handshake the server has no connection, so its shutdown neither waits for it nor closes it."""
    await detached.call()
    await detached.ear()
    await asyncio.sleep(0)

    assert detached.runner.server is not None
    assert detached.runner.server.connections == []


async def test_keep_alive_does_not_cut_a_detached_channel(detached: Service) -> None:
    """aiohttp's keep-alive timer is gone with the connection: the channel outlives it."""
    client = await detached.call()
    ear = await detached.ear()

    await asyncio.sleep(0.2)  # four times the keep-alive of this server: its passing is the test

    client.writer.write(masked(0x81, b"still here"))
    assert await ear.heard() == "still here"


async def test_a_keep_alive_connection_may_be_upgraded(service: Service) -> None:
    """A browser or proxy may open the channel on a connection that has served a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"</title>")
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: kommutator.1\r\n\r\n"
        + masked(0x81, b"early")
    )

    assert await (await service.ear()).heard() == "early"


async def test_the_access_log_has_one_line(detached: Service, caplog: pytest.LogCaptureFixture) -> None:
    """The handshake is logged like any request, with its status."""
    with caplog.at_level(logging.INFO, "aiohttp.access"):
        await detached.call()
        await detached.ear()
        await asyncio.sleep(0)

    (line,) = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    assert "127.0.0.1" in line
    assert '"GET /ws HTTP/1.1" 101' in line


async def test_cancelled_handlers_do_not_cost_the_channel() -> None:
    """An application that cancels handlers of lost connections loses no channel by it."""
    async with serving("detached", handler_cancellation=True) as service:
        client = await service.call()
        ear = await service.ear()

        client.writer.write(masked(0x81, b"here"))

        assert await ear.heard() == "here"


async def test_a_client_gone_before_the_answer_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A client that leaves while it is being checked gets no channel, and nobody is alarmed."""
    entered, gone, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @web.middleware
    async def checking(request: web.Request, handler: Handler) -> web.StreamResponse:
        entered.set()
        await gone.wait()
        try:
            return await handler(request)
        finally:
            answered.set()

    async with serving("detached", middlewares=(checking,)) as service:
        calling = asyncio.ensure_future(service.call())
        await entered.wait()
        (connection,) = service.runner.server.connections
        connection.transport.abort()
        with pytest.raises(asyncio.IncompleteReadError):
            await calling

        gone.set()
        await answered.wait()

        assert (len(service.channels), service.ears.empty()) == (0, True)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
