"""What every push channel does to clients that break the rules, by hand-made bytes on real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from channel_service import IMPLEMENTATIONS, LIMITS, PATIENCE_S, PROTOCOL, Service, masked, serving

from server.web.channel import frames


@pytest.fixture(params=list(IMPLEMENTATIONS))
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """One implementation, served."""
    async with serving(request.param) as served:
        yield served


# -- at the door


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Upgrade": ""}, 426, id="no Upgrade"),
        pytest.param({"Upgrade": "h2c"}, 426, id="another Upgrade"),
        pytest.param({"Connection": "keep-alive"}, 426, id="no Connection: Upgrade"),
        pytest.param({"Sec-WebSocket-Version": ""}, 426, id="no version"),
        pytest.param({"Sec-WebSocket-Version": "8"}, 426, id="an old version"),
        pytest.param({"Sec-WebSocket-Key": ""}, 400, id="no key"),
        pytest.param({"Sec-WebSocket-Key": "c2hvcnQ="}, 400, id="a short key"),
        pytest.param({"Sec-WebSocket-Key": "not base64!"}, 400, id="a key that is not base64"),
        pytest.param({"Sec-WebSocket-Protocol": ""}, 400, id="no subprotocol"),
        pytest.param({"Sec-WebSocket-Protocol": "kommutator.2, ticket.x"}, 400, id="another subprotocol"),
        pytest.param({"Content-Length": "1"}, 400, id="a body"),
    ],
)
async def test_a_wrong_handshake_is_refused(service: Service, headers: dict[str, str], status: int) -> None:
    """Each mistake in the handshake gets its status, and no channel is opened."""
    client = await service.call(headers=headers, behind=b"x" if "Content-Length" in headers else b"")

    assert client.status == status
    assert len(service.channels) == 0
    assert service.ears.empty()


async def test_a_refusal_names_the_version(service: Service) -> None:
    """A client of another version is told which one is spoken here (RFC 6455 §4.4)."""
    client = await service.call(headers={"Sec-WebSocket-Version": "12"})

    assert client.header("Sec-WebSocket-Version") == "13"


async def test_a_post_is_refused(service: Service) -> None:
    """A handshake is a GET."""
    assert (await service.call(method="POST")).status == 400


async def test_the_answer_is_the_rfcs_example(service: Service) -> None:
    """The accept value is the one that RFC 6455 §1.3 computes for this key; one subprotocol, no extension."""
    client = await service.call()

    assert client.status == 101
    assert client.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert client.header("Sec-WebSocket-Protocol") == PROTOCOL
    assert client.header("Sec-WebSocket-Extensions") is None


# -- inside


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        pytest.param(masked(0xC1, b"x"), 1002, id="a reserved bit"),
        pytest.param(masked(0x8B, b"x"), 1002, id="an unknown opcode"),
        pytest.param(masked(0x89, b"x" * 126), 1002, id="a ping too long"),
        pytest.param(masked(0x09, b"x"), 1002, id="a fragmented ping"),
        pytest.param(masked(0x88, b"\x03\xed"), 1002, id="close code 1005"),
        pytest.param(masked(0x82, b"x"), 1003, id="binary"),
        pytest.param(masked(0x81, b"\xff"), 1007, id="not UTF-8"),
        pytest.param(masked(0x81, b"x" * (LIMITS.message_bytes + 1)), 1009, id="a message too big"),
        pytest.param(
            masked(0x01, b"x" * LIMITS.message_bytes) + masked(0x80, b"x"), 1009, id="fragments that grow too big"
        ),
    ],
)
async def test_a_broken_rule_is_named_in_the_close_frame(service: Service, stream: bytes, code: int) -> None:
    """The client learns which rule it broke; the owner learns the same, once."""
    client = await service.call()
    ear = await service.ear()

    client.writer.write(stream)

    assert await client.close_code() == code
    client.writer.close()
    assert await ear.end() == code
    assert ear.ends == [code]
    assert ear.texts.empty()


async def test_an_unmasked_frame_is_refused() -> None:
    """A frame without a mask is a breach (aiohttp's own parser reads it, so this is the detached channel's promise)."""
    async with serving("detached") as detached:
        client = await detached.call()

        client.writer.write(frames.text("x"))

        assert await client.close_code() == frames.PROTOCOL_ERROR


async def test_what_follows_a_breach_is_not_heard(service: Service) -> None:
    """After a broken rule nothing counts, however much is sent, and the connection ends."""
    client = await service.call()
    ear = await service.ear()

    client.writer.write(masked(0x81, b"\xff") + masked(0x81, b"late") * 10_000)

    assert await client.close_code() == frames.INVALID_TEXT
    await client.eof()
    client.writer.close()
    assert await ear.end() == frames.INVALID_TEXT
    assert ear.texts.empty()


async def test_a_flood_of_pings_unread_answers_ends_in_a_drop(service: Service) -> None:
    """A client that pings without reading the pongs is a slow reader."""
    client = await service.call()
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]
    ear = await service.ear()
    flood = masked(0x89, b"x" * 125) * 4_000

    async with asyncio.timeout(PATIENCE_S):
        while not ear.closed.done():
            client.writer.write(flood)
            await asyncio.wait([ear.closed], timeout=0.01)

    assert ear.closed.result() == frames.POLICY
