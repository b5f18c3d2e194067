"""Comparing numbers by their last digits."""

import pytest

from server.sandbox.phones import is_phone_like, tail


@pytest.mark.parametrize(
    ("text", "length", "ending"),
    [
        ("+7 (916) 123-45-67", 10, "9161234567"),
        ("123-45", 10, "12345"),
        ("нет", 10, None),
        ("", 7, None),
        ("12", 0, None),
    ],
)
def test_the_last_digits_are_taken(text: str, length: int, ending: str | None) -> None:
    """All of them when there are fewer, none when there are none."""
    assert tail(text, length) == ending


@pytest.mark.parametrize(
    ("text", "is_it"), [("+7 (916) 123-45-67", True), ("8916", True), ("дом 5", False), ("", False)]
)
def test_a_number_looks_like_a_number(text: str, is_it: bool) -> None:
    """Digits and what people put between them."""
    assert is_phone_like(text) is is_it
