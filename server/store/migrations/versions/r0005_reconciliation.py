"""Comparisons with the PBXs' statistics."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

from server.sql import RowId

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table with its index."""
    op.create_table(
        "reconciliation",
        Column("id", RowId, autoincrement=True),
        Column("line_id", Text, nullable=False),
        _number("account_id"),
        _number("at_ms"),
        _number("since_ms"),
        _number("until_ms"),
        _number("told"),
        _number("added"),
        _number("corrected"),
        _number("doubtful"),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("reconciliation_line", "reconciliation", ["line_id", "at_ms"])


def _number(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)
