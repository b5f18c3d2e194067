"""The seam to a database: run a script, read, close. Which database it is, only `connect` decides."""

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from server.core.errors import ConfigError

from .lock import FileLock
from .statement import Params, Row, Script, Stmt

P = ParamSpec("P")
T = TypeVar("T")


class Database(Protocol):
    """An open database.

    Every method raises StoreUnavailable when the database does not answer (an outcome may then be unknown: it may
    have committed) and RowRefused when it refuses a row. An exception raised by a script itself rolls its transaction
    back and passes unchanged.
    """

    dialect: str
    """"sqlite" or "postgresql"."""

    async def run(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `script(*args)` as one transaction; it is durable when this returns.

        On SQLite it runs in the writer's thread, on PostgreSQL anew after a deadlock: it must not touch anything that
        it did not make itself.
        """
        ...

    async def write(self, stmt: Stmt, params: Params | list[Params] = ...) -> Any:
        """Run one statement as a transaction: its rows, or the number of rows touched."""
        ...

    async def read(self, stmt: Stmt, params: Params = ...) -> list[Row]:
        """Run one SELECT; never waits for writers, sees everything committed before."""
        ...

    async def read_script(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a script of SELECTs on one snapshot."""
        ...

    async def close(self) -> None:
        """Wait for what runs, then let go of the connections and of the file lock."""
        ...


async def connect(url: str, *, readonly: bool = False, lock: FileLock | None = None) -> Database:
    """Open `sqlite:///PATH`, `sqlite:///:memory:` or `postgresql://...`.

    A SQLite file is locked for this process (StoreLocked names who holds it), or `lock`, taken before, passes to the
    database. With `readonly` no lock is taken and nothing can be written; the file must exist.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from .sqlite import Sqlite

        return await Sqlite.open(url, readonly=readonly, lock=lock)
    if scheme in ("postgresql", "postgres", "postgresql+asyncpg"):
        from .postgres import Postgres

        return await Postgres.open(url.replace(scheme, "postgresql", 1), readonly=readonly)
    raise ConfigError(f"database: {scheme!r} is unknown; use sqlite:///PATH or postgresql://USER@HOST/NAME")


def single(stmt: Stmt, params: Params | list[Params]) -> Script[Any]:
    """A script of one statement."""
    return (yield stmt, params)
