"""Group commit: while one transaction is on its way to the disk, the next callers gather; they share the next one.

At 5 000 webhooks a second a commit each would be 5 000 fsyncs; together they are a few dozen. A lone caller waits
for nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from server.core.errors import StoreUnavailable

from .database import Database
from .statement import Script

R = TypeVar("R")
T = TypeVar("T")

Waiting = tuple[R, asyncio.Future[T]]


class Group(Generic[R, T]):
    """Rows of many callers, stored in shared transactions, in the order in which they came.

    `script(rows)` stores them and returns one answer per row. It may run again with a part of the rows: a row that
    the database refuses fails alone.
    """

    def __init__(self, db: Database, script: Callable[[list[R]], Script[Sequence[T]]], *, most: int = 500) -> None:
        self._db = db
        self._script = script
        self._most = most  # rows per transaction: keeps the writer free for others in between
        self._waiting: list[Waiting[R, T]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, row: R) -> T:
        """Store a row; returns when it is durable. Raises StoreUnavailable, RowRefused, or what the script raises.

        A caller that is cancelled leaves its row in the group: it is stored all the same.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._flush())
        return await answer

    async def close(self) -> None:
        """Wait until everything put so far is stored or refused."""
        while self._task:
            await asyncio.wait([self._task])

    async def _flush(self) -> None:
        try:
            while self._waiting:
                lot, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._store(lot)
        finally:
            self._task = None

    async def _store(self, lot: list[Waiting[R, T]]) -> None:
        """One transaction for all; if a row is to blame, halve until it stands alone."""
        try:
            answers = await self._db.run(self._script, [row for row, _ in lot])
            _answer(lot, answers)
        except asyncio.CancelledError:
            for _, future in lot + self._waiting:
                future.cancel()
            raise
        except Exception as exc:  # noqa: BLE001  # handed to the caller, who can answer it
            if isinstance(exc, StoreUnavailable) or len(lot) == 1:
                _refuse(lot, exc)
                return
            middle = len(lot) // 2
            await self._store(lot[:middle])
            await self._store(lot[middle:])


def _answer(lot: list[Waiting[R, T]], answers: Sequence[T]) -> None:
    for (_, future), answer in zip(lot, answers, strict=True):
        if not future.done():
            future.set_result(answer)


def _refuse(lot: list[Waiting[R, T]], error: Exception) -> None:
    for _, future in lot:
        if not future.done():
            future.set_exception(error)
