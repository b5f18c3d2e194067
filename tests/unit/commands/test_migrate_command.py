"""`migrate`: what was done is said; who holds the database is named."""

import os
from pathlib import Path

import pytest
from office import opened, settings_of

from server.commands import migrate as command
from server.core.errors import StoreLocked
from server.store.migrations import REVISIONS


async def test_an_empty_folder_gets_a_database(tmp_path: Path) -> None:
    """The first run makes folder and database, the second has nothing to do."""
    settings = settings_of(tmp_path / "new" / "state")

    first, second = await command.run(settings), await command.run(settings)

    assert "was empty" in first
    assert second == f"The database is at revision {REVISIONS[-1]} already."


async def test_the_holder_is_named(tmp_path: Path) -> None:
    """While the server runs, nothing is migrated: the error names the process and the cure."""
    settings = settings_of(tmp_path)
    async with opened(settings):
        with pytest.raises(StoreLocked, match=f"Process {os.getpid()} holds") as refused:
            await command.run(settings)

    assert "Stop the other process" in refused.value.cure
