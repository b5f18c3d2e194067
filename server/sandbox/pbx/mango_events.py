"""MANGO OFFICE's realtime events, told from what happens in the exchange.

Written from the vendor's VPBX API document (1.10 and its 2026 texts), after its composed flows. Each stay in a menu, in
a queue or at a phone is a leg with a `call_id` and a `seq` of its own; `entry_id` joins them. A click-to-call's first
leg looks like an incoming call and is said to be over before the second one appears.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.pbx.exchange import employee_of
from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.model import (
    Call,
    CallEnded,
    Direction,
    Happening,
    Leg,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegMoved,
    LegRang,
    LegResumed,
    LegTransferred,
    Party,
    Place,
    Reason,
    TalkStarted,
)

Body = dict[str, Any]

DONE: Final = 1000
REASONS: Final = {
    Reason.SCHEME: 1100,
    Reason.CALLER: 1110,
    Reason.CANCELLED: 1110,
    Reason.NO_ANSWER: 1111,
    Reason.CALLEE: 1120,
    Reason.TRANSFERRED: 1120,
    Reason.BUSY: 1121,
    Reason.REJECTED: 1122,
    Reason.UNAVAILABLE: 1131,
    Reason.API: 1181,
    Reason.ELSEWHERE: 1182,
}
_UNKNOWN_REASON: Final = 1124  # a documentation sample uses it, no table has it
_LOCATIONS: Final = {Place.IVR: "ivr", Place.QUEUE: "queue", Place.PHONE: "abonent"}
_DIRECTIONS: Final = {Direction.INTERNAL: 0, Direction.IN: 1, Direction.OUT: 2}
PRODUCT_ID: Final = 400_012_345


@dataclass(frozen=True)
class Event:
    """One event: the path below the customer's base URL, its JSON, and whether it ends a leg or a call."""

    path: str
    body: Body
    title: str
    is_hangup: bool = False


def entry_id(call: Call) -> str:
    """The opaque id of a call."""
    return _opaque(f"{int(call.started_at)}{call.serial}")


def leg_id(leg: Leg) -> str:
    """The opaque id of a leg."""
    return _opaque(f"{int(leg.call.started_at)}:{leg.call.serial}:{leg.serial}")


def recording_id(call: Call) -> str:
    """The opaque id of a call's recording."""
    return _opaque(f"rec:{int(call.started_at)}:{call.serial}")


class Teller:
    """Turns happenings into events; remembers what each leg has already said."""

    def __init__(self) -> None:
        self._said: Counter[Leg] = Counter()
        self._over: set[Leg] = set()
        self._recorded: dict[Call, int] = {}

    def is_recorded(self, call: Call) -> bool:
        """Whether a recording of this call runs or ran."""
        return call in self._recorded

    def events(self, happening: Happening, now: float, knobs: Knobs) -> Iterator[Event]:
        """The events this happening causes, in order."""
        match happening:
            case LegRang(leg):
                yield from self._first_leg_over(leg, now, knobs)
                yield self._leg(leg, "Appeared", now, knobs)
            case LegAnswered(leg) | LegMoved(leg) | LegResumed(leg):
                yield self._leg(leg, "Connected", now, knobs)
            case LegHeld(leg):
                yield self._leg(leg, "OnHold", now, knobs)
            case LegTransferred(old, new):
                yield from self._blind(old, new, now, knobs)
            case LegEnded(leg) if leg not in self._over:
                yield self._end(leg, REASONS[leg.reason or Reason.SCHEME], now, knobs)
            case TalkStarted(leg) if leg.call.record:
                yield self.record(leg, now, knobs)
            case CallEnded(call):
                yield from self._end_of_call(call, now, knobs)
            case _:
                return

    def record(self, leg: Leg, now: float, knobs: Knobs, *, command: str = "") -> Event:
        """A recording starts, or goes on at another leg."""
        state = "Continued" if leg.call in self._recorded else "Started"
        return self._recording(leg, state, now, knobs, extra={"command_id": command} if command else {})

    def _first_leg_over(self, leg: Leg, now: float, knobs: Knobs) -> Iterator[Event]:
        first = leg.taken_from
        if leg.call.order and first and first.answered_at and first.is_live and first not in self._over:
            yield self._end(first, DONE, now, knobs)

    def _blind(self, old: Leg, new: Leg, now: float, knobs: Knobs) -> Iterator[Event]:
        yield self._leg(old, "OnHold", now, knobs)
        initiator = {"from": _party(Party(extension=new.transfer_from)), "transfer": "blind"}
        yield self._leg(new, "Appeared", now, knobs, extra=initiator)
        if old not in self._over:
            yield self._end(old, REASONS[Reason.TRANSFERRED], now, knobs)
        yield self._leg(new, "Appeared", now, knobs, extra={"transfer": "blind"})

    def _end(self, leg: Leg, reason: int, now: float, knobs: Knobs) -> Event:
        self._over.add(leg)
        code = _UNKNOWN_REASON if knobs.unknown_codes and reason != DONE else reason
        return self._leg(leg, "Disconnected", now, knobs, extra={"disconnect_reason": code})

    def _leg(self, leg: Leg, state: str, now: float, knobs: Knobs, *, extra: Body | None = None) -> Event:
        self._said[leg] += 1
        body: Body = {
            "entry_id": entry_id(leg.call),
            "call_id": leg_id(leg),
            "timestamp": int(now) + knobs.clock_skew_s,
            "seq": self._said[leg],
            "call_state": state,
            "location": _LOCATIONS[leg.place],
            "from": _source(leg),
            "to": _party(leg.target) | {"line_number": leg.call.line, "acd_group": leg.group},
            "dct": {"type": 0},
            "sip_call_id": f"{leg.call.serial}-{leg.serial}@vpbx",
        }
        body |= _marks(leg) | (extra or {})
        if knobs.extra_fields:
            body["media_quality"] = {"mos": 4.1}
        return Event("events/call", body, f"{state} · {body['location']}", is_hangup=state == "Disconnected")

    def _end_of_call(self, call: Call, now: float, knobs: Knobs) -> Iterator[Event]:
        talk = call.talk
        if talk and call in self._recorded:
            yield self._recording(talk, "Completed", now, knobs, extra={"completion_code": DONE, "recipient": "Cloud"})
        yield Event("events/summary", _summary(call, knobs), "summary", is_hangup=True)
        for leg in call.legs:  # a call that is over says nothing more
            self._said.pop(leg, None)
            self._over.discard(leg)

    def _recording(self, leg: Leg, state: str, now: float, knobs: Knobs, *, extra: Body) -> Event:
        seq = self._recorded[leg.call] = self._recorded.get(leg.call, 0) + 1
        body = {
            "recording_id": recording_id(leg.call),
            "recording_state": state,
            "seq": seq,
            "entry_id": entry_id(leg.call),
            "call_id": leg_id(leg),
            "extension": employee_of(leg).extension,
            "timestamp": int(now) + knobs.clock_skew_s,
            "recipient": "Cloud",
        }
        return Event("events/recording", body | extra, f"recording {state}")


def record_added(call: Call, now: float, knobs: Knobs) -> Event:
    """The recording is in the storage: the best moment to fetch it."""
    body = {
        "entry_id": entry_id(call),
        "product_id": PRODUCT_ID,
        "user_id": -1,
        "timestamp": int(now) + knobs.clock_skew_s,
        "recording_id": recording_id(call),
    }
    return Event("events/record/added", body, "record/added")


def dtmf(leg: Leg, digits: str, now: float, knobs: Knobs) -> Event:
    """The caller pressed keys in the menu; the whole sequence at once."""
    body = {
        "seq": 1,
        "dtmf": digits,
        "timestamp": int(now) + knobs.clock_skew_s,
        "call_id": leg_id(leg),
        "entry_id": entry_id(leg.call),
        "location": "ivr.1",
        "initiator": leg.call.client,
        "from_number": leg.call.client,
        "to_number": leg.call.line,
        "line_number": leg.call.line,
    }
    return Event("events/dtmf", body, f"dtmf {digits}")


def typed(body: Body, types: list[str]) -> Body:
    """The same event with its numbers as strings where `types` (taken in turn) says so."""

    def retyped(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: retyped(inner) for name, inner in value.items()}
        if isinstance(value, int):
            types.append(types.pop(0))
            return str(value) if types[-1] == "string" else value
        return value

    return {name: retyped(value) for name, value in body.items()}


def _opaque(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _party(party: Party) -> Body:
    if party.extension:
        return {"extension": party.extension, "number": f"sip:user{party.extension}@demo.mangosip.ru"}
    return {"number": party.number} if party.number else {}


def _source(leg: Leg) -> Body:
    taken_from = {"taken_from_call_id": leg_id(leg.taken_from)} if leg.taken_from else {}
    return _party(leg.source) | taken_from


def _marks(leg: Leg) -> Body:
    """What tells that a command caused the leg."""
    marks: Body = {}
    if leg.command:
        marks["command_id"] = leg.command
    if leg.call.order:
        marks["callback_initiator"] = "API"
    return marks


def _summary(call: Call, knobs: Knobs) -> Body:
    phones = [leg for leg in call.legs if leg.place is Place.PHONE]
    answered = call.talk or next((leg for leg in phones if leg.target.extension), None)
    reason = REASONS[call.reason or Reason.SCHEME]
    skew = knobs.clock_skew_s

    def stamp(at: float | None) -> int:
        return 0 if at is None else int(at) + skew

    caller, callee = _ends(call, phones, answered)
    return {
        "entry_id": entry_id(call),
        "call_direction": _DIRECTIONS[call.direction],
        "from": _party(caller),
        "to": _party(callee),
        "line_number": call.line,
        "dct": {"type": 0},
        "create_time": stamp(call.started_at),
        "forward_time": stamp(phones[0].started_at if phones else None),
        "talk_time": stamp(call.talk_started_at),
        "end_time": stamp(call.ended_at),
        "entry_result": int(call.talk_started_at is not None),
        "disconnect_reason": _UNKNOWN_REASON if knobs.unknown_codes else reason,
        "sip_call_id": f"{call.serial}-1@vpbx",
    }


def _ends(call: Call, phones: list[Leg], answered: Leg | None) -> tuple[Party, Party]:
    """Who called whom, for the summary: who answered, else the first missed in the chain."""
    if call.direction is Direction.IN:
        return Party(number=call.client), answered.target if answered else Party(number=call.line)
    first = phones[0]
    employee = employee_of(first) if call.direction is Direction.OUT else first.source
    return employee, Party(number=call.client) if call.client else first.target
