"""Proofs: what amoCRM's token must say, and what of ours is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from server.core import session
from server.core.errors import TokenInvalid
from server.core.session import Claims, Listen, Pass

KEY = b"k" * 32
NOW = 1_700_000_000
CLAIMS = Claims(
    jti="j", aud="https://voip.example", exp=NOW + 1800, nbf=NOW, account_id=1, user_id=2, client_uuid="c"
)  # fmt: skip
ONE = Pass(NOW + 30, 1, 2, True, "n")


def check(claims: Claims) -> None:
    session.check(claims, audience="https://voip.example", client_id="c", now_s=NOW)


def test_a_token_for_us_and_now_passes() -> None:
    """Nothing is raised."""
    check(CLAIMS)
    check(structs.replace(CLAIMS, aud="https://voip.example/"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_uuid": "other"},
        {"aud": "https://evil.example"},
        {"aud": "https://voip.example.evil.example"},
        {"exp": NOW - session.LEEWAY_S},
        {"nbf": NOW + session.LEEWAY_S + 1},
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_refused(wrong: dict[str, object]) -> None:
    """Another integration, another address, too late, too early."""
    with pytest.raises(TokenInvalid):
        check(structs.replace(CLAIMS, **wrong))


def test_our_proof_says_what_we_signed() -> None:
    """Round trip."""
    assert session.verify(session.sign(ONE, KEY), KEY, Pass, now_s=NOW) == ONE


def test_a_proof_ends() -> None:
    """At its second, not after it."""
    assert session.verify(session.sign(ONE, KEY), KEY, Pass, now_s=NOW + 30) is None


def test_a_proof_of_another_key_or_kind_says_nothing() -> None:
    """A ticket is no bearer, a recording's link is neither."""
    assert session.verify(session.sign(ONE, b"x" * 32), KEY, Pass, now_s=NOW) is None
    assert session.verify(session.sign(Listen(NOW + 30, "c", "r"), KEY), KEY, Pass, now_s=NOW) is None


@given(st.text(max_size=200))
def test_no_text_that_we_did_not_sign_is_believed_or_raises(text: str) -> None:
    """Garbage is refused quietly."""
    assert session.verify(text, KEY, Pass, now_s=NOW) is None


@given(st.integers(0, 80), st.characters())
def test_one_changed_character_spoils_a_proof(place: int, character: str) -> None:
    """Signed is the text itself."""
    text = session.sign(ONE, KEY)
    changed = text[: place % len(text)] + character + text[place % len(text) + 1 :]

    assert changed == text or session.verify(changed, KEY, Pass, now_s=NOW) is None
