"""What a telephone exchange knows: parties, legs, calls, and the things that happen to them.

No vendor's word and no I/O here. A *leg* is one party's part of a call; a *stage* is one round of ringing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Which way a call goes, seen from the company."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Place(StrEnum):
    """Where a leg is: in the scheme's voice menu, in a group's queue, or at a party's phone."""

    IVR = "ivr"
    QUEUE = "queue"
    PHONE = "phone"


class LegState(StrEnum):
    """A leg rings, talks, may be held, and ends."""

    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


class Reason(StrEnum):
    """Why a leg ended."""

    CALLER = "caller hung up"
    CALLEE = "callee hung up"
    CANCELLED = "cancelled while ringing"
    BUSY = "busy"
    REJECTED = "rejected"
    NO_ANSWER = "no answer"
    ELSEWHERE = "answered elsewhere"
    TRANSFERRED = "transferred"
    SCHEME = "left the scheme"
    API = "ended by the API"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Party:
    """One side of a leg: an employee's extension or an outside number (digits; empty when withheld)."""

    extension: str = ""
    number: str = ""


@dataclass(frozen=True)
class Stage:
    """One round of ringing: `targets` ring at once on behalf of `source`; the first answer wins.

    `queue` also opens a queue leg, as calls to a group do.
    """

    source: Party
    targets: tuple[Party, ...]
    group: str = ""
    queue: bool = False


@dataclass(eq=False)
class Leg:
    """One party's part of a call."""

    call: "Call"
    serial: int
    place: Place
    source: Party
    target: Party
    started_at: float
    state: LegState = LegState.RINGING
    answered_at: float | None = None
    ended_at: float | None = None
    reason: Reason | None = None
    taken_from: "Leg | None" = None
    group: str = ""
    transfer_from: str = ""
    command: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the leg has not ended."""
        return self.state is not LegState.ENDED


@dataclass(eq=False)
class Call:
    """Everything between the first ring and the last hang-up.

    `order` is the API's mark when the API started it; `by_hand` means that people answer, so phones ring for a limited
    time.
    """

    serial: int = field(default=0, init=False)
    direction: Direction
    client: str
    line: str
    started_at: float = field(default=0.0, init=False)
    order: str = ""
    record: bool = True
    by_hand: bool = False
    plan: list[Stage] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    stage: list[Leg] = field(default_factory=list)
    talk: Leg | None = None
    talk_started_at: float | None = None
    answered_by: Party | None = None
    ended_at: float | None = None
    reason: Reason | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call has not ended."""
        return self.ended_at is None

    @property
    def live_legs(self) -> list[Leg]:
        """The legs that have not ended, oldest first."""
        return [leg for leg in self.legs if leg.is_live]

    @property
    def ringing(self) -> list[Leg]:
        """The phones that ring now."""
        return [leg for leg in self.legs if leg.state is LegState.RINGING and leg.place is Place.PHONE]


@dataclass(frozen=True)
class CallArrived:
    """A caller reached one of the company's lines."""

    call: Call


@dataclass(frozen=True)
class LegRang:
    """A phone, queue or voice menu has the call."""

    leg: Leg


@dataclass(frozen=True)
class LegAnswered:
    """A phone was picked up."""

    leg: Leg


@dataclass(frozen=True)
class LegHeld:
    """The employee put the other side on hold."""

    leg: Leg


@dataclass(frozen=True)
class LegResumed:
    """The hold is over."""

    leg: Leg


@dataclass(frozen=True)
class LegTransferred:
    """`old` was blindly handed on: it is over, and `new` rings for the client from now on."""

    old: Leg
    new: Leg


@dataclass(frozen=True)
class LegMoved:
    """The leg got another source: after a consultation the client talks where the colleague talked."""

    leg: Leg


@dataclass(frozen=True)
class LegEnded:
    """A leg is over; why stands in it."""

    leg: Leg


@dataclass(frozen=True)
class TalkStarted:
    """Both parties talk from now on (again after a transfer); a recording follows `leg`."""

    leg: Leg


@dataclass(frozen=True)
class CallEnded:
    """The whole call is over."""

    call: Call


Happening = (
    CallArrived
    | LegRang
    | LegAnswered
    | LegHeld
    | LegResumed
    | LegTransferred
    | LegMoved
    | LegEnded
    | TalkStarted
    | CallEnded
)
Listener = Callable[[Happening], None]


def call_of(happening: Happening) -> Call:
    """The call in which this happened."""
    match happening:
        case CallArrived(call) | CallEnded(call):
            return call
        case LegTransferred(_, new):
            return new.call
        case _:
            return happening.leg.call
