"""Calls that are at nobody's card in amoCRM are found by an index of their own."""

from alembic import op
from sqlalchemy import BigInteger, Column, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the mark and its index. No call was a stray before: unknown numbers were tried again and again."""
    with op.batch_alter_table("call") as batch:
        batch.add_column(Column("is_stray", BigInteger, nullable=False, server_default="0"))
    where = text("is_stray = 1")
    op.create_index("call_stray", "call", ["account_id", "started_ms"], sqlite_where=where, postgresql_where=where)
