"""The tables, once for both databases. Types are the four that bare drivers carry (`server.sql.forbidden_columns`)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    literal_column,
    or_,
    text,
)

from server.sql import RowId, lit

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # amoCRM's
    Column("host", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tokens", LargeBinary),
    Column("hook_secret", Text, nullable=False),
    Column("prefs", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

crm_user = Table(
    "crm_user",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("is_admin", BigInteger, nullable=False),
    Column("is_active", BigInteger, nullable=False),
    Column("rights", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "id"),
)

line = Table(
    "line",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("path_hash", Text, nullable=False, unique=True),  # of the secret path: a stolen file opens no webhook
    Column("secrets", LargeBinary, nullable=False),  # sealed: the secret path and the credentials
    Column("options", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("last_hook_ms", BigInteger),
    Index("line_account", "account_id"),
)

agent = Table(
    "agent",
    metadata,
    Column("line_id", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("line_id", "extension", "user_id"),
    Index("agent_account", "account_id"),
)

hook = Table(
    "hook",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("line_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # sealed
    Column("state", BigInteger, nullable=False),
    Column("call_id", Text),
    Column("note", Text),
    Index("hook_key", "line_id", "key", unique=True),
    Index("hook_age", "received_ms"),
    Index("hook_call", "call_id"),
)
IS_UNREAD = hook.c.state == lit(0)
Index("hook_new", hook.c.id, sqlite_where=IS_UNREAD, postgresql_where=IS_UNREAD)

call = Table(
    "call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("line_id", Text, nullable=False),
    Column("call_ref", Text, nullable=False),
    Column("client_phone", Text),
    Column("started_ms", BigInteger, nullable=False),
    Column("over_ms", BigInteger),  # by our clock: when an ended call was heard of last
    Column("is_live", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("crm", Text),  # what became of it in amoCRM
    Column("is_stray", BigInteger, nullable=False, server_default="0"),  # and it is at nobody's card there
    Column("result", Text, nullable=False, server_default=text("''")),  # core.journal.outcome_word
    Column("agents", Text, nullable=False, server_default=text("''")),  # whose call it is: " 11 12 "
    Index("call_ref", "line_id", "call_ref", unique=True),
    Index("call_started", "started_ms"),
    Index("call_over", "over_ms"),
    Index("call_account", "account_id", "started_ms"),
    Index("call_phone", "account_id", "client_phone", "started_ms"),
)
IS_LIVE = call.c.is_live == lit(1)
Index("call_live", call.c.account_id, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE)
IS_STRAY = call.c.is_stray == lit(1)
Index("call_stray", call.c.account_id, call.c.started_ms, sqlite_where=IS_STRAY, postgresql_where=IS_STRAY)

IS_UNFILED = and_(call.c.is_live == lit(0), call.c.crm.is_(None))
Index("call_unfiled", call.c.account_id, call.c.started_ms, sqlite_where=IS_UNFILED, postgresql_where=IS_UNFILED)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("call_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("journal_call", "call_id"),
)

dial = Table(
    "dial",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("agent_id", BigInteger, nullable=False),
    Column("line_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("call_id", Text),
    Column("is_waiting", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("dial_key", "account_id", "agent_id", "key", unique=True),
    Index("dial_call", "call_id"),
)
IS_WAITING = dial.c.is_waiting == lit(1)
Index("dial_waiting", dial.c.line_id, sqlite_where=IS_WAITING, postgresql_where=IS_WAITING)

card = Table(
    "card",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("agent_id", BigInteger, nullable=False),
    Column("noticed_ms", BigInteger),
    Column("dismissed_ms", BigInteger),
    PrimaryKeyConstraint("call_id", "agent_id"),
)

recording = Table(
    "recording",
    metadata,
    Column("call_id", Text, nullable=False),
    Column("key", Text, nullable=False),  # the vendor's
    Column("account_id", BigInteger, nullable=False),
    Column("line_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("name", Text, nullable=False),  # of its file in the audio store
    Column("size", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("duration_ms", BigInteger),
    Column("at_ms", BigInteger, nullable=False),  # when it came
    Column("changed_ms", BigInteger, nullable=False),
    Column("listened", BigInteger, nullable=False),
    Column("listened_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    PrimaryKeyConstraint("call_id", "key"),
    Index("recording_changed", "changed_ms"),
)
IS_HELD = or_(recording.c.state == literal_column("'available'"), recording.c.state == literal_column("'fetched'"))
Index("recording_age", recording.c.at_ms, sqlite_where=IS_HELD, postgresql_where=IS_HELD)
IS_LEFT_OVER = and_(recording.c.state == literal_column("'expired'"), recording.c.name != literal_column("''"))
Index("recording_over", recording.c.at_ms, sqlite_where=IS_LEFT_OVER, postgresql_where=IS_LEFT_OVER)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("line_id", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("corrected", BigInteger, nullable=False),
    Column("doubtful", BigInteger, nullable=False),
    Index("reconciliation_line", "line_id", "at_ms"),
)

spent_token = Table(
    "spent_token",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("exp_ms", BigInteger, nullable=False),
    Index("spent_token_exp", "exp_ms"),
)

entry = Table(
    "entry",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("noun", Text, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("updated_s", BigInteger, nullable=False),
    Column("is_open", BigInteger, nullable=False),  # leads: neither won nor lost; others 1
    PrimaryKeyConstraint("account_id", "noun", "id"),
)

phone = Table(
    "phone",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("last10", Text, nullable=False),
    Column("noun", Text, nullable=False),
    Column("entity_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "last10", "noun", "entity_id"),
    Index("phone_entity", "account_id", "noun", "entity_id"),
)

bond = Table(
    "bond",  # a lead and whom it belongs to
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("noun", Text, nullable=False),
    Column("entity_id", BigInteger, nullable=False),
    Column("lead_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "noun", "entity_id", "lead_id"),
    Index("bond_lead", "account_id", "lead_id"),
)

alert = Table(
    "alert",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "slug", "subject"),
)
