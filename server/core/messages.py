"""The shapes that travel between server and browser (socket, long poll, API answers). docs/reference/socket.md tells
their story; build.py turns them into the widget's JSDoc types. Times are Unix seconds, UTC.
"""

from msgspec import Struct

from .vocabulary import (
    BrowserWord,
    Bye,
    CallerKind,
    CardState,
    DialState,
    DialWay,
    Direction,
    Result,
    ServerWord,
)


class Link(Struct, omit_defaults=True):
    """Something in amoCRM: what to show and where a click goes (a path on the account's own host)."""

    name: str
    path: str
    id: int = 0


class Person(Struct, omit_defaults=True):
    """An amoCRM user, as far as colleagues see each other; `extension` on the call's line."""

    id: int
    name: str
    extension: str = ""


class CallerView(Struct, omit_defaults=True):
    """Who is at the other end, as this agent may see it. `others`: how many more contacts share the number."""

    kind: CallerKind
    phone: str = ""
    name: str = ""
    card: Link | None = None
    company: Link | None = None
    lead: Link | None = None
    leads_open: int = 0
    responsible: Person | None = None
    others: tuple[Link, ...] = ()


class CallView(Struct, omit_defaults=True):
    """One call as one agent sees it. `can` lists what this agent may do with it now (capability words)."""

    id: str
    direction: Direction
    state: CardState
    caller: CallerView
    started_at: int
    line_name: str = ""
    our_line: str = ""
    extension: str = ""
    answered_at: int | None = None
    ended_at: int | None = None
    talk_s: int = 0
    result: Result | None = None
    answered_by: Person | None = None
    transferred_by: Person | None = None
    recording_url: str = ""
    recording_pending: bool = False
    is_dismissed: bool = False
    is_noticed: bool = False
    is_test: bool = False
    can: tuple[str, ...] = ()


class Problem(Struct, omit_defaults=True):
    """An error shown to a person: the slug finds the text in the agent's language, `details` fill its places."""

    slug: str
    message: str = ""
    cure: str = ""
    temporary: bool = False
    details: dict[str, str] = {}


class DialView(Struct, omit_defaults=True):
    """The state line of one click-to-call."""

    id: str
    way: DialWay
    state: DialState
    phone: str
    started_at: int
    changed_at: int
    call_id: str = ""
    extension: str = ""
    from_phone: str = ""
    problem: Problem | None = None
    can: tuple[str, ...] = ()


class AgentView(Struct, omit_defaults=True):
    """The agent of this session. `extensions`: line id → extension."""

    id: int
    name: str
    is_admin: bool = False
    extensions: dict[str, str] = {}


class LineView(Struct, omit_defaults=True):
    """A connected PBX as agents see it: what it can do, and the schemes a number can be put through."""

    id: str
    name: str
    provider: str
    capabilities: tuple[str, ...] = ()
    schemes: dict[str, str] = {}


class DirectoryView(Struct, frozen=True, omit_defaults=True):
    """How far the first copy of amoCRM's phone book is."""

    is_complete: bool
    contacts: int = 0
    companies: int = 0
    leads: int = 0


class AlertView(Struct, omit_defaults=True):
    """Something an administrator should know, e.g. an extension that no agent has."""

    slug: str
    details: dict[str, str] = {}


# -- server → browser ----------------------------------------------------------------------------------------------


class Snapshot(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.SNAPSHOT.value):
    """All that the agent's screens need; always the first message, and again after a gap."""

    rev: str
    digest: str
    now: int
    agent: AgentView
    lines: tuple[LineView, ...] = ()
    calls: tuple[CallView, ...] = ()
    dial: DialView | None = None
    directory: DirectoryView | None = None
    is_crm_closed: bool = False
    alerts: tuple[AlertView, ...] = ()
    show_cards: bool = True
    email_action: bool = False


class CallMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.CALL.value):
    """A call appeared or changed."""

    rev: str
    call: CallView


class DialMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.DIAL.value):
    """The state line changed."""

    rev: str
    dial: DialView


class NoticedMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.NOTICED.value):
    """The answer to a claim: only when `is_yours` may this browser call `add_call` for the call."""

    call_id: str
    is_yours: bool


class DirectoryMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.DIRECTORY.value):
    """The first copy of the phone book went on."""

    rev: str
    directory: DirectoryView


class AlertMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.ALERT.value):
    """A new alert (administrators only)."""

    rev: str
    alert: AlertView


class CrmMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.CRM.value):
    """amoCRM stopped to take our authorisation, or takes it again."""

    rev: str
    is_closed: bool = False


class BearerMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.BEARER.value):
    """A renewed bearer and when it ends."""

    bearer: str
    expires_at: int


class Ping(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.PING.value):
    """The heartbeat; the browser answers `pong` from its message handler."""


class ByeMessage(Struct, kw_only=True, omit_defaults=True, tag_field="type", tag=ServerWord.BYE.value):
    """The last message: TEMPORARY, come back after `after_s`; TERMINAL, show `problem` and stay away."""

    kind: Bye
    after_s: float = 0.0
    problem: Problem | None = None


ServerMessage = (
    Snapshot
    | CallMessage
    | DialMessage
    | NoticedMessage
    | DirectoryMessage
    | AlertMessage
    | CrmMessage
    | BearerMessage
    | Ping
    | ByeMessage
)


# -- browser → server ----------------------------------------------------------------------------------------------


class Pong(Struct, tag_field="type", tag=BrowserWord.PONG.value):
    """The heartbeat's answer."""


class Renew(Struct, tag_field="type", tag=BrowserWord.RENEW.value):
    """Please give me a fresh bearer."""


class Notice(Struct, tag_field="type", tag=BrowserWord.NOTICE.value):
    """May I put this call into amoCRM's notification centre? Granted once per call and agent, for ever."""

    call_id: str


class Dismiss(Struct, tag_field="type", tag=BrowserWord.DISMISS.value):
    """The agent closed this call's card; it stays closed in all tabs."""

    call_id: str


BrowserMessage = Pong | Renew | Notice | Dismiss


# -- API -----------------------------------------------------------------------------------------------------------


class SessionAnswer(Struct, kw_only=True):
    """The answer of POST /api/session (and, without `agent`'s change, of POST /api/ticket)."""

    ticket: str
    bearer: str
    expires_at: int
    protocol: int
    agent: AgentView
    lines: tuple[LineView, ...]


class DialRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /api/dial. `key` is made by the browser per click, so that a repeated request is the same call."""

    key: str
    phone: str
    way: DialWay = DialWay.NUMBER
    line: str = ""
    scheme: str = ""
    from_phone: str = ""
    client_first: bool = False
