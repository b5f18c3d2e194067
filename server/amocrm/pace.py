"""Seven requests a second per integration and account: amoCRM bans who asks more often (amocrm.md §4.2)."""

import asyncio

RATE = 7.0


class Pace:
    """Spaces one account's requests; a second's worth may go at once after a pause."""

    def __init__(self, rate: float = RATE) -> None:
        self._gap = 1 / rate
        self._next = 0.0

    async def wait(self) -> None:
        """Return when a request may leave."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        slot = max(self._next, now - self._gap * (RATE - 2))
        self._next = slot + self._gap
        if slot > now:
            await asyncio.sleep(slot - now)
