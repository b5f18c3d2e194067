"""The engine's tables."""

from server.lanes import metadata
from server.sql import forbidden_columns


def test_only_carried_types() -> None:
    """Every column is of a type that bare drivers carry."""
    assert forbidden_columns(metadata) == []
