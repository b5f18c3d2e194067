"""Small messages, as server/core/messages.py has them."""

from msgspec import Struct
from sample_words import Mood


class Inner(Struct, tag_field="type", tag="inner"):
    """A part."""

    names: tuple[str, ...] = ()


class Outer(Struct, tag_field="type", tag="outer", omit_defaults=True):
    """A whole."""

    mood: Mood
    inner: Inner | None = None
    sizes: dict[str, float] = {}


Either = Inner | Outer
