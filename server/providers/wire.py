"""What every vendor's wire has in common: forms, JSON that comes mislabelled, times, refusals.

It must not know any vendor. Nothing here raises on what a stranger sent, save where the docstring says so.
"""

import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import msgspec

from ..core.errors import (
    CallerError,
    OwnError,
    VendorCredentials,
    VendorError,
    VendorRateLimited,
    VendorRefused,
    VendorUnavailable,
)
from ..core.ports import HookReply, VendorAnswer, VendorRequest

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

REPORT_BYTES = 64 << 20
"""A report of many calls."""

SHOWN_TEXT = 200
"""How much of a vendor's own words travels in an error's details: a sentence, not a page."""

LARGEST = 2**53
"""Beyond it JSON readers disagree about whole numbers."""

LAST_SECOND = 4_102_444_800
"""2100-01-01. A larger "Unix second" is something else (milliseconds, a broken field)."""

STATUS_ERRORS: dict[int, type[VendorError]] = {
    400: VendorRefused,
    401: VendorCredentials,
    403: VendorCredentials,
    429: VendorRateLimited,
    500: VendorUnavailable,
}
"""What a status says where the vendor's own words do not; 400 and 500 stand for their classes."""

NOT_THERE = frozenset({404, 410, 425})
"""Statuses with which storages say that a file is not there: never was, not any more, not yet."""

ABSENT_WORDS = ("not found", "no record", "not exist", "не найден", "не существует", "нет записи")

_NEVER_SHOWN = frozenset({"hash", "sign", "vpbx_api_key", "secret"})
"""Request fields that a vendor's error page might repeat; no error carries them on."""


def form_pairs(text: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a form or query, percent-decoded to bytes: what they mean as text is the reader's decision."""
    plain = text.replace(b"+", b" ") if b"+" in text else text
    parts = [pair.partition(b"=") for pair in plain.split(b"&") if pair]
    if b"%" not in plain:
        return [(name, value) for name, _, value in parts]
    return [
        (percent_decoded(name) if b"%" in name else name, percent_decoded(value) if b"%" in value else value)
        for name, _, value in parts
    ]


def percent_decoded(part: bytes) -> bytes:
    """The bytes behind `%XX`; a stray percent sign stays.

    A signed hook is one long escaped field, and this is where reading it spends its time. Quoted-printable is the
    same code with another sign, and its decoder is written in C: ten times faster than urllib's. They differ on stray
    signs, which give themselves away by the length of the result, and on line breaks.
    """
    decoded = binascii.a2b_qp(part.replace(b"=", b"=3D").replace(b"%", b"="))
    is_exact = len(decoded) == len(part) - 2 * part.count(b"%") and b"\n" not in part and b"\r" not in part
    return decoded if is_exact else unquote_to_bytes(part)


def form(values: Mapping[str, str]) -> bytes:
    """A form body, UTF-8."""
    return urlencode(values).encode()


def loads(body: bytes | str) -> Any:
    """JSON of whatever kind, `None` for what is no JSON. A JSON text inside a JSON string is opened too."""
    try:
        value = msgspec.json.decode(body)
        return msgspec.json.decode(value) if isinstance(value, str) and value[:1] in "{[" and value else value
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def word(value: object) -> str:
    """A scalar of a vendor's JSON as text: vendors write the same field as string or as number. Else empty."""
    if isinstance(value, str):
        return "" if "\0" in value else value  # PostgreSQL keeps no NUL in text
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def number(value: object) -> int | None:
    """A whole number written as number or as text; None when it is neither, or larger than any id or time."""
    if not isinstance(value, int | float | str) or (isinstance(value, str) and len(value) > 20):
        return None
    try:
        whole = int(value)
    except (ValueError, OverflowError):
        return None
    return whole if abs(whole) < LARGEST else None


def moment_ms(value: object) -> int | None:
    """Unix seconds as UTC milliseconds; None for nothing, zero and nonsense."""
    seconds = number(value)
    return seconds * 1000 if seconds is not None and 0 < seconds < LAST_SECOND else None


def refusal(error: Exception) -> tuple[int, str]:
    """Status and slug for a hook that was not taken. All that is not the sender's fault is ours: 503, try again."""
    if isinstance(error, CallerError):
        return error.status, error.slug
    return OwnError.status, error.slug if isinstance(error, OwnError) else OwnError.slug


def json_reply(status: int, content: object) -> HookReply:
    """A JSON answer to a hook."""
    return HookReply(status, msgspec.json.encode(content), "application/json")


def failure(
    kind: type[VendorError], request: VendorRequest, answer: VendorAnswer, *, code: str = "", text: str = ""
) -> VendorError:
    """The error to raise, with the vendor's own words, without anything secret that the vendor may have repeated."""
    shown = text or answer.body[: 4 * SHOWN_TEXT].decode("utf-8", "replace")
    for name, value in form_pairs(request.body):
        if value and name.decode("ascii", "replace") in _NEVER_SHOWN:
            shown = shown.replace(value.decode("utf-8", "replace"), "…")
    return kind(vendor_code=code or str(answer.status), vendor_text=shown[:SHOWN_TEXT])


def status_error(status: int) -> type[VendorError] | None:
    """The error that an HTTP status means: by itself, else by its class; None for one that says "done"."""
    if 200 <= status < 300:
        return None
    return STATUS_ERRORS.get(status) or STATUS_ERRORS.get(status // 100 * 100, VendorError)


def is_not_there(status: int, text: str = "") -> bool:
    """Whether an answer says that a recording is not there, by its status or in words."""
    return status in NOT_THERE or any(needle in text.lower() for needle in ABSENT_WORDS)
