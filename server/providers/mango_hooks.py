"""What MANGO OFFICE's hooks say, in our words: its tables of codes and the reading of each event and result.

The other half of `mango`: signatures and commands are there, nothing here knows them. Sources as there; flows marked
as inferred in docs/providers/mango.md come from public clients.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ..core.errors import (
    CallGone,
    VendorBilling,
    VendorCredentials,
    VendorError,
    VendorExtension,
    VendorNumber,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
    VendorUnsupported,
)
from ..core.events import (
    AnyEvent,
    CallClosed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRang,
    OrderAnswered,
    RecordingSeen,
)
from ..core.phone import to_e164
from ..core.vocabulary import Direction, Origin, RecordingState, Result, Side
from . import wire

Message = dict[str, Any]
Entry = TypeVar("Entry")

STATES: dict[str, type[LegRang | LegAnswered | LegHeld | LegEnded]] = {
    "Appeared": LegRang,
    "Connected": LegAnswered,
    "OnHold": LegHeld,
    "Disconnected": LegEnded,
}

INITIATORS = {
    "api": Origin.API,
    "cc": Origin.MANUAL,
    "web": Origin.MANUAL,
    "obdial": Origin.CAMPAIGN,
    "callbackwidget": Origin.CALLBACK,
    "missgroupcallcallback": Origin.CALLBACK,
    "missinivrcallcallback": Origin.CALLBACK,
}
"""`callback_initiator`, in small Latin letters: the vendor's page prints some of its letters С in Cyrillic."""

DIRECTIONS = {"0": Direction.INTERNAL, "1": Direction.IN, "2": Direction.OUT}
"""`call_direction` of the summary."""

DONE = "1000"

REASONS = {
    "1": Result.UNKNOWN,
    "1110": Result.CANCELLED,
    "1111": Result.NO_ANSWER,
    "112": Result.REJECTED,
    "1121": Result.BUSY,
    "1123": Result.UNAVAILABLE,
    "1130": Result.FORBIDDEN,
    "113": Result.UNAVAILABLE,
    "1133": Result.FAILED,
    "1134": Result.FAILED,
    "114": Result.FORBIDDEN,
    "115": Result.FORBIDDEN,
    "116": Result.FAILED,
    "1162": Result.BUSY,
    "1163": Result.NO_ANSWER,
    "1164": Result.UNAVAILABLE,
    "1171": Result.FAILED,
    "118": Result.CANCELLED,
    "119": Result.UNAVAILABLE,
    "2": Result.FORBIDDEN,
    "3": Result.FAILED,
    "4": Result.FAILED,
    "5": Result.FAILED,
}
"""`disconnect_reason`, read as "nobody talked": evidence of talk outranks it. The longest beginning counts, as unknown
codes belong to their class (a sample of the vendor's own uses 1124, which its table lacks)."""

FAULTS: dict[str, type[VendorError]] = {
    "1": VendorRefused,
    "2": VendorBilling,
    "3": VendorRefused,
    "3102": VendorCredentials,
    "3105": VendorCredentials,
    "32": VendorNumber,
    "331": CallGone,
    "333": VendorExtension,
    "4": VendorRefused,
    "4001": VendorUnsupported,
    "4101": CallGone,
    "4501": VendorRateLimited,
    "5": VendorUnavailable,
}
"""Result codes of commands, the longest beginning counts. 333x: a number that should be in the PBX is not there."""

MAIL_ONLY = "Mail"
"""`recipient` of a recording that goes by e-mail only: nothing can be fetched."""

_CYRILLIC_C = str.maketrans("сС", "cC")


def read(message: Message, tail: str, received_ms: int) -> list[AnyEvent]:
    """The events of one message; `tail` is the path that Mango appended to our address. Never raises."""
    if reader := READERS.get(tail):
        return reader(message, received_ms)
    return _result(tail, message, received_ms) if tail.startswith("result/commands/") else []


def code_of(message: object) -> str:
    """The result code of a message or an answer, however it is called there; empty when there is none."""
    return wire.word(message.get("result")) or wire.word(message.get("code")) if isinstance(message, dict) else ""


def fault_of(code: str) -> type[VendorError]:
    """What a result code other than DONE means for the person who gave the command."""
    return _by_class(FAULTS, code) or VendorRefused


def _call(message: Message, received_ms: int) -> list[AnyEvent]:
    """events/call: one state of one leg, parties told anew (they change on one leg in a transfer)."""
    leg_ref, call_ref = wire.word(message.get("call_id")), wire.word(message.get("entry_id"))
    state = wire.word(message.get("call_state"))
    kind = STATES.get(state)
    if kind is None or not leg_ref or not call_ref:
        return []
    seq, timestamp = wire.number(message.get("seq")), message.get("timestamp")
    reason = wire.word(message.get("disconnect_reason"))
    # `seq` numbers the events of a leg; without it, the state at its second.
    place = wire.word(timestamp) if seq is None else seq
    leg = {
        "key": f"{leg_ref}:{place}:{state}",
        "at_ms": wire.moment_ms(timestamp) or received_ms,
        "call_ref": call_ref,
        "raw_word": state,
        "raw_code": reason,
        "leg_ref": leg_ref,
        "seq": seq,
        "order_ref": wire.word(message.get("command_id")) or None,
        **_parties(message),
    }
    if kind is not LegEnded:
        return [kind(**leg)]
    return [LegEnded(**leg, result=why(reason, leg["direction"]))]


def _parties(message: Message) -> dict[str, Any]:
    source, target = _party(message.get("from")), _party(message.get("to"))
    taken_from = wire.word(source.get("taken_from_call_id")) or None
    from_extension, to_extension = wire.word(source.get("extension")), wire.word(target.get("extension"))
    side = _side(message, has_employee=bool(to_extension))
    initiator = wire.word(message.get("callback_initiator")).translate(_CYRILLIC_C).lower()
    task = wire.word(message.get("task_id"))
    is_ours = bool(initiator or task or (message.get("command_id") and not taken_from))
    direction = Direction.OUT if is_ours else _direction(side, from_extension, to_extension)
    is_internal = bool(from_extension and to_extension)
    client = None if is_internal else _client(target if from_extension else source)
    return {
        "side": side,
        "direction": direction,
        "extension": to_extension or from_extension or None,
        "from_extension": from_extension if is_internal else None,
        "client_phone": client,
        "our_line": to_e164(wire.word(target.get("line_number"))),
        "origin": INITIATORS.get(initiator) or (Origin.CAMPAIGN if task else None),
        "taken_from": taken_from,
        "transferred_by": (from_extension or None) if message.get("transfer") else None,
        "scheme": wire.word(target.get("acd_group")) or None,
    }


def _party(party: object) -> Message:
    return party if isinstance(party, dict) else {}


def _side(message: Message, *, has_employee: bool) -> Side:
    """`location`; the vendor's own samples misspell its name once, then the leg is a person's."""
    location = wire.word(message.get("location") or message.get("locaton"))
    if location == "ivr":
        return Side.MENU
    if location == "queue":
        return Side.QUEUE
    return Side.AGENT if has_employee else Side.CLIENT


def _direction(side: Side, from_extension: str, to_extension: str) -> Direction | None:
    """By the parties, for legs that no command, campaign or call-back began.

    Those are judged before: a call-back's first leg looks inbound (from the client to the employee). A command id on a
    leg that was taken from another is a routing or the second half of a call-back, and there the parties are right.
    """
    if from_extension:
        return Direction.INTERNAL if to_extension else Direction.OUT
    return Direction.IN if to_extension or side in (Side.MENU, Side.QUEUE) else None


def _client(party: Message) -> str | None:
    """The outside party's number. A `sip:` address is some device's, not a telephone number to know a client by."""
    number = wire.word(party.get("number"))
    return None if number.startswith(("sip:", "sips:")) else to_e164(number)


def why(reason: str, direction: Direction | None) -> Result:
    """Why nobody talked, by the code of the end."""
    result = _by_class(REASONS, reason) or Result.UNKNOWN
    return Result.MISSED if result is Result.NO_ANSWER and direction is Direction.IN else result


def _by_class(table: dict[str, Entry], code: str) -> Entry | None:
    """The entry of the longest beginning of the code."""
    return next((table[code[:length]] for length in range(len(code), 0, -1) if code[:length] in table), None)


def _summary(message: Message, received_ms: int) -> list[AnyEvent]:
    """events/summary: the last word, one per call. `entry_result` lies (a sample has 1 for a call that only heard the
    menu), so that talk is what `talk_time` says.
    """
    call_ref = wire.word(message.get("entry_id"))
    if not call_ref:
        return []
    source, target = _party(message.get("from")), _party(message.get("to"))
    direction = DIRECTIONS.get(wire.word(message.get("call_direction")))
    is_out = direction is Direction.OUT
    answered_ms = wire.moment_ms(message.get("talk_time"))
    reason = wire.word(message.get("disconnect_reason"))
    # `to`: who answered, else the first who did not.
    called = wire.word(target.get("extension")) or None
    closed = CallClosed(
        key=f"{call_ref}:summary",
        at_ms=wire.moment_ms(message.get("end_time")) or received_ms,
        call_ref=call_ref,
        raw_word="summary",
        raw_code=reason,
        result=Result.ANSWERED if answered_ms else why(reason, direction),
        direction=direction,
        client_phone=None if direction is Direction.INTERNAL else _client(target if is_out else source),
        our_line=to_e164(wire.word(message.get("line_number"))),
        started_at_ms=wire.moment_ms(message.get("create_time")),
        answered_at_ms=answered_ms,
        answered_by=((wire.word(source.get("extension")) or None) if is_out else called) if answered_ms else None,
        rang=(called,) if called and not is_out else (),
        dialled_by=(wire.word(source.get("extension")) or None) if is_out else None,
        is_sure=wire.number(message.get("talk_time")) is not None,
    )
    return [closed]


def _recording(message: Message, received_ms: int) -> list[AnyEvent]:
    """events/recording. Completed is not stored yet: the file is there with record/added, or after some minutes."""
    state, code = wire.word(message.get("recording_state")), wire.word(message.get("completion_code"))
    is_lost = state == "Completed" and (code not in ("", DONE) or message.get("recipient") == MAIL_ONLY)
    found = RecordingState.ABSENT if is_lost else RecordingState.EXPECTED
    return _record(message, received_ms, found, raw_word=state or "recording")


def _stored(tail: str, message: Message, received_ms: int) -> list[AnyEvent]:
    """events/record/added, record/tagged: the file is in the storage. The second follows when its speech was tagged."""
    return _record(message, received_ms, RecordingState.AVAILABLE, raw_word=tail)


def _record(message: Message, received_ms: int, state: RecordingState, *, raw_word: str) -> list[AnyEvent]:
    recording_key, call_ref = wire.word(message.get("recording_id")), wire.word(message.get("entry_id"))
    if not recording_key or not call_ref:
        return []
    place = wire.word(message.get("seq")) or wire.word(message.get("timestamp"))
    seen = RecordingSeen(
        key=f"record:{recording_key}:{raw_word}:{place}",
        at_ms=wire.moment_ms(message.get("timestamp")) or received_ms,
        call_ref=call_ref,
        raw_word=raw_word,
        raw_code=wire.word(message.get("completion_code")),
        recording_key=recording_key,
        state=state,
        leg_ref=wire.word(message.get("call_id")) or None,
        extension=wire.word(message.get("extension")) or None,
    )
    return [seen]


def _sms(message: Message, received_ms: int) -> list[AnyEvent]:
    """events/sms: whether our message was delivered."""
    return _result("events/sms", {**message, "result": message.get("reason")}, received_ms)


def _result(tail: str, message: Message, received_ms: int) -> list[AnyEvent]:
    """result/commands/…: what became of a command; it may overtake the events that the command caused, or follow."""
    order_ref, code = wire.word(message.get("command_id")), code_of(message)
    if not order_ref or not code:
        return []
    timestamp = wire.word(message.get("timestamp"))
    answered = OrderAnswered(
        # A command has one result; `timestamp` tells the parts of a long SMS apart, results have none.
        key=f"{tail}:{order_ref}:{code}:{timestamp}",
        at_ms=wire.moment_ms(timestamp) or received_ms,
        call_ref="",
        raw_word=tail,
        raw_code=code,
        order_ref=order_ref,
        is_done=code == DONE,
        error_slug="" if code == DONE else fault_of(code).slug,
    )
    return [answered]


READERS: dict[str, Callable[[Message, int], list[AnyEvent]]] = {
    "events/call": _call,
    "events/summary": _summary,
    "events/recording": _recording,
    "events/record/added": partial(_stored, "record/added"),
    "events/record/tagged": partial(_stored, "record/tagged"),
    "events/sms": _sms,
}
"""What is not here (events/dtmf, recognized/offline, ab; result/stats) is kept raw: nobody waits for it yet."""
