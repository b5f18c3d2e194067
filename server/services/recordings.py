"""Recordings: what state each is in, the links to them, who is told of a change, and their withdrawal.

Fetching them from the PBX is `fetching`'s, playing them `playing`'s, and letting them go `expiry`'s.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from msgspec import structs

from server.core import recordings
from server.core.calls import Call, Recording
from server.core.errors import NotFound, RecordingAbsent
from server.core.recordings import Kept
from server.core.stores import Calls as CallStore
from server.core.stores import Recordings as RecordingStore
from server.core.vocabulary import RECENT_S

from .clock import Clock, now_ms
from .links import FOREVER_S, Links

log = structlog.get_logger()

RECENT_MS = 2 * RECENT_S * 1000
"""For how long what changed is known without asking the store: longer than a call stays on screens."""

Tell = Callable[[Call], Awaitable[None]]


class Recordings:
    """Knows the recordings."""

    def __init__(
        self, calls: CallStore, store: RecordingStore, links: Links, *, link_s: int, clock: Clock = now_ms
    ) -> None:
        self._calls = calls
        self._store = store
        self._links = links
        self._link_s = link_s
        self._clock = clock
        self._recent: dict[str, dict[str, Kept]] = {}
        self._listeners: list[Tell] = []

    def tell(self, listener: Tell) -> None:
        """Let `listener` hear of calls whose recordings changed."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Learn what changed lately; to be called at a start."""
        for kept in await self._store.changed_since(self._clock() - RECENT_MS):
            self._remember(kept)

    async def reread(self, call_id: str) -> None:
        """Another node changed a call's recordings."""
        call = await self._calls.find(call_id)
        for kept in (await self._store.find(call_id)).values():
            self._remember(kept)
        if call is not None:
            await self._say(call)

    # -- what cards and notes show; nothing here waits -------------------------------------------------------------

    def link(self, call: Call) -> str:
        """A link for a card; empty while there is nothing to hear. Stable for a while: cards are compared."""
        heard = recordings.audible(call, self._known(call))
        return self.short_link(call, heard[0]) if heard else ""

    def short_link(self, call: Call, recording: Recording) -> str:
        """A link that expires."""
        # In steps of the lifetime, so that the same card is not sent anew with each change of the clock.
        expires_s = (self._clock() // 1000 // self._link_s + 2) * self._link_s
        return self._links.to(call, recording, expires_s)

    def is_pending(self, call: Call) -> bool:
        """Whether a recording was announced that cannot be had yet, and there is none that can."""
        known = self._known(call)
        return bool(recordings.promised(call, known)) and not recordings.audible(call, known)

    def lasting_link(self, call: Call) -> str:
        """The link for amoCRM's note: given as soon as a recording is announced, good for as long as we have it."""
        known = recordings.promised(call, self._known(call))
        return self._links.to(call, known[0], FOREVER_S) if known else ""

    # -- what changes ----------------------------------------------------------------------------------------------

    async def keep(self, call: Call, kept: Kept) -> Kept:
        """Remember how far a recording has come, and tell it on."""
        kept = structs.replace(kept, changed_ms=self._clock())
        await self._store.put(kept)
        self._remember(kept)
        await self._say(call)
        return kept

    async def revoke(self, account_id: int, call_id: str) -> int:
        """Withdraw a call's recordings: no link opens them any more; how many. Raises NotFound, RecordingAbsent."""
        call = await self._calls.find(call_id)
        if call is None or call.account_id != account_id:
            raise NotFound
        if not call.recordings:
            raise RecordingAbsent
        before, now = await self._store.find(call_id), self._clock()
        every = [before.get(one.key) or recordings.unknown(call, one) for one in call.recordings.values()]
        await self._store.revoke(every, now)
        for kept in every:
            self._remember(structs.replace(kept, revoked_ms=now, changed_ms=now))
        log.info("recording_revoked", call=call_id, account=account_id, recordings=len(every))
        await self._say(call)
        return len(every)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _say(self, call: Call) -> None:
        for listener in self._listeners:
            await listener(call)

    def _known(self, call: Call) -> Mapping[str, Kept]:
        known = self._recent.get(call.id, {})
        if recordings.is_withdrawn(known):  # a part that came later, too
            unknown = {key: recordings.unknown(call, one) for key, one in call.recordings.items()}
            now = self._clock()
            return {key: structs.replace(one, revoked_ms=now) for key, one in {**unknown, **known}.items()}
        return known

    def _remember(self, kept: Kept) -> None:
        """The oldest are forgotten: the store knows them."""
        of_call = self._recent.pop(kept.call_id, {})
        before = of_call.get(kept.key)
        if before is not None and before.revoked_ms is not None:  # it was withdrawn while it was being fetched
            kept = structs.replace(kept, revoked_ms=before.revoked_ms)
        self._recent[kept.call_id] = {**of_call, kept.key: kept}
        while (oldest := next(iter(self._recent.values()))) and _newest_ms(oldest) < kept.changed_ms - RECENT_MS:
            del self._recent[next(iter(self._recent))]


def _newest_ms(of_call: Mapping[str, Kept]) -> int:
    return max(kept.changed_ms for kept in of_call.values())
