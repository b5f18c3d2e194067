"""Signatures of amoCRM."""

import hashlib
import hmac
import time

import jwt
import pytest

from server.amocrm.tokens import TokenReader, check_disabled
from server.core.errors import HookForged, HookMalformed, TokenInvalid

SECRET = "s" * 64
CLAIMS = {
    "iss": "https://demo.amocrm.ru", "aud": "https://voip.example", "jti": "j1", "iat": 1, "nbf": 1,
    "exp": int(time.time()) + 1800, "account_id": 1, "user_id": 2, "is_admin": False, "subdomain": "demo",
    "client_uuid": "c",
}  # fmt: skip


def token(claims: dict[str, object] = CLAIMS, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def test_a_signed_token_is_read() -> None:
    """With numbers that came as text."""
    claims = TokenReader(SECRET).read(token({**CLAIMS, "user_id": "2"}))

    assert (claims.account_id, claims.user_id, claims.jti, claims.is_admin) == (1, 2, "j1", False)


def test_is_admin_may_be_missing() -> None:
    """amoCRM's documentation does not list it."""
    claims = {name: value for name, value in CLAIMS.items() if name != "is_admin"}

    assert TokenReader(SECRET).read(token(claims)).is_admin is None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "a.b.c",
        token(secret="x" * 64),
        token(algorithm="HS512"),
        jwt.encode(CLAIMS, None, algorithm="none"),  # type: ignore[arg-type]
        token({"jti": "j"}),
        token({**CLAIMS, "account_id": "one"}),
        "a" * 10_000,
    ],
)
def test_anything_else_is_refused(bad: str) -> None:
    """Another secret, another algorithm, no algorithm, other claims, no token at all."""
    with pytest.raises(TokenInvalid):
        TokenReader(SECRET).read(bad)


def test_the_switch_off_hook_is_believed_by_its_signature() -> None:
    """HMAC over client|account."""
    sign = hmac.new(SECRET.encode(), b"c|1", hashlib.sha256).hexdigest()

    assert check_disabled("1", "c", sign, client_id="c", client_secret=SECRET) == 1
    for account, client, signature in (("2", "c", sign), ("1", "d", sign), ("1", "c", sign[:-1]), ("1", "c", "ы")):
        with pytest.raises(HookForged):
            check_disabled(account, client, signature, client_id="c", client_secret=SECRET)
    with pytest.raises(HookMalformed):
        check_disabled("x", "c", sign, client_id="c", client_secret=SECRET)
