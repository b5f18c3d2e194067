"""Who asks: what amoCRM's one-time token must say, and our own short-lived proofs, as pure checks.

The signature of the one-time token is checked where the integration's secret is (`amocrm/tokens.py`).
Source of the claims: amocrm.ru/developers/content/oauth/disposable-tokens.
"""

import base64
import binascii
import hashlib
import hmac
from typing import TypeVar

import msgspec
from msgspec import Struct

from .errors import TokenInvalid

Kind = TypeVar("Kind", bound="Proof")

LEEWAY_S = 60
"""How far clocks of amoCRM and ours may differ."""


class Claims(Struct, frozen=True, kw_only=True):
    """What a one-time token says, its signature having been checked. `is_admin` may be missing."""

    jti: str
    aud: str
    exp: int
    account_id: int
    user_id: int
    client_uuid: str
    nbf: int = 0
    is_admin: bool | None = None
    subdomain: str = ""


class Proof(Struct, frozen=True, array_like=True):
    """Something that we signed, good until `expires_s` (Unix seconds)."""

    expires_s: int


class Listen(Proof, frozen=True, array_like=True):
    """A link to a call's recording. Links written by earlier versions name no account (0)."""

    call_id: str
    recording_key: str
    account_id: int = 0


class Pass(Proof, frozen=True, array_like=True):
    """What a bearer or a ticket of ours says; `nonce` makes a ticket single."""

    account_id: int
    user_id: int
    is_admin: bool
    nonce: str = ""


class Visit(Proof, frozen=True, array_like=True):
    """An administrator's visit to the console: whose it is, in which language, in which time zone."""

    account_id: int
    user_id: int
    language: str
    zone: str


def check(claims: Claims, *, audience: str, client_id: str, now_s: int) -> None:
    """Raise TokenInvalid unless the token is for us and for now. `audience` is our redirect URI's scheme and host."""
    if claims.client_uuid != client_id:
        raise TokenInvalid("The one-time token is of another integration.")
    if claims.aud.rstrip("/") != audience:
        raise TokenInvalid("The one-time token is for another address.", aud=claims.aud[:200], expected=audience)
    if now_s >= claims.exp + LEEWAY_S:
        raise TokenInvalid("The one-time token has expired.")
    if now_s < claims.nbf - LEEWAY_S:
        raise TokenInvalid("The one-time token is not valid yet: compare the clocks.")


def sign(one: Proof, key: bytes) -> str:
    """A proof that only we can make: payload and HMAC-SHA256, both URL-safe."""
    payload = _text(msgspec.json.encode(one))
    return f"{payload}.{_seal(payload, key)}"


def verify(text: str, key: bytes, kind: type[Kind], *, now_s: int) -> Kind | None:
    """What a proof says, or None when it is forged, spoilt, of another kind, or expired."""
    one = opened(text, key, kind)
    return one if one is not None and now_s < one.expires_s else None


def opened(text: str, key: bytes, kind: type[Kind]) -> Kind | None:
    """What a proof says, expired or not; None when it is forged, spoilt, or of another kind."""
    payload, _, seal = text.partition(".")
    if not text.isascii():  # a header may hold bytes that are no text at all
        return None
    if not hmac.compare_digest(seal.encode(), _seal(payload, key).encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=kind)
    except (msgspec.DecodeError, binascii.Error):
        return None


def _seal(payload: str, key: bytes) -> str:
    return _text(hmac.digest(key, payload.encode(), hashlib.sha256))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
