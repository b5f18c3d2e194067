"""The knobs of a stand-in."""

import pytest

from server.sandbox.pbx.knobs import KnobError, Knobs, turned, view


def test_turning_one_leaves_the_others() -> None:
    """Knobs change one by one."""
    knobs = turned(turned(Knobs(), {"html": True}), {"delay_s": 2})

    assert (knobs.html, knobs.delay_s, knobs.parallel) == (True, 2.0, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nothing": 1}, "no knob"),
        ({"html": "yes"}, "html is a bool"),
        ({"types": "roman"}, "one of number, string, mixed"),
        ({"duplicate_rate": 2.0}, "cannot be"),
        ({"command_status": 200}, "cannot be"),
        ({"delay_s": -1.0}, "cannot be"),
    ],
)
def test_impossible_value_is_refused_by_name(change: dict[str, object], words: str) -> None:
    """The error says which knob and what it takes."""
    with pytest.raises(KnobError, match=words):
        turned(Knobs(), change)


def test_view_can_be_put_back() -> None:
    """What GET shows, PUT accepts."""
    knobs = turned(Knobs(), {"clock_skew_s": -10_800, "sign": "hmac"})

    assert turned(Knobs(), view(knobs)) == knobs
