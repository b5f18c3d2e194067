"""The call machine: (call, event) → (call, effects). Everything that affects a call lives here and in `legs`.

Theory of operation
-------------------
A call is the set of facts that its vendor has told so far: its legs (`legs` tells how one moves), the vendor's last
word, its recordings, and, per matter (direction, numbers, origin), what the earliest event said. Each fact is merged by
a minimum or a maximum, so any shuffling and repeating of the same events ends in the same call. What the facts amount
to (state, result, who talked, how long) is read anew after each event (`verdicts`); nothing is decided for good, so a
late answer turns a missed call into an answered one. The effects are the differences between two readings.

A remote event never raises, whatever it says. Asking the machine for nonsense of our own does.
"""

from msgspec import Struct, structs

from .events import CallClosed, CallEvent, LegEvent, RecordingSeen
from .legs import Leg, Stamp, hear, stamp_of
from .phone import last10
from .verdicts import Verdict, judge
from .vocabulary import CallState, Direction, LegState, Origin, RecordingState, Side

MATTERS = ("direction", "client_phone", "our_line", "origin", "order_ref", "scheme")
"""What the earliest event that speaks of it decides: later legs of a transferred call speak of other people."""

RECORDING_RANK = {state: rank for rank, state in enumerate(RecordingState)}


class Recording(Struct, frozen=True, omit_defaults=True):
    """A recording as the vendor knows it: `key` fetches it, `url` is a ready link of the vendor's."""

    key: str
    state: RecordingState
    extension: str | None = None
    url: str | None = None


class Order(Struct, frozen=True, omit_defaults=True):
    """The click-to-call that this call turned out to be. `from_phone`: the outside telephone at which the agent talks,
    in a call from number to number.
    """

    id: str
    agent_id: int
    extension: str
    phone: str
    from_phone: str = ""


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call: its facts and the present reading of them. `id` is ours and goes to amoCRM as `uniq`.

    `last_ms` is the newest event's time by the vendor's clock, `heard_ms` our own clock's at the last news.
    """

    id: str
    account_id: int
    line_id: str
    provider: str
    call_ref: str
    received_ms: int
    legs: dict[str, Leg] = {}
    words: dict[str, tuple[Stamp, str]] = {}
    closed: CallClosed | None = None
    recordings: dict[str, Recording] = {}
    order: Order | None = None
    expired_ms: int | None = None
    last_ms: int = 0
    heard_ms: int = 0
    verdict: Verdict

    @property
    def is_live(self) -> bool:
        """Whether the call goes on."""
        return self.verdict.state is CallState.LIVE

    @property
    def direction(self) -> Direction:
        """Which way the call goes."""
        return self.verdict.direction

    @property
    def client_phone(self) -> str | None:
        """The outside party's number, E.164; None when hidden, or between colleagues."""
        return self.order.phone if self.order else self.word("client_phone") or self._last_word("client_phone")

    @property
    def our_line(self) -> str | None:
        """The company's number, E.164."""
        return self.word("our_line") or self._last_word("our_line")

    @property
    def origin(self) -> Origin:
        """What began the call."""
        return Origin.WIDGET if self.order else Origin(self.word("origin") or Origin.MANUAL)

    def word(self, matter: str) -> str | None:
        """What the earliest event that speaks of it said on a matter of MATTERS."""
        return self.words[matter][1] if matter in self.words else None

    def _last_word(self, matter: str) -> str | None:
        """What the vendor's last word said on it: of some calls nothing else ever comes."""
        told: str | None = getattr(self.closed, matter, None)
        return told


class Rang(Struct, frozen=True):
    """An agent's telephone began to ring."""

    extension: str


class Changed(Struct, frozen=True):
    """Something that people see is different."""


class Ended(Struct, frozen=True):
    """The call is over (also after it was reopened)."""


class Reopened(Struct, frozen=True):
    """A call that seemed to be over goes on: a transfer, or news that came late."""


class Corrected(Struct, frozen=True):
    """An ended call reads differently: another result, length or person."""


class RecordingKnown(Struct, frozen=True):
    """A recording can be had now."""

    key: str


Effect = Rang | Changed | Ended | Reopened | Corrected | RecordingKnown


def begin(*, call_id: str, account_id: int, line_id: str, provider: str, call_ref: str, received_ms: int) -> Call:
    """A call of which nothing is known yet. `received_ms` is our clock, for want of the vendor's."""
    silence = Verdict(state=CallState.LIVE, direction=Direction.UNKNOWN, started_ms=received_ms)
    return Call(
        id=call_id, account_id=account_id, line_id=line_id, provider=provider, call_ref=call_ref,
        received_ms=received_ms, verdict=silence,
    )  # fmt: skip


def apply(call: Call, event: CallEvent) -> tuple[Call, list[Effect]]:
    """Hear one event."""
    heard = structs.replace(_hear(call, event), last_ms=max(call.last_ms, event.at_ms))
    if heard == call:
        return call, []
    heard = _judged(heard)
    return heard, _effects(call, heard)


def bind(call: Call, order: Order) -> tuple[Call, list[Effect]]:
    """Recognise the call as a click-to-call. Raises ValueError when it is another order's already."""
    if call.order is not None:
        if call.order.id == order.id:
            return call, []
        raise ValueError(f"call {call.id} belongs to order {call.order.id}, not {order.id}")
    legs = {ref: _seen(leg, order) for ref, leg in call.legs.items()}
    bound = _judged(structs.replace(call, order=order, legs=legs))
    return bound, _effects(call, bound)


def expire(call: Call, now_ms: int) -> tuple[Call, list[Effect]]:
    """Give up waiting for a hang-up that never came. Later news still counts."""
    if not call.is_live:
        return call, []
    over = _judged(structs.replace(call, expired_ms=now_ms))
    return over, _effects(call, over)


def chain(call: Call) -> tuple[str, ...]:
    """Who of the company talked to the client, one after another: extensions, and the numbers it was handed on to."""
    legs = [leg for leg in call.legs.values() if leg.answered_ms is not None]
    ours = [leg for leg in legs if leg.side is Side.AGENT or leg.word("transferred_by") is not None]
    ours.sort(key=lambda leg: (leg.answered_ms or 0, leg.ref))
    named = [leg.extension if leg.side is Side.AGENT else leg.word("client_phone") for leg in ours]
    return tuple(dict.fromkeys(name for name in named if name))


def _hear(call: Call, event: CallEvent) -> Call:
    if isinstance(event, LegEvent):
        leg = _seen(hear(call.legs.get(event.leg_ref), event), call.order)
        words = _listen(call.words, event)
        # News of a leg ends the ignorance in which the call was closed by time.
        expired_ms = call.expired_ms if leg == call.legs.get(leg.ref) else None
        return structs.replace(call, legs={**call.legs, leg.ref: leg}, words=words, expired_ms=expired_ms)
    if isinstance(event, CallClosed):
        closed = event if call.closed is None else max(call.closed, event, key=_finality)
        return structs.replace(call, closed=closed)
    return structs.replace(call, recordings=_recorded(call.recordings, event))


def _seen(leg: Leg, order: Order | None) -> Leg:
    """The leg to the agent's own outside telephone is the agent's: to the vendor it is one more number dialled."""
    phone = leg.word("client_phone")
    if order is None or not order.from_phone or not phone or last10(phone) != last10(order.from_phone):
        return leg
    stamp, _ = leg.words["side"]
    return structs.replace(leg, words={**leg.words, "side": (stamp, str(Side.AGENT))})


def _finality(closed: CallClosed) -> tuple[bool, int, str]:
    """Which of two last words stands: the surer, then the later one."""
    return closed.is_sure, closed.at_ms, closed.key


def _listen(words: dict[str, tuple[Stamp, str]], event: LegEvent) -> dict[str, tuple[Stamp, str]]:
    """The earliest word on each matter, by the vendor's time (sequence numbers count per leg, not per call)."""
    stamp = (event.at_ms, stamp_of(event)[1], event.key)
    told = {
        matter: (stamp, str(value))
        for matter in MATTERS
        if (value := getattr(event, matter)) and (matter not in words or stamp < words[matter][0])
    }
    return {**words, **told} if told else words


def _recorded(known: dict[str, Recording], event: RecordingSeen) -> dict[str, Recording]:
    before = known.get(event.recording_key)
    seen = Recording(event.recording_key, event.state, event.extension, event.url)
    if before is not None:
        furthest = max(before, seen, key=lambda one: RECORDING_RANK[one.state])
        seen = structs.replace(
            furthest, extension=_either(before.extension, seen.extension), url=_either(before.url, seen.url)
        )
    return {**known, seen.key: seen}


def _either(one: str | None, other: str | None) -> str | None:
    """Whichever is known; of two, always the same one, whatever came first."""
    return max(one, other) if one and other else one or other


def _judged(call: Call) -> Call:
    legs = sorted(call.legs.values(), key=lambda leg: leg.ref)
    verdict = judge(
        legs, call.closed, direction=_direction(call), received_ms=call.received_ms, expired_ms=call.expired_ms
    )
    return structs.replace(call, verdict=verdict)


def _direction(call: Call) -> Direction:
    """Our own order, then the vendor's last word, then what the earliest event said.

    A call-back's first leg looks inbound. Where no order of ours explains it, its second leg gives it away: the same
    agent and the same number, outbound.
    """
    if call.order is not None:
        return Direction.OUT
    if call.closed is not None and call.closed.direction is not None:
        return call.closed.direction
    legs = call.legs.values()
    rung = {(leg.extension, leg.word("client_phone")) for leg in legs if leg.side is Side.AGENT}
    outside = [leg for leg in legs if leg.side is Side.CLIENT and leg.word("transferred_by") is None]
    dialled = [leg for leg in outside if leg.word("direction") == Direction.OUT]
    if any((leg.extension, leg.word("client_phone")) in rung for leg in dialled):
        return Direction.OUT
    return Direction(call.word("direction") or Direction.UNKNOWN)


def _effects(before: Call, after: Call) -> list[Effect]:
    effects: list[Effect] = [Rang(extension) for extension in _ringing(after) if extension not in _ringing(before)]
    if before.is_live and not after.is_live:
        effects.append(Ended())
    elif after.is_live and not before.is_live:
        effects.append(Reopened())
    elif not after.is_live and after.verdict != before.verdict:
        effects.append(Corrected())
    effects += [RecordingKnown(key) for key in after.recordings if _is_new(before, after.recordings[key])]
    return [*effects, Changed()]


def _ringing(call: Call) -> list[str]:
    """The extensions that ring now."""
    if not call.is_live:
        return []
    legs = call.legs.values()
    return [leg.extension for leg in legs if leg.extension and leg.side is Side.AGENT and leg.state is LegState.RINGING]


def _is_new(before: Call, recording: Recording) -> bool:
    known = before.recordings.get(recording.key)
    ready = RecordingState.AVAILABLE
    return recording.state is ready and (known is None or known.state is RecordingState.EXPECTED)
