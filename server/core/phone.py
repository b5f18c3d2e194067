"""Telephone numbers: whatever people and vendors write → E.164, and back for people's eyes.

Pure text work. It knows Russian habits (8 for +7, ten digits, "доб. 12"), the marks that PBXs leave on numbers, and
leaves the rest of the world to the phonenumbers library. It must not know any vendor or what a number is used for.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

from .vocabulary import INTERNAL_DIGITS

MAX_TEXT = 64
"""Longer text is no number: an E.164 number has 15 digits, and hooks may carry anything."""

_PREFIX = re.compile(r"\s*(?:tel|sips?|callto):\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[\s(]*\+?[\s0-9().\-\u2010-\u2015]*")
_NOT_DIGIT = re.compile(r"[^0-9]+")

_SEVEN = frozenset({"RU", "KZ"})
"""Regions that share +7, where 8 is dialled before a long-distance number."""


def to_e164(text: str, region: str = "RU") -> str | None:
    """The number in E.164, or None for what is no outside number: hidden, internal, incomplete, a name.

    `region` is where numbers without a country code are at home. Russian numbers are not looked up in the numbering
    plan: a PBX knows better than any list which of its numbers exist.
    """
    if len(text) == 11 and text[0] in "78" and region in _SEVEN and text.isascii() and text.isdigit():
        return "+7" + text[1:]
    number = _written(text)
    figures = digits(number)
    if len(figures) < INTERNAL_DIGITS:
        return None
    if number.lstrip(" (").startswith("+"):
        return _seven(figures, "7") or _possible("+" + figures) or (_seven(figures, "8") if region in _SEVEN else None)
    return _at_home(figures, region)


def last10(phone: str) -> str:
    """The last ten digits, by which the directory matches numbers however their country code was written."""
    return digits(phone)[-10:]


def is_internal(text: str) -> bool:
    """Whether this is an extension: some digits, but fewer than INTERNAL_DIGITS."""
    return 0 < len(digits(_written(text))) < INTERNAL_DIGITS


def digits(text: str) -> str:
    """The digits of a text, nothing else."""
    return text if text.isascii() and text.isdigit() else _NOT_DIGIT.sub("", text)


def pretty(phone: str) -> str:
    """An E.164 number as people of its country write it (`+7 916 123-45-67`); anything else as it is."""
    if len(phone) == 12 and phone.startswith("+7"):
        return f"+7 {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    try:
        return phonenumbers.format_number(phonenumbers.parse(phone), PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return phone


def _written(text: str) -> str:
    """The part of the text that is the number: no scheme before it; no host, extension or PBX mark (`_id5`) after."""
    if len(text) > MAX_TEXT:
        return ""
    prefix = _PREFIX.match(text)
    number = _NUMBER.match(text, prefix.end() if prefix else 0)
    return number[0] if number else ""


def _seven(figures: str, first: str) -> str | None:
    return "+7" + figures[1:] if len(figures) == 11 and figures[0] == first else None


def _at_home(figures: str, region: str) -> str | None:
    """A number without a plus: as people of the region dial it, else taken for complete."""
    if region in _SEVEN:
        if len(figures) == 10:
            return "+7" + figures
        if len(figures) == 11 and figures[0] in "78":
            return "+7" + figures[1:]
        if figures.startswith("810"):
            # The way abroad from Russia: 8, a tone, 10. The library wants to see the tone (8~10).
            return _possible("+" + figures[3:])
    if figures.startswith("00"):
        return _possible("+" + figures[2:])
    return _possible(figures, region) or _possible("+" + figures)


def _possible(number: str, region: str | None = None) -> str | None:
    """The number in E.164 if it is possible, and if that form stands by itself: some plans strip a zero each time."""
    once = _parsed(number, region)
    return once if once is not None and _parsed(once, None) == once else None


def _parsed(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
