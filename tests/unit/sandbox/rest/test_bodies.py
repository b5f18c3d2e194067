"""PHP's nesting, read."""

import pytest

from server.sandbox.rest.bodies import nested
from server.sandbox.webhook_bodies import flatten


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a[b]", "1"), ("a[c]", "2")], {"a": {"b": "1", "c": "2"}}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[1]", "x"), ("a[0]", "y")], {"a": ["y", "x"]}),
        ([("a[0][b][]", "1")], {"a": [{"b": ["1"]}]}),
        ([("a[7001][]", "x")], {"a": {"7001": ["x"]}}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[b]", "1"), ("a[b][c]", "2")], {"a": {"b": {"c": "2"}}}),
        ([("a[b", "1")], {"a": "1"}),
        ([("a" + "[x]" * 50, "1")], {}),
    ],
)
def test_brackets_are_nesting(pairs: list[tuple[str, str]], value: object) -> None:
    """Names, lists, numbered lists; what is too deep or broken does no harm."""
    assert nested(pairs) == value


def test_what_is_flattened_can_be_read_again() -> None:
    """The webhooks' writer and the forms' reader agree."""
    value = {"leads": {"status": [{"id": "1", "tags": ["a", "b"]}]}, "account": {"id": "2"}}

    assert nested(flatten(value)) == value
