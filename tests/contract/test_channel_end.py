"""How every push channel ends: by either side, by shutdown, by silence, by not reading; and what is left of it.

Both implementations, on both event loops that the product runs on.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from channel_service import IMPLEMENTATIONS, OFFERED, Service, event_loop_policy, masked, serving  # noqa: F401
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed

from server.web.channel import frames
from server.web.channel.channels import GRACE_S, PING_EVERY_S

# The hook that replaces this fixture would run every contract suite on both loops.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy:DeprecationWarning")


@pytest.fixture(params=list(IMPLEMENTATIONS))
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """One implementation, served."""
    async with serving(request.param) as served:
        yield served


def descriptors() -> int:
    """How many files and sockets this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_our_close_is_heard_and_answered(service: Service) -> None:
    """The tab learns code and reason; the owner is told once; nothing can be sent afterwards."""
    async with dial(service.url, subprotocols=OFFERED) as tab:
        ear = await service.ear()

        ear.channel.close(4003, "session ended")

        assert not ear.channel.is_open
        assert not ear.channel.send(frames.text("late"))
        with pytest.raises(ConnectionClosed):
            await tab.recv()
        assert (tab.close_code, tab.close_reason) == (4003, "session ended")
        assert await ear.end() == 4003
        assert ear.ends == [4003]


async def test_nothing_is_heard_after_our_close(service: Service) -> None:
    """A text that crossed our close frame on the wire is dropped."""
    client = await service.call()
    ear = await service.ear()

    ear.channel.close(1000)
    client.writer.write(masked(0x81, b"crossed") + masked(0x88, b"\x03\xe8"))

    assert await ear.end() == 1000
    assert ear.texts.empty()


@pytest.mark.parametrize(("payload", "code"), [(b"\x03\xe9", 1001), (b"", 1005)], ids=["with a code", "without a code"])
async def test_a_peers_close_is_answered(service: Service, payload: bytes, code: int) -> None:
    """When the tab closes, it gets its close frame back, then the end; the owner gets the code."""
    client = await service.call()
    ear = await service.ear()

    client.writer.write(masked(0x88, payload))

    first, answer = await client.frame()
    assert (first, answer in {payload, b"\x03\xe8"}) == (0x88, True)
    await client.eof()
    assert await ear.end() == code


async def test_a_lost_peer_is_reported(service: Service) -> None:
    """A tab that disappears ends its channel as lost."""
    client = await service.call()
    ear = await service.ear()

    await client.leave()

    assert await ear.end() == frames.ABNORMAL


async def test_a_peer_that_only_stops_talking_is_lost() -> None:
    """Half a connection is none: a peer that shuts its side without a close frame is gone at once, read or not.

    The detached channel's promise: aiohttp waits until everything is read.
    """
    async with serving("detached") as detached:
        client = await detached.call()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        ear = await detached.ear()
        while ear.channel._transport.get_write_buffer_size() < 60_000:  # type: ignore[attr-defined]
            ear.channel.send(frames.text("x" * 60_000))
            await asyncio.sleep(0)

        client.writer.write_eof()

        assert await ear.end() == frames.ABNORMAL
        assert len(detached.channels) == 0


async def test_a_peer_that_ignores_our_close_is_cut_off(service: Service) -> None:
    """The close handshake has a deadline."""
    client = await service.call()
    ear = await service.ear()

    ear.channel.close(4003)

    assert await ear.end() == 4003
    await client.eof()


async def test_an_ended_channel_takes_every_call(service: Service) -> None:
    """Whoever still holds an ended channel may call anything; nothing happens and nothing raises."""
    client = await service.call()
    ear = await service.ear()
    assert ear.channel.peer == "127.0.0.1"
    await client.leave()
    await ear.end()

    ear.channel.close(4000)
    ear.channel.abort()

    assert (ear.channel.is_open, ear.channel.send(frames.text("late"))) == (False, False)
    assert ear.channel.peer in {"127.0.0.1", ""}
    assert ear.ends == [frames.ABNORMAL]


async def test_an_owner_may_hang_up_on_what_it_hears(service: Service) -> None:
    """What came in the same segment behind that text is dropped, be it sound or broken."""
    client = await service.call()
    ear = await service.ear()

    client.writer.write(masked(0x81, b"abort") + masked(0x81, b"late") + masked(0x89, b"?") + masked(0x81, b"\xff"))

    assert await ear.end() == frames.ABNORMAL
    assert await ear.heard() == "abort"
    assert ear.texts.empty()


async def test_draining_tells_everybody_to_come_back(service: Service) -> None:
    """At shutdown each tab gets 1012; whoever comes meanwhile gets 503."""
    async with dial(service.url, subprotocols=OFFERED) as one, dial(service.url, subprotocols=OFFERED) as other:
        ears = [await service.ear(), await service.ear()]

        late = await service.channels.drain()

        assert late == 0
        assert [await ear.end() for ear in ears] == [1012, 1012]
        await asyncio.gather(one.wait_closed(), other.wait_closed())
        assert (one.close_code, other.close_code) == (1012, 1012)
        assert (await service.call()).status == 503


async def test_draining_cuts_off_whoever_stays(service: Service) -> None:
    """A tab that does not answer does not hold up the shutdown."""
    client = await service.call()
    ear = await service.ear()

    late = await service.channels.drain(deadline_s=0.05)

    assert late == 1
    assert await ear.end() == 1012
    await client.eof()


async def test_a_slow_reader_is_dropped(service: Service) -> None:
    """A tab that stops reading loses its channel instead of our memory."""
    client = await service.call()
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]
    ear = await service.ear()
    frame = frames.text("x" * 60_000)

    for _ in range(1000):  # sixty megabytes: far more than two sockets hold
        if not ear.channel.send(frame):
            break
        await asyncio.sleep(0)

    assert not ear.channel.is_open
    assert await ear.end() == frames.POLICY


async def test_the_heartbeat_drops_the_dead_and_keeps_the_living(service: Service) -> None:
    """Whoever answers pings stays; whoever misses two and the grace is gone."""
    dead, living = await service.call(), await service.call()
    ears = [await service.ear(), await service.ear()]

    for _ in range(2 * PING_EVERY_S + GRACE_S + 1):
        service.channels.beat()
        living.writer.write(masked(0x81, b"pong"))
        await ears[1].heard()

    assert await ears[0].end() == frames.ABNORMAL
    assert ears[1].channel.is_open
    assert await living.frame() == (0x81, b'{"type":"ping"}')
    await dead.eof()


async def test_an_owner_that_fails_costs_its_channel_only(service: Service) -> None:
    """An error in our own code closes that channel with 1011, even when it comes with the handshake."""
    async with dial(service.url, subprotocols=OFFERED) as other:
        bystander = await service.ear()
        client = await service.call(behind=masked(0x81, b"!"))
        ear = await service.ear()

        assert client.status == 101
        assert await client.close_code() == frames.INTERNAL_ERROR
        assert await ear.end() == frames.INTERNAL_ERROR
        await other.send("still here")
        assert await bystander.heard() == "still here"


async def test_a_thousand_channels_leave_nothing_behind(service: Service) -> None:
    """After opening and closing a thousand channels no descriptor, channel or connection is left."""
    await (await service.call()).leave()
    await (await service.ear()).end()
    before = descriptors()

    for _ in range(20):
        clients = await asyncio.gather(*(service.call() for _ in range(50)))
        ears = [await service.ear() for _ in clients]
        for number, client in enumerate(clients):
            if number % 2:
                client.writer.write(masked(0x88, b"\x03\xe8"))
                await client.eof()
            client.writer.transport.abort()
        await asyncio.gather(*(ear.end() for ear in ears))

    assert service.runner.server is not None
    assert (len(service.channels), service.runner.server.connections) == (0, [])
    gc.collect()
    assert descriptors() <= before
