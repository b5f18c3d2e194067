"""Seven requests a second per integration and account: amoCRM bans who asks more often (amocrm.md §4.2)."""

import asyncio
from collections import deque

RATE = 7
SECOND_S = 1.1
"""amoCRM's second, with a tenth for the ways there: requests bunch up on the network."""


class Pace:
    """Spaces one account's requests: never more than RATE within any second; so many may go at once."""

    def __init__(self) -> None:
        self._slots: deque[float] = deque(maxlen=RATE)

    async def wait(self) -> None:
        """Return when a request may leave."""
        now = asyncio.get_running_loop().time()
        slot = max(now, self._slots[0] + SECOND_S) if len(self._slots) == RATE else now
        self._slots.append(slot)
        if slot > now:
            await asyncio.sleep(slot - now)
