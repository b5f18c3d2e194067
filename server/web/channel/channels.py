"""All open channels of this process: how many, their heartbeat, their goodbye. Whose they are is not known here."""

import asyncio
import contextlib
from typing import Protocol

from .frames import SERVICE_RESTART, Frame
from .port import Channel
from .wheel import Member, Wheel

PING_EVERY_S = 30
GRACE_S = 10  # a phone changing cells is silent for 5-8 s
_ABORT_S = 1.0  # an abort needs two turns of the loop; a second is for ten thousand of them


class Held(Channel, Member, Protocol):
    """A channel that carries its place on the wheel."""


class Channels:
    """The open channels. Counts them, pings them, drops the dead, closes all at shutdown."""

    def __init__(self, *, ping: Frame, every_s: int = PING_EVERY_S, grace_s: int = GRACE_S) -> None:
        """`ping`: the application's own ping, a text frame, because a page cannot see or answer protocol pings."""
        self._ping = ping
        self._wheel: Wheel[Held] = Wheel(slots=every_s, grace=grace_s)
        self._emptied: asyncio.Event | None = None
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._wheel)

    def add(self, channel: Held) -> None:
        """A channel was opened; one that slips in while draining is told to leave like the others."""
        self._wheel.add(channel)
        if self.is_draining:
            channel.close(SERVICE_RESTART)

    def discard(self, channel: Held) -> None:
        """A channel is gone."""
        self._wheel.discard(channel)
        if self._emptied is not None and not self._wheel:
            self._emptied.set()

    def beat(self) -> None:
        """One second has passed: ping those whose turn it is, drop those silent through two pings and the grace."""
        due, dead = self._wheel.turn()
        for channel in dead:
            channel.abort()
        for channel in due:
            channel.send(self._ping)

    async def keep_beating(self) -> None:
        """Beat every second until cancelled.

        Late beats are not made up for: when the whole process was paused, nobody is dead before we have listened.
        """
        while True:
            await asyncio.sleep(1)
            self.beat()

    async def drain(self, *, code: int = SERVICE_RESTART, reason: str = "", deadline_s: float = 5.0) -> int:
        """Close every channel, refuse new ones, and return once all are gone; the number that had to be cut off.

        All are told at once: spreading the return over time is the browser's part.
        """
        self.is_draining = True
        for channel in list(self._wheel):
            channel.close(code, reason)
        if await self._is_empty_within(deadline_s):
            return 0
        late = list(self._wheel)
        for channel in late:
            channel.abort()
        await self._is_empty_within(_ABORT_S)
        return len(late)

    async def _is_empty_within(self, timeout_s: float) -> bool:
        self._emptied = asyncio.Event()
        if not self._wheel:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._emptied.wait(), timeout_s)
        return not self._wheel
