"""Sipuni's codec: signatures, hooks, answers."""

from urllib.parse import parse_qsl

import msgspec
import payloads
import pytest
from payloads import FORM_TYPE, RECEIVED_MS, SIPUNI_KEYS, sipuni_get, sipuni_post

from server.core.errors import (
    CallGone,
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
)
from server.core.events import CallClosed
from server.core.ports import Accepted, DialOrder, Hook, LineKeys, VendorAnswer, VendorRequest
from server.core.vocabulary import DialWay
from server.providers.sipuni import Sipuni, signature, signature_in_order

SIPUNI = Sipuni()
SECRET = "0.test5ecret01"
PHONE = "79161234567"
ORDER = "3f1c9a7be2d04c5d8a6b0e1f2a3b4c5d"
CALL = "1700000000.12345"

EXPORT_OLD = dict.fromkeys(("fromNumber", "toAnswer", "toNumber", "tree"), "") | {
    "anonymous": "1", "firstTime": "0", "from": "01.11.2023", "state": "0", "to": "02.11.2023", "type": "0",
    "user": "078332",
}  # fmt: skip
EXPORT_NOW = EXPORT_OLD | {
    "crmLinks": "0", "dtmfUserAnswer": "0", "hangupinitor": "1", "ignoreSpecChar": "1", "names": "1", "rating": "0",
    "numbersInvolved": "1", "numbersRinged": "1", "outgoingLine": "1", "showTreeId": "1", "timeFrom": "00:00",
    "timeTo": "23:59",
}  # fmt: skip

VECTORS = {
    "statistic/export, oldest": (EXPORT_OLD, "116cd63119942c9b0507a800ce6d6ba7"),
    "statistic/export, current": (EXPORT_NOW, "62d092a3f01c0a59706c49d60af37ba7"),
    "statistic/export/all": (
        {"limit": "500", "order": "asc", "page": "1", "user": "078332"},
        "f94c16f3d16d8180815099fd57176c29",
    ),
    "statistic/operators": ({"user": "078332"}, "931b43a485d19b998eb2802c665d198c"),
    "schema/list": ({"type": "0", "user": "078332"}, "adbc4a8c4e36bfae9d6475ce95abaf7d"),
    "setUserStatus": ({"sipnumber": "201", "status": "1", "user": "078332"}, "be0bd83ad7e5e29bff7595432de1d32d"),
    "spymode": (
        {"callId": CALL, "sipnumber": "201", "user": "078332", "whisper": "1"},
        "3307089f7c849defbcaf480ee497065b",
    ),
    "voicecall": (
        {"message": "Посылка ждёт вас", "phone": PHONE, "sipnumber": "201", "user": "078332", "voice": "Maria"},
        "e88300e90360af5972e711dafa3dad0f",
    ),
    "autocall/add_number": (
        {"again": "1", "autocallId": "777", "number": PHONE, "user": "078332"},
        "19d2d0bd8a01a64f8e38de46c7aa1084",
    ),
    "autocall/delete_number": (
        {"autocallId": "777", "number": PHONE, "user": "078332"},
        "717c99fd7a9105ee6a217864a05bbdd5",
    ),
}


def sent(request: VendorRequest) -> dict[str, str]:
    """The fields of a command."""
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def order(way: DialWay = DialWay.NUMBER, **more: object) -> DialOrder:
    """An order to ring +7 916 123-45-67 from 201."""
    return msgspec.structs.replace(DialOrder(id="o1", way=way, phone="+79161234567", extension="201"), **more)


def outcome(verb: str, body: bytes, status: int = 200) -> Accepted:
    """What the codec makes of an answer."""
    request = VendorRequest(verb=verb, method="POST", path="x", body=b"user=078332&hash=abc")
    return SIPUNI.outcome(request, VendorAnswer(status=status, body=body))


# -- signatures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "digest"), VECTORS.values(), ids=VECTORS.keys())
def test_any_method_is_signed_in_the_order_of_its_names(values: dict[str, str], digest: str) -> None:
    """One signer serves every method: values by name, empty ones too, not encoded, the secret last."""
    assert signature(dict(reversed(values.items())), SECRET) == digest


def test_a_method_with_an_order_of_its_own_can_be_signed() -> None:
    """Two public wrappers sign voicecall with the voice before the user."""
    values = ("Посылка ждёт вас", PHONE, "201", "Maria", "078332")

    assert signature_in_order(values, SECRET) == "3dad1f6d60af071f02db542a78896f2f"


@pytest.mark.parametrize(
    ("request_", "path", "digest"),
    [
        (SIPUNI.dial(order(), SIPUNI_KEYS), "callback/call_number", "2cd512c05ddc73570ce9462a579c7277"),
        (
            SIPUNI.dial(order(client_first=True), SIPUNI_KEYS),
            "callback/call_number",
            "2e2cb525bc77354bc3da2cee94a0240b",
        ),
        (
            SIPUNI.dial(order(DialWay.SCHEME, scheme="000-913898"), SIPUNI_KEYS),
            "callback/call_tree",
            "34b158804198b95d3c2df06806dd4e52",
        ),
        (
            SIPUNI.dial(
                order(DialWay.SCHEME, scheme="000-913898"),
                LineKeys({**SIPUNI_KEYS.credentials, "call_attempt_s": "45"}),
            ),
            "callback/call_tree",
            "8a831115f72d7274b1e081858d7a7077",
        ),
        (
            SIPUNI.dial(
                order(DialWay.EXTERNAL, from_phone="+79161234567", phone="+74991234567", our_line="202"), SIPUNI_KEYS
            ),
            "callback/call_external",
            "e3784b66a9dc48b925f4bad9d6b0ded9",
        ),
        (SIPUNI.cancel(ORDER, SIPUNI_KEYS), "callback/cancel", "ae27a7e719e90c49ef0e3b0de53271aa"),
        (
            SIPUNI.hangup(CALL, "201", SIPUNI_KEYS, command_id="c"),
            "events/call/hangup",
            "bba1038930efb91d49cf0d3444f5c4df",
        ),
        (SIPUNI.recording(CALL, SIPUNI_KEYS), "statistic/record", "bba1038930efb91d49cf0d3444f5c4df"),
        (SIPUNI.probe(SIPUNI_KEYS), "schema/list", "adbc4a8c4e36bfae9d6475ce95abaf7d"),
    ],
)
def test_a_command_carries_its_method_and_hash(request_: VendorRequest, path: str, digest: str) -> None:
    """Each command goes to its own method with the hash of exactly what it sends."""
    fields = sent(request_)
    hashed = fields.pop("hash")

    assert (request_.method, request_.path, hashed) == ("POST", path, digest)
    assert hashed == signature(fields, SECRET)


def test_the_account_keeps_its_leading_zero() -> None:
    """An account number read as a number would break every hash."""
    assert sent(SIPUNI.probe(SIPUNI_KEYS))["user"] == "078332"


def test_a_hidden_caller_id_is_a_setting_of_the_line() -> None:
    """antiaon hides the number from the client."""
    keys = LineKeys({**SIPUNI_KEYS.credentials, "antiaon": "1"})

    assert sent(SIPUNI.dial(order(), keys))["antiaon"] == "1"


def test_number_to_number_uses_one_extension_for_both_legs_by_default() -> None:
    """sipnumber2 places the second leg; without an own line it is the same extension."""
    fields = sent(SIPUNI.dial(order(DialWay.EXTERNAL, from_phone="+79990001122"), SIPUNI_KEYS))

    assert (fields["phoneFrom"], fields["sipnumber"], fields["sipnumber2"]) == ("79990001122", "201", "201")


# -- hooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", payloads.names("sipuni"))
def test_a_message_becomes_its_events(name: str) -> None:
    """Each payload file becomes exactly the events beside it."""
    fields = payloads.payload("sipuni", name)["fields"]

    assert payloads.plain(SIPUNI.read(sipuni_get(fields), SIPUNI_KEYS)) == payloads.expected("sipuni", name)


@pytest.mark.parametrize("name", payloads.names("sipuni"))
def test_form_and_order_of_the_parameters_do_not_matter(name: str) -> None:
    """A posted form in any order is the same happening as the query: same key, same events."""
    fields = payloads.payload("sipuni", name)["fields"]
    shuffled = dict(sorted(fields.items(), key=lambda field: field[0][::-1]))

    hook, other = sipuni_get(fields), sipuni_post(shuffled)

    assert SIPUNI.admit(other, SIPUNI_KEYS) == SIPUNI.admit(hook, SIPUNI_KEYS)
    assert SIPUNI.read(other, SIPUNI_KEYS) == SIPUNI.read(hook, SIPUNI_KEYS)


def test_json_instead_of_a_form_is_read() -> None:
    """Sipuni's websocket carries the same fields as JSON; a gateway may post it."""
    fields = payloads.payload("sipuni", "agent_rang_2023")["fields"]
    body = msgspec.json.encode({**fields, "timestamp": int(fields["timestamp"])})
    hook = Hook(method="POST", tail="", query="", content_type="text/html", body=body, received_ms=RECEIVED_MS)

    assert payloads.plain(SIPUNI.read(hook, SIPUNI_KEYS)) == payloads.expected("sipuni", "agent_rang_2023")


def test_a_spoilt_remark_does_not_cost_the_call() -> None:
    """A scheme name in a foreign encoding is mended, the event counts."""
    query = sipuni_get(payloads.payload("sipuni", "agent_rang_2023")["fields"]).query + "&roistat_market=%CF%F0"
    hook = Hook(method="GET", tail="", query=query, content_type="", body=b"", received_ms=RECEIVED_MS)

    assert SIPUNI.admit(hook, SIPUNI_KEYS).is_stored
    assert len(SIPUNI.read(hook, SIPUNI_KEYS)) == 1


def test_a_scheme_without_number_is_known_by_its_name() -> None:
    """Names come in any language, percent-encoded UTF-8."""
    fields = payloads.payload("sipuni", "agent_rang_2023")["fields"]
    del fields["treeNumber"]

    [event] = SIPUNI.read(sipuni_get(fields), SIPUNI_KEYS)

    assert event.scheme == "Основная"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "content_type", "body"),
    [
        ("event=1&call_id=%FF", "", b""),
        ("event=1&call_id=%00", "", b""),
        ("%FF=1", "", b""),
        ("event", "", b""),
        ("", FORM_TYPE, b"\xff\xfe\x00"),
        ("", FORM_TYPE, b"just words"),
        ("", FORM_TYPE, b'{"event": 1'),
        ("", "application/json", b"event=1"),
        ("event=1&call_id=\udc80", "", b""),
        ("call_id=\ud800&event=1", "", b""),
    ],
)
def test_the_unreadable_is_refused(query: str, content_type: str, body: bytes) -> None:
    """What cannot be read is malformed, and reading it later says nothing instead of raising."""
    hook = Hook(method="POST", tail="", query=query, content_type=content_type, body=body, received_ms=RECEIVED_MS)

    with pytest.raises(HookMalformed):
        SIPUNI.admit(hook, SIPUNI_KEYS)
    assert SIPUNI.read(hook, SIPUNI_KEYS) == []


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_request_is_answered_and_forgotten(body: bytes) -> None:
    """The cabinet, or a person with a browser, looks whether we are there."""
    hook = Hook(method="GET", tail="", query="", content_type="", body=body, received_ms=RECEIVED_MS)

    assert not SIPUNI.admit(hook, SIPUNI_KEYS).is_stored


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"vpbx_api_key": "k", "sign": "s", "json": "{}"}, "MANGO OFFICE"),
        ({"fromnum": PHONE, "tonum": "74951234567", "dtmf": "", "label": "a", "time": "1"}, "scheme block"),
    ],
)
def test_another_kind_of_hook_is_told_so(fields: dict[str, str], found: str) -> None:
    """A mixed-up address gets an error that says what arrived."""
    with pytest.raises(HookMisplaced) as error:
        SIPUNI.admit(sipuni_post(fields), SIPUNI_KEYS)

    assert error.value.details == {"found": found}


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://example.org/a?id=7", "/record?id=7"])
def test_only_web_addresses_are_links(link: str) -> None:
    """Hooks are unsigned: a link that is none is not passed on, the recording's key still is."""
    fields = payloads.payload("sipuni", "agent_hung_up_2023")["fields"] | {"call_record_link": link}

    _, recording = SIPUNI.read(sipuni_get(fields), SIPUNI_KEYS)

    assert recording.url is None  # type: ignore[union-attr]


# -- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ref"),
    [
        (b'{"success": true, "id": "%s"}' % ORDER.encode(), ORDER),
        (b'{"success": true, "callbackId": 77}', "77"),
        (b'{"result": {"callbackId": "77"}}', "77"),
        (b'{"result": {"id": "77"}}', "77"),
        (b'"{\\"success\\":true,\\"id\\":\\"77\\"}"', "77"),
        (b'{"success": "true"}', ""),
        (b'{"result": 1}', ""),
        (b'{"id": "77"}', "77"),
        (b"1", ""),
        (b" 1\n", ""),
    ],
)
def test_every_known_yes_is_a_yes(body: bytes, ref: str) -> None:
    """The order's id is found wherever clients have seen it."""
    assert outcome("dial", body) == Accepted(ref)


@pytest.mark.parametrize(
    ("verb", "text", "kind"),
    [
        ("dial", "wrong hash", VendorCredentials),
        ("dial", "User not found", VendorCredentials),
        ("dial", "invalid sipnumber", VendorExtension),
        ("dial", "Сотрудник не найден", VendorExtension),
        ("dial", "bad phone", VendorNumber),
        ("dial", "Неверный номер", VendorNumber),
        ("dial", "Недостаточно средств", VendorBilling),
        ("dial", "too many requests", VendorRateLimited),
        ("dial", "rate limit", VendorRateLimited),
        ("dial", "something new", VendorRefused),
        ("hangup", "call not found", CallGone),
        ("cancel", "Заказ не найден", CallGone),
    ],
)
@pytest.mark.parametrize("field", ["message", "msg", "error"])
def test_a_no_says_what_a_person_can_do(verb: str, text: str, kind: type[VendorError], field: str) -> None:
    """The vendor's words choose the error and ride along."""
    body = msgspec.json.encode({"success": False, field: text})

    with pytest.raises(VendorError) as error:
        outcome(verb, body)

    assert type(error.value) is kind
    assert error.value.details == {"vendor_code": "200", "vendor_text": text}


@pytest.mark.parametrize("body", [b"", b"<html>sorry</html>", b"0", b"{}", b"[]", b"null", b"\xff"])
def test_an_answer_that_cannot_be_understood_is_no_yes(body: bytes) -> None:
    """Nobody is told that the telephone will ring when Sipuni did not say so."""
    with pytest.raises(VendorError):
        outcome("dial", body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, VendorCredentials),
        (403, VendorCredentials),
        (429, VendorRateLimited),
        (500, VendorUnavailable),
        (503, VendorUnavailable),
        (404, VendorRefused),
        (302, VendorError),
    ],
)
def test_a_status_without_words_speaks_for_itself(status: int, kind: type[VendorError]) -> None:
    """Gateways answer without Sipuni's JSON."""
    with pytest.raises(VendorError) as error:
        outcome("dial", b"<html>nginx</html>", status)

    assert type(error.value) is kind


def test_words_outrank_a_bad_request() -> None:
    """A 400 that says why is read."""
    with pytest.raises(VendorCredentials):
        outcome("dial", b'{"success":false,"message":"wrong hash"}', 400)


def test_audio_is_a_recording() -> None:
    """statistic/record answers with the file itself, whatever the content type says."""
    assert outcome("recording", b"ID3\x03\x00") == Accepted()


@pytest.mark.parametrize("body", [b"", b"<html>no such record</html>", b'{"success":false,"message":"no record"}'])
def test_no_audio_is_no_recording(body: bytes) -> None:
    """An empty file, a page or a refusal is not stored as a recording."""
    with pytest.raises(VendorError):
        outcome("recording", body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"record not found", 404),
        (b"", 410),
        (b"", 425),
        (b'{"success":false,"message":"Record not found"}', 200),
        ('{"success":false,"msg":"Запись не найдена"}'.encode(), 200),
    ],
)
def test_a_recording_that_is_not_there_is_told_apart(body: bytes, status: int) -> None:
    """By status or in words: it is worth asking again, for a while."""
    with pytest.raises(VendorNoRecording):
        outcome("recording", body, status)


def test_a_user_that_is_not_found_is_no_missing_recording() -> None:
    """The credentials are wrong: all recordings would be taken for missing, one after the other."""
    with pytest.raises(VendorCredentials):
        outcome("recording", b'{"success":false,"message":"User not found"}')


def test_a_yes_is_no_recording() -> None:
    """JSON is not played to anybody, whatever it says."""
    with pytest.raises(VendorError):
        outcome("recording", b'{"success":true,"id":"1"}')


def test_the_list_of_schemes_proves_the_secret() -> None:
    """The live check is content with any list."""
    assert outcome("probe", b'{"data":[]}') == Accepted()


@pytest.mark.parametrize("told", ["201&202", "201,202", "078332201_id7 & 078332202", "201&&202&201"])
def test_the_trunks_hang_up_names_who_was_called(told: str) -> None:
    """For calls whose other events were lost; two separators were met."""
    sent = payloads.payload("sipuni", "trunk_hung_up_missed_2023")["fields"]
    hook = sipuni_get({**sent, "last_called": told})

    closed = SIPUNI.read(hook, SIPUNI_KEYS)[-1]

    assert isinstance(closed, CallClosed)
    assert closed.rang == ("201", "202")
