"""The contracts of what is remembered. Whoever fills them keeps each promise on both databases.

Every method raises StoreUnavailable when the database does not answer; what returned is durable.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from .book import BookRow
from .calls import Call
from .dial import Dial
from .directory import Entry
from .journal import Counts, Query
from .journal import Entry as JournalEntry
from .messages import AlertView, DirectoryView
from .recordings import Kept
from .records import (
    Account,
    CardMark,
    Decision,
    Line,
    Place,
    Prefs,
    Reconciliation,
    Seat,
    StoredHook,
    Stray,
    Tokens,
    User,
)

Decide = Callable[[Call | None, Sequence[Dial]], Decision | None]
"""Pure: the call as stored (None: unknown) and the orders that wait on its line → what to keep; None: nothing."""


class Hooks(Protocol):
    """Raw webhooks, stored before they are answered."""

    async def put(self, line_id: str, *, key: str, received_ms: int, raw: bytes) -> int | None:
        """Store one; None when its key was stored before. Many callers share a transaction."""
        ...

    async def unread_ids(self) -> set[int]: ...

    async def unread(self) -> list[StoredHook]:
        """Those whose reading did not come to its end, in the order of arrival."""
        ...

    async def settle(self, hook_id: int, *, note: str = "") -> None:
        """Nothing is to be read from it, or it cannot be read (`note` says why); it is kept."""
        ...

    async def purge(self, before_ms: int) -> int:
        """Forget those received before; returns how many."""
        ...


class Calls(Protocol):
    """Calls and what belongs to them."""

    async def digest(self, line_id: str, call_ref: str, *, hook_id: int | None, decide: Decide) -> Decision | None:
        """In one transaction: load the call, decide, keep the decision with its jobs, mark the hook as read."""
        ...

    async def find(self, call_id: str) -> Call | None: ...

    async def of_line(self, line_id: str, since_ms: int, until_ms: int) -> list[Call]:
        """A line's calls that began in a period."""
        ...

    async def on_screens(self, since_ms: int) -> list[Call]:
        """Live calls, and those that ended since."""
        ...

    async def mark(self, call_id: str, agent_id: int, *, noticed_ms: int | None, dismissed_ms: int | None) -> bool:
        """Remember what the agent's browser did; False when it was remembered before (compare-and-set)."""
        ...

    async def marks(self, call_ids: Sequence[str]) -> list[CardMark]: ...

    async def file(self, call_id: str, place: Place, at_ms: int) -> None:
        """Remember what became of the call in amoCRM, and tell the journal."""
        ...

    async def place(self, call_id: str) -> Place | None:
        """What became of the call in amoCRM, None while nothing has."""
        ...

    async def unfiled_of(self, account_id: int, phone: str) -> dict[str, int]:
        """Calls with a number that are over and of which nothing is in amoCRM yet: when each began."""
        ...

    async def strays(self, account_id: int, since_ms: int) -> list[Stray]:
        """Calls since then that are at nobody's card (STRAY, UNSORTED), the latest first."""
        ...


class Journal(Protocol):
    """What happened to calls, and looking for them."""

    async def put(self, entries: Sequence[JournalEntry]) -> None: ...

    async def of_call(self, call_id: str) -> list[JournalEntry]:
        """What is remembered of a call, in order."""
        ...

    async def hooks(self, call_id: str) -> list[StoredHook]:
        """The raw webhooks that a call was read from, as far as they are kept, in order."""
        ...

    async def search(self, query: Query) -> list[tuple[Call, Place | None]]:
        """Calls that a person looks for, the latest first."""
        ...

    async def count(self, account_id: int, since_ms: int) -> Counts: ...

    async def unfiled(self, account_id: int) -> list[str]:
        """Calls that are over and of which nothing is in amoCRM yet, the oldest first (not more than some thousand)."""
        ...

    async def purge(self, before_ms: int) -> int:
        """Forget entries from before; how many (not more than some thousand at a time)."""
        ...


class Reconciliations(Protocol):
    """What the comparisons with the PBXs' statistics found."""

    async def put(self, one: Reconciliation) -> None: ...

    async def last(self, line_id: str) -> Reconciliation | None:
        """A line's latest."""
        ...


class Dials(Protocol):
    """Click-to-call orders."""

    async def put(self, dial: Dial) -> Dial:
        """Store a new one; when the agent's key is known already, the stored one is returned instead."""
        ...

    async def change(self, dial_id: str, change: Callable[[Dial], Dial]) -> Dial:
        """Apply a pure change in a transaction. Raises NotFound."""
        ...

    async def find(self, dial_id: str) -> Dial | None: ...

    async def latest(self, since_ms: int) -> list[Dial]:
        """Each agent's newest order that changed since."""
        ...


class Accounts(Protocol):
    """amoCRM accounts, their authorisation and their users."""

    async def all(self) -> list[Account]: ...

    async def find(self, account_id: int) -> Account | None: ...

    async def put(self, account: Account) -> None:
        """Store a new account or its new authorisation; preferences and progress of a known one stay."""
        ...

    async def set_tokens(self, account_id: int, tokens: Tokens) -> None: ...

    async def set_state(self, account_id: int, state: str) -> None: ...

    async def change_prefs(self, account_id: int, change: Callable[[Prefs], Prefs]) -> Prefs:
        """Apply a pure change in a transaction. Raises NotFound."""
        ...

    async def set_progress(self, account_id: int, progress: DirectoryView) -> None: ...

    async def users(self, account_id: int) -> list[User]: ...

    async def set_users(self, account_id: int, users: Sequence[User]) -> None: ...

    async def spend(self, jti: str, *, account_id: int, user_id: int, exp_ms: int) -> int | None:
        """Remember a one-time token; None when it is new, else the user who spent it before."""
        ...

    async def lease(self, name: str, *, account_id: int, now_ms: int, until_ms: int) -> bool:
        """Take a right that one process has at a time; False while another's has neither ended nor run out."""
        ...

    async def release(self, name: str) -> None: ...

    async def take_slot(self, account_id: int, slots: Sequence[int], *, now_ms: int, until_ms: int) -> bool:
        """Take one of these slots of the account, if one is free of all processes; it comes free by itself."""
        ...

    async def raise_alert(
        self, account_id: int, slug: str, *, subject: str, details: dict[str, str], at_ms: int
    ) -> bool:
        """Remember an alert; False when it stands already."""
        ...

    async def drop_alerts(self, account_id: int, slug: str, *, subject: str = "") -> None:
        """Forget alerts of a kind: those of one subject, or all."""
        ...

    async def alerts(self, account_id: int) -> list[AlertView]: ...


class Lines(Protocol):
    """Connected PBXs and who sits at which extension."""

    async def all(self) -> list[Line]: ...

    async def of_account(self, account_id: int) -> list[Line]: ...

    async def put(self, line: Line) -> None: ...

    async def remove(self, line_id: str) -> None: ...

    async def touch(self, line_id: str, at_ms: int) -> None:
        """Remember when a webhook came last."""
        ...

    async def seats(self) -> dict[int, list[Seat]]:
        """All seats, by account."""
        ...

    async def seats_of(self, account_id: int) -> list[Seat]: ...

    async def set_seats(self, account_id: int, seats: Sequence[Seat]) -> None:
        """Replace the account's seats."""
        ...


class Directory(Protocol):
    """The local copy of amoCRM's phone book."""

    async def find(self, account_id: int, last10: str) -> list[Entry]:
        """Everybody with this number, with their open leads. One indexed read."""
        ...

    async def put(self, account_id: int, noun: str, rows: Sequence[BookRow]) -> None:
        """Insert or replace entities with their phones and bonds."""
        ...

    async def remove(self, account_id: int, noun: str, ids: Sequence[int]) -> None: ...

    async def counts(self, account_id: int) -> dict[str, int]:
        """How many entities of each noun are known."""
        ...


class Recordings(Protocol):
    """What we know of recordings, beside what the call knows."""

    async def find(self, call_id: str) -> dict[str, Kept]:
        """Those of a call, by the vendor's key."""
        ...

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, dict[str, Kept]]:
        """Those of several calls, by call and the vendor's key."""
        ...

    async def put(self, kept: Kept) -> None:
        """Remember how far one has come. What listeners and administrators did with it stays as it is."""
        ...

    async def listened(self, kept: Kept, at_ms: int) -> None:
        """Count one more listening."""
        ...

    async def revoke(self, kept: Sequence[Kept], at_ms: int) -> None:
        """Withdraw these; who was withdrawn before stays so since then."""
        ...

    async def changed_since(self, since_ms: int) -> list[Kept]: ...

    async def expire(self, before_ms: int, now_ms: int) -> int:
        """Mark what came before as expired; how many were marked now (not more than some hundred)."""
        ...

    async def expired(self) -> list[Kept]:
        """Expired ones whose file is still named (not more than some hundred)."""
        ...


class Audio(Struct, frozen=True):
    """An audio file as a store holds it."""

    size: int


class AudioStore(Protocol):
    """Files of audio, by name. Every method raises AudioUnavailable when the store does not answer."""

    async def put(self, name: str, file: Path, content_type: str) -> None:
        """Store a copy under this name: whole or not at all, in place of what was there. Raises AudioFull."""
        ...

    async def find(self, name: str) -> Audio | None: ...

    def read(self, name: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` to `stop` (not included), piece by piece."""
        ...

    async def remove(self, name: str) -> None:
        """Nothing of this name is there afterwards, whether it was or not."""
        ...


class Take(Struct, frozen=True):
    """A whole recording as it is to be kept. `duration_ms` is None where it cannot be told."""

    file: Path
    size: int
    content_type: str
    duration_ms: int | None = None


class Incoming(Protocol):
    """A recording on its way in."""

    async def write(self, piece: bytes) -> None:
        """Take some more of it. Raises AudioFull, AudioTooLarge."""
        ...

    async def finish(self) -> Take:
        """It is whole: as MP3, whatever it came as. Raises NotAudio, AudioFull."""
        ...


class Press(Protocol):
    """Where recordings come in and are made MP3. What is on its way vanishes with its context, or is swept up later."""

    def incoming(self) -> AbstractAsyncContextManager[Incoming]: ...

    async def sweep(self) -> None:
        """Remove what a process that died has left."""
        ...
