"""The two tables of the engine. Their migration belongs to `store/`; a test compares it with this metadata."""

from enum import IntEnum

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from server.sql import RowId, lit

NEVER = 1 << 60
"""A moment that does not come: a lane without work, or paused until a person resumes it."""


class State(IntEnum):
    """A job's state. Up to BEGUN it is live; from DONE on it is only remembered."""

    READY = 0
    BEGUN = 1  # handed to a handler, perhaps sent
    DONE = 2
    PARKED = 3
    CANCELLED = 4


metadata = MetaData()

# Rows change all the time and stay few: leave room in the page for the next version, and vacuum early.
_BUSY = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 1000}

lane = Table(
    "lane",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("next_ms", BigInteger, nullable=False),  # no later than the next useful moment
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),  # a breaker's hold, or NEVER: paused
    Column("lease_ms", BigInteger, nullable=False, server_default="0"),
    Column("owner", Text),
    Index("lane_next", "next_ms"),
    postgresql_with=_BUSY,
)

job = Table(
    "job",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("grp", Text),
    Column("state", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),  # rises with each start: a stale node's answer does not fit it
    Column("due_ms", BigInteger, nullable=False),
    Column("dead_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),  # put, last begun, or ended
    Column("body", Text, nullable=False),
    Column("note", Text),
    postgresql_with=_BUSY,
)

IS_LIVE = job.c.state < lit(State.DONE)
IS_OVER = job.c.state >= lit(State.DONE)
Index("job_due", job.c.lane, job.c.due_ms, job.c.id, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE)
Index("job_grp", job.c.grp, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE)
Index("job_over", job.c.state, job.c.at_ms, sqlite_where=IS_OVER, postgresql_where=IS_OVER)
