"""What other nodes changed in the store: what is remembered of it here is read anew.

Jobs, alerts and notices are made once, by the node that changed it; here only memory and screens follow.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from server.core.ports import News, Topic

from .accounts import Accounts
from .cards import Cards
from .dial import Dialling
from .fetching import Fetching
from .lines import Lines
from .recordings import Recordings

log = structlog.get_logger()


class Nodes:
    """Hears the other nodes. `repair`: gives every connected browser a fresh snapshot."""

    def __init__(  # noqa: PLR0913  # every room that remembers
        self, accounts: Accounts, lines: Lines, recordings: Recordings, fetching: Fetching, cards: Cards,
        dialling: Dialling, *, repair: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._lines = lines
        self._recordings = recordings
        self._fetching = fetching
        self._cards = cards
        self._dialling = dialling
        self._repair = repair
        self._readers: Mapping[Topic, Callable[[News], Awaitable[None]]] = {
            Topic.CALL: lambda news: cards.reread(news.account_id, news.key),
            Topic.CARD: lambda news: cards.remark(news.key),
            Topic.DIAL: lambda news: dialling.reread(news.key),
            Topic.ACCOUNT: lambda news: accounts.reread(news.account_id),
            Topic.USERS: lambda news: accounts.reread_users(news.account_id),
            Topic.ALERT: self._hear_alert,
            Topic.LINES: lambda news: lines.reread(news.account_id),
            Topic.PHONES: lambda news: cards.found(news.account_id, news.key.split()),
            Topic.RECORDING: lambda news: recordings.reread(news.key),
        }

    async def hear(self, news: News) -> None:
        """Something was changed by another node. Raises StoreUnavailable."""
        await self._readers[news.topic](news)

    async def catch_up(self) -> None:
        """News may have been missed: read everything anew, as at a start. Raises StoreUnavailable."""
        log.info("reading_everything_anew")
        for room in (self._accounts, self._lines, self._recordings, self._dialling):
            await room.load()
        await self._cards.catch_up()
        await self._repair()

    async def _hear_alert(self, news: News) -> None:
        self._fetching.doubt(news.account_id)
        await self._accounts.show_alert(news.account_id, news.key)
