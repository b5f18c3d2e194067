"""Recordings: what we keep of them, and what became of it."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table with its indexes."""
    op.create_table(
        "recording",
        _text("call_id"),
        _text("key"),
        _number("account_id"),
        _text("line_id"),
        _text("state"),
        _number("attempts"),
        _text("name"),
        _number("size"),
        _text("content_type"),
        _number("duration_ms", nullable=True),
        _number("at_ms"),
        _number("changed_ms"),
        _number("listened"),
        _number("listened_ms", nullable=True),
        _number("revoked_ms", nullable=True),
        PrimaryKeyConstraint("call_id", "key"),
    )
    op.create_index("recording_changed", "recording", ["changed_ms"])
    _partial("recording_age", "state = 'available' OR state = 'fetched'")
    _partial("recording_over", "state = 'expired' AND name != ''")


def _partial(name: str, where: str) -> None:
    op.create_index(name, "recording", ["at_ms"], sqlite_where=text(where), postgresql_where=text(where))


def _number(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)
