"""One leg of a call: the innermost machine, and the only place where leg states move.

Theory of operation
-------------------
Vendors tell a leg's story late, twice, in any order and with holes. So a leg does not step from state to state as
messages arrive. It keeps the newest event it was told of, by the vendor's own order:

    stamp = (the vendor's sequence number, or its time where it has none; the rank of the kind; the event's key)

The state is that event's target in TARGETS. The rank breaks ties, because half of the vendors give whole seconds:
ringing < held < talking < ended. As "newest" is a maximum, the order of arrival does not matter and repeating changes
nothing. An older event moves no state, but its evidence (when it rang, that it was answered) still counts. A leg that
ended and then rings with a newer stamp is the same telephone rung again: it rings.

Parties are read from every event and the newest word stands: one MANGO leg changes its caller in a transfer. Each
word keeps its own stamp, because the newest event may be silent on a matter that an older one told.
"""

from msgspec import Struct

from .events import LegAnswered, LegEnded, LegEvent, LegHeld, LegRang
from .vocabulary import LegState, Result, Side

TARGETS: dict[type[LegEvent], LegState] = {
    LegRang: LegState.RINGING,
    LegHeld: LegState.HELD,
    LegAnswered: LegState.TALKING,
    LegEnded: LegState.ENDED,
}
"""Where each event takes a leg, whatever state it was in."""

RANKS: dict[LegState, int] = {state: rank for rank, state in enumerate(TARGETS.values())}

Stamp = tuple[int, int, str]
Words = dict[str, tuple[Stamp, str]]
"""What was said on each matter, with the stamp of who said it."""

MATTERS = (
    "side",
    "direction",
    "extension",
    "from_extension",
    "client_phone",
    "taken_from",
    "transferred_by",
    "raw_word",
    "raw_code",
)


class Leg(Struct, frozen=True, omit_defaults=True):
    """What is known of one leg. Times are UTC milliseconds of the vendor. `began_ms` is a start told by the leg's end:
    with Sipuni it is the whole call's, so it says nothing of when the leg itself rang.
    """

    ref: str
    state: LegState
    stamp: Stamp
    words: Words
    began_ms: int | None = None
    rang_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the leg still rings, talks or is held."""
        return self.state is not LegState.ENDED

    @property
    def side(self) -> Side:
        """Who or what stands at its far end."""
        return Side(self.words["side"][1])

    @property
    def result(self) -> Result | None:
        """How it ended, None when no end was told."""
        return Result(self.words["result"][1]) if "result" in self.words else None

    def word(self, matter: str) -> str | None:
        """The newest word on a matter of MATTERS, None when nobody said anything."""
        return self.words[matter][1] if matter in self.words else None

    @property
    def from_extension(self) -> str | None:
        """The colleague who calls, while this is an internal leg: a transfer turns it into the client's."""
        if "from_extension" not in self.words:
            return None
        stamp, caller = self.words["from_extension"]
        is_client_newer = "client_phone" in self.words and self.words["client_phone"][0] > stamp
        return None if is_client_newer else caller

    @property
    def extension(self) -> str | None:
        """The employee on this leg."""
        return self.word("extension")


def stamp_of(event: LegEvent) -> Stamp:
    """The place of an event in its leg's story."""
    order = event.at_ms if event.seq is None else event.seq
    return order, RANKS[TARGETS[type(event)]], event.key


def hear(leg: Leg | None, event: LegEvent) -> Leg:
    """The leg after an event (None: its first); equal to the leg before when the event tells nothing new."""
    stamp = stamp_of(event)
    if leg is None:
        leg = Leg(ref=event.leg_ref, state=TARGETS[type(event)], stamp=stamp, words={})
    ended = event if isinstance(event, LegEnded) else None
    return Leg(
        ref=leg.ref,
        state=TARGETS[type(event)] if stamp > leg.stamp else leg.state,
        stamp=max(stamp, leg.stamp),
        words=_listen(leg.words, event, stamp),
        began_ms=earliest(leg.began_ms, ended.started_at_ms if ended else None),
        rang_ms=earliest(leg.rang_ms, _moment(event, LegRang)),
        answered_ms=earliest(leg.answered_ms, _moment(event, LegAnswered), ended.answered_at_ms if ended else None),
        ended_ms=latest(leg.ended_ms, _moment(event, LegEnded)),
    )


def earliest(*moments: int | None) -> int | None:
    """The smallest of the moments that are known."""
    return min((moment for moment in moments if moment is not None), default=None)


def latest(*moments: int | None) -> int | None:
    """The greatest of the moments that are known."""
    return max((moment for moment in moments if moment is not None), default=None)


def _moment(event: LegEvent, kind: type[LegEvent]) -> int | None:
    return event.at_ms if isinstance(event, kind) else None


def _listen(words: Words, event: LegEvent, stamp: Stamp) -> Words:
    """The newest word on each matter; a matter on which the event is silent stays as it was."""
    told = {matter: value for matter in MATTERS if (value := getattr(event, matter))}
    if isinstance(event, LegEnded):
        told["result"] = event.result
    newer = {
        matter: (stamp, str(value)) for matter, value in told.items() if matter not in words or stamp > words[matter][0]
    }
    return {**words, **newer} if newer else words
