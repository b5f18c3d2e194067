"""Seven requests a second per integration and account: amoCRM bans who asks more often (amocrm.md §4.2)."""

import asyncio
import time
from collections import deque

RATE = 7
SPARE = 1
"""Of these, kept for what a person waits for: a backlog of calls must not hold up the name of who is ringing."""

SECOND_S = 1.1
"""amoCRM's second, with a tenth for the ways there: requests bunch up on the network."""

SLOTS = range(RATE)
WORK_SLOTS = range(SPARE, RATE)
"""The same among the processes on one database: a request takes a slot for a second."""

STARTED = time.monotonic()
"""When this process began: the one before it may have used up its last second."""


class Pace:
    """Spaces one account's requests: never more than RATE within any second; so many may go at once.

    `since`: until then somebody else may have asked as often as is allowed, seconds of the monotonic clock.
    """

    def __init__(self, since: float = STARTED) -> None:
        self._work: deque[float] = deque([since] * (RATE - SPARE), maxlen=RATE - SPARE)
        self._spare: deque[float] = deque([since] * SPARE, maxlen=SPARE)

    async def wait(self, *, for_people: bool = False) -> None:
        """Return when a request may leave. One that somebody waits for takes whatever is free first."""
        slots = min(self._spare, self._work, key=lambda one: one[0]) if for_people else self._work
        now = time.monotonic()
        slot = max(now, slots[0] + SECOND_S)
        slots.append(slot)
        if slot > now:
            await asyncio.sleep(slot - now)
