"""The SQL runner: statements written once in SQLAlchemy Core, run by the bare driver on SQLite and PostgreSQL.

`store/` and `lanes/` share it. It knows statements, transactions and drivers; it must not know a single table.

    def rename(call_id: str, title: str) -> Script[bool]:          # a script is one transaction
        rows = yield FIND, {"id": call_id}                          # one statement: a list of tuples
        yield RENAME, {"id": call_id, "title": title}               # ... or the number of rows touched
        yield INSERT_LOG, [{"call_id": call_id, "at_ms": t} for t in times]    # a list: executemany
        return bool(rows)

    renamed = await db.run(rename, "c1", "Title")
    rows = await db.read(FIND, {"id": "c1"})
"""

from .database import Database, connect
from .ddl import RowId, create_all, forbidden_columns
from .errors import RowRefused
from .group import Group
from .lock import FileLock, sqlite_path
from .statement import Params, Row, Script, Step, Stmt, among, insert, lit

__all__ = [
    "Database",
    "FileLock",
    "Group",
    "Params",
    "Row",
    "RowId",
    "RowRefused",
    "Script",
    "Step",
    "Stmt",
    "among",
    "connect",
    "create_all",
    "forbidden_columns",
    "insert",
    "lit",
    "sqlite_path",
]
