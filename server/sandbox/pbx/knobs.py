"""The knobs of a stand-in: every unpleasant or undocumented habit of the real PBXs, off by default.

`PUT /sandbox/knobs` on the PBX's own origin changes some of them, `GET` shows them all, `DELETE` puts everything back.
What a knob shares with `POST /sandbox/faults` (latency, loss, doubling, shuffling, statuses) works both ways.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final


@dataclass(frozen=True)
class Knobs:
    """Defaults are the documented, friendly behaviour. Times are seconds of the stand-in's clock."""

    # Delivery of events
    shuffle_s: float = 0.0
    """Each event is sent 0…n s late, beside the others, so that they overtake each other."""
    delay_s: float = 0.0
    """Every event is sent this much late, in order."""
    duplicate_rate: float = 0.0
    """Share of events sent twice."""
    drop_hangup_rate: float = 0.0
    """Share of hang-up events (Sipuni 2, MANGO Disconnected and summary) that get lost."""
    parallel: bool = False
    """Events of one call do not wait for the answer to the one before."""
    give_up_s: float = 5.0
    """A consumer that needs longer (wall seconds) gets no second chance."""
    suspend_after: int = 0
    """So many bad answers in a row stop the delivery until the hook is set again (Sipuni); 0: never."""
    clock_skew_s: int = 0
    """Added to every time stamp in events."""

    # Contents of events
    types: str = "number"
    """MANGO: numeric fields as `number`, as `string`, or `mixed`."""
    extra_fields: bool = False
    """Fields no documentation names."""
    unknown_codes: bool = False
    """Statuses and reasons that are in no table."""
    anonymous: bool = False
    """Callers withhold their numbers."""
    deleted_extensions: str = ""
    """Comma-separated extensions that ring but are on no list of employees."""
    shared_extensions: str = ""
    """Comma-separated extensions that two employees of the list have."""
    sign: str = "good"
    """MANGO's signature on events: `good`, `wrong`, `hmac`, or `foreign_key` (another tenant's key). Sipuni signs
    nothing: all but `good` go to a wrong secret address."""
    replay: bool = False
    """Every event is followed by the very first event of the call, byte for byte."""
    dst_suffix: bool = False
    """Sipuni: internal `dst_num` with the suffix `_id<digits>`."""
    last_called_separator: str = "&"
    """Sipuni: `&` or `,`."""
    callback_id_in_events: bool = False
    """Sipuni: the order id also stands in the events of the call it made."""
    first_leg_hangup: bool = False
    """Sipuni: a click-to-call's employee leg gets a hang-up event of its own."""
    hook_post: bool = False
    """Sipuni: events as POST form instead of GET."""
    record_id_differs: bool = False
    """Sipuni: the id of a recording is not the id of its call."""

    # Answers to commands
    reply_form: str = "id"
    """Sipuni's success: `id`, `callbackId`, `result.callbackId`, `result.id`, `result` ({"result":1}) or `bare` (1)."""
    error_key: str = "message"
    """Sipuni's failure text stands in `message`, `msg` or `error`."""
    html: bool = False
    """JSON answers carry the content type text/html."""
    command_status: int = 0
    """HTTP status of every command (429, 401, 503, …); 0: none."""
    error_style: str = "new"
    """MANGO's refusals: `new` (200 with `result`) or `old` (420 with `code`)."""
    lockout: bool = False
    """MANGO: 401 for two minutes after more than one invalid request."""
    rate_limits: bool = False
    """MANGO: the documented limits per second answer 429."""
    result_order: str = "after"
    """MANGO's `/result/…` comes `before` the events it causes, `after` them, or `never`."""
    callbacks: str = "auto"
    """Click-to-call: `answered`, `no_answer` (employee), `busy` (client), `client_no_answer`, `by_hand`, `never` (the
    order makes no call) or `auto`: by hand while somebody has the phone page open, else answered."""

    # Calls
    ring_s: float = 2.0
    """How long phones ring in a scripted call that does not say so."""
    talk_s: float = 5.0
    """How long people talk in a scripted call that does not say so."""
    ivr_s: float = 0.0
    """How long a caller hears the menu before phones ring: the time for MANGO's `route`."""
    double_answer: bool = False
    """In a group two phones are answered within one second."""
    scenario: str = ""
    """Scripted calls play `internal` or `transfer_external`, whatever they were asked for; empty: what was asked."""
    check_first: bool = False
    """Before each scripted call comes a connection check: MANGO's POST without `json`, a visit without parameters."""

    # Recordings
    recording_delay_s: float = 1.0
    """From the end of the talk until a recording is in the storage."""
    recording_misses: int = 0
    """So many requests for a recording are answered 404 first."""
    recording_reuse_status: int = 404
    """MANGO: a one-time link used again: 404 or 410."""


_CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "types": ("number", "string", "mixed"),
    "scenario": ("", "internal", "transfer_external"),
    "sign": ("good", "wrong", "hmac", "foreign_key"),
    "last_called_separator": ("&", ","),
    "reply_form": ("id", "callbackId", "result.callbackId", "result.id", "result", "bare"),
    "error_key": ("message", "msg", "error"),
    "error_style": ("new", "old"),
    "result_order": ("before", "after", "never"),
    "callbacks": ("auto", "answered", "no_answer", "busy", "client_no_answer", "by_hand", "never"),
    "recording_reuse_status": (404, 410),
}
_TYPES: Final = {spec.name: type(spec.default) for spec in fields(Knobs)}
_RANGES: Final[dict[str, Callable[[Any], bool]]] = {
    "duplicate_rate": lambda value: 0 <= value <= 1,
    "drop_hangup_rate": lambda value: 0 <= value <= 1,
    "command_status": lambda value: value == 0 or 400 <= value <= 599,
    "clock_skew_s": lambda _: True,
}


class KnobError(ValueError):
    """No such knob, or a value it cannot take."""


def turned(knobs: Knobs, changes: dict[str, Any]) -> Knobs:
    """The knobs with some of them changed, all or none. Raises `KnobError` naming the first that cannot be."""
    return replace(knobs, **{name: _checked(name, value) for name, value in changes.items()})


def view(knobs: Knobs) -> dict[str, Any]:
    """Every knob with its value."""
    return asdict(knobs)


def _checked(name: str, value: Any) -> Any:
    wanted = _TYPES.get(name)
    if wanted is None:
        raise KnobError(f"no knob is called {name!r}")
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise KnobError(f"{name} is a {wanted.__name__}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise KnobError(f"{name} is one of {', '.join(map(str, _CHOICES[name]))}")
    in_range = _RANGES.get(name, lambda number: not isinstance(number, int | float) or number >= 0)
    if not in_range(value):
        raise KnobError(f"{name} cannot be {value}")
    return value
