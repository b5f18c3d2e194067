"""What a driver says in its own words."""

import asyncpg
import pytest

from server.core.errors import StoreUnavailable
from server.sql.errors import translate


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    ],
)
def test_a_connection_that_is_cut_is_no_fault_of_ours(error: Exception) -> None:
    """However asyncpg comes to notice it: whoever asked may ask again."""
    assert isinstance(translate(error), StoreUnavailable)


def test_a_mistake_of_ours_stays_raw() -> None:
    """Nobody but a programmer can answer it."""
    error = asyncpg.PostgresSyntaxError("syntax error at or near")

    assert translate(error) is error
