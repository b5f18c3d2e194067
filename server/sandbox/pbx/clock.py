"""Time as the stand-ins see it: Unix seconds that may run faster than the wall's."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where a stand-in gets the time from, and how it waits."""

    def now(self) -> float:
        """Return Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock have passed."""
        ...


class WallClock:
    """The wall's clock, `speed` times as fast from the moment it is made."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._started_at = time.time()
        self._zero = time.monotonic()

    def now(self) -> float:
        return self._started_at + (time.monotonic() - self._zero) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0) / self._speed)


class StoryClock:
    """Time passes only by being slept through, at once: a minute of talk costs nothing and every stamp is exact.

    Good for one scripted call at a time; sleepers beside each other each push the time forward to their own goal.
    """

    def __init__(self, starts_at: float = 1_700_000_000.0) -> None:
        self._now = starts_at

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        goal = self._now + max(seconds, 0)
        await asyncio.sleep(0)
        self._now = max(self._now, goal)
