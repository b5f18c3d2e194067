"""The bus: what one process tells in a transaction, the others hear once it has committed."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from databases import database_url, db  # noqa: F401
from sqlalchemy import text

from server.bus import choose
from server.bus.postgres import PostgresBus
from server.core.errors import StoreUnavailable
from server.core.ports import News, Topic
from server.sql import Database, Script, Stmt

END_LISTENERS = Stmt(
    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kommutator-bus'"
         " AND datname = current_database()")
)  # fmt: skip


def news(number: int) -> News:
    return News(Topic.CALL, 31, f"c_{number}")


class Ear:
    """A process that listens: what it heard, and how often it had to read everything anew."""

    def __init__(self, db: Database, url: str) -> None:  # noqa: F811
        self.bus = choose(db, url)
        self.db = db
        self.heard: list[News] = []
        self.missed = 0
        self.faults: list[Exception] = []
        self.changed = asyncio.Event()

    async def begin(self) -> None:
        await self.bus.start()
        self.bus.subscribe(self.hear, self.miss)

    async def hear(self, one: News) -> None:
        if self.faults:
            raise self.faults.pop()
        self.heard.append(one)
        self.changed.set()

    async def miss(self) -> None:
        if self.faults:
            raise self.faults.pop()
        self.missed += 1
        self.changed.set()

    async def tell(self, *several: News) -> None:
        await self.db.run(self.bus.telling, *several)

    async def until(self, *, heard: int = 0, missed: int = 0) -> None:
        async with asyncio.timeout(10):
            while len(self.heard) < heard or self.missed < missed:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def ears(db: Database, database_url: str) -> AsyncIterator[tuple[Ear, Ear]]:  # noqa: F811
    """Two processes on one database."""
    both = Ear(db, database_url), Ear(db, database_url)
    for ear in both:
        await ear.begin()
    yield both
    for ear in both:
        await ear.bus.close()


def is_alone(ear: Ear) -> bool:
    """On SQLite there is nobody to tell: telling costs nothing and is heard by nobody."""
    return ear.db.dialect == "sqlite"


async def test_the_others_hear_it_and_the_teller_does_not(ears: tuple[Ear, Ear]) -> None:
    """Whoever made the change knows it already."""
    here, there = ears
    await here.tell(news(1))
    assert here.bus.is_alone is is_alone(here)
    if is_alone(here):
        return
    await there.until(heard=1)
    await there.tell(news(2))
    await here.until(heard=1)

    assert (here.heard, there.heard) == ([news(2)], [news(1)])


async def test_what_was_rolled_back_was_never_told(ears: tuple[Ear, Ear]) -> None:
    """News and change are one transaction."""
    here, there = ears

    def broken() -> Script[None]:
        yield from here.bus.telling(news(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await here.db.run(broken)
    await here.tell(news(2))
    if not is_alone(here):
        await there.until(heard=1)
        assert there.heard == [news(2)]


async def test_much_news_arrives_whole(ears: tuple[Ear, Ear]) -> None:
    """PostgreSQL takes less than 8000 bytes at a time: a thousand pieces go in several."""
    here, there = ears
    await here.tell(*map(news, range(1000)))
    if not is_alone(here):
        await there.until(heard=1000)
        assert set(there.heard) == set(map(news, range(1000)))


@pytest.mark.external_service
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_could_not_listen_reads_everything_anew(ears: tuple[Ear, Ear]) -> None:
    """A connection that broke may have lost news; a second one listens on."""
    here, there = ears
    await here.db.read(END_LISTENERS)
    await there.until(missed=1)
    await here.tell(news(1))
    await there.until(heard=1)

    assert there.heard == [news(1)]


@pytest.mark.external_service
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_news_that_could_not_be_heard_is_made_up_for(ears: tuple[Ear, Ear]) -> None:
    """The store was away while it was read: everything is read anew, again and again until that succeeds."""
    here, there = ears
    there.faults = [StoreUnavailable(), StoreUnavailable()]
    await here.tell(news(1))
    await there.until(missed=1)

    assert (there.heard, there.faults) == ([], [])


@pytest.mark.external_service
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_riddle_counts_as_missed(ears: tuple[Ear, Ear], database_url: str) -> None:  # noqa: F811
    """A node of another version may say what this one does not understand."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SELECT pg_notify('kommutator', 'жук')")
    await connection.close()

    await ears[1].until(missed=1)


async def test_a_database_that_is_away_is_named_at_the_start() -> None:
    """A process that could not hear the others must not start."""
    with pytest.raises(StoreUnavailable):
        await PostgresBus("postgresql://nobody@127.0.0.1:1/none").start()
