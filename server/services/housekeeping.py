"""What nobody needs any more is forgotten: raw webhooks after their days, spent tokens, recordings over their time.
(Lanes tidy up themselves.)
"""

import asyncio
from typing import Protocol

import structlog

from server.core.errors import OwnError
from server.core.stores import Hooks

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

    def __init__(
        self, hooks: Hooks, tokens: Tokens, recordings: Recordings, *, keep_days: int, clock: Clock = now_ms
    ) -> None:
        self._hooks = hooks
        self._tokens = tokens
        self._recordings = recordings
        self._keep_days = keep_days
        self._clock = clock

    async def keep(self) -> None:
        """Tidy up now and every hour, until cancelled. A store that is away is asked again the next time."""
        while True:
            try:
                await self.tidy()
            except OwnError as exc:
                log.warning("not_tidied", slug=exc.slug)
            await asyncio.sleep(EVERY_S)

    async def tidy(self) -> None:
        """Forget what is over its time. Raises StoreUnavailable, AudioUnavailable."""
        now = self._clock()
        hooks = await self._hooks.purge(now - self._keep_days * DAY_MS)
        await self._tokens.forget_tokens(now)
        await self._recordings.tidy()
        log.info("tidied", hooks=hooks)
