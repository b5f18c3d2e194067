"""The SQL runner keeps its promises on SQLite and on PostgreSQL alike."""

import asyncio
from typing import Any

import pytest
from databases import database_url, db, postgres_database  # noqa: F401
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    select,
    text,
    update,
)

from server.core.errors import KommutatorError, StoreUnavailable
from server.sql import Database, Group, RowId, RowRefused, Script, Stmt, among, connect, create_all, insert

METADATA = MetaData()
THING = Table(
    "thing",
    METADATA,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("size", BigInteger),
    Column("weight", Float),
    Column("blob", LargeBinary),
)
C = THING.c
ADD = Stmt(insert(THING).inline(), columns=["name", "size"])
ADD_ONE = Stmt(insert(THING).returning(C.id), columns=["name", "size", "weight", "blob"])
ADD_NEW = Stmt(insert(THING).inline().on_conflict_do_nothing(index_elements=["name"]), columns=["name", "size"])
NAMES = Stmt(select(C.name).order_by(C.id))
FIRST = Stmt(select(C.name).where(C.size == 1).order_by(C.id).limit(2))
BY_ID = Stmt(select(C.name, C.size, C.weight, C.blob).where(C.id == bindparam("row_id")))
BY_NAMES = Stmt(select(C.name).where(among(C.name, "names")).order_by(C.name))
GROW = Stmt(update(THING).where(among(C.size, "sizes")).values(size=C.size + bindparam("by")))
COUNT = Stmt(select(func.count()).select_from(THING))


@pytest.fixture
async def things(db: Database) -> Database:  # noqa: F811
    await create_all(db, METADATA)
    return db


def store(names: list[str]) -> Script[list[str]]:
    yield ADD, [{"name": name, "size": len(name)} for name in names]
    return names


def rows_of(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "size": len(name)} for name in names]


async def names_in(db: Database) -> list[str]:  # noqa: F811
    return [name for (name,) in await db.read(NAMES)]


async def test_a_script_is_sent_the_rows_of_each_step(things: Database) -> None:
    """A script is sent the rows of a SELECT or RETURNING step, as plain tuples."""

    def script() -> Script[Any]:
        rows = yield ADD_ONE, {"name": "a", "size": 7, "weight": 1.5, "blob": b"\x00\xff"}
        return (yield BY_ID, {"row_id": rows[0][0]})

    assert await things.run(script) == [("a", 7, 1.5, b"\x00\xff")]


async def test_a_writing_step_is_sent_its_count(things: Database) -> None:
    """A step that returns no rows is sent the number of rows it touched."""
    await things.write(ADD, rows_of("a", "b", "cc"))

    assert await things.write(GROW, {"sizes": [1], "by": 5}) == 2


async def test_many_rows_go_in_one_step(things: Database) -> None:
    """A list of parameter sets is one step; an empty list is none."""
    await things.write(ADD, rows_of("a", "b"))
    await things.write(ADD, [])

    assert await names_in(things) == ["a", "b"]


async def test_a_list_parameter_selects_its_members(things: Database) -> None:
    """`among` takes a plain list, of texts or numbers, also an empty one."""
    await things.write(ADD, rows_of("a", "b", "c"))

    assert await things.read(BY_NAMES, {"names": ["c", "a", 'x"y']}) == [("a",), ("c",)]
    assert await things.read(BY_NAMES, {"names": []}) == []


async def test_constants_need_no_parameter(things: Database) -> None:
    """Constants written into a statement (comparisons, LIMIT) travel with it."""
    await things.write(ADD, rows_of("a", "bb", "c", "d"))

    assert await things.read(FIRST) == [("a",), ("c",)]


async def test_a_conflict_is_skipped(things: Database) -> None:
    """ON CONFLICT DO NOTHING means the same on both databases."""
    await things.write(ADD, rows_of("a"))

    assert await things.write(ADD_NEW, {"name": "a", "size": 9}) == 0


async def test_a_failed_script_leaves_nothing(things: Database) -> None:
    """An exception of the script rolls its transaction back and reaches the caller unchanged."""

    def script() -> Script[None]:
        yield ADD, rows_of("a")
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await things.run(script)
    assert await names_in(things) == []


async def test_a_refused_row_is_named(things: Database) -> None:
    """A row against a constraint raises RowRefused, and the transaction leaves nothing."""
    with pytest.raises(RowRefused, match="name"):
        await things.run(store, ["a", "b", "a"])

    assert await names_in(things) == []


async def test_a_read_sees_what_was_committed(things: Database) -> None:
    """A read that starts after a write returned sees it."""
    for n in range(20):
        await things.write(ADD, rows_of(f"n{n}"))
        assert (await things.read(COUNT))[0][0] == n + 1


async def test_reading_cannot_write(things: Database) -> None:
    """A read script that writes fails and changes nothing."""

    def script() -> Script[None]:
        yield ADD, rows_of("a")

    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await things.read_script(script)
    assert await names_in(things) == []


async def test_writers_do_not_lose_updates(things: Database) -> None:
    """Fifty concurrent increments of one row all count."""
    await things.write(ADD, {"name": "counter", "size": 0})
    grow = Stmt(update(THING).values(size=C.size + 1))

    await asyncio.gather(*(things.write(grow) for _ in range(50)))

    assert (await things.read(Stmt(select(C.size))))[0][0] == 50


async def test_readonly_needs_no_lock(database_url: str, things: Database) -> None:  # noqa: F811
    """A second, read-only opening works beside a writer, and cannot write."""
    await things.write(ADD, rows_of("a"))

    reader = await connect(database_url, readonly=True)
    try:
        assert await names_in(reader) == ["a"]
        with pytest.raises(KommutatorError):
            await reader.write(ADD, rows_of("b"))
    finally:
        await reader.close()


@pytest.mark.external_service
async def test_a_lost_connection_is_named_and_replaced() -> None:
    """A script whose connection dies under it raises StoreUnavailable; the next one gets a fresh connection."""
    url = await postgres_database()
    things = await connect(url)
    await create_all(things, METADATA)
    end_all = Stmt(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"))

    with pytest.raises(StoreUnavailable):
        await things.write(end_all)

    assert await names_in(things) == []
    await things.close()


@pytest.mark.external_service
async def test_a_missing_server_is_named() -> None:
    """Connecting to a server that is not there raises StoreUnavailable."""
    with pytest.raises(StoreUnavailable):
        await connect("postgresql://test@127.0.0.1:1/none")


@pytest.mark.external_service
async def test_a_deadlock_is_tried_again() -> None:
    """Two transactions that lock two rows crosswise both go through: the one that PostgreSQL breaks off runs anew."""
    things = await connect(await postgres_database())
    await create_all(things, METADATA)
    await things.write(ADD, rows_of("a", "b"))
    touch = Stmt(update(THING).where(C.name == bindparam("which")).values(size=C.size + 1))
    nap = Stmt(select(func.pg_sleep(0.2)))

    def cross(first: str, second: str) -> Script[None]:
        yield touch, {"which": first}
        yield nap, {}  # long enough that the other has its first row too; if not, the test passes without a deadlock
        yield touch, {"which": second}

    await asyncio.gather(things.run(cross, "a", "b"), things.run(cross, "b", "a"))

    assert await things.read(Stmt(select(C.size))) == [(3,), (3,)]
    await things.close()


async def test_group_commit_stores_every_row(things: Database) -> None:
    """Callers that come together share transactions; each gets the answer of its own row."""
    runs = 0

    def script(rows: list[str]) -> Script[list[str]]:
        nonlocal runs
        runs += 1
        return (yield from store(rows))

    group = Group(things, script)
    wanted = [f"n{i:03}" for i in range(300)]

    answers = await asyncio.gather(*(group.put(name) for name in wanted))

    assert answers == wanted
    assert await names_in(things) == wanted
    assert runs < 10


async def test_one_bad_row_fails_alone(things: Database) -> None:
    """A row that the database refuses fails for its caller only; the others of its transaction are stored."""
    group = Group(things, store)
    wanted = [f"n{i}" for i in range(30)]

    answers = await asyncio.gather(*(group.put(n) for n in [*wanted[:15], "n3", *wanted[15:]]), return_exceptions=True)

    assert [type(a) for a in answers if not isinstance(a, str)] == [RowRefused]
    assert await names_in(things) == wanted


async def test_group_commit_reports_an_outage(things: Database) -> None:
    """When the database is gone, each caller of the group hears StoreUnavailable."""

    def gone(rows: list[str]) -> Script[list[str]]:
        yield COUNT, {}
        raise StoreUnavailable

    group = Group(things, gone)

    answers = await asyncio.gather(group.put("a"), group.put("b"), return_exceptions=True)

    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]


async def test_closing_a_group_waits_for_its_rows(things: Database) -> None:
    """close returns when everything put before is stored, also for callers that went away."""
    group = Group(things, store)
    caller = asyncio.create_task(group.put("a"))
    await asyncio.sleep(0)
    caller.cancel()

    await group.close()

    assert await names_in(things) == ["a"]
