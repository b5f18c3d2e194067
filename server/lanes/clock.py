"""The engine's two clocks: moments that are stored, and durations that must not jump."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the engine takes its time from; a test turns it by hand."""

    def now_ms(self) -> int:
        """UTC, milliseconds since 1970. Called from any thread."""
        ...

    def monotonic(self) -> float:
        """Seconds that only rise; they go on while the process is frozen."""
        ...


class SystemClock:
    """The machine's clocks.

    CLOCK_BOOTTIME, where there is one: the usual monotonic clock stands still while a machine is suspended, and a node
    that wakes up would believe in a lease that ran out meanwhile.
    """

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SharedClock:
    """A node's clock corrected to the database's, so that all nodes mean the same moment by a lease's end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = 0

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._offset_ms

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def correct(self, database_ms: int, *, asked_ms: int) -> None:
        """Set the offset from the database's time and our own uncorrected one at the middle of the question."""
        self._offset_ms = database_ms - asked_ms

    def raw_ms(self) -> int:
        """This node's own time, uncorrected."""
        return self._clock.now_ms()
