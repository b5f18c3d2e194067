"""SQLite: one writer thread, a few reader threads, each with its own connection.

A whole script runs in one hop to the writer's thread. WAL lets readers go on beside the writer; `synchronous=FULL`
makes a commit survive a power cut. A memory database has only its writer: another connection would not see it.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from server.core.errors import StoreUnavailable

from .database import single
from .errors import translate
from .lock import MEMORY, FileLock, sqlite_path
from .statement import Compiled, Params, Row, Script, Stmt

P = ParamSpec("P")
T = TypeVar("T")

READERS = 3
"""Reader threads: one per core of a small machine and one for a long report."""

WRITER_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=67108864")
COMMON_PRAGMAS = ("busy_timeout=20000", "cache_size=-32768", "temp_store=MEMORY")


class Sqlite:
    """A SQLite file (or memory) as a `Database`."""

    dialect = "sqlite"

    def __init__(self, path: Path | None, *, readonly: bool, lock: FileLock | None) -> None:
        self._path = path
        self._readonly = readonly
        self._lock = lock
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer = ThreadPoolExecutor(1, "sqlite-writer")
        self._readers = ThreadPoolExecutor(READERS, "sqlite-reader") if path else self._writer

    @classmethod
    async def open(cls, url: str, *, readonly: bool, lock: FileLock | None) -> Self:
        """See `database.connect`."""
        path = sqlite_path(url)
        if readonly and path and not path.is_file():
            raise StoreUnavailable(f"There is no database at {path}.")
        if path and not readonly and lock is None:
            lock = FileLock.take(path)
        db = cls(path, readonly=readonly, lock=lock)
        try:
            pool = db._readers if readonly else db._writer
            await db._in(pool, db._connection, readonly)
        except BaseException:
            await db.close()
            raise
        return db

    async def run(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._readonly:
            raise StoreUnavailable("The database was opened for reading only.")
        return await self._in(self._writer, self._transaction, False, script, *args, **kwargs)

    async def write(self, stmt: Stmt, params: Params | list[Params] = {}) -> Any:  # noqa: B006  # never changed
        return await self.run(single, stmt, params)

    async def read(self, stmt: Stmt, params: Params = {}) -> list[Row]:  # noqa: B006  # never changed
        return await self._in(self._readers, self._select, stmt, params)

    async def read_script(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._in(self._readers, self._transaction, True, script, *args, **kwargs)

    async def close(self) -> None:
        for pool in (self._readers, self._writer):
            await asyncio.to_thread(pool.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        if self._lock:
            self._lock.release()

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def answer() -> T:
            try:
                return work(*args, **kwargs)
            except (sqlite3.Error, OverflowError, UnicodeEncodeError) as exc:
                known = translate(exc)
                if known is exc:
                    raise
                raise known from exc

        return await asyncio.get_running_loop().run_in_executor(pool, answer)

    def _connection(self, readonly: bool) -> sqlite3.Connection:
        """This thread's connection; a memory database has one for all."""
        readonly = readonly and self._path is not None
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect(readonly)
            self._connections.append(connection)
        return connection

    def _connect(self, readonly: bool) -> sqlite3.Connection:
        target = f"{self._path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}" if self._path else MEMORY
        connection = sqlite3.connect(
            target, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        for pragma in (*COMMON_PRAGMAS, *(("query_only=ON",) if readonly else WRITER_PRAGMAS)):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _select(self, stmt: Stmt, params: Params) -> list[Row]:
        text = stmt.sqlite
        return self._connection(readonly=True).execute(text.sql, text.named(params)).fetchall()

    def _transaction(self, readonly: bool, script: Callable[..., Script[T]], *args: Any, **kwargs: Any) -> T:
        connection = self._connection(readonly)
        # IMMEDIATE: a writer that upgrades from a read lock in the middle could be refused without waiting.
        connection.execute("BEGIN" if readonly else "BEGIN IMMEDIATE")
        try:
            value = _drive(connection, script(*args, **kwargs))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk rolls back by itself
                connection.execute("ROLLBACK")
            raise
        return value


def _drive(connection: sqlite3.Connection, script: Script[T]) -> T:
    answer: Any = None
    try:
        while True:
            stmt, params = script.send(answer)
            answer = _execute(connection, stmt.sqlite, params)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        script.close()


def _execute(connection: sqlite3.Connection, text: Compiled, params: Params | Any) -> list[Row] | int | None:
    if isinstance(params, list):
        connection.executemany(text.sql, [text.named(each) for each in params])
        return None
    cursor = connection.execute(text.sql, text.named(params))
    return cursor.fetchall() if text.returns_rows else cursor.rowcount
