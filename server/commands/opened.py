"""Where the database is, and opening it to look: read-only, without the lock, never created."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from server.core.errors import ConfigError
from server.settings import Settings
from server.sql import Database, connect, sqlite_path
from server.store.migrate import check_current

FILE = "kommutator.db"


def database_url(settings: Settings) -> str:
    """The database to look into: as set, else a file in the state folder or in its `backend` folder.

    Raises ConfigError when there is none.
    """
    if settings.database:
        path = sqlite_path(settings.database)
        if path and not path.is_file():
            raise ConfigError(f"There is no database at {path}; correct the setting `database`, or start `serve` once.")
        return settings.database
    folder = Path(settings.state)
    for path in (folder / FILE, folder / "backend" / FILE):
        if path.is_file():
            return f"sqlite:///{path}"
    raise ConfigError(
        f"There is no database in {folder}; name the folder that `serve` or `sandbox` was started with: --state DIR"
    )


@contextlib.asynccontextmanager
async def to_read(settings: Settings) -> AsyncIterator[Database]:
    """The database, opened read-only.

    Raises ConfigError when it is not there or its schema is not the present one, StoreUnavailable when it does not
    answer.
    """
    db = await connect(database_url(settings), readonly=True)
    try:
        await check_current(db)
        yield db
    finally:
        await db.close()
