"""How the processes on one database tell each other what changed in it: names of what to read anew.

It knows the wire and its failures; it must not know what is done with the news. `choose` is the only setting: the
database.
"""

from server.core.ports import Bus
from server.sql import Database

from .local import LocalBus


def choose(db: Database, url: str) -> Bus:
    """The bus of an open database: SQLite has one process, PostgreSQL may have more."""
    if db.dialect == "sqlite":
        return LocalBus()
    from .postgres import PostgresBus

    return PostgresBus(url)
