"""What is remembered, as values: accounts, users, lines, seats, decisions.

These are shared by the services that act on them and the store that keeps them. Times are UTC milliseconds.
"""

import msgspec
from msgspec import Struct

from .calls import Call, Effect
from .dial import Dial
from .jobs import Job
from .messages import DirectoryView
from .ports import Hook
from .rights import Rights
from .strangers import StrangerRule
from .vocabulary import Filed, NoticeWay


class Prefs(Struct, frozen=True, omit_defaults=True):
    """What an account's administrator chose."""

    notice: NoticeWay = NoticeWay.CARD
    email_action: bool = False
    log_internal: bool = False
    strangers: tuple[StrangerRule, ...] = ()


class Tokens(Struct, frozen=True):
    """amoCRM's authorisation of us. The refresh token works once: a new pair is stored before it is used."""

    access: str
    refresh: str
    expires_ms: int


class Account(Struct, frozen=True, kw_only=True):
    """One amoCRM account = one tenant. `origin` is where its API and pages are, e.g. https://demo.amocrm.ru."""

    id: int
    host: str
    origin: str
    name: str
    state: str
    hook_secret: str
    created_ms: int
    prefs: Prefs = Prefs()
    progress: DirectoryView = DirectoryView(is_complete=False)
    tokens: Tokens | None = None


ACTIVE = "active"
DISABLED = "disabled"
TOKEN_DEAD = "token_dead"  # noqa: S105  # a state word
"""States of an account: works; switched off in amoCRM; its authorisation died and must be given anew."""


class User(Struct, frozen=True):
    """An amoCRM user with the view rights that our phone book respects."""

    id: int
    name: str
    group_id: int
    is_admin: bool
    is_active: bool
    rights: Rights


class Line(Struct, frozen=True, kw_only=True):
    """A connected PBX. `path` is the secret part of its webhooks' address; `our_lines` its numbers, E.164."""

    id: str
    account_id: int
    provider: str
    name: str
    path: str
    credentials: dict[str, str]
    created_ms: int
    our_lines: tuple[str, ...] = ()
    schemes: dict[str, str] = {}
    last_hook_ms: int | None = None


class Seat(Struct, frozen=True):
    """An amoCRM user at an extension of a line. One user may have several; an extension may be shared."""

    line_id: str
    extension: str
    user_id: int


class StoredHook(Struct, frozen=True, kw_only=True):
    """A webhook that was stored. `raw` is what `pack` made of it; `call_id` the call that it was read into, if any."""

    id: int
    line_id: str
    received_ms: int
    raw: bytes
    call_id: str | None = None


pack = msgspec.msgpack.Encoder().encode
"""A hook as it is stored, whole: whatever a later version reads out of it must be in it."""

unpack = msgspec.msgpack.Decoder(Hook).decode
"""A stored hook as it arrived."""


class Place(Struct, frozen=True, omit_defaults=True):
    """Where a call stands in amoCRM: the entity and its note; `uid` of the record in Unsorted, while it is one.

    `told` is the digest of what the note says, "" where that is not known.
    """

    filed: Filed = Filed.LOGGED
    noun: str = ""
    entity_id: int = 0
    note_id: int = 0
    uid: str = ""
    told: str = ""


class Stray(Struct, frozen=True):
    """A call at nobody's card: with whom, since when, and where it stands meanwhile."""

    call_id: str
    phone: str | None
    started_ms: int
    place: Place


class Reconciliation(Struct, frozen=True, kw_only=True):
    """One comparison of a line's calls with its PBX's statistics. `told`: calls there; `added`: of which no webhook had
    told; `corrected`: that read otherwise; `doubtful`: rows that may be calls we know, so that nothing was added.
    """

    line_id: str
    account_id: int
    at_ms: int
    since_ms: int
    until_ms: int
    told: int = 0
    added: int = 0
    corrected: int = 0
    doubtful: int = 0


class CardMark(Struct, frozen=True):
    """What an agent's browsers did with a call's card."""

    call_id: str
    agent_id: int
    is_noticed: bool = False
    is_dismissed: bool = False


class Decision(Struct, frozen=True, kw_only=True):
    """What a piece of news came to, to be kept in one transaction: the call, its order, the jobs it makes.

    `reason` says where the news came from (`core/journal`), and `at_ms` when; without one the journal is not told.
    `agents` are the users whose call it is; None: as before.
    """

    call: Call
    dial: Dial | None = None
    jobs: tuple[Job, ...] = ()
    effects: tuple[Effect, ...] = ()
    reason: str = ""
    at_ms: int = 0
    agents: tuple[int, ...] | None = None
