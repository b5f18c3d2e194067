"""Numbers as clients write them."""

from typing import Any

import pytest

from server.sandbox.rest.query import whole


@pytest.mark.parametrize(
    ("given", "number"),
    [(12, 12), (12.0, 12), ("12", 12), (" -3 ", -3), (True, 1), (12.5, None), ("12.0", None), ("", None), (None, None),
     ([], None), (float("inf"), None), (float("nan"), None), ("9" * 30, None), ("--1", None), ("١٢", None)],
)  # fmt: skip
def test_a_whole_number_is_read_or_nothing(given: Any, number: int | None) -> None:
    """Floats without a fraction count; text with anything else does not."""
    assert whole(given) == number
