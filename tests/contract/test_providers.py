"""What every codec promises, whichever vendor it speaks to (server/core/ports.py, `Codec`).

A new vendor adds one `Speaker`: how its hooks look and what its answers mean. The rest is the same for all.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import (
    HookForged,
    HookMalformed,
    HookMisplaced,
    StoreUnavailable,
    VendorCredentials,
    VendorError,
    VendorRateLimited,
    VendorUnavailable,
    VendorUnsupported,
)
from server.core.events import OrderAnswered
from server.core.ports import Accepted, Codec, DialOrder, Hook, LineKeys, VendorAnswer, VendorRequest
from server.core.vocabulary import Capability, DialWay
from server.providers.registry import CODECS

HOOK_ERRORS = (HookForged, HookMalformed, HookMisplaced)
FORM = "application/x-www-form-urlencoded"
FIXTURES = Path(__file__).parents[1] / "fixtures"
DIALS = {
    DialWay.NUMBER: Capability.DIAL_NUMBER,
    DialWay.SCHEME: Capability.DIAL_SCHEME,
    DialWay.EXTERNAL: Capability.DIAL_EXTERNAL,
}


def posted(fields: dict[str, str], *, tail: str = "") -> Hook:
    """A hook as a posted form."""
    body = urlencode(fields).encode()
    return Hook(method="POST", tail=tail, query="", content_type=FORM, body=body, received_ms=1_700_000_999_000)


@dataclass(frozen=True)
class Speaker:
    """A vendor's side of the talk, written from its documentation."""

    credentials: dict[str, str]
    tell: Callable[[dict[str, object]], Hook]
    """A hook from what a payload file holds."""
    unknown: Hook
    """A proper hook that says what nobody has heard of."""
    yes: bytes
    """The answer to a command that was taken."""
    no: bytes
    """The answer to a command with a wrong key."""
    forge: Callable[[Hook], Hook] | None = None

    @property
    def keys(self) -> LineKeys:
        """The line's keys."""
        return LineKeys(self.credentials)


KEY, SALT = "testapikey000000000000000000000a", "testapisalt000000000000000000000b"


def mango_says(file: dict[str, object]) -> Hook:
    """A signed MANGO hook."""
    text = json.dumps(file["message"], ensure_ascii=False)
    sign = hashlib.sha256(f"{KEY}{text}{SALT}".encode()).hexdigest()
    return posted({"vpbx_api_key": KEY, "sign": sign, "json": text}, tail=str(file["tail"]))


def mango_forged(hook: Hook) -> Hook:
    """The same hook with one more space in it."""
    body = hook.body.replace(b"json=", b"json=+")
    return Hook(method="POST", tail=hook.tail, query="", content_type=FORM, body=body, received_ms=0)


SPEAKERS = {
    "sipuni": Speaker(
        credentials={"user": "078332", "secret": "0.test5ecret01"},
        tell=lambda file: posted(file["fields"]),  # type: ignore[arg-type]
        unknown=posted({"event": "77", "call_id": "1.1"}),
        yes=b'{"success":true,"id":"3f1c"}',
        no=b'{"success":false,"message":"wrong hash"}',
    ),
    "mango": Speaker(
        credentials={"api_key": KEY, "api_salt": SALT},
        tell=mango_says,
        unknown=mango_says({"tail": "events/teleportation", "message": {"entry_id": "e"}}),
        yes=b'{"result":1000}',
        no=b'{"code":3102}',
        forge=mango_forged,
    ),
}

VENDORS = sorted(CODECS)
MESSAGES = [
    (vendor, file.name)
    for vendor in VENDORS
    for file in sorted((FIXTURES / vendor).glob("*.json"))
    if not file.name.endswith(".expected.json")
]

every_vendor = pytest.mark.parametrize("vendor", VENDORS)
every_message = pytest.mark.parametrize(("vendor", "name"), MESSAGES)


def heard(vendor: str, name: str) -> Hook:
    """The hook of a payload file."""
    return SPEAKERS[vendor].tell(json.loads((FIXTURES / vendor / name).read_text()))


def order(way: DialWay, *, client_first: bool = False) -> DialOrder:
    """A click-to-call with everything any way may ask for."""
    return DialOrder(
        id="o-1",
        way=way,
        phone="+79161234567",
        extension="201",
        scheme="000-913898",
        from_phone="+79990001122",
        client_first=client_first,
    )


def asked(command: Callable[[], VendorRequest]) -> bool:
    """Whether the codec can say a command; refusing takes VendorUnsupported and nothing else."""
    try:
        request = command()
    except VendorUnsupported:
        return False
    assert not request.path.startswith(("/", "http"))
    assert request.verb
    assert request.timeout_s > 0
    return True


# -- identity ------------------------------------------------------------------------------------------------------


@every_vendor
def test_a_codec_is_registered_under_its_name(vendor: str) -> None:
    """The name is the path of the webhooks; a speaker and a page belong to it."""
    codec = CODECS[vendor]

    assert codec.name == vendor
    assert codec.title
    assert codec.base_url.startswith("https://")
    assert codec.hook_tails
    assert vendor in SPEAKERS
    assert (Path(__file__).parents[2] / "docs" / "providers" / f"{vendor}.md").is_file()


@every_vendor
def test_the_fields_are_those_that_the_line_is_asked_for(vendor: str) -> None:
    """Each required credential is declared, and what signs is secret."""
    codec = CODECS[vendor]

    assert {field.name for field in codec.fields if field.is_required} == set(SPEAKERS[vendor].credentials)
    assert any(field.is_secret for field in codec.fields)


@every_vendor
def test_the_vendor_has_payload_files(vendor: str) -> None:
    """A codec without recorded messages proves nothing."""
    assert sum(1 for of, _ in MESSAGES if of == vendor) >= 5


# -- hooks ---------------------------------------------------------------------------------------------------------


@every_vendor
def test_an_unknown_event_is_kept_and_says_nothing(vendor: str) -> None:
    """A vendor may invent events: they are stored raw, answered 200, and read as nothing."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]

    assert codec.admit(speaker.unknown, speaker.keys).is_stored
    assert codec.read(speaker.unknown, speaker.keys) == []


@every_message
def test_each_message_is_admitted(vendor: str, name: str) -> None:
    """Known, unknown or incomplete: what the vendor sent is let in and kept."""
    assert CODECS[vendor].admit(heard(vendor, name), SPEAKERS[vendor].keys).is_stored


@every_message
def test_each_event_can_be_told_apart_and_placed(vendor: str, name: str) -> None:
    """Key, time, call and the vendor's own word are never missing; no two events of one hook share a key."""
    events = CODECS[vendor].read(heard(vendor, name), SPEAKERS[vendor].keys)

    assert len({event.key for event in events}) == len(events)
    for event in events:
        assert event.key
        assert event.at_ms > 1_600_000_000_000
        assert event.call_ref or isinstance(event, OrderAnswered)
        assert event.raw_word


@every_message
def test_a_repeat_is_the_same_happening(vendor: str, name: str) -> None:
    """The same hook, told again later, has the same keys."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys
    once = heard(vendor, name)
    again = Hook(
        method=once.method, tail=once.tail, query=once.query, content_type=once.content_type, body=once.body,
        received_ms=once.received_ms + 60_000,
    )  # fmt: skip

    assert codec.admit(once, keys).key == codec.admit(again, keys).key
    assert [event.key for event in codec.read(once, keys)] == [event.key for event in codec.read(again, keys)]


@every_vendor
def test_different_hooks_are_different_happenings(vendor: str) -> None:
    """No message hides another one."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys
    hooks = [heard(vendor, name) for of, name in MESSAGES if of == vendor]
    texts = {(hook.tail, hook.query, hook.body) for hook in hooks}

    assert len({codec.admit(hook, keys).key for hook in hooks}) == len(texts)


@every_vendor
@given(
    method=st.sampled_from(["GET", "POST"]),
    tail=st.sampled_from(["", "events/call", "result/commands/callback", "ещё"]),
    query=st.text(max_size=60),
    content_type=st.sampled_from(["", FORM, "application/json", "multipart/form-data; boundary=x"]),
    body=st.one_of(
        st.binary(max_size=120),
        st.dictionaries(st.sampled_from(["event", "json", "sign", "vpbx_api_key", "call_id"]), st.text(max_size=9)).map(
            lambda fields: urlencode(fields, errors="surrogatepass").encode()
        ),
    ),
)
def test_garbage_is_refused_by_name(
    vendor: str, method: str, tail: str, query: str, content_type: str, body: bytes
) -> None:
    """A stranger cannot make a codec raise anything but its three refusals, nor make reading raise at all."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys
    hook = Hook(method=method, tail=tail, query=query, content_type=content_type, body=body, received_ms=1)

    refused: Exception | None = None
    try:
        codec.admit(hook, keys)
    except HOOK_ERRORS as error:
        refused = error

    assert codec.reply(refused).status in (200, 400, 403)
    assert isinstance(codec.read(hook, keys), list)


@every_vendor
def test_a_signed_vendor_is_not_imitated(vendor: str) -> None:
    """Where hooks are signed, a changed one is forged; where not, the capability says so."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]
    is_signed = Capability.SIGNED_HOOKS in codec.capabilities

    assert is_signed == (speaker.forge is not None)
    if speaker.forge is not None:
        with pytest.raises(HookForged):
            codec.admit(speaker.forge(speaker.unknown), speaker.keys)


@every_vendor
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 200),
        (HookForged(), 403),
        (HookMalformed(), 400),
        (HookMisplaced(), 400),
        (StoreUnavailable(), 503),
        (ZeroDivisionError(), 503),
    ],
)
def test_blame_decides_the_answer(vendor: str, error: Exception | None, status: int) -> None:
    """Stored is 200, the sender's fault 4xx, ours 503 so that the vendor tries again; the answer is JSON."""
    reply = CODECS[vendor].reply(error)

    assert (reply.status, reply.content_type) == (status, "application/json")
    assert isinstance(json.loads(reply.body), dict)


# -- commands ------------------------------------------------------------------------------------------------------


@every_vendor
@pytest.mark.parametrize(("way", "capability"), DIALS.items())
def test_a_codec_dials_as_it_declares(vendor: str, way: DialWay, capability: Capability) -> None:
    """The widget shows a way of dialling exactly where it works."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys

    assert asked(lambda: codec.dial(order(way), keys)) == (capability in codec.capabilities)


@every_vendor
def test_the_client_is_rung_first_where_declared(vendor: str) -> None:
    """A vendor that always rings the agent first says so."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys
    can = asked(lambda: codec.dial(order(DialWay.NUMBER, client_first=True), keys))

    assert can == (Capability.CLIENT_FIRST in codec.capabilities)


@every_vendor
def test_the_other_commands_are_as_declared(vendor: str) -> None:
    """Cancel, hang-up, recordings and the live check: a request, or unsupported, as the capabilities say."""
    codec, keys = CODECS[vendor], SPEAKERS[vendor].keys
    can = codec.capabilities

    assert asked(lambda: codec.cancel("ref", keys)) == (Capability.CANCEL in can)
    assert asked(lambda: codec.hangup("call", "leg", keys, command_id="c")) == (Capability.HANGUP in can)
    assert asked(lambda: codec.recording("rec", keys)) == (Capability.RECORDING_FETCH in can)
    assert asked(lambda: codec.probe(keys))


@every_vendor
@pytest.mark.parametrize(
    ("capability", "command"),
    [
        (Capability.TRANSFER, "transfer"),
        (Capability.ROUTE_LIVE, "route"),
        (Capability.RECORDING_START, "recording_start"),
    ],
)
def test_a_declared_extra_has_its_command(vendor: str, capability: Capability, command: str) -> None:
    """What is beyond the common port is declared by those who have it, and by nobody else."""
    assert hasattr(CODECS[vendor], command) == (capability in CODECS[vendor].capabilities)


@every_vendor
def test_no_command_shows_the_secret(vendor: str) -> None:
    """Secrets sign; they do not travel, and nobody logs them by logging a request."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]
    secret = list(speaker.credentials.values())[-1]

    for request in commands(codec, speaker.keys):
        assert secret not in repr(request)


def commands(codec: Codec, keys: LineKeys) -> list[VendorRequest]:
    """One request of each kind that every codec has."""
    return [
        codec.dial(order(DialWay.NUMBER), keys),
        codec.hangup("call", "leg", keys, command_id="c"),
        codec.recording("rec", keys),
        codec.probe(keys),
    ]


# -- answers -------------------------------------------------------------------------------------------------------


@every_vendor
def test_a_yes_is_accepted(vendor: str) -> None:
    """The documented answer to a command that was taken."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]
    request = codec.dial(order(DialWay.NUMBER), speaker.keys)

    assert isinstance(codec.outcome(request, VendorAnswer(status=200, body=speaker.yes)), Accepted)


@every_vendor
def test_a_wrong_key_is_named(vendor: str) -> None:
    """The administrator is sent to the line's settings, with the vendor's words."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]

    for request in commands(codec, speaker.keys):
        with pytest.raises(VendorCredentials) as error:
            codec.outcome(request, VendorAnswer(status=200, body=speaker.no))
        assert set(error.value.details) == {"vendor_code", "vendor_text"}


@every_vendor
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, VendorCredentials),
        (429, VendorRateLimited),
        (500, VendorUnavailable),
        (502, VendorUnavailable),
        (504, VendorUnavailable),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"{"], ids=["empty", "page", "half"])
def test_a_failing_gateway_is_named(vendor: str, status: int, kind: type[VendorError], body: bytes) -> None:
    """Rate limits and outages are told from refusals, whatever half of an answer came."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]

    for request in commands(codec, speaker.keys):
        with pytest.raises(kind):
            codec.outcome(request, VendorAnswer(status=status, body=body))


@every_vendor
@given(status=st.integers(100, 599), body=st.binary(max_size=80))
def test_any_answer_is_a_yes_or_a_vendor_error(vendor: str, status: int, body: bytes) -> None:
    """Nothing that comes back over the wire raises anything else, and no failure is a yes."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]

    for request in commands(codec, speaker.keys):
        refused: VendorError | None = None
        try:
            codec.outcome(request, VendorAnswer(status=status, body=body))
        except VendorError as error:
            refused = error

        assert refused is not None or 200 <= status < 300
        assert refused is None or set(refused.details) == {"vendor_code", "vendor_text"}


@every_vendor
def test_an_echoing_vendor_leaks_nothing(vendor: str) -> None:
    """An error page that repeats our request does not bring keys or signatures into the error."""
    codec, speaker = CODECS[vendor], SPEAKERS[vendor]
    request = codec.dial(order(DialWay.NUMBER), speaker.keys)
    signed = [
        pair.split(b"=")[1].decode() for pair in request.body.split(b"&") if pair.startswith((b"hash=", b"sign="))
    ]

    with pytest.raises(VendorError) as error:
        codec.outcome(request, VendorAnswer(status=400, body=request.body))

    shown = str(error.value.as_dict())
    assert signed
    assert not any(secret in shown for secret in signed)
    assert KEY not in shown
