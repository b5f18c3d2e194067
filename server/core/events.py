"""What happened on a PBX, in our words: the only thing a codec may say and the call machine may hear.

An event is a frozen value. It says what its vendor message said and no more: a codec never looks at earlier
messages. Times are vendor times turned into UTC milliseconds; phones are E.164; extensions are strings.
"""

from msgspec import Struct

from .vocabulary import Direction, Origin, RecordingState, Result, Side


class Event(Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """One thing that happened.

    `key` makes it idempotent within its line: the same happening has the same key however often it is told.
    `call_ref` is the vendor's id of the whole call (all legs). `raw_word` and `raw_code` keep the vendor's own words.
    """

    key: str
    at_ms: int
    call_ref: str
    raw_word: str = ""
    raw_code: str = ""


class LegEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Something about one leg.

    `seq` is the vendor's own order mark within the leg, where it has one (a higher one is newer).
    `extension` is the employee on this leg; `from_extension` the colleague who calls them, on an internal leg;
    `client_phone` the outside party of the call (None: not told or hidden); `our_line` the company's number it came
    in on or goes out by. `order_ref` is our reference of a click-to-call (or the vendor's), echoed by the PBX.
    `taken_from` is the leg the caller came from.
    """

    leg_ref: str
    side: Side
    seq: int | None = None
    extension: str | None = None
    from_extension: str | None = None
    client_phone: str | None = None
    our_line: str | None = None
    direction: Direction | None = None
    origin: Origin | None = None
    order_ref: str | None = None
    taken_from: str | None = None
    transferred_by: str | None = None
    scheme: str | None = None


class LegRang(LegEvent, frozen=True, kw_only=True, tag="leg_rang", omit_defaults=True):
    """A leg appeared and rings (or plays a menu, or waits in a queue)."""


class LegAnswered(LegEvent, frozen=True, kw_only=True, tag="leg_answered", omit_defaults=True):
    """The far end of the leg took the call."""


class LegHeld(LegEvent, frozen=True, kw_only=True, tag="leg_held", omit_defaults=True):
    """The leg was put on hold."""


class LegEnded(LegEvent, frozen=True, kw_only=True, tag="leg_ended", omit_defaults=True):
    """The leg is over. `answered_at_ms` is the vendor's evidence of talk, None where it gives none."""

    result: Result = Result.UNKNOWN
    started_at_ms: int | None = None
    answered_at_ms: int | None = None


class CallClosed(Event, frozen=True, kw_only=True, tag="call_closed", omit_defaults=True):
    """The vendor's last word on the whole call.

    `answered_at_ms` None means that nobody talked, when `is_sure` is true; otherwise that the vendor did not say.
    `rang` are employees who were called, `dialled_by` the one who called out: they count when no leg told of any.
    """

    result: Result = Result.UNKNOWN
    direction: Direction | None = None
    client_phone: str | None = None
    our_line: str | None = None
    started_at_ms: int | None = None
    answered_at_ms: int | None = None
    answered_by: str | None = None
    rang: tuple[str, ...] = ()
    dialled_by: str | None = None
    is_sure: bool = False


class RecordingSeen(Event, frozen=True, kw_only=True, tag="recording_seen", omit_defaults=True):
    """A recording was announced or is ready. `recording_key` is what the vendor fetches it by; `url` a ready link."""

    recording_key: str
    state: RecordingState
    leg_ref: str | None = None
    extension: str | None = None
    url: str | None = None


class OrderAnswered(Event, frozen=True, kw_only=True, tag="order_answered", omit_defaults=True):
    """The PBX reports, after the fact, what became of a command of ours (`order_ref`). `call_ref` may be empty."""

    order_ref: str
    is_done: bool
    error_slug: str = ""


CallEvent = LegRang | LegAnswered | LegHeld | LegEnded | CallClosed | RecordingSeen
"""What the call machine hears."""

AnyEvent = CallEvent | OrderAnswered
"""What a codec may say."""
