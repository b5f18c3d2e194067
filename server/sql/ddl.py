"""Tables: the types that bare drivers carry, and creating a schema where no migration is wanted (tests, memory)."""

from sqlalchemy import BigInteger, Float, Integer, LargeBinary, MetaData, Text
from sqlalchemy.schema import CreateIndex, CreateTable

from .database import Database
from .statement import Script, Stmt

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""The type of a key that the database counts up: SQLite does that only for a column spelled INTEGER."""

CARRIED = (BigInteger, Text, LargeBinary, Float)


def forbidden_columns(metadata: MetaData) -> list[str]:
    """Columns ("table.column TYPE") of types that would need SQLAlchemy's processors, which we do not run."""
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    return [f"{column} {column.type!r}" for column in columns if type(column.type) not in CARRIED]


def creation(metadata: MetaData) -> Script[None]:
    """Create what is missing of the tables and indexes."""
    for table in metadata.sorted_tables:
        yield Stmt(CreateTable(table, if_not_exists=True)), {}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield Stmt(CreateIndex(index, if_not_exists=True)), {}


async def create_all(db: Database, metadata: MetaData) -> None:
    """Create what is missing of the schema, in one transaction; for tests: an installation migrates."""
    await db.run(creation, metadata)
