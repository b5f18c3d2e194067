"""The call notes that an account has shown us: who looks for one note reads only what is new since the last look.

After an outage thousands of calls are in doubt at once. If each of them read all notes since it began, amoCRM's limit
would be spent on looking. So the notes are read once for all who ask, from where the last reading ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from server.core.crm import CallNote, Logged
from server.core.errors import CrmRefused

from . import answers

NOTED = ("leads", "contacts", "companies", "customers")
"""Where a call's note may stand, the likeliest first."""

OVERLAP_S = 60
"""How far back before the newest note a reading begins: lists lag behind, and several notes share a second."""

MOST = 100_000
"""Notes that are remembered; a busy account makes as many in a week. Then it begins anew."""

NEVER_S = 1 << 60

Note = Mapping[str, Any]
Read = Callable[[str, int], Awaitable[Sequence[Note]]]
"""Reads an entity type's call notes changed since (Unix seconds). Raises CrmError."""

Check = Callable[[Logged], Awaitable[bool]]
"""Whether a note is there still. Raises CrmError."""


class Sightings:
    """One account's call notes."""

    def __init__(self, read: Read, is_there: Check, clock: Callable[[], int]) -> None:
        """`clock`: now, Unix milliseconds."""
        self._read = read
        self._is_there = is_there
        self._clock = clock
        self._one_by_one = asyncio.Lock()
        self._begun = 0
        self._read_whole = 0
        self._seen: dict[str, tuple[Logged, int]] = {}  # with the number of the reading that saw it last
        self._nameless: list[Note] = []
        self._newest: dict[str, int] = {}
        self._from_s = NEVER_S

    async def find(self, note: CallNote, since_s: int) -> Logged | None:
        """Where a call's note stands, by a reading that began after this was asked. Raises CrmError.

        Raises CrmRefused when a note without anybody's id may be this call's: only a person can tell.
        """
        asked = self._begun
        async with self._one_by_one:
            if self._read_whole <= asked or since_s < self._from_s:
                await self._look(since_s)
        found, reading = self._seen.get(note.uniq, (None, 0))
        if found is not None:
            # A note goes with its lead: amoCRM drops a record in Unsorted when its caller becomes a contact.
            if reading == self._read_whole or await self._is_there(found):
                return found
            del self._seen[note.uniq]
        if answers.has_nameless(self._nameless, note):
            raise CrmRefused("amoCRM shows a note that may be this call's, and no uniq in it: look yourself.")
        return None

    async def _look(self, since_s: int) -> None:
        """Read what is new; all since then, if less is known. What a reading that breaks off has seen stays seen."""
        if len(self._seen) + len(self._nameless) > MOST:
            self._seen, self._nameless, self._newest, self._from_s = {}, [], {}, NEVER_S
        self._begun += 1
        this = self._begun
        is_deeper = since_s < self._from_s
        now_s = self._clock() // 1000
        for noun in NOTED:
            newest = self._newest.get(noun, 0)
            begin_s = since_s if is_deeper or not newest else newest - OVERLAP_S
            notes = await self._read(noun, begin_s)
            for one in notes:
                self._see(one, noun)
            latest = max([newest, *(int(one.get("updated_at") or 0) for one in notes)])
            self._newest[noun] = min(latest, now_s)  # a note from the future must not hide what comes before it
        self._from_s = min(self._from_s, since_s)
        self._read_whole = this

    def _see(self, one: Note, noun: str) -> None:
        uniq = answers.uniq_of(one)
        if uniq is None:
            self._nameless.append(one)
        else:
            self._seen[uniq] = Logged(noun, int(one.get("entity_id") or 0), int(one["id"])), self._begun
