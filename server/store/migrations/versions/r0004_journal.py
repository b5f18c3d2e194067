"""The journal, and what calls are looked for by: how they ended and whose they are."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, text

from server.sql import RowId

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table, the columns and their indexes. Of calls before, it is not known whose they were."""
    op.create_table(
        "journal",
        Column("id", RowId, autoincrement=True),
        Column("call_id", Text, nullable=False),
        Column("at_ms", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("journal_call", "journal", ["call_id"])
    with op.batch_alter_table("call") as batch:
        batch.add_column(Column("result", Text, nullable=False, server_default=text("''")))
        batch.add_column(Column("agents", Text, nullable=False, server_default=text("''")))
    op.create_index("call_phone", "call", ["account_id", "client_phone", "started_ms"])
    where = text("is_live = 0 AND crm IS NULL")
    op.create_index("call_unfiled", "call", ["account_id", "started_ms"], sqlite_where=where, postgresql_where=where)
    op.execute(_results(op.get_bind().dialect.name))


def _results(dialect: str) -> str:
    """The word of each call so far, out of its JSON."""
    state, result = (
        ("json_extract(body, '$.verdict.state')", "json_extract(body, '$.verdict.result')")
        if dialect == "sqlite"
        else ("body::json -> 'verdict' ->> 'state'", "body::json -> 'verdict' ->> 'result'")
    )
    return f"UPDATE call SET result = CASE WHEN {state} = 'ended' THEN coalesce({result}, 'unknown') ELSE {state} END"  # noqa: S608
