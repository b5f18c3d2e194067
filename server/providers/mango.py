"""MANGO OFFICE: signed JSON commands out, results that come after the answer; signed hooks in (read by `mango_hooks`).

Sources: the vendor's VPBX API description, 1.8–1.10 (2017, "old") and its sections of 2026 ("new"). Quirks and open
questions: docs/providers/mango.md.
"""

import hashlib
import hmac
from collections.abc import Generator
from typing import Any

import msgspec
from msgspec import structs

from ..core.errors import (
    HookForged,
    HookMalformed,
    HookMisplaced,
    VendorError,
    VendorNoRecording,
    VendorUnavailable,
    VendorUnsupported,
)
from ..core.events import AnyEvent
from ..core.phone import digits
from ..core.ports import (
    Accepted,
    Admission,
    Asking,
    DialOrder,
    Field,
    Hook,
    HookReply,
    LineKeys,
    Pause,
    VendorAnswer,
    VendorRequest,
)
from ..core.statistics import ToldCall
from ..core.vocabulary import Capability, DialWay
from . import mango_hooks, mango_statistics, wire
from .mango_hooks import DONE, code_of, fault_of

NO_RECORDING = frozenset({"3320", "3340"})
"""Result codes: no such recording, no such file."""

REPORT_TRIES = 60
"""How often a report is asked for before it is given up: five minutes."""


class Mango:
    """The codec. Commands answer at once that they were understood; what became of them comes as a hook."""

    name = "mango"
    title = "MANGO OFFICE"
    base_url = "https://app.mango-office.ru/vpbx/"
    capabilities = frozenset(
        {Capability.DIAL_NUMBER, Capability.HANGUP, Capability.TRANSFER, Capability.ROUTE_LIVE}
        | {Capability.RECORDING_START, Capability.RECORDING_FETCH, Capability.SIGNED_HOOKS, Capability.STATISTICS}
    )
    fields: tuple[Field, ...] = (Field("api_key"), Field("api_salt"))
    # One address is given; the PBX appends /events/… and /result/… by itself.
    hook_tails: tuple[str, ...] = ("",)
    # record/added says that the file is there, but it is young: without it, the document says, ask once a minute.
    recording_delay_s = 60.0
    recording_waits_s: tuple[float, ...] = (3, 10, 30, 60, 60, 60, 60, 120, 300, 600, 900)

    def admit(self, hook: Hook, keys: LineKeys) -> Admission:
        """Verify a hook. The key is its path and its signature, which is a digest of the exact text."""
        fields = dict(wire.form_pairs(hook.body))
        if b"json" not in fields:
            if b"call_id" in fields or "call_id=" in hook.query:
                raise HookMisplaced(found="Sipuni")
            # The cabinet's "check the connection" posts without `json` and wants 200.
            return Admission("check", is_stored=False)
        text, sign = fields[b"json"], fields.get(b"sign", b"")
        _verify(text, sign=sign, key=fields.get(b"vpbx_api_key", b""), keys=keys)
        if wire.loads(text) is None:
            raise HookMalformed
        return Admission(f"{_tail(hook)}:{sign.decode()}")

    def reply(self, error: Exception | None) -> HookReply:
        """200 with anything in it is a success; the vendor reads no bodies."""
        if error is None:
            return wire.json_reply(200, {})
        status, slug = wire.refusal(error)
        return wire.json_reply(status, {"error": slug})

    def read(self, hook: Hook, keys: LineKeys) -> list[AnyEvent]:  # noqa: ARG002  # Mango's hooks name everything
        """Events and results in our words."""
        text = dict(wire.form_pairs(hook.body)).get(b"json", b"")
        message = wire.loads(text)
        return mango_hooks.read(message, _tail(hook), hook.received_ms) if isinstance(message, dict) else []

    def dial(self, order: DialOrder, keys: LineKeys) -> VendorRequest:
        """commands/callback: the employee's telephones ring first, always."""
        if order.way is not DialWay.NUMBER:
            raise VendorUnsupported(what=order.way.value)
        if order.client_first:
            raise VendorUnsupported(what=Capability.CLIENT_FIRST.value)
        employee = {"extension": order.extension}
        if order.from_phone:
            employee["number"] = digits(order.from_phone)
        values: dict[str, Any] = {"command_id": order.id, "from": employee, "to_number": digits(order.phone)}
        if order.our_line:
            values["line_number"] = digits(order.our_line)
        return _request("dial", "commands/callback", values, keys)

    def cancel(self, order_ref: str, keys: LineKeys) -> VendorRequest:  # noqa: ARG002
        """Mango cannot withdraw an order; its legs can be hung up once they ring."""
        raise VendorUnsupported(what=Capability.CANCEL.value)

    def hangup(self, call_ref: str, leg_ref: str, keys: LineKeys, *, command_id: str) -> VendorRequest:  # noqa: ARG002
        """commands/call/hangup."""
        return _request("hangup", "commands/call/hangup", {"command_id": command_id, "call_id": leg_ref}, keys)

    def recording(self, recording_key: str, keys: LineKeys) -> VendorRequest:
        """queries/recording/post: redirects to a file whose address works once. Try again until it is stored."""
        values = {"recording_id": recording_key, "action": "download"}
        return _request("recording", "queries/recording/post", values, keys, timeout_s=60.0)

    def probe(self, keys: LineKeys) -> VendorRequest:
        """config/users/request: reads the employees and changes nothing (at most one per 2 s)."""
        return _request("probe", "config/users/request", {}, keys)

    def statistics(self, since_ms: int, until_ms: int, keys: LineKeys) -> Asking:
        """stats/calls: a page is ordered, asked for until it is ready, and read."""
        told: list[ToldCall] = []
        offset = 0  # by what was sent: an item that cannot be read takes its place all the same
        for _ in range(mango_statistics.MOST_PAGES):
            values = mango_statistics.order(since_ms, until_ms, offset=offset)
            ordered = yield from self._ask("stats/calls/request/", values, keys)
            page = yield from self._report(wire.word(ordered.get("key")), keys)
            told += [one for item in page if (one := mango_statistics.read(item, mango_hooks.why)) is not None]
            offset += len(page)
            if len(page) < mango_statistics.PAGE:
                return [one for one in told if since_ms <= one.started_ms < until_ms]
            yield Pause(mango_statistics.ORDER_S)
        raise VendorUnavailable(vendor_text="the report has no end")

    def _report(self, key: str, keys: LineKeys) -> Generator[VendorRequest | Pause, VendorAnswer | None, list[Any]]:
        for _ in range(REPORT_TRIES):
            content = yield from self._ask("stats/calls/result/", {"key": key}, keys)
            status = wire.word(content.get("status"))
            if status == mango_statistics.READY:
                return mango_statistics.items(content)
            if status not in mango_statistics.NOT_YET:
                break
            yield Pause(mango_statistics.POLL_S)
        raise VendorUnavailable(vendor_text="the report was not made")

    def _ask(
        self, path: str, values: dict[str, Any], keys: LineKeys
    ) -> Generator[VendorRequest | Pause, VendorAnswer | None, dict[str, Any]]:
        request = _request("statistics", path, values, keys, timeout_s=60.0)
        answer = yield structs.replace(request, most_bytes=wire.REPORT_BYTES)
        answer = answer or VendorAnswer(status=0, body=b"")
        self.outcome(request, answer)
        content = wire.loads(answer.body)
        return content if isinstance(content, dict) else {}

    def outcome(self, request: VendorRequest, answer: VendorAnswer) -> Accepted:
        """Read an answer: a result code says more than the HTTP status (old: 420 for everything, new: 401)."""
        # New: after two invalid requests within two minutes, everything is a 401 until two minutes have passed.
        content = wire.loads(answer.body)
        code = code_of(content)
        kind = wire.status_error(answer.status)
        if request.verb == "recording" and (code in NO_RECORDING or wire.is_not_there(answer.status)):
            raise wire.failure(VendorNoRecording, request, answer, code=code)  # also for a one-time link that was spent
        if kind is None and _is_done(request.verb, answer.body, content):
            return Accepted()
        # A code of another length is the gateway's own (429 comes with "code": 0) and repeats the status at best.
        if len(code) == len(DONE) and code != DONE and answer.status < 429:
            kind = fault_of(code)
        text = wire.word(content.get("message")) if isinstance(content, dict) else ""
        raise wire.failure(kind or VendorError, request, answer, code=code, text=text)

    # -- commands beyond the common port ---------------------------------------------------------------------------

    def callback_group(self, order: DialOrder, keys: LineKeys, *, group: str) -> VendorRequest:
        """Ring a group first, then the number. The outgoing line is obligatory."""
        values = {"command_id": order.id, "from": group, "to": digits(order.phone)}
        return _request("dial", "commands/callback_group", {**values, "line_number": digits(order.our_line)}, keys)

    def route(self, leg_ref: str, to_number: str, keys: LineKeys, *, command_id: str) -> VendorRequest:
        """Send a call on before it is answered: from a menu, a queue, or a ringing telephone. A new leg comes of it."""
        values = {"command_id": command_id, "call_id": leg_ref, "to_number": _target(to_number)}
        return _request("route", "commands/route", values, keys)

    def transfer(
        self, leg_ref: str, to_number: str, keys: LineKeys, *, command_id: str, initiator: str, is_blind: bool = True
    ) -> VendorRequest:
        """Hand a talk over; `initiator` is the extension that does. A blind one comes back when nobody answers."""
        values = {"command_id": command_id, "call_id": leg_ref, "method": "blind" if is_blind else "hold"}
        values |= {"to_number": _target(to_number), "initiator": initiator}
        return _request("transfer", "commands/transfer", values, keys)

    def recording_start(self, leg_ref: str, party: str, keys: LineKeys, *, command_id: str) -> VendorRequest:
        """Record from now on; `party` is the extension or number whose voice decides whose recording it is."""
        values = {"command_id": command_id, "call_id": leg_ref, "call_party_number": _target(party)}
        return _request("recording_start", "commands/recording/start", values, keys)

    def recording_link(self, recording_key: str, keys: LineKeys, *, expires_s: int, action: str = "download") -> str:
        """A signed link, relative to the base address, good until `expires_s` (Unix). Off by default in the cabinet."""
        api_key, salt = keys.credentials["api_key"], keys.credentials["api_salt"]
        sign = hashlib.sha256(f"{api_key}{expires_s}{recording_key}{salt}".encode()).hexdigest()
        return f"queries/recording/link/{recording_key}/{action}/{api_key}/{expires_s}/{sign}"


def signature(key: bytes, text: bytes, salt: bytes) -> str:
    """`sign` of both ways: a plain SHA-256 over key, exact JSON text and salt. (An HMAC is a known wrong reading.)"""
    return hashlib.sha256(key + text + salt).hexdigest()


def _verify(text: bytes, *, sign: bytes, key: bytes, keys: LineKeys) -> None:
    """Over the bytes as they came: spaces, `\\/` and `\\u` escapes belong to the text. Raises HookForged.

    Compared as bytes, because compare_digest raises on text beyond ASCII.
    """
    own_key = keys.credentials.get("api_key", "").encode()
    salt = keys.credentials.get("api_salt", "").encode()
    expected = signature(own_key, text, salt).encode()
    is_ours = hmac.compare_digest(key, own_key) & hmac.compare_digest(sign, expected)
    if not (is_ours and own_key and salt):
        raise HookForged


def _request(verb: str, path: str, values: dict[str, Any], keys: LineKeys, *, timeout_s: float = 8.0) -> VendorRequest:
    text = msgspec.json.encode(values)  # once: what is signed is what is sent
    key, salt = keys.credentials["api_key"], keys.credentials["api_salt"]
    sign = signature(key.encode(), text, salt.encode())
    body = wire.form({"vpbx_api_key": key, "sign": sign, "json": text.decode()})
    return VendorRequest(verb=verb, method="POST", path=path, body=body, headers=wire.FORM, timeout_s=timeout_s)


def _tail(hook: Hook) -> str:
    return hook.tail.strip("/")


def _target(number: str) -> str:
    """A destination as Mango writes it: E.164 without the plus; extensions and groups stay as they are."""
    return digits(number) if number.startswith("+") else number


def _is_done(verb: str, body: bytes, content: object) -> bool:
    """`{"result": 1000}` in the new API; the old one said "understood" with an empty 200 and the rest by a hook."""
    if verb == "recording":
        return content is None and len(body) > 0 and not body.lstrip().startswith(b"<")
    if not body.strip():
        return True
    return isinstance(content, dict) and code_of(content) in ("", DONE) and "error" not in content
