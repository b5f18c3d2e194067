"""Bringing a database to the present schema: Alembic's revisions in one transaction, on either database.

Whoever migrates SQLite holds its file lock (`connect` took it); on PostgreSQL the nodes that start together queue at an
advisory lock. A start with nothing to migrate costs one query and does not import Alembic.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from server.core.errors import ConfigError, StoreUnavailable
from server.lanes.schema import metadata as lanes_metadata
from server.sql import Database, Stmt, create_all, sqlite_path

from .migrations import REVISIONS
from .schema import metadata

METADATA: tuple[MetaData, ...] = (metadata, lanes_metadata)
"""All tables of an installation."""

LOCK = 0x6B6F6D6D
"""The number of PostgreSQL's advisory lock ("komm")."""

BUSY_S = 20.0
"""How long to wait for readers of a SQLite file, seconds."""

IS_SET_UP = {
    "sqlite": Stmt(text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")),
    "postgresql": Stmt(text("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL")),
}
REVISION = Stmt(text("SELECT version_num FROM alembic_version"))


async def migrate(db: Database, url: str) -> str | None:
    """Bring the open database at `url` to the present schema; returns the revision that it had, None if it was empty.

    Raises ConfigError when a newer version of this program has migrated it, StoreUnavailable when it cannot be done;
    the database is then as it was.
    """
    before = await revision(db)
    if before == REVISIONS[-1]:
        return before
    if before not in (None, *REVISIONS):
        raise _newer(before)
    path = sqlite_path(url)
    try:
        if db.dialect == "postgresql":
            await _upgrade_postgres(url)
        elif path:
            await asyncio.to_thread(_upgrade_sqlite, path)
        else:  # memory has one connection, the runner's, and no past
            for tables in METADATA:
                await create_all(db, tables)
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as exc:
        raise StoreUnavailable(f"The database cannot be migrated: {exc}") from exc
    return before


async def revision(db: Database) -> str | None:
    """The revision of the database's schema, None when it has none."""
    rows = await db.read(REVISION) if await db.read(IS_SET_UP[db.dialect]) else []
    return str(rows[0][0]) if rows else None


async def check_current(db: Database) -> None:
    """Raise ConfigError unless the schema is the present one: for who reads and may not migrate."""
    found = await revision(db)
    if found == REVISIONS[-1]:
        return
    if found not in (None, *REVISIONS):
        raise _newer(found)
    raise ConfigError(f"The database is at revision {found or '(none)'}; migrate it: python -m server migrate")


def _newer(found: str | None) -> ConfigError:
    return ConfigError(
        f"The database is at revision {found}, which this version does not know: a newer one migrated it. "
        "Install that version again, or restore the backup made before the upgrade."
    )


def _upgrade_sqlite(path: Path) -> None:
    """Python's sqlite3 begins no transaction before DDL, so we do it: half a migration must not stay."""

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(path, timeout=BUSY_S, isolation_level=None),
        poolclass=NullPool,
    )
    event.listen(engine, "begin", begin)
    with engine.begin() as connection:
        _upgrade(connection)


async def _upgrade_postgres(url: str) -> None:
    """The driver connects by itself, so that it reads the URL as it does for the runner."""
    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect() -> Any:
        return await asyncpg.connect("postgresql:" + url.partition(":")[2])

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it speaks of DDL without transactions: here it has one
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as exc:  # another node, of a newer version, was faster
        raise ConfigError(f"The database cannot be migrated by this version: {exc}") from exc
