"""What Sipuni's answers to commands say.

It publishes neither their shapes nor its error texts, so all that were met are read. Sources as in `sipuni`.
"""

from ..core.errors import (
    CallGone,
    VendorBilling,
    VendorCredentials,
    VendorError,
    VendorExtension,
    VendorNumber,
    VendorRateLimited,
    VendorRefused,
)
from . import wire

COMPLAINTS: tuple[tuple[type[VendorError], tuple[str, ...]], ...] = (
    (VendorCredentials, ("hash", "secret", "auth", "signature", "access denied", "user not found", "unknown user")),
    (VendorRateLimited, ("too many", "too often", "rate limit", "слишком част")),
    (CallGone, ("not found", "no such", "already", "не найден")),
    (VendorExtension, ("sipnumber", "extension", "operator", "employee", "внутренн", "сотрудник")),
    (VendorBilling, ("balance", "money", "funds", "limit", "баланс", "средств", "лимит")),
    (VendorNumber, ("phone", "number", "номер")),
)
"""Sipuni does not publish its error texts; the first row with a word that occurs in the text is taken."""

DONE = (1, "1", "true", "ok")


def is_audio(body: bytes, content: object) -> bool:
    return content is None and len(body) > 0 and not body.lstrip().startswith(b"<")


def is_done(content: object) -> bool:
    """`{"success": true}` as a rule; a bare 1, `result: 1`, or an id alone were met as well."""
    if not isinstance(content, dict):
        return content in DONE
    if "success" in content:
        return content["success"] in DONE
    result = content.get("result")
    return not complaint(content) and ("data" in content or result in DONE or bool(order_ref(content)))


def order_ref(content: object) -> str:
    """The id of the order: `id | callbackId | result.callbackId | result.id`."""
    if not isinstance(content, dict):
        return ""
    inner = content.get("result")
    own = wire.word(content.get("id")) or wire.word(content.get("callbackId"))
    return own or (wire.word(inner.get("callbackId")) or wire.word(inner.get("id")) if isinstance(inner, dict) else "")


def complaint(content: object) -> str:
    if not isinstance(content, dict):
        return ""
    return next((text for name in ("message", "msg", "error") if (text := wire.word(content.get(name)))), "")


def blame(text: str, verb: str) -> type[VendorError]:
    lowered = text.lower()
    for kind, words in COMPLAINTS:
        if kind is CallGone and verb not in ("hangup", "cancel"):
            continue
        if any(needle in lowered for needle in words):
            return kind
    return VendorRefused
