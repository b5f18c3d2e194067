"""Bringing the database to the present schema."""

from server.lanes.schema import metadata as lanes_metadata
from server.sql import Database, create_all

from .schema import metadata


async def migrate(db: Database, url: str) -> None:  # noqa: ARG001
    """Create what is missing."""
    await create_all(db, metadata)
    await create_all(db, lanes_metadata)
