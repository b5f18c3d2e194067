"""All open channels together, with channels that only remember what was done to them."""

import asyncio

import pytest

from server.web.channel import frames
from server.web.channel.channels import GRACE_S, PING_EVERY_S, Channels

PING = frames.text('{"type":"ping"}')


class Remembered:
    """A channel that remembers; one with `answers_close` is gone as soon as it is told to go."""

    def __init__(self, home: Channels, *, answers_close: bool = True) -> None:
        self.home = home
        self.answers_close = answers_close
        self.sent: list[bytes] = []
        self.closed: list[tuple[int, str]] = []
        self.peer, self.is_open, self.is_aborted = "test", True, False
        self.slot = self.silent = 0
        home.add(self)

    def send(self, frame: bytes) -> bool:
        self.sent.append(frame)
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.closed.append((code, reason))
        if self.answers_close:
            asyncio.get_running_loop().call_soon(self.home.discard, self)

    def abort(self) -> None:
        self.is_aborted = True
        self.home.discard(self)


@pytest.fixture
def channels() -> Channels:
    """A set of channels with the product's intervals."""
    return Channels(ping=PING)


def test_a_beat_sends_the_applications_ping(channels: Channels) -> None:
    """Within one interval every channel gets the ping, once."""
    channel = Remembered(channels)

    for _ in range(PING_EVERY_S):
        channels.beat()

    assert channel.sent == [PING]


def test_a_dead_peer_is_dropped(channels: Channels) -> None:
    """A peer silent through two pings and the grace is hung up on, with no close frame that nobody would read."""
    channel = Remembered(channels)

    for _ in range(2 * PING_EVERY_S + GRACE_S):
        channels.beat()

    assert channel.is_aborted
    assert channel.closed == []
    assert len(channels) == 0


async def test_draining_closes_all_and_waits(channels: Channels) -> None:
    """At shutdown everybody is told to come back, and the process waits until they are gone."""
    held = [Remembered(channels) for _ in range(3)]

    late = await channels.drain(reason="update")

    assert late == 0
    assert [channel.closed for channel in held] == [[(frames.SERVICE_RESTART, "update")]] * 3
    assert len(channels) == 0


async def test_draining_cuts_off_those_who_do_not_answer(channels: Channels) -> None:
    """Peers that ignore the goodbye are cut off at the deadline and counted."""
    polite, deaf = Remembered(channels), Remembered(channels, answers_close=False)

    late = await channels.drain(deadline_s=0.05)

    assert late == 1
    assert (polite.is_aborted, deaf.is_aborted) == (False, True)
    assert len(channels) == 0


async def test_whoever_slips_in_while_draining_is_sent_away(channels: Channels) -> None:
    """A channel whose handshake was under way when draining began is closed as well."""
    await channels.drain()

    channel = Remembered(channels)

    assert channel.closed == [(frames.SERVICE_RESTART, "")]


async def test_draining_nobody_takes_no_time(channels: Channels) -> None:
    """With nobody connected the shutdown does not wait."""
    async with asyncio.timeout(1):
        assert await channels.drain(deadline_s=60) == 0
