"""Sipuni: unsigned event hooks in, MD5-signed form commands out.

Sources: help.sipuni.com/articles/134-182-107 … -113 and -466 (API), -110 (events), doc.sipuni.com 626-636-640, -641
(newer call_tree); where these are silent, public clients. Quirks and open questions: docs/providers/sipuni.md.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from ..core.errors import (
    HookMalformed,
    HookMisplaced,
    VendorCredentials,
    VendorError,
    VendorNoRecording,
    VendorRefused,
)
from ..core.events import AnyEvent, CallClosed, LegAnswered, LegEnded, LegRang, RecordingSeen
from ..core.phone import digits, is_internal, last10, to_e164
from ..core.ports import (
    Accepted,
    Admission,
    Asking,
    DialOrder,
    Field,
    Hook,
    HookReply,
    LineKeys,
    VendorAnswer,
    VendorRequest,
)
from ..core.statistics import ToldCall
from ..core.vocabulary import Capability, DialWay, Direction, RecordingState, Result, Side
from . import sipuni_answers as answers
from . import sipuni_statistics, wire

Fields = dict[str, str]

# -- Sipuni's words ------------------------------------------------------------------------------------------------

RANG, HUNG_UP, ANSWERED, MOVED_ON = "1", "2", "3", "4"
"""`event`. MOVED_ON is the "secondary hang-up": this leg ended because of a transfer, the call goes on."""

OUTSIDE, INSIDE = "1", "2"
"""`src_type`, `dst_type`. Two public projects comment the reverse; their own tests, and vtiger's module, say this."""

WAYS: dict[tuple[str, str], tuple[Side, Direction]] = {
    (OUTSIDE, INSIDE): (Side.AGENT, Direction.IN),
    (INSIDE, OUTSIDE): (Side.CLIENT, Direction.OUT),
    (INSIDE, INSIDE): (Side.AGENT, Direction.INTERNAL),
    # The client has reached our number: a leg without a person at its end, whose hang-up ends the whole call.
    (OUTSIDE, OUTSIDE): (Side.TRUNK, Direction.IN),
}

STATUSES = {
    "BUSY": Result.BUSY,
    "NOANSWER": Result.NO_ANSWER,
    "CANCEL": Result.CANCELLED,
    "CONGESTION": Result.FAILED,
    "CHANUNAVAIL": Result.UNAVAILABLE,
}
"""`status`, for a leg on which nobody talked. ANSWER is missing on purpose: only a time of answer proves an answer."""

NEEDED = frozenset({
    "event", "call_id", "timestamp", "status", "call_start_timestamp", "call_answer_timestamp", "call_record_link",
    "src_type", "src_num", "short_src_num", "dst_type", "dst_num", "short_dst_num", "pbxdstnum", "transfer_from",
    "callbackId",
})  # fmt: skip
"""Fields that must be proper UTF-8. Others (scheme names, analytics of any origin) may not cost us a call."""


class Sipuni:
    """The codec. Hooks carry no proof at all: the secret path is the only lock, so recordings are fetched by id."""

    name = "sipuni"
    title = "Sipuni"
    base_url = "https://sipuni.com/api/"
    capabilities = frozenset(
        {Capability.DIAL_NUMBER, Capability.DIAL_SCHEME, Capability.DIAL_EXTERNAL, Capability.CLIENT_FIRST}
        | {Capability.CANCEL, Capability.HANGUP, Capability.RECORDING_LINK, Capability.RECORDING_FETCH}
        | {Capability.STATISTICS}
    )
    fields: tuple[Field, ...] = (
        Field("user", is_secret=False),
        Field("secret"),
        Field("antiaon", is_secret=False, is_required=False),
        Field("call_attempt_s", is_secret=False, is_required=False),
    )
    hook_tails: tuple[str, ...] = ("",)
    # The link comes with the hang-up; the file is usually there by then, not always.
    recording_delay_s = 10.0
    recording_waits_s: tuple[float, ...] = (3, 10, 30, 60, 60, 120, 300, 600, 900)

    def admit(self, hook: Hook, keys: LineKeys) -> Admission:  # noqa: ARG002  # nothing in a Sipuni hook is signed
        """Name a hook. The key is a digest of all fields in the order of their names: Sipuni gives its events no id
        and sends the fields in any order, by GET or POST; a repeat has the same fields.
        """
        if not hook.query and not hook.body.strip():
            return Admission("empty", is_stored=False)
        fields = _fields(hook)
        if "vpbx_api_key" in fields:
            raise HookMisplaced(found="MANGO OFFICE")
        if "fromnum" in fields and "event" not in fields:
            raise HookMisplaced(found="scheme block")
        named = "\0".join(f"{name}\0{fields[name]}" for name in sorted(fields)).encode() if fields else hook.body
        return Admission(hashlib.blake2b(named, digest_size=16).hexdigest())

    def reply(self, error: Exception | None) -> HookReply:
        """JSON with `success`. Too many other answers and Sipuni suspends the delivery (help 134-182-110)."""
        if error is None:
            return wire.json_reply(200, {"success": True})
        status, slug = wire.refusal(error)
        return wire.json_reply(status, {"success": False, "error": slug})

    def read(self, hook: Hook, keys: LineKeys) -> list[AnyEvent]:
        """Events 1–4 in our words."""
        try:
            fields = _fields(hook)
        except HookMalformed:
            return []
        leg = _leg(fields, account := keys.credentials.get("user", ""), hook.received_ms)
        return _events(fields, leg, account) if leg else []

    def dial(self, order: DialOrder, keys: LineKeys) -> VendorRequest:
        """callback/call_number, call_tree or call_external."""
        values = {"phone": digits(order.phone), "reverse": "01"[order.client_first], "sipnumber": order.extension}
        if order.way is DialWay.NUMBER:
            values["antiaon"] = "1" if keys.credentials.get("antiaon", "").lower() in answers.DONE else "0"
            return _request("dial", "callback/call_number", values, keys)
        if order.way is DialWay.SCHEME:
            values["tree"] = order.scheme
            # Accounts on the older API sign without it: it is part of the hash if and only if it is sent.
            if seconds := keys.credentials.get("call_attempt_s", ""):
                values["callAttemptTime"] = seconds
            return _request("dial", "callback/call_tree", values, keys)
        ends = {"phoneFrom": digits(order.from_phone), "phoneTo": digits(order.phone)}
        legs = {"sipnumber": order.extension, "sipnumber2": digits(order.our_line) or order.extension}
        return _request("dial", "callback/call_external", {**ends, **legs}, keys)

    def cancel(self, order_ref: str, keys: LineKeys) -> VendorRequest:
        """callback/cancel."""
        return _request("cancel", "callback/cancel", {"callbackId": order_ref}, keys)

    def hangup(self, call_ref: str, leg_ref: str, keys: LineKeys, *, command_id: str) -> VendorRequest:  # noqa: ARG002
        """events/call/hangup: the whole call; Sipuni cannot end one leg and echoes no command id."""
        return _request("hangup", "events/call/hangup", {"callId": call_ref}, keys)

    def recording(self, recording_key: str, keys: LineKeys) -> VendorRequest:
        """statistic/record: answers with the audio itself (MP3)."""
        return _request("recording", "statistic/record", {"id": recording_key}, keys, timeout_s=60.0)

    def probe(self, keys: LineKeys) -> VendorRequest:
        """schema/list of the incoming schemes: reads little and changes nothing."""
        return _request("probe", "schema/list", {"type": "0"}, keys)

    def statistics(self, since_ms: int, until_ms: int, keys: LineKeys) -> Asking:
        """statistic/export, day by day."""
        told: list[ToldCall] = []
        for day in sipuni_statistics.days(since_ms, until_ms):
            request = _request("statistics", "statistic/export", sipuni_statistics.filters(day), keys, timeout_s=60.0)
            answer = yield structs.replace(request, most_bytes=wire.REPORT_BYTES)
            if answer is None or not sipuni_statistics.is_report(answer):
                self.outcome(request, answer or VendorAnswer(status=0, body=b""))
                raise wire.failure(VendorError, request, answer or VendorAnswer(status=0, body=b""))
            told += sipuni_statistics.read(answer.body)
        return [one for one in told if since_ms <= one.started_ms < until_ms]

    def outcome(self, request: VendorRequest, answer: VendorAnswer) -> Accepted:
        """Read an answer in any of its known shapes; the content type says nothing (JSON comes as text/html)."""
        content = wire.loads(answer.body)
        kind = wire.status_error(answer.status)
        is_recording = request.verb == "recording"
        if kind is None and is_recording and answers.is_audio(answer.body, content):
            return Accepted()
        if kind is None and not is_recording and answers.is_done(content):
            return Accepted(answers.order_ref(content))
        text = answers.complaint(content)
        if is_recording and wire.is_not_there(answer.status, text) and answers.blame(text, "") is not VendorCredentials:
            raise wire.failure(VendorNoRecording, request, answer, text=text)
        if kind is None or kind is VendorRefused:
            kind = answers.blame(text, request.verb) if content is not None else kind or VendorError
        raise wire.failure(kind, request, answer, text=text)


def signature(values: Mapping[str, str], secret: str) -> str:
    """The `hash` of a command: the values in the order of their names, not encoded, empty ones too, the secret last."""
    return signature_in_order((values[name] for name in sorted(values)), secret)


def signature_in_order(values: Iterable[str], secret: str) -> str:
    """The same for a method that keeps an order of its own."""
    return hashlib.md5("+".join([*values, secret]).encode(), usedforsecurity=False).hexdigest()


def _request(
    verb: str, path: str, values: Mapping[str, str], keys: LineKeys, *, timeout_s: float = 8.0
) -> VendorRequest:
    # `user` stays text: account numbers begin with a zero, and a lost zero breaks every hash.
    signed = {**values, "user": keys.credentials["user"]}
    signed["hash"] = signature(signed, keys.credentials["secret"])
    body = wire.form(signed)
    return VendorRequest(verb=verb, method="POST", path=path, body=body, headers=wire.FORM, timeout_s=timeout_s)


# -- hooks ---------------------------------------------------------------------------------------------------------


def _fields(hook: Hook) -> Fields:
    """The fields of a hook, from query and body alike. Raises HookMalformed when there are none to be read."""
    body = hook.body.strip()
    if body[:1] in (b"{", b"[") or (body and "json" in hook.content_type):
        content = wire.loads(body)
        if content is None:
            raise HookMalformed
        sent = content if isinstance(content, dict) else {}
        return {**_form_fields(hook.query), **{name: wire.word(value) for name, value in sent.items()}}
    fields = _form_fields(hook.query)
    return {**fields, **_form_fields(body.decode("utf-8", "surrogateescape"))} if body else fields


def _form_fields(text: str) -> Fields:
    if text and ("=" not in text or "\0" in text or "%00" in text):
        raise HookMalformed
    is_plain = text.isascii()
    fields: Fields = {}
    for pair in text.replace("+", " ").split("&"):
        name, sign, value = pair.partition("=")
        if not is_plain or "%" in pair:
            name = _text(name, "strict")
            value = _text(value, "strict" if name in NEEDED else "replace")
        if sign:
            fields[name] = value
    return fields


def _text(part: str, errors: str) -> str:
    try:
        return wire.percent_decoded(part.encode("utf-8", "surrogateescape")).decode("utf-8", errors)
    except UnicodeError as error:
        raise HookMalformed from error


def _events(fields: Fields, leg: dict[str, Any], account: str) -> list[AnyEvent]:
    if fields["event"] in (RANG, ANSWERED):
        return [LegRang(**leg) if fields["event"] == RANG else LegAnswered(**leg)]
    return _ended(fields, leg, account)


def _ended(fields: Fields, leg: dict[str, Any], account: str) -> list[AnyEvent]:
    """The end of a leg, of the call when the leg was the trunk's, and the recording when there is one."""
    answered_ms = wire.moment_ms(fields.get("call_answer_timestamp"))
    started_ms = wire.moment_ms(fields.get("call_start_timestamp"))
    result = STATUSES.get(fields.get("status", ""), Result.UNKNOWN)
    if result is Result.NO_ANSWER and leg["direction"] is Direction.IN:
        result = Result.MISSED
    if fields["event"] == MOVED_ON:
        leg = {**leg, "transferred_by": leg["transferred_by"] or leg["extension"]}
    result = result if answered_ms is None else Result.ANSWERED
    ended = LegEnded(**leg, result=result, started_at_ms=started_ms, answered_at_ms=answered_ms)
    events: list[AnyEvent] = [ended]
    if fields["event"] == HUNG_UP and ended.side is Side.TRUNK:
        events.append(_closed(fields, ended, account))
    if link := fields.get("call_record_link", ""):
        events.append(_recording(link, ended))
    return events


def _closed(fields: Fields, trunk: LegEnded, account: str) -> CallClosed:
    """The trunk's hang-up is the call's. That the trunk was answered proves no talk (a greeting answers too); that it
    was not proves that nobody talked.
    """
    is_unanswered = trunk.answered_at_ms is None and wire.number(fields.get("call_answer_timestamp")) == 0
    called = fields.get("last_called", "").replace(",", "&").split("&")  # "&" as a rule, "," in one project's test
    return CallClosed(
        key=f"{trunk.key}:call",
        at_ms=trunk.at_ms,
        call_ref=trunk.call_ref,
        raw_word=trunk.raw_word,
        raw_code=trunk.raw_code,
        result=Result.UNKNOWN if trunk.answered_at_ms else trunk.result,
        direction=trunk.direction,
        client_phone=trunk.client_phone,
        our_line=trunk.our_line,
        started_at_ms=trunk.started_at_ms,
        rang=tuple(dict.fromkeys(extension for one in called if (extension := _clean(one.strip(), account)))),
        is_sure=is_unanswered and fields.get("status") in STATUSES,
    )


def _recording(link: str, leg: LegEnded) -> RecordingSeen:
    """A ready link. Its own `id`, which may differ from the call's, is what statistic/record takes."""
    query = link.partition("?")[2].encode()
    record_id = dict(wire.form_pairs(query)).get(b"id", b"").decode("utf-8", "replace") or leg.call_ref
    return RecordingSeen(
        key=f"{leg.call_ref}:{leg.leg_ref}:record:{record_id}",
        at_ms=leg.at_ms,
        call_ref=leg.call_ref,
        raw_word=leg.raw_word,
        raw_code=leg.raw_code,
        recording_key=record_id,
        state=RecordingState.AVAILABLE,
        leg_ref=leg.leg_ref,
        extension=leg.extension,
        url=link if link.startswith(("https://", "http://")) else None,
    )


def _leg(fields: Fields, account: str, received_ms: int) -> dict[str, Any] | None:
    """What every event says of its leg, in the words of LegEvent; None when it does not say which leg it is."""
    event, call_ref = fields.get("event", ""), fields.get("call_id", "")
    source, target = _short("src", fields, account), _short("dst", fields, account)
    way = WAYS.get((_kind("src", fields, source), _kind("dst", fields, target)))
    if event not in (RANG, HUNG_UP, ANSWERED, MOVED_ON) or not call_ref or way is None:
        return None
    side, direction = way
    if side is Side.AGENT and not target:
        return None
    transferred_by = _clean(fields.get("transfer_from", ""), account)
    if side is Side.TRUNK and transferred_by:
        # Sent on to somebody outside. No DID leg: a person stands at its end, and its end need not be the call's.
        side = Side.CLIENT
    # A call from number to number has two outside legs. One number is written with 7 here and with 8 there.
    leg_ref = {Side.AGENT: target, Side.TRUNK: side.value}.get(side, f"client:{last10(target)}")
    timestamp, status = fields.get("timestamp", ""), fields.get("status", "")
    return {
        # Sipuni numbers nothing: a leg's event is known by what happened, its second and its status. A telephone
        # that is rung twice within one second counts once.
        "key": f"{call_ref}:{leg_ref}:{event}:{timestamp}:{status}",
        "at_ms": wire.moment_ms(timestamp) or received_ms,
        "call_ref": call_ref,
        "raw_word": status or event,
        "raw_code": event,
        "leg_ref": leg_ref,
        "side": side,
        "direction": direction,
        "order_ref": fields.get("callbackId") or None,
        "transferred_by": transferred_by or None,
        "scheme": fields.get("treeNumber") or fields.get("treeName") or None,
        **_parties(fields, side, direction, source=source, target=target),
    }


def _parties(fields: Fields, side: Side, direction: Direction, *, source: str, target: str) -> dict[str, str | None]:
    """Who calls whom. The hook names our number on the trunk's leg only."""
    if direction is Direction.INTERNAL:
        return {"extension": target, "from_extension": source or None}
    if direction is Direction.OUT:
        return {"extension": source or None, "client_phone": _outside(fields, target)}
    client = to_e164(fields.get("src_num") or source)
    if side is Side.TRUNK:
        return {"extension": None, "client_phone": client, "our_line": _outside(fields, target)}
    return {"extension": target if side is Side.AGENT else None, "client_phone": client}


def _outside(fields: Fields, target: str) -> str | None:
    return to_e164(fields.get("pbxdstnum") or fields.get("dst_num") or target)


def _kind(end: str, fields: Fields, short: str) -> str:
    """Outside or inside; from the number's length where the type is missing."""
    told = fields.get(f"{end}_type", "")
    return told if told or not short else INSIDE if is_internal(short) else OUTSIDE


def _short(end: str, fields: Fields, account: str) -> str:
    """The number without the account before it: an extension where the end is inside."""
    return _clean(fields.get(f"short_{end}_num") or fields.get(f"{end}_num", ""), account)


def _clean(text: str, account: str) -> str:
    """Without the mark `_id<digits>` that some accounts see behind a number, and without the account before it."""
    bare = text.partition("_id")[0].strip()
    return bare[len(account) :] if account and bare.startswith(account) and len(bare) > len(account) else bare
