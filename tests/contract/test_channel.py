"""What every push channel does, on real sockets, judged by the `websockets` library, aiohttp's client and Chromium.

Both implementations, on both event loops that the product runs on.
"""

import asyncio
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
