"""MANGO OFFICE's codec: signatures both ways, what is let in, commands, answers."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from payloads import API_KEY, API_SALT, FORM_TYPE, MANGO_KEYS, RECEIVED_MS, mango_form, mango_hook

from server.core.errors import (
    CallGone,
    HookForged,
    HookMalformed,
    HookMisplaced,
    VendorBilling,
    VendorCredentials,
    VendorError,
    VendorExtension,
    VendorNoRecording,
    VendorNumber,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
    VendorUnsupported,
)
from server.core.ports import Accepted, DialOrder, Hook, LineKeys, VendorAnswer, VendorRequest
from server.core.vocabulary import DialWay
from server.providers.mango import Mango, signature

MANGO = Mango()
CALLBACK = '{"command_id":"cmd-1","from":{"extension":"101"},"to_number":"79161234567"}'
HANGUP = '{"command_id":"cmd-2","call_id":"100:500:256"}'
SPACED = CALLBACK.replace(":", ": ").replace(",", ", ")
LEG = "100:500:256"

VECTORS = {
    CALLBACK: "9e28cb7118bab7db93dbde995628ceb706dceee521f10472f218d746fac07676",
    SPACED: "fbfd2816f3544276950377fbb1cb910569debe9bcc466e84d0800cd3377c031f",
    HANGUP: "5c18d82c2f71820557834da785dcb314f38dc7cbed0581d5f1f49ef905512685",
    '{"entry_id":"e1","call_id":"100:500:256","timestamp":1700000000,"seq":1,"call_state":"Appeared",'
    '"location":"abonent","from":{"number":"79161234567"},"to":{"extension":"101",'
    '"number":"sip:ivan@demo.mangosip.ru","line_number":"74951234567"}}': (
        "c3771708e0ac4458853035659013a42e2aaeaa177d544772089a9758462810fc"
    ),
    '{"command_id":"cmd-3","text":"Привет"}': "afe90a14572c5f2e899dbdeb8c5ccb87620fb1733a4471d007d14b629900e306",
    '{"command_id":"cmd-3","text":"\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442"}': (
        "0de02452251490c811bb614719fe56deeb9572097ad55674932953177a4d0b7c"
    ),
    '{"key":"b3Z7\\/x+y=="}': "1ab859b5423201ad7b5bf084fb3d87c843edd8d174c7aaf9abf6d85810e5d99b",
    "{}": "41583a843a46e0c249e2e734138d4ef45e9bacfbc0fe706e81251000c21b39e0",
}
HMAC_OF_CALLBACK = "8ae640b3362a124583444a10a86bd933980e05c92353af82ca1934c8b3c6ab33"


def sent(request: VendorRequest) -> dict[str, Any]:
    """What a command says, after its signature was found right."""
    fields = dict(parse_qsl(request.body.decode()))
    digest = hashlib.sha256((API_KEY + fields["json"] + API_SALT).encode()).hexdigest()
    assert (fields["vpbx_api_key"], fields["sign"]) == (API_KEY, digest)
    return json.loads(fields["json"])


def order(**more: object) -> DialOrder:
    """An order to ring +7 916 123-45-67 from 101."""
    plain = DialOrder(id="cmd-1", way=DialWay.NUMBER, phone="+79161234567", extension="101")
    return msgspec.structs.replace(plain, **more)


def outcome(verb: str, body: bytes, status: int = 200) -> Accepted:
    """What the codec makes of an answer."""
    request = VendorRequest(verb=verb, method="POST", path="x")
    return MANGO.outcome(request, VendorAnswer(status=status, body=body))


# -- signatures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "sign"), VECTORS.items())
def test_the_signature_covers_the_exact_text(text: str, sign: str) -> None:
    """Key, text and salt, one after the other, hashed as bytes."""
    assert signature(API_KEY.encode(), text.encode(), API_SALT.encode()) == sign


@pytest.mark.parametrize(("text", "sign"), VECTORS.items())
def test_a_signed_hook_is_let_in_as_it_was_written(text: str, sign: str) -> None:
    """Spaces, raw Cyrillic, escapes, `\\/` and `%2B` belong to the signed text."""
    admission = MANGO.admit(mango_form(text, sign=sign), MANGO_KEYS)

    assert (admission.key, admission.is_stored) == (f"events/call:{sign}", True)


def test_an_hmac_is_a_known_misreading() -> None:
    """One public client signs by HMAC; the vendor does not."""
    by_hmac = hmac.new(API_SALT.encode(), (API_KEY + CALLBACK).encode(), "sha256").hexdigest()

    assert by_hmac == HMAC_OF_CALLBACK != signature(API_KEY.encode(), CALLBACK.encode(), API_SALT.encode())


@pytest.mark.parametrize(
    "sign",
    [HMAC_OF_CALLBACK, "", "0" * 64, VECTORS[CALLBACK].upper(), VECTORS[CALLBACK][:-1], "подпись", "é" * 64, "\0"],
    ids=["hmac", "empty", "zeros", "capitals", "short", "cyrillic", "latin-1", "nul"],
)
def test_a_wrong_signature_is_forged(sign: str) -> None:
    """Wrong in any alphabet is refused, never an error of ours."""
    with pytest.raises(HookForged):
        MANGO.admit(mango_form(CALLBACK, sign=sign), MANGO_KEYS)


@pytest.mark.parametrize("key", ["", "testapikey000000000000000000000z", "ключ"])
def test_a_foreign_key_is_forged(key: str) -> None:
    """A hook of another account is refused even when our salt signed it."""
    with pytest.raises(HookForged):
        MANGO.admit(mango_form(CALLBACK, key=key), MANGO_KEYS)


def test_a_missing_signature_is_forged() -> None:
    """No field `sign` at all."""
    body = f"vpbx_api_key={API_KEY}&json=%7B%7D".encode()
    hook = Hook(method="POST", tail="", query="", content_type=FORM_TYPE, body=body, received_ms=RECEIVED_MS)

    with pytest.raises(HookForged):
        MANGO.admit(hook, MANGO_KEYS)


@pytest.mark.parametrize("credentials", [{}, {"api_key": "", "api_salt": ""}, {"api_key": API_KEY, "api_salt": ""}])
def test_a_line_without_keys_lets_nobody_in(credentials: dict[str, str]) -> None:
    """With an empty salt everybody could sign."""
    key = credentials.get("api_key", "")
    sign = hashlib.sha256(f"{key}{CALLBACK}".encode()).hexdigest()

    with pytest.raises(HookForged):
        MANGO.admit(mango_form(CALLBACK, sign=sign, key=key), LineKeys(credentials))


# -- what is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"vpbx_api_key=x&sign=y", b"ping"])
def test_the_cabinets_check_is_answered_and_forgotten(body: bytes) -> None:
    """The cabinet posts without `json` to see whether we are there."""
    hook = Hook(method="POST", tail="", query="", content_type=FORM_TYPE, body=body, received_ms=RECEIVED_MS)

    assert not MANGO.admit(hook, MANGO_KEYS).is_stored


@pytest.mark.parametrize("text", ["", "{", "null", "[1", "words"])
def test_a_signed_hook_that_is_no_json_is_malformed(text: str) -> None:
    """The signature is right, the content is not."""
    with pytest.raises(HookMalformed):
        MANGO.admit(mango_form(text), MANGO_KEYS)


@pytest.mark.parametrize(("query", "body"), [("event=1&call_id=1.1", b""), ("", b"event=1&call_id=1.1")])
def test_a_sipuni_hook_is_told_so(query: str, body: bytes) -> None:
    """A mixed-up address gets an error that says what arrived."""
    hook = Hook(method="GET", tail="", query=query, content_type=FORM_TYPE, body=body, received_ms=RECEIVED_MS)

    with pytest.raises(HookMisplaced):
        MANGO.admit(hook, MANGO_KEYS)


def test_the_same_text_at_another_address_is_another_happening() -> None:
    """`{}` signs alike everywhere."""
    hooks = [mango_hook(tail, {}) for tail in ("events/sms", "events/call")]

    assert len({MANGO.admit(hook, MANGO_KEYS).key for hook in hooks}) == 2


def test_slashes_around_the_tail_do_not_matter() -> None:
    """Cabinets join addresses with and without a slash."""
    message = {"command_id": "cmd-1", "result": 1000}
    plain, slashed = mango_hook("result/commands/callback", message), mango_hook("/result/commands/callback/", message)

    assert MANGO.admit(plain, MANGO_KEYS) == MANGO.admit(slashed, MANGO_KEYS)
    assert MANGO.read(plain, MANGO_KEYS) == MANGO.read(slashed, MANGO_KEYS) != []


# -- commands ------------------------------------------------------------------------------------------------------


def test_a_command_is_the_documented_form_body() -> None:
    """Key, signature and compact JSON, in this form exactly."""
    request = MANGO.dial(order(), MANGO_KEYS)

    assert (request.method, request.path) == ("POST", "commands/callback")
    assert request.body.decode() == (
        f"vpbx_api_key={API_KEY}&sign={VECTORS[CALLBACK]}&json=%7B%22command_id%22%3A%22cmd-1%22%2C%22from%22%3A"
        "%7B%22extension%22%3A%22101%22%7D%2C%22to_number%22%3A%2279161234567%22%7D"
    )


def test_the_outgoing_line_and_the_employees_device_can_be_named() -> None:
    """line_number is what the client sees, from.number what rings."""
    request = MANGO.dial(order(our_line="+74951234567", from_phone="+79990001122"), MANGO_KEYS)

    said = sent(request)

    assert (said["line_number"], said["from"]) == ("74951234567", {"extension": "101", "number": "79990001122"})


@pytest.mark.parametrize("more", [{"way": DialWay.SCHEME}, {"way": DialWay.EXTERNAL}, {"client_first": True}])
def test_what_cannot_be_said_is_unsupported(more: dict[str, object]) -> None:
    """Nothing is sent that would mean something else."""
    with pytest.raises(VendorUnsupported):
        MANGO.dial(order(**more), MANGO_KEYS)


@pytest.mark.parametrize(
    ("request_", "path", "said"),
    [
        (
            MANGO.hangup("e1", LEG, MANGO_KEYS, command_id="cmd-2"),
            "commands/call/hangup",
            {"command_id": "cmd-2", "call_id": LEG},
        ),
        (
            MANGO.recording("r1", MANGO_KEYS),
            "queries/recording/post",
            {"recording_id": "r1", "action": "download"},
        ),
        (MANGO.probe(MANGO_KEYS), "config/users/request", {}),
        (
            MANGO.callback_group(order(our_line="+74951234567"), MANGO_KEYS, group="300"),
            "commands/callback_group",
            {"command_id": "cmd-1", "from": "300", "to": "79161234567", "line_number": "74951234567"},
        ),
        (
            MANGO.route(LEG, "+79990001122", MANGO_KEYS, command_id="c"),
            "commands/route",
            {"command_id": "c", "call_id": LEG, "to_number": "79990001122"},
        ),
        (
            MANGO.transfer(LEG, "102", MANGO_KEYS, command_id="c", initiator="101"),
            "commands/transfer",
            {"command_id": "c", "call_id": LEG, "method": "blind", "to_number": "102", "initiator": "101"},
        ),
        (
            MANGO.transfer(LEG, "102", MANGO_KEYS, command_id="c", initiator="101", is_blind=False),
            "commands/transfer",
            {"command_id": "c", "call_id": LEG, "method": "hold", "to_number": "102", "initiator": "101"},
        ),
        (
            MANGO.recording_start(LEG, "101", MANGO_KEYS, command_id="c"),
            "commands/recording/start",
            {"command_id": "c", "call_id": LEG, "call_party_number": "101"},
        ),
    ],
)
def test_a_command_says_what_is_documented(request_: VendorRequest, path: str, said: dict[str, str]) -> None:
    """Each command goes to its own path with its own fields, signed."""
    assert (request_.method, request_.path, sent(request_)) == ("POST", path, said)


def test_a_recording_link_is_signed_over_its_expiry() -> None:
    """The link's signature has an order of its own: key, time, recording, salt."""
    link = MANGO.recording_link("d12a45f67b90c12345", MANGO_KEYS, expires_s=1_700_003_600)

    assert link == (
        f"queries/recording/link/d12a45f67b90c12345/download/{API_KEY}/1700003600/"
        "d30ebcc9d313f40a4030219f768b8d0f7348b1467b84846a03ea273b7eaffded"
    )


# -- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("dial", b'{"result":1000}'),
        ("dial", b'{"result":"1000"}'),
        ("dial", b"{}"),
        ("dial", b""),
        ("probe", b'{"users":[]}'),
        ("recording", b"ID3\x03"),
    ],
)
def test_every_known_yes_is_a_yes(verb: str, body: bytes) -> None:
    """The new API answers 1000, the old one an empty 200; the result proper comes as a hook."""
    assert outcome(verb, body) == Accepted()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2000, VendorBilling),
        (2219, VendorBilling),
        (3100, VendorRefused),
        (3102, VendorCredentials),
        (3105, VendorCredentials),
        (3200, VendorNumber),
        (3310, CallGone),
        (3330, VendorExtension),
        (4001, VendorUnsupported),
        (4100, VendorRefused),
        (4101, CallGone),
        (4501, VendorRateLimited),
        (5008, VendorUnavailable),
        (5999, VendorUnavailable),
        (9999, VendorRefused),
    ],
)
@pytest.mark.parametrize(("status", "field"), [(200, "result"), (420, "code"), (401, "code")])
def test_a_code_says_what_a_person_can_do(code: int, kind: type[VendorError], status: int, field: str) -> None:
    """Codes outrank the status, and an unknown code means what its class means."""
    with pytest.raises(VendorError) as error:
        outcome("dial", json.dumps({field: code, "message": "words"}).encode(), status)

    assert type(error.value) is kind
    assert error.value.details == {"vendor_code": str(code), "vendor_text": "words"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, VendorCredentials),
        (403, VendorCredentials),
        (404, VendorRefused),
        (420, VendorRefused),
        (429, VendorRateLimited),
        (500, VendorUnavailable),
        (503, VendorUnavailable),
        (302, VendorError),
    ],
)
def test_a_status_without_a_code_speaks_for_itself(status: int, kind: type[VendorError]) -> None:
    """The gateway's own JSON (`"code": 0`) adds nothing."""
    with pytest.raises(VendorError) as error:
        outcome("dial", b'{"name":"x","message":"Rate limit exceeded.","code":0}', status)

    assert type(error.value) is kind


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"1", b'{"error":"x"}', b"\xff"])
def test_an_answer_that_cannot_be_understood_is_no_yes(body: bytes) -> None:
    """Nobody is told that the telephone will ring when Mango did not say so."""
    with pytest.raises(VendorError):
        outcome("dial", body)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"result":3320}'])
def test_no_audio_is_no_recording(body: bytes) -> None:
    """An empty file, a page or a refusal is not stored as a recording."""
    with pytest.raises(VendorError):
        outcome("recording", body)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"code":3340}', 404), (b'{"result":3320}', 200), (b'{"code":3320}', 420), (b"", 404), (b"gone", 410)],
)
def test_a_recording_that_is_not_there_is_told_apart(body: bytes, status: int) -> None:
    """Not stored yet, or a one-time link that was spent: the next attempt asks for a fresh one."""
    with pytest.raises(VendorNoRecording):
        outcome("recording", body, status)


def test_a_yes_is_no_recording() -> None:
    """JSON is not played to anybody, whatever it says."""
    with pytest.raises(VendorError):
        outcome("recording", b'{"result":1000}')
