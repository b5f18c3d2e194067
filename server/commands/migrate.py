"""`migrate`: the database brought to the present schema without starting the server, e.g. before an upgrade's restart.

`serve` does the same by itself at every start.
"""

from pathlib import Path

from server.settings import Settings
from server.sql import connect, sqlite_path
from server.store import migrate as schema
from server.store.migrations import REVISIONS


async def run(settings: Settings) -> str:
    """Migrate; returns what was done. Raises StoreLocked naming who holds the database, and what `migrate` raises."""
    url = settings.database_url
    if path := sqlite_path(url):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    db = await connect(url)
    try:
        before = await schema.migrate(db, url)
    finally:
        await db.close()
    if before == REVISIONS[-1]:
        return f"The database is at revision {before} already."
    return f"The database was {f'at revision {before}' if before else 'empty'} and is at revision {REVISIONS[-1]} now."
