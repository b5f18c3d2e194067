"""A small vocabulary, as server/core/vocabulary.py is one."""

from enum import StrEnum

WAIT_S = 20
"""How long we wait, seconds."""

HIDDEN = "x"


class Mood(StrEnum):
    """How it goes."""

    GOOD = "good"
    BAD = "bad"


class Colour(StrEnum):
    """Not for browsers."""

    RED = "red"


BROWSER = ("WAIT_S", "Mood")
