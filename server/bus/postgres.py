"""PostgreSQL's LISTEN/NOTIFY: told in the transaction that made the change, heard on a connection of its own.

A notification is lost only while nobody listens: then everything is read anew. Whoever listens through a pooler needs
one that pools sessions.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import asyncpg
import msgspec
import structlog
from sqlalchemy import bindparam, func, select

from server.core.errors import StoreUnavailable
from server.core.ports import News
from server.sql import Script, Stmt

log = structlog.get_logger()

CHANNEL = "kommutator"
NOTIFY = Stmt(select(func.pg_notify(CHANNEL, bindparam("payload"))))
MOST_BYTES = 7900
"""PostgreSQL takes less than 8000 bytes at a time."""

AT_ONCE = 4
"""Pieces of news that are heard at a time: half of a node's connections."""

PULSE_S = 10.0
ANSWER_S = 5.0
"""How often the connection is tried, and how long it may take to answer: a dead one may look alive for hours."""

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before each new try to listen, or to read everything anew; the last one repeats."""

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(tuple[str, list[News]]).decode


class PostgresBus:
    """Fills `core.ports.Bus`."""

    is_alone = False

    def __init__(self, url: str, *, pulse_s: float = PULSE_S) -> None:
        self._url = "postgresql:" + url.partition(":")[2]
        self._pulse_s = pulse_s
        self._name = os.urandom(6).hex()
        self._hear: Callable[[News], Awaitable[None]] | None = None
        self._missed: Callable[[], Awaitable[None]] | None = None
        self._news: dict[News, None] = {}
        self._is_behind = False
        self._came = asyncio.Event()
        self._lost = asyncio.Event()
        self._connection: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    def telling(self, *news: News) -> Script[None]:
        """See `core.ports.Bus.telling`."""
        for payload in _payloads(self._name, news):
            yield NOTIFY, {"payload": payload}

    async def start(self) -> None:
        """See `core.ports.Bus.start`."""
        try:
            await self._listen()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as exc:
            raise StoreUnavailable(f"Cannot listen to the other nodes: {exc}") from exc
        self._tasks.append(asyncio.create_task(self._keep_listening()))

    def subscribe(self, hear: Callable[[News], Awaitable[None]], missed: Callable[[], Awaitable[None]]) -> None:
        """See `core.ports.Bus.subscribe`."""
        self._hear, self._missed = hear, missed
        self._tasks.append(asyncio.create_task(self._keep_hearing()))

    async def close(self) -> None:
        """See `core.ports.Bus.close`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._drop()

    # -- listening -------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        settings = {"application_name": "kommutator-bus"}
        self._connection = await asyncpg.connect(self._url, timeout=ANSWER_S, server_settings=settings)
        self._lost.clear()
        self._connection.add_termination_listener(lambda _: self._lost.set())
        await self._connection.add_listener(CHANNEL, self._take)

    async def _keep_listening(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), self._pulse_s)
            try:
                await self._connection.fetchval("SELECT 1", timeout=ANSWER_S)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as exc:
                log.warning("bus_lost", reason=type(exc).__name__)
                await self._listen_again()

    async def _listen_again(self) -> None:
        for pause_s in _pauses():
            self._drop()
            try:
                await self._listen()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as exc:
                log.warning("bus_away", reason=type(exc).__name__)
                await asyncio.sleep(pause_s)
            else:
                break
        self._is_behind = True
        self._came.set()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    def _take(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        try:
            sender, news = _decode(payload)
        except msgspec.MsgspecError:  # of another version's node, perhaps: what it said is not known
            log.warning("bus_riddle")
            self._is_behind = True
        else:
            if sender == self._name:
                return
            self._news.update(dict.fromkeys(news))
        self._came.set()

    # -- hearing ---------------------------------------------------------------------------------------------------

    async def _keep_hearing(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            if self._is_behind:
                await self._catch_up()
            lot, self._news = list(self._news), {}
            for start in range(0, len(lot), AT_ONCE):
                await asyncio.gather(*(self._tell(one) for one in lot[start : start + AT_ONCE]))

    async def _tell(self, one: News) -> None:
        assert self._hear is not None  # noqa: S101  # set before the task began
        try:
            await self._hear(one)
        except Exception:
            log.exception("news_not_heard", topic=one.topic, account=one.account_id)
            self._is_behind = True
            self._came.set()

    async def _catch_up(self) -> None:
        """What came before is part of what is read now; what comes meanwhile is heard after it."""
        assert self._missed is not None  # noqa: S101  # set before the task began
        for pause_s in _pauses():
            self._news, self._is_behind = {}, False
            try:
                await self._missed()
            except Exception:
                log.exception("not_caught_up")
                await asyncio.sleep(pause_s)
            else:
                log.info("caught_up")
                return


def _pauses() -> Iterator[float]:
    yield from PAUSES_S
    while True:
        yield PAUSES_S[-1]


def _payloads(name: str, news: Sequence[News]) -> Iterator[str]:
    """As few as they fit into. A single piece too large is a fault of who told it."""
    lot: list[News] = []
    size = len(name) + 6
    for one in news:
        its_size = len(_encode(one)) + 1
        if lot and size + its_size > MOST_BYTES:
            yield _encode((name, lot)).decode()
            lot, size = [], len(name) + 6
        lot.append(one)
        size += its_size
    if lot:
        yield _encode((name, lot)).decode()
