"""What nobody needs any more is forgotten: raw webhooks and the journal after their days, spent tokens, recordings over
their time. (Lanes tidy up themselves.)
"""

import asyncio
from typing import Protocol

import structlog

from server.core.errors import OwnError
from server.core.stores import Hooks, Journal

from .clock import Clock, now_ms

log = structlog.get_logger()

EVERY_S = 3600.0
DAY_MS = 86_400_000


class Tokens(Protocol):
    """Where spent one-time tokens are remembered."""

    async def forget_tokens(self, now_ms: int) -> None: ...


class Recordings(Protocol):
    """Whoever lets recordings go."""

    async def tidy(self) -> None: ...


class Housekeeping:
    """Tidies up, every hour."""

    def __init__(  # noqa: PLR0913  # it visits four rooms
        self, hooks: Hooks, journal: Journal, tokens: Tokens, recordings: Recordings,
        *, hooks_days: int, journal_days: int, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._hooks = hooks
        self._journal = journal
        self._tokens = tokens
        self._recordings = recordings
        self._hooks_days = hooks_days
        self._journal_days = journal_days
        self._clock = clock

    async def keep(self) -> None:
        """Tidy up now and every hour, until cancelled. A store that is away is asked again the next time."""
        while True:
            try:
                await self.tidy()
            except OwnError as exc:
                log.warning("not_tidied", slug=exc.slug)
            except Exception:  # a fault of ours must not end tidying for good
                log.exception("not_tidied")
            await asyncio.sleep(EVERY_S)

    async def tidy(self) -> None:
        """Forget what is over its time. Raises StoreUnavailable, AudioUnavailable."""
        now = self._clock()
        hooks = await self._hooks.purge(now - self._hooks_days * DAY_MS)
        while await self._journal.purge(now - self._journal_days * DAY_MS):
            pass
        await self._tokens.forget_tokens(now)
        await self._recordings.tidy()
        log.info("tidied", hooks=hooks)
