"""Signatures of amoCRM: the page's one-time token and the switch-off hook. Both use the integration's secret."""

import hashlib
import hmac

import jwt
import msgspec

from server.core.errors import HookForged, HookMalformed, TokenInvalid
from server.core.session import Claims

ALGORITHMS = ["HS256"]
"""Pinned: a token that names its own algorithm must not choose "none" or a public-key one."""

MOST_TOKEN = 8192

# What the token says is judged by `core.session.check`, with our clock.
_UNJUDGED = {
    "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "verify_iss": False,
    "verify_sub": False, "verify_jti": False,
}  # fmt: skip


class TokenReader:
    """Fills `services.session.TokenReader`."""

    def __init__(self, client_secret: str) -> None:
        self._secret = client_secret

    def read(self, token: str) -> Claims:
        """What a one-time token says. Raises TokenInvalid for anything but a well-formed, well-signed one."""
        if not token or len(token) > MOST_TOKEN:
            raise TokenInvalid
        try:
            said = jwt.decode(token, self._secret, algorithms=ALGORITHMS, options=_UNJUDGED)  # type: ignore[arg-type]
            return msgspec.convert(said, Claims, strict=False)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError) as exc:
            raise TokenInvalid from exc


def check_disabled(account: str, client: str, signature: str, *, client_id: str, client_secret: str) -> int:
    """The account that the switch-off hook names. Raises HookMalformed, HookForged.

    Source: amocrm.ru/developers/content/oauth/oauth (HMAC-SHA256 of "client_uuid|account_id").
    """
    if not account.isascii() or not account.isdigit():
        raise HookMalformed
    message = f"{client}|{account}".encode()
    expected = hmac.new(client_secret.encode(), message, hashlib.sha256).hexdigest()
    if client != client_id or not hmac.compare_digest(signature.encode(), expected.encode()):
        raise HookForged
    return int(account)
