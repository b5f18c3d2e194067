"""Sipuni's event webhooks 1-4, told from what happens in the exchange.

Written from help.sipuni.com/articles/134-182-110. The vendor has two numbers for an employee (the account's prefix +
extension, and the short one), one `call_id` for all phones that ring, and no sign of hold.
"""

from dataclasses import dataclass
from hashlib import md5
from typing import Final

from server.sandbox.pbx.knobs import Knobs
from server.sandbox.pbx.model import (
    Call,
    CallArrived,
    CallEnded,
    Direction,
    Happening,
    Leg,
    LegAnswered,
    LegEnded,
    LegMoved,
    LegRang,
    LegState,
    LegTransferred,
    Party,
    Place,
    Reason,
)

RING: Final = "1"
HANGUP: Final = "2"
ANSWER: Final = "3"
SECONDARY_HANGUP: Final = "4"
_OUTSIDE: Final = "1"
_INSIDE: Final = "2"

Fields = dict[str, str]

_STATUS: Final = {
    Reason.BUSY: "BUSY",
    Reason.REJECTED: "BUSY",
    Reason.NO_ANSWER: "NOANSWER",
    Reason.UNAVAILABLE: "CHANUNAVAIL",
}


@dataclass(frozen=True)
class Cabinet:
    """What the events need to know of the account."""

    user: str
    base_url: str
    knobs: Knobs


def call_id(call: Call) -> str:
    """Asterisk's form: start second, dot, counter."""
    return f"{int(call.started_at)}.{12_344 + call.serial}"


def record_id(call: Call, knobs: Knobs) -> str:
    """The id for `statistic/record`: that of the call, unless the knob says otherwise."""
    return f"r{call_id(call)}" if knobs.record_id_differs else call_id(call)


def record_hash(recording: str) -> str:
    """The per-record proof in ready links; callers cannot derive it, so any fixed recipe will do."""
    return md5(f"{recording}+stand-in".encode(), usedforsecurity=False).hexdigest()


def events(happening: Happening, now: float, cabinet: Cabinet) -> list[Fields]:  # noqa: PLR0911  a table of cases
    """The webhooks this happening causes, in order."""
    match happening:
        case CallArrived(call):
            return [_trunk(call, now, cabinet)]
        case CallEnded(call) if call.direction is Direction.IN:
            return [_trunk(call, now, cabinet) | _end_of_call(call, cabinet) | {"event": HANGUP}]
        case LegTransferred(old, new):
            over = _leg(old, now, cabinet) | _end_of_leg(old, cabinet) | {"event": SECONDARY_HANGUP}
            return [over, _leg(new, now, cabinet) | {"event": RING}]
        case LegRang(leg) if leg.place is Place.PHONE:
            return [_leg(leg, now, cabinet) | {"event": RING}]
        case LegAnswered(leg) | LegMoved(leg):
            return [_leg(leg, now, cabinet) | {"event": ANSWER}]
        case LegEnded(leg) if leg.place is Place.PHONE and not _is_silent(leg, cabinet):
            code = SECONDARY_HANGUP if _is_handed_over(leg) else HANGUP
            return [_leg(leg, now, cabinet) | _end_of_leg(leg, cabinet) | {"event": code}]
        case _:
            return []


def _is_silent(leg: Leg, cabinet: Cabinet) -> bool:
    """A click-to-call's first leg, once answered: the vendor's example ends it with the client's leg."""
    is_first_of_callback = bool(leg.call.order) and leg is leg.call.legs[0] and leg.answered_at is not None
    return is_first_of_callback and not cabinet.knobs.first_leg_hangup


def _is_handed_over(leg: Leg) -> bool:
    """Whether the leg ended because a consulted colleague takes the client over."""
    call = leg.call
    is_left_behind = call.talk is leg and leg not in call.stage
    return is_left_behind and any(other.state is LegState.TALKING for other in call.stage)


def _trunk(call: Call, now: float, cabinet: Cabinet) -> Fields:
    """The line's own leg, outside to outside: it lives as long as the call."""
    return _common(call, now, cabinet) | {
        "event": RING,
        "src_num": call.client or "anonymous",
        "src_type": _OUTSIDE,
        "short_src_num": call.client or "anonymous",
        "dst_num": call.line,
        "dst_type": _OUTSIDE,
        "short_dst_num": call.line,
        "pbxdstnum": call.line,
        "channel": f"SIP/trunk-{call.serial:08x}",
    }


def _leg(leg: Leg, now: float, cabinet: Cabinet) -> Fields:
    employee = leg.target.extension or leg.source.extension
    return (
        _common(leg.call, now, cabinet)
        | _party("src", leg.source, cabinet)
        | _party("dst", leg.target, cabinet)
        | {
            "pbxdstnum": leg.target.extension or leg.target.number,
            "channel": f"SIP/{cabinet.user}{employee}-{leg.call.serial * 256 + leg.serial:08x}",
            "transfer_from": leg.transfer_from,
        }
    )


def _common(call: Call, now: float, cabinet: Cabinet) -> Fields:
    fields = {
        "call_id": call_id(call),
        "timestamp": str(int(now) + cabinet.knobs.clock_skew_s),
        "treeName": "Основная" if call.direction is Direction.IN else "",
        "treeNumber": "000-913898" if call.direction is Direction.IN else "",
        "last_called": _last_called(call, cabinet.knobs),
        "is_inner_call": "1" if call.direction is Direction.INTERNAL else "0",
        "user_id": cabinet.user.lstrip("0"),
        "roistat": "",
    }
    if cabinet.knobs.callback_id_in_events and call.order:
        fields["callbackId"] = call.order
    if cabinet.knobs.extra_fields:
        fields |= {"line_quality": "4.1", "новое_поле": "да"}
    return fields


def _last_called(call: Call, knobs: Knobs) -> str:
    return knobs.last_called_separator.join(leg.target.extension for leg in call.stage if leg.target.extension)


def _party(side: str, party: Party, cabinet: Cabinet) -> Fields:
    if not party.extension:
        number = party.number or "anonymous"
        return {f"{side}_num": number, f"{side}_type": _OUTSIDE, f"short_{side}_num": number}
    number = cabinet.user + party.extension
    if cabinet.knobs.dst_suffix and side == "dst":
        number += "_id1234567"
    return {f"{side}_num": number, f"{side}_type": _INSIDE, f"short_{side}_num": party.extension}


def _end_of_leg(leg: Leg, cabinet: Cabinet) -> Fields:
    is_recorded = leg.answered_at is not None and leg.call.record and leg.call.talk_started_at is not None
    return {
        "status": _status(leg.reason, is_answered=leg.answered_at is not None, knobs=cabinet.knobs),
        "call_start_timestamp": _stamp(leg.started_at, cabinet),
        "call_answer_timestamp": _stamp(leg.answered_at, cabinet),
        "call_record_link": record_link(leg.call, cabinet) if is_recorded else "",
    }


def _end_of_call(call: Call, cabinet: Cabinet) -> Fields:
    is_answered = call.talk_started_at is not None
    return {
        "status": _status(call.reason, is_answered=is_answered, knobs=cabinet.knobs),
        "call_start_timestamp": _stamp(call.started_at, cabinet),
        "call_answer_timestamp": _stamp(call.talk_started_at, cabinet),
        "call_record_link": record_link(call, cabinet) if is_answered and call.record else "",
    }


def record_link(call: Call, cabinet: Cabinet) -> str:
    """The ready link to the recording."""
    recording = record_id(call, cabinet.knobs)
    return f"{cabinet.base_url}/api/crm/record?id={recording}&hash={record_hash(recording)}&user={cabinet.user}"


def _stamp(at: float | None, cabinet: Cabinet) -> str:
    return "0" if at is None else str(int(at) + cabinet.knobs.clock_skew_s)


def _status(reason: Reason | None, *, is_answered: bool, knobs: Knobs) -> str:
    if is_answered:
        return "ANSWER"
    if knobs.unknown_codes:
        return "PREEMPTED"
    return _STATUS.get(reason, "CANCEL") if reason else "CANCEL"
