"""What all vendors' wires share: forms, mislabelled JSON, times, refusals."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import HookForged, HookMalformed, StoreUnavailable, VendorRefused, VendorUnavailable
from server.core.ports import VendorAnswer, VendorRequest
from server.providers import wire


@given(st.one_of(st.binary(), st.text("%=0aF\n\r+ z", max_size=30).map(str.encode)))
def test_the_quick_decoder_agrees_with_the_library(part: bytes) -> None:
    """Quoted-printable in disguise reads every percent-encoding as urllib does, broken ones too."""
    assert wire.percent_decoded(part) == unquote_to_bytes(part)


def test_a_plus_is_a_space_and_its_escape_a_plus() -> None:
    """Base64 in a hook survives only when `%2B` stays a plus."""
    assert wire.form_pairs(b"a=x%2By+z&b=&c") == [(b"a", b"x+y z"), (b"b", b""), (b"c", b"")]


@given(st.binary(max_size=200))
def test_no_form_is_unreadable(text: bytes) -> None:
    """Whatever a stranger posts, reading its fields does not raise."""
    assert all(isinstance(value, bytes) for _, value in wire.form_pairs(text))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"1", 1),
        (b'"{\\"a\\":1}"', {"a": 1}),
        (b'"text"', "text"),
        (b'""', ""),
        (b"", None),
        (b"<html>", None),
        (b'{"a":', None),
        (b'"{broken"', None),
        (b'"\xff"', None),
        (b"[" * 100_000, None),
    ],
)
def test_json_is_read_or_it_is_none(body: bytes, value: object) -> None:
    """JSON in a JSON string is opened, and no text raises."""
    assert wire.loads(body) == value


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (7, "7"), (True, ""), (None, ""), ([], ""), ({}, ""), (1.5, ""), ("a\0b", "")]
)
def test_a_scalar_is_a_word(value: object, text: str) -> None:
    """Ids come as text or number; anything else, and what PostgreSQL cannot keep, is no word."""
    assert wire.word(value) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_700_000_000, 1_700_000_000_000),
        ("1700000000", 1_700_000_000_000),
        (1_700_000_000.9, 1_700_000_000_000),
        (0, None),
        ("0", None),
        ("", None),
        ("soon", None),
        (-1, None),
        (1_700_000_000_000, None),
        (float("inf"), None),
        ("9" * 5000, None),
        (None, None),
        ([], None),
    ],
)
def test_unix_seconds_become_milliseconds(value: object, moment: int | None) -> None:
    """Zero means "never" to vendors, and nonsense is no time."""
    assert wire.moment_ms(value) == moment


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (HookForged(), (403, "hook-forged")),
        (HookMalformed(), (400, "hook-malformed")),
        (StoreUnavailable(), (503, "store-unavailable")),
        (VendorRefused(), (503, "own-fault")),
        (RuntimeError(), (503, "own-fault")),
    ],
)
def test_what_is_not_the_senders_fault_is_ours(error: Exception, refusal: tuple[int, str]) -> None:
    """A vendor tries again after 503 and gives up after 4xx."""
    assert wire.refusal(error) == refusal


def test_a_failure_repeats_no_signature() -> None:
    """A vendor that echoes our request does not bring its secrets into an error."""
    request = VendorRequest(verb="dial", method="POST", path="x", body=b"user=1&hash=abcdef&vpbx_api_key=k%2B1&phone=7")
    answer = VendorAnswer(status=500, body=b"bad: user=1 hash=abcdef key=k+1 phone=7")

    error = wire.failure(VendorUnavailable, request, answer)

    assert error.details == {"vendor_code": "500", "vendor_text": "bad: user=1 hash=… key=… phone=7"}


def test_a_failure_quotes_a_sentence_not_a_page() -> None:
    """An error page does not travel to the agent's screen."""
    request = VendorRequest(verb="dial", method="POST", path="x")

    error = wire.failure(VendorUnavailable, request, VendorAnswer(status=502, body=b"x" * 10_000))

    assert len(error.details["vendor_text"]) == wire.SHOWN_TEXT
