"""The first schema: accounts, lines, calls, phone book, lanes.

Plain on purpose and independent of `schema`: it says what the tables were, not what they are.
"""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Text, text

revision = "0001"
down_revision = None

BUSY = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 1000}


def upgrade() -> None:
    """Create everything."""
    _accounts()
    _lines()
    _calls()
    _book()
    _lanes()


def _accounts() -> None:
    op.create_table(
        "account",
        _number("id", primary_key=True, autoincrement=False),
        _text("host"),
        _text("origin"),
        _text("name"),
        _text("state"),
        _blob("tokens", nullable=True),
        _text("hook_secret"),
        _text("prefs"),
        _text("progress"),
        _number("created_ms"),
        _number("changed_ms"),
    )
    op.create_table(
        "crm_user",
        _number("account_id"),
        _number("id"),
        _text("name"),
        _number("group_id"),
        _number("is_admin"),
        _number("is_active"),
        _text("rights"),
        PrimaryKeyConstraint("account_id", "id"),
    )
    op.create_table(
        "spent_token",
        _text("jti", primary_key=True),
        _number("account_id"),
        _number("user_id"),
        _number("exp_ms"),
    )
    _index("spent_token_exp", "spent_token", ["exp_ms"])
    op.create_table(
        "alert",
        _number("account_id"),
        _text("slug"),
        _text("subject"),
        _text("details"),
        _number("at_ms"),
        _number("times"),
        PrimaryKeyConstraint("account_id", "slug", "subject"),
    )


def _lines() -> None:
    op.create_table(
        "line",
        _text("id", primary_key=True),
        _number("account_id"),
        _text("provider"),
        _text("name"),
        _text("path_hash", unique=True),
        _blob("secrets"),
        _text("options"),
        _number("created_ms"),
        _number("last_hook_ms", nullable=True),
    )
    _index("line_account", "line", ["account_id"])
    op.create_table(
        "agent",
        _text("line_id"),
        _text("extension"),
        _number("user_id"),
        _number("account_id"),
        PrimaryKeyConstraint("line_id", "extension", "user_id"),
    )
    _index("agent_account", "agent", ["account_id"])


def _calls() -> None:
    op.create_table(
        "hook",
        _counted(),
        _text("line_id"),
        _text("key"),
        _number("received_ms"),
        _blob("raw"),
        _number("state"),
        _text("call_id", nullable=True),
        _text("note", nullable=True),
    )
    _index("hook_age", "hook", ["received_ms"])
    _index("hook_call", "hook", ["call_id"])
    _index("hook_key", "hook", ["line_id", "key"], unique=True)
    _index("hook_new", "hook", ["id"], where="state = 0")
    op.create_table(
        "call",
        _text("id", primary_key=True),
        _number("account_id"),
        _text("line_id"),
        _text("call_ref"),
        _text("client_phone", nullable=True),
        _number("started_ms"),
        _number("over_ms", nullable=True),
        _number("is_live"),
        _text("body"),
        _text("crm", nullable=True),
    )
    _index("call_account", "call", ["account_id", "started_ms"])
    _index("call_live", "call", ["account_id"], where="is_live = 1")
    _index("call_over", "call", ["over_ms"])
    _index("call_ref", "call", ["line_id", "call_ref"], unique=True)
    _index("call_started", "call", ["started_ms"])
    op.create_table(
        "card",
        _text("call_id"),
        _number("agent_id"),
        _number("noticed_ms", nullable=True),
        _number("dismissed_ms", nullable=True),
        PrimaryKeyConstraint("call_id", "agent_id"),
    )
    op.create_table(
        "dial",
        _text("id", primary_key=True),
        _number("account_id"),
        _number("agent_id"),
        _text("line_id"),
        _text("key"),
        _number("created_ms"),
        _text("call_id", nullable=True),
        _number("is_waiting"),
        _text("body"),
    )
    _index("dial_call", "dial", ["call_id"])
    _index("dial_key", "dial", ["account_id", "agent_id", "key"], unique=True)
    _index("dial_waiting", "dial", ["line_id"], where="is_waiting = 1")


def _book() -> None:
    op.create_table(
        "entry",
        _number("account_id"),
        _text("noun"),
        _number("id"),
        _text("name"),
        _number("owner_id"),
        _number("group_id"),
        _number("company_id"),
        _number("updated_s"),
        _number("is_open"),
        PrimaryKeyConstraint("account_id", "noun", "id"),
    )
    op.create_table(
        "phone",
        _number("account_id"),
        _text("last10"),
        _text("noun"),
        _number("entity_id"),
        PrimaryKeyConstraint("account_id", "last10", "noun", "entity_id"),
    )
    _index("phone_entity", "phone", ["account_id", "noun", "entity_id"])
    op.create_table(
        "bond",
        _number("account_id"),
        _text("noun"),
        _number("entity_id"),
        _number("lead_id"),
        PrimaryKeyConstraint("account_id", "noun", "entity_id", "lead_id"),
    )
    _index("bond_lead", "bond", ["account_id", "lead_id"])


def _lanes() -> None:
    op.create_table(
        "lane",
        _text("lane", primary_key=True),
        _number("next_ms"),
        _number("hold_ms", server_default="0"),
        _number("lease_ms", server_default="0"),
        _text("owner", nullable=True),
        postgresql_with=BUSY,
    )
    _index("lane_next", "lane", ["next_ms"])
    op.create_table(
        "job",
        _counted(),
        _text("lane"),
        _text("kind"),
        _text("key", unique=True),
        _text("grp", nullable=True),
        _number("state"),
        _number("tries"),
        _number("due_ms"),
        _number("dead_ms"),
        _number("at_ms"),
        _text("body"),
        _text("note", nullable=True),
        postgresql_with=BUSY,
    )
    _index("job_due", "job", ["lane", "due_ms", "id"], where="state < 2")
    _index("job_grp", "job", ["grp"], where="state < 2")
    _index("job_over", "job", ["state", "at_ms"], where="state >= 2")


def _counted() -> Column[Any]:
    """A key that the database counts up: SQLite does that only for a column spelled INTEGER."""
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)


def _number(name: str, *, nullable: bool = False, **options: Any) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable, **options)


def _text(name: str, *, nullable: bool = False, **options: Any) -> Column[Any]:
    return Column(name, Text, nullable=nullable, **options)


def _blob(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, LargeBinary, nullable=nullable)


def _index(name: str, table: str, columns: list[str], *, unique: bool = False, where: str = "") -> None:
    rows: dict[str, Any] = {"sqlite_where": text(where), "postgresql_where": text(where)} if where else {}
    op.create_index(name, table, columns, unique=unique, **rows)
