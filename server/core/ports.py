"""The contracts between the floors: who fills them is decided in `wiring` alone.

Docstrings say behaviour, so that an implementer needs no other file.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from .events import AnyEvent
from .statistics import ToldCall
from .vocabulary import Capability, DialWay

# -- providers -----------------------------------------------------------------------------------------------------


class Field(Struct, frozen=True):
    """One credential of a provider's line, asked for in the settings window; an `is_secret` one never comes back."""

    name: str
    is_secret: bool = True
    is_required: bool = True


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook as it arrived, nothing decoded. `tail` follows the line's secret path: "" or e.g. "events/call"."""

    method: str
    tail: str
    query: str
    content_type: str
    body: bytes
    received_ms: int


class HookReply(Struct, frozen=True):
    """What the vendor is answered."""

    status: int
    body: bytes
    content_type: str


class Admission(Struct, frozen=True):
    """A verified webhook. `key` names the happening within the line, so that a repeat is stored once.

    With `is_stored` false it is answered and forgotten (a vendor's connection check, an empty request).
    """

    key: str
    is_stored: bool = True


class LineKeys(Struct, frozen=True):
    """What a codec knows of the line: its credentials by field name, and the account's own number prefix, if any."""

    credentials: Mapping[str, str]


class VendorRequest(Struct, frozen=True, kw_only=True):
    """A request to the vendor as a value; `outbound` sends it. `path` is relative to the vendor's base address, and an
    answer of more than `most_bytes` is none.
    """

    verb: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    timeout_s: float = 8.0
    follows_redirects: bool = True
    most_bytes: int = 4 << 20


class VendorAnswer(Struct, frozen=True, kw_only=True):
    """What came back over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class VendorStream(Struct, frozen=True):
    """An answer too large to hold. `head` has its first bytes (a short answer whole), `rest` what follows them, `size`
    the length that was promised. Reading `rest` raises VendorUnavailable when it breaks off.
    """

    head: VendorAnswer
    rest: AsyncIterator[bytes]
    size: int | None = None


class Pause(Struct, frozen=True):
    """The report is not ready: ask on after this many seconds."""

    seconds: float


Asking = Generator[VendorRequest | Pause, VendorAnswer | None, list[ToldCall]]
"""How a codec asks for statistics: it yields requests and is sent their answers, yields pauses and is sent None, and
returns what it learned. It raises the VendorError that an answer means.
"""


class Accepted(Struct, frozen=True):
    """The vendor took the command. `order_ref` is its reference, when it gives one (else empty)."""

    order_ref: str = ""


class DialOrder(Struct, frozen=True, kw_only=True):
    """A click-to-call to be put to a vendor. `id` is ours; vendors that echo a reference get it. Phones are E.164."""

    id: str
    way: DialWay
    phone: str
    extension: str
    scheme: str = ""
    from_phone: str = ""
    our_line: str = ""
    client_first: bool = False


class Codec(Protocol):
    """One vendor, pure: no sockets, no clock. Everything that knows the vendor's words lives behind it."""

    name: str
    """The registry's key and the path of its webhooks, e.g. `sipuni`."""

    title: str
    """The product's name as people know it."""

    base_url: str
    """Where its API lives; a setting may point it elsewhere."""

    capabilities: frozenset[Capability]
    fields: tuple[Field, ...]
    recording_waits_s: tuple[float, ...]
    """When to ask again for a recording that is not stored yet, try by try, seconds; the last one repeats."""

    recording_delay_s: float
    """How long after the call to wait for word that an announced recording is stored, before asking without it."""

    hook_tails: tuple[str, ...]
    """The paths under the line's secret address that the PBX wants to be given ("" is the address itself)."""

    def admit(self, hook: Hook, keys: LineKeys) -> Admission:
        """Verify a webhook and name it. Raises HookForged, HookMalformed, HookMisplaced; an unknown event passes."""
        ...

    def reply(self, error: Exception | None) -> HookReply:
        """What to answer: after storing (None), or to an error. A fault of ours (OwnError) is 503 on every vendor."""
        ...

    def read(self, hook: Hook, keys: LineKeys) -> list[AnyEvent]:
        """Translate an admitted webhook. An unknown or incomplete event is an empty list; it never raises."""
        ...

    def dial(self, order: DialOrder, keys: LineKeys) -> VendorRequest:
        """The request that starts a call. Raises VendorUnsupported when the vendor cannot say it."""
        ...

    def cancel(self, order_ref: str, keys: LineKeys) -> VendorRequest:
        """Withdraw an order that was accepted. Raises VendorUnsupported."""
        ...

    def hangup(self, call_ref: str, leg_ref: str, keys: LineKeys, *, command_id: str) -> VendorRequest:
        """End a live call. Raises VendorUnsupported."""
        ...

    def recording(self, recording_key: str, keys: LineKeys) -> VendorRequest:
        """Fetch the audio of a recording. Raises VendorUnsupported."""
        ...

    def probe(self, keys: LineKeys) -> VendorRequest:
        """A harmless request whose outcome tells whether the credentials are right (live check of the settings)."""
        ...

    def statistics(self, since_ms: int, until_ms: int, keys: LineKeys) -> Asking:
        """Ask for the calls that began in a period. Raises VendorUnsupported where there are no statistics."""
        ...

    def outcome(self, request: VendorRequest, answer: VendorAnswer) -> Accepted:
        """Read the answer to a command. Raises the VendorError that says what a person can do about it.

        For a recording that is not there (yet), however the vendor says so, that is VendorNoRecording.
        """
        ...


class Sender(Protocol):
    """Sends vendor requests. Raises VendorUnavailable on time-outs and broken connections, nothing else."""

    async def send(self, provider: str, request: VendorRequest) -> VendorAnswer: ...

    def stream(self, provider: str, request: VendorRequest) -> AbstractAsyncContextManager[VendorStream]:
        """Send a request whose answer is read piece by piece, while the context lasts."""
        ...


# -- push channel --------------------------------------------------------------------------------------------------


class Channel(Protocol):
    """One open push connection. Sending never waits: a reader too slow for the write limit is disconnected."""

    def send(self, frame: bytes) -> bool:
        """Queue a prebuilt frame; False when the connection is gone or was just dropped as too slow."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Begin the close handshake; the connection is dropped after a deadline whatever the peer does."""
        ...


# -- nodes of one database -----------------------------------------------------------------------------------------


class Topic(StrEnum):
    """What of an account changed in the store."""

    CALL = "call"
    CARD = "card"
    DIAL = "dial"
    ACCOUNT = "account"
    USERS = "users"
    ALERT = "alert"
    LINES = "lines"
    PHONES = "phones"
    RECORDING = "recording"


class News(Struct, frozen=True, array_like=True):
    """Something changed and is to be read anew: names, never the thing itself. `key`: its id; numbers of PHONES with
    spaces between them; the slug of an ALERT.
    """

    topic: Topic
    account_id: int = 0
    key: str = ""


class Bus(Protocol):
    """How the processes on one database tell each other what changed in it."""

    is_alone: bool
    """There is nobody else to tell."""

    def telling(self, *news: News) -> Generator[Any, Any, None]:
        """Within the caller's transaction: the others hear of it once it has committed, this process does not."""
        ...

    async def start(self) -> None:
        """From now on what others tell is kept until somebody hears it. Raises StoreUnavailable."""
        ...

    def subscribe(self, hear: Callable[[News], Awaitable[None]], missed: Callable[[], Awaitable[None]]) -> None:
        """Let `hear` hear each piece of news, repeats left out, in no order; `missed`: any may have been lost.

        What `hear` raises counts as missed. `missed` is asked again until it succeeds.
        """
        ...

    async def close(self) -> None:
        """Hear nothing more."""
        ...
