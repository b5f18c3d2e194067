"""Migrations end in the very schema that the code expects, on SQLite and PostgreSQL alike."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import database_url, db, postgres_database  # noqa: F401
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from server.core.errors import ConfigError, StoreUnavailable
from server.sql import Database, FileLock, Stmt, connect, create_all, forbidden_columns, sqlite_path
from server.store import migrate as migration
from server.store.migrate import METADATA, check_current, migrate, revision
from server.store.migrations import REVISIONS

HEAD = REVISIONS[-1]
NUMBERED = Stmt(text("UPDATE alembic_version SET version_num = 'f999'"))
SQLITE_OBJECTS = Stmt(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL"))
POSTGRES_INDEXES = Stmt(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
POSTGRES_TABLES = Stmt(
    text(
        "SELECT relname, array_to_string(reloptions, ',') FROM pg_class WHERE relkind = 'r' AND relname !~ '^pg_|^sql_'"
    )
)


async def dump(database: Database) -> dict[str, str]:
    """Every table and index as the database itself describes it, down to the partial indexes' conditions."""
    if database.dialect == "sqlite":
        rows = await database.read(SQLITE_OBJECTS)
        return {name: re.sub(r"[\s\"]+|\w+\.(?=\w+ (=|<|>))|IF NOT EXISTS", "", sql) for name, sql in rows}
    rows = await database.read(POSTGRES_INDEXES) + await database.read(POSTGRES_TABLES)
    return {name: str(definition) for name, definition in rows if not name.startswith("alembic")}


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), list(METADATA)))


async def test_nothing_differs_from_the_metadata(db: Database, database_url: str) -> None:  # noqa: F811
    """Alembic, asked what a new revision would have to change, finds nothing."""
    await migrate(db, database_url)

    if db.dialect == "sqlite":
        with create_engine(database_url).connect() as connection:
            assert differences(connection) == []
    else:
        engine = create_async_engine(database_url.replace("postgresql", "postgresql+asyncpg"))
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
        await engine.dispose()


async def test_indexes_and_storage_options_are_the_same(
    db: Database,  # noqa: F811
    database_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """What Alembic does not compare (partial indexes, fill factors) equals a schema made from the metadata."""
    await migrate(db, database_url)
    is_sqlite = db.dialect == "sqlite"
    plain = await connect(f"sqlite:///{tmp_path / 'plain.db'}" if is_sqlite else await postgres_database())
    for tables in METADATA:
        await create_all(plain, tables)

    migrated, expected = await dump(db), await dump(plain)
    await plain.close()

    assert migrated == expected
    assert len(expected) > 30


def test_only_types_that_bare_drivers_carry() -> None:
    """No column needs a processor that the runner does not run."""
    assert [column for tables in METADATA for column in forbidden_columns(tables)] == []


def test_the_list_of_revisions_is_whole() -> None:
    """The revisions known without Alembic are those that it finds in the folder, in their order."""
    folder = Path(migration.__file__).with_name("migrations")
    config = Config()
    config.set_main_option("script_location", str(folder))

    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]

    assert list(REVISIONS) == found[::-1]


async def test_a_second_start_migrates_nothing(db: Database, database_url: str) -> None:  # noqa: F811
    """Migrating a current database changes nothing and says so."""
    assert await migrate(db, database_url) is None

    assert await migrate(db, database_url) == HEAD
    await check_current(db)


async def test_a_newer_database_is_refused(db: Database, database_url: str) -> None:  # noqa: F811
    """A database of a newer version is neither changed nor read; the error tells the cure."""
    await migrate(db, database_url)
    await db.write(NUMBERED)

    with pytest.raises(ConfigError, match="a newer one migrated it"):
        await migrate(db, database_url)
    with pytest.raises(ConfigError, match="f999"):
        await check_current(db)


async def test_an_empty_database_is_not_read(db: Database) -> None:  # noqa: F811
    """A reader of a database without our tables is told to migrate it."""
    with pytest.raises(ConfigError, match="python -m server migrate"):
        await check_current(db)


async def test_half_a_migration_does_not_stay(db: Database, database_url: str) -> None:  # noqa: F811
    """When a revision fails in the middle, the database is as it was before."""
    await db.write(Stmt(text("CREATE TABLE job (id BIGINT)")))  # the last table of the revision is in the way

    with pytest.raises(StoreUnavailable, match="job"):
        await migrate(db, database_url)

    assert await revision(db) is None
    assert {name for name in await dump(db) if not name.startswith("job")} == set()


async def test_the_runner_goes_on_after_a_migration(db: Database, database_url: str) -> None:  # noqa: F811
    """The connections that were open before see the new tables."""
    await migrate(db, database_url)

    assert await db.read(Stmt(text("SELECT * FROM call"))) == []
    assert await db.write(Stmt(text("DELETE FROM call"))) == 0


async def test_memory_has_the_schema() -> None:
    """A database in memory gets its tables through the runner's only connection."""
    memory = await connect("sqlite:///:memory:")

    await migrate(memory, "sqlite:///:memory:")

    assert await memory.read(Stmt(text("SELECT * FROM job"))) == []
    await memory.close()


@pytest.mark.external_service
async def test_nodes_that_start_together_migrate_once() -> None:
    """Several nodes start on an empty PostgreSQL at once: all of them come up."""
    url = await postgres_database()
    nodes = [await connect(url) for _ in range(4)]

    await asyncio.gather(*(migrate(node, url) for node in nodes))

    assert [await revision(node) for node in nodes] == [HEAD] * 4
    for node in nodes:
        await node.close()


async def test_a_reader_does_not_stop_a_migration(tmp_path: Path) -> None:
    """A report that reads the SQLite file (WAL) while it is migrated makes nobody wait."""
    url = f"sqlite:///{tmp_path / 'k.db'}"
    path = sqlite_path(url)
    assert path
    db = await connect(url, lock=FileLock.take(path))  # noqa: F811
    reader = sqlite3.connect(path)
    reader.execute("BEGIN").execute("SELECT count(*) FROM sqlite_master").fetchall()

    async with asyncio.timeout(5):
        await migrate(db, url)

    reader.close()
    await db.close()
