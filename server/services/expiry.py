"""Recordings that were kept for their time are let go: first the links to them, then the files."""

import structlog
from msgspec import structs

from server.core.stores import Recordings as RecordingStore

from .clock import Clock, now_ms
from .fetching import Cellar

log = structlog.get_logger()

DAY_MS = 86_400_000


class Expiry:
    """Lets recordings go. `keep_days` 0: never."""

    def __init__(self, store: RecordingStore, cellar: Cellar, *, keep_days: int, clock: Clock = now_ms) -> None:
        self._store = store
        self._cellar = cellar
        self._keep_days = keep_days
        self._clock = clock

    async def tidy(self) -> None:
        """Expire what is over its time, remove its files, sweep the press. Raises StoreUnavailable, AudioUnavailable.

        A file's name is forgotten once the file is gone: a crash in between repeats the removal, which harms nobody.
        """
        now, count = self._clock(), 0
        while self._keep_days and (marked := await self._store.expire(now - self._keep_days * DAY_MS, now)):
            count += marked
        while self._cellar.store is not None and (gone := await self._store.expired()):
            for kept in gone:
                await self._cellar.store.remove(kept.name)
                await self._store.put(structs.replace(kept, name="", changed_ms=now))
        await self._cellar.press.sweep()
        if count:
            log.info("recordings_expired", recordings=count)
