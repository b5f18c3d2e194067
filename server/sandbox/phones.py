"""How amoCRM compares telephone numbers: by their last digits, how many depends on the method.

Stored numbers stay as somebody typed them; only comparison strips them.
"""

import re
from typing import Final

_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")
_PHONE_LIKE: Final = re.compile(r"\+?[\d\s().\-–—]+")


def digits(text: object) -> str:
    """Only the ASCII digits of a number."""
    return _NOT_A_DIGIT.sub("", str(text))


def tail(text: object, length: int) -> str | None:
    """The last `length` digits, or all of them when there are fewer; None without any digit."""
    found = digits(text)
    return found[-length:] or None if length > 0 else None


def is_phone_like(text: str) -> bool:
    """Whether a search text consists of nothing but a number as people write it."""
    return _PHONE_LIKE.fullmatch(text.strip()) is not None
