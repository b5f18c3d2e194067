"""The contract with amoCRM: what the services ask of it, and how they hear that it failed.

Every method may raise CrmUnavailable, CrmRateLimited, CrmBlocked (all temporary), CrmTokenDead and CrmRefused. A
token near its end is refreshed behind the scenes, once at a time per account, and stored before it is used.
"""

from collections.abc import Collection
from typing import Protocol

from msgspec import Struct

from .book import BookRow
from .records import Account, Tokens, User
from .vocabulary import Direction


class Grant(Struct, frozen=True):
    """The outcome of an authorisation: whose account it is, and its tokens."""

    account_id: int
    name: str
    tokens: Tokens


TALKED = 4
"""amoCRM's status of a call in which somebody talked."""


class CallNote(Struct, frozen=True, kw_only=True):
    """A finished call as amoCRM is told of it. `uniq` is our call's id; `status` amoCRM's 1–7 (amocrm.md §4.6)."""

    uniq: str
    direction: Direction
    phone: str
    duration_s: int
    source: str
    started_s: int
    status: int
    user_id: int | None = None
    result_text: str = ""
    link: str = ""


class Logged(Struct, frozen=True):
    """Where amoCRM put the call."""

    noun: str
    entity_id: int
    note_id: int = 0


class Stranger(Struct, frozen=True, kw_only=True):
    """Whom to create for a number that amoCRM does not know. With a `lead_name`, a lead as well.

    Ids of 0 leave the choice to amoCRM.
    """

    phone: str
    name: str
    lead_name: str = ""
    pipeline_id: int = 0
    status_id: int = 0
    responsible_id: int = 0
    tags: tuple[str, ...] = ()


class Unsorted(Struct, frozen=True, kw_only=True):
    """A call for amoCRM's Unsorted. `source_name` is shown to people, `source_uid` names the line for ever."""

    note: CallNote
    lead_name: str
    contact_name: str
    source_name: str
    source_uid: str
    pipeline_id: int = 0
    tags: tuple[str, ...] = ()


class Record(Struct, frozen=True):
    """A record in Unsorted, with the lead inside, and what it says of its call."""

    uid: str
    lead_id: int = 0
    duration_s: int = 0
    user_id: int = 0
    link: str = ""

    def says(self, note: CallNote) -> bool:
        """Whether it says all of a call that such a record can say."""
        return (self.duration_s, self.user_id, self.link) == (note.duration_s, note.user_id or 0, note.link)


class Status(Struct, frozen=True):
    """A stage of a pipeline."""

    id: int
    name: str


class Pipeline(Struct, frozen=True):
    """A pipeline of leads with the stages that a lead can be put into."""

    id: int
    name: str
    statuses: tuple[Status, ...] = ()


class Page(Struct, frozen=True):
    """One page of a listing; `has_more` false ends it."""

    rows: tuple[BookRow, ...]
    has_more: bool


class Change(Struct, frozen=True):
    """What one of amoCRM's webhooks said of one entity. `row` None: it was deleted."""

    noun: str
    id: int
    row: BookRow | None


class Crm(Protocol):
    """amoCRM's API for one integration."""

    async def exchange(self, origin: str, code: str) -> Grant:
        """Trade an authorisation code for tokens and read whose account it is. Raises CrmRefused for a dead code."""
        ...

    async def check(self, account: Account, *, within_s: float) -> None:
        """Make sure that amoCRM takes our token: asks, unless it took it so recently. Raises CrmTokenDead."""
        ...

    async def users(self, account: Account) -> list[User]:
        """All users with their rights."""
        ...

    async def pipelines(self, account: Account) -> list[Pipeline]:
        """All pipelines that are not archived, the main one first."""
        ...

    async def page(self, account: Account, noun: str, *, page: int, updated_since_s: int = 0) -> Page:
        """One page (up to 250) of contacts, companies or leads, oldest change first."""
        ...

    async def search(self, account: Account, phone: str, *, timeout_s: float) -> dict[str, list[BookRow]]:
        """Contacts and companies whose phones have the same last ten digits, by noun, with their open leads."""
        ...

    async def fetch(self, account: Account, noun: str, ids: list[int]) -> list[BookRow]:
        """These entities, as many of them as exist."""
        ...

    async def log_call(self, account: Account, note: CallNote) -> Logged:
        """Log one call. Raises CrmEntityUnknown when nobody has the number. Any other error may have had its effect."""
        ...

    async def find_call(self, account: Account, note: CallNote, *, since_s: int) -> Logged | None:
        """Look for the note of a call that was perhaps logged since: by `uniq`, at everybody it may have gone to."""
        ...

    async def note(self, account: Account, noun: str, entity_id: int, note: CallNote) -> Logged:
        """Write the call into this entity's feed. Any error but CrmRefused may have had its effect."""
        ...

    async def amend(self, account: Account, at: Logged, note: CallNote) -> None:
        """Let a note say what is known of its call by now. Harmless to repeat. Raises CrmRefused when it is gone."""
        ...

    async def remarks(self, account: Account, noun: str, entity_id: int) -> list[str]:
        """The texts of this entity's plain notes, oldest first."""
        ...

    async def remark(self, account: Account, noun: str, entity_id: int, text: str) -> None:
        """Write a plain note. Any error but CrmRefused may have had its effect."""
        ...

    async def create(self, account: Account, stranger: Stranger) -> tuple[str, int]:
        """Create a contact, or a lead with its contact; which entity the call belongs to. May have had its effect."""
        ...

    async def put_unsorted(self, account: Account, call: Unsorted) -> Record:
        """Put a call into Unsorted. Any error but CrmRefused may have had its effect."""
        ...

    async def find_unsorted(self, account: Account, uniqs: Collection[str], *, since_s: int) -> Record | None:
        """Look for one of these calls among the records that wait since then."""
        ...

    async def unsorted(self, account: Account, uid: str) -> Record | None:
        """A record that still waits; None: accepted, declined or gone."""
        ...

    async def notify(self, account: Account, phone: str, user_ids: list[int]) -> None:
        """Show amoCRM's own notice of an incoming call to these users (POST /api/v2/events)."""
        ...

    async def subscribe(self, account: Account, destination: str) -> bool:
        """Ask for webhooks on changes of the phone book; False when the account's tariff has none."""
        ...
