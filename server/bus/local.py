"""One process: nobody else to tell."""

from collections.abc import Awaitable, Callable

from server.core.ports import News
from server.sql import Script


class LocalBus:
    """Fills `core.ports.Bus`."""

    is_alone = True

    def telling(self, *_news: News) -> Script[None]:
        """See `core.ports.Bus.telling`. There is nobody."""
        yield from ()

    async def start(self) -> None:
        """See `core.ports.Bus.start`."""

    def subscribe(self, hear: Callable[[News], Awaitable[None]], missed: Callable[[], Awaitable[None]]) -> None:
        """See `core.ports.Bus.subscribe`. Neither is ever called."""

    async def close(self) -> None:
        """See `core.ports.Bus.close`."""
