"""Seven requests a second per integration and account: amoCRM bans who asks more often (amocrm.md §4.2)."""

import asyncio
import time
from collections import deque

RATE = 7
SECOND_S = 1.1
"""amoCRM's second, with a tenth for the ways there: requests bunch up on the network."""


STARTED = time.monotonic()
"""When this process began: the one before it may have used up its last second."""


class Pace:
    """Spaces one account's requests: never more than RATE within any second; so many may go at once.

    `since`: until then somebody else may have asked as often as is allowed, seconds of the monotonic clock.
    """

    def __init__(self, since: float = STARTED) -> None:
        self._slots: deque[float] = deque([since] * RATE, maxlen=RATE)

    async def wait(self) -> None:
        """Return when a request may leave."""
        now = time.monotonic()
        slot = max(now, self._slots[0] + SECOND_S)
        self._slots.append(slot)
        if slot > now:
            await asyncio.sleep(slot - now)
