"""Seven requests a second per integration and account: amoCRM bans who asks more often (amocrm.md §4.2)."""

import asyncio

RATE = 6.5
"""A little under the limit: the network bunches requests up, and amoCRM counts them in a sliding second."""


class Pace:
    """Spaces one account's requests evenly: a burst after a pause would put two seconds' worth into one."""

    def __init__(self, rate: float = RATE) -> None:
        self._gap = 1 / rate
        self._next = 0.0

    async def wait(self) -> None:
        """Return when a request may leave."""
        now = asyncio.get_running_loop().time()
        slot = max(self._next, now)
        self._next = slot + self._gap
        if slot > now:
            await asyncio.sleep(slot - now)
