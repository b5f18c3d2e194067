"""The node's clock, corrected to the database's."""

import time

from server.lanes.clock import SharedClock, SystemClock


class Stopped:
    def now_ms(self) -> int:
        return 1_000

    def monotonic(self) -> float:
        return 5.0


def test_the_shared_clock_follows_the_database() -> None:
    """After a correction all moments are the database's; durations stay the node's own."""
    clock = SharedClock(Stopped())

    clock.correct(61_000, asked_ms=1_010)

    assert (clock.now_ms(), clock.raw_ms(), clock.monotonic()) == (60_990, 1_000, 5.0)


def test_the_system_clock_is_the_machines() -> None:
    """It tells UTC in milliseconds, and its durations rise."""
    clock = SystemClock()

    assert abs(clock.now_ms() - time.time() * 1000) < 1000
    assert clock.monotonic() <= clock.monotonic()
