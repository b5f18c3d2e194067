"""Commands set the process's logging up; the tests after them find it as it was."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what `server.log.configure` did."""
    yield
    structlog.reset_defaults()
