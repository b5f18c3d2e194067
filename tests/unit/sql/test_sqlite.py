"""What is SQLite's own: the memory database, the file lock, the reader's snapshot, the settings of the writer."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, func, select, text

from server.core.errors import ConfigError, StoreLocked, StoreUnavailable
from server.sql import FileLock, RowRefused, Script, Stmt, connect, create_all, insert

METADATA = MetaData()
NUMBER = Table("number", METADATA, Column("n", BigInteger, nullable=False))
ADD = Stmt(insert(NUMBER), columns=["n"])
COUNT = Stmt(select(func.count()).select_from(NUMBER))


async def test_memory_is_one_database() -> None:
    """Writes and reads of the memory database meet in one place."""
    db = await connect("sqlite:///:memory:")
    await create_all(db, METADATA)

    await db.write(ADD, {"n": 1})

    assert await db.read(COUNT) == [(1,)]
    await db.close()


async def test_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    """The writer runs with WAL and synchronous=FULL (2)."""
    db = await connect(f"sqlite:///{tmp_path / 'a.db'}")

    def pragmas() -> Script[tuple[str, int]]:
        mode = yield Stmt(select(text("journal_mode")).select_from(text("pragma_journal_mode"))), {}
        level = yield Stmt(select(text("synchronous")).select_from(text("pragma_synchronous"))), {}
        return mode[0][0], level[0][0]

    assert await db.run(pragmas) == ("wal", 2)
    await db.close()


async def test_the_second_writer_is_refused(tmp_path: Path) -> None:
    """A file that one writer holds is refused to the next, and free again after close."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    db = await connect(url)
    with pytest.raises(StoreLocked):
        await connect(url)

    await db.close()

    await (await connect(url)).close()


async def test_a_lock_taken_before_passes_to_the_database(tmp_path: Path) -> None:
    """Migrations take the lock first; the database takes it over and releases it."""
    path = tmp_path / "a.db"
    db = await connect(f"sqlite:///{path}", lock=FileLock.take(path))
    await db.close()

    FileLock.take(path).release()


async def test_reading_what_is_not_there(tmp_path: Path) -> None:
    """A read-only opening creates nothing: a missing file is an error."""
    with pytest.raises(StoreUnavailable, match=r"no database at .*a\.db"):
        await connect(f"sqlite:///{tmp_path / 'a.db'}", readonly=True)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # a temporary folder


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A damaged file is reported, and its lock given back."""
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all " * 100)

    with pytest.raises(StoreUnavailable, match="not a database"):
        await connect(f"sqlite:///{path}")

    FileLock.take(path).release()


async def test_an_unknown_database_is_a_mistake_of_the_settings() -> None:
    """Only SQLite and PostgreSQL are known."""
    with pytest.raises(ConfigError, match="mysql"):
        await connect("mysql://host/name")


async def test_a_read_script_sees_one_moment(tmp_path: Path) -> None:
    """A script of reads works on one snapshot, whatever is written meanwhile."""
    db = await connect(f"sqlite:///{tmp_path / 'a.db'}")
    await create_all(db, METADATA)
    loop = asyncio.get_running_loop()

    def twice() -> Script[tuple[int, int]]:
        before = yield COUNT, {}
        asyncio.run_coroutine_threadsafe(db.write(ADD, {"n": 1}), loop).result(10)
        after = yield COUNT, {}
        return before[0][0], after[0][0]

    assert await db.read_script(twice) == (0, 0)
    assert await db.read(COUNT) == [(1,)]
    await db.close()


async def test_a_number_too_large_is_refused() -> None:
    """A value that SQLite cannot hold is the row's fault, not an outage."""
    db = await connect("sqlite:///:memory:")
    await create_all(db, METADATA)

    with pytest.raises(RowRefused):
        await db.write(ADD, {"n": 1 << 70})
    await db.close()
