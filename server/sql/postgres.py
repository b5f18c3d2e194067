"""PostgreSQL over asyncpg: a small pool, a script awaited statement by statement.

The pool's `RESET ALL` after each use is switched off: it costs a round trip per transaction, and no statement of ours
changes the session.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, Self, TypeVar

import asyncpg

from .database import single
from .errors import translate
from .statement import Compiled, Params, Row, Script, Stmt

P = ParamSpec("P")
T = TypeVar("T")

POOL = 8
"""Connections per node: the pump, the group commits and a few readers; PostgreSQL's default limit is 100 for all."""

ACQUIRE_S = 5.0
COMMAND_S = 30.0
"""How long to wait for a free connection, and for one statement, seconds."""

TRIES = 4
"""Attempts of a transaction that PostgreSQL breaks off to resolve a deadlock or a serialization conflict."""


class Postgres:
    """A PostgreSQL database as a `Database`."""

    dialect = "postgresql"

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, readonly: bool) -> Self:
        """See `database.connect`."""
        settings = {"application_name": "kommutator", "jit": "off"}  # JIT: never worth it for statements of 1 ms
        if readonly:
            settings["default_transaction_read_only"] = "on"
        async with cls._translated():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=POOL,
                reset=_keep,
                timeout=ACQUIRE_S,
                command_timeout=COMMAND_S,
                server_settings=settings,
            )
        return cls(pool)

    async def run(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._translated():
            for _ in range(TRIES - 1):
                try:
                    return await self._transaction(script(*args, **kwargs))
                except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                    continue  # it was rolled back, and the other transaction of the knot went through
            return await self._transaction(script(*args, **kwargs))

    async def write(self, stmt: Stmt, params: Params | list[Params] = {}) -> Any:  # noqa: B006  # never changed
        return await self.run(single, stmt, params)

    async def read(self, stmt: Stmt, params: Params = {}) -> list[Row]:  # noqa: B006  # never changed
        text = stmt.postgresql
        async with self._translated(), self._pool.acquire(timeout=ACQUIRE_S) as connection:
            return _plain(await connection.fetch(text.sql, *text.positional(params)))

    async def read_script(self, script: Callable[P, Script[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._translated():
            return await self._transaction(script(*args, **kwargs), isolation="repeatable_read", readonly=True)

    async def close(self) -> None:
        async with self._translated():
            await self._pool.close()

    async def _transaction(self, script: Script[T], **options: Any) -> T:
        async with self._pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction(**options):
            return await _drive(connection, script)

    @staticmethod
    @asynccontextmanager
    async def _translated() -> AsyncIterator[None]:
        try:
            yield
        except Exception as exc:
            known = translate(exc)
            if known is exc:
                raise
            raise known from exc


async def _keep(_connection: Any) -> None:
    """Leave the connection as it is."""


async def _drive(connection: Any, script: Script[T]) -> T:
    answer: Any = None
    try:
        while True:
            stmt, params = script.send(answer)
            answer = await _execute(connection, stmt.postgresql, params)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        script.close()


async def _execute(connection: Any, text: Compiled, params: Params | Any) -> list[Row] | int | None:
    if isinstance(params, list):
        await connection.executemany(text.sql, [text.positional(each) for each in params])
        return None
    values = text.positional(params)
    if text.returns_rows:
        return _plain(await connection.fetch(text.sql, *values))
    status: str = await connection.execute(text.sql, *values)  # "UPDATE 3", "CREATE TABLE"
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


def _plain(records: list[Any]) -> list[Row]:
    return [tuple(record) for record in records]
