"""The engine's statements use their partial indexes on both databases, so that a million timers cost nothing.

A change that loses one of them shows nowhere else until a customer has years of jobs.
"""

from typing import Any

import pytest
from databases import database_url, db  # noqa: F401
from sqlalchemy import text

from server.lanes import metadata, queries
from server.sql import Database, Script, Stmt, create_all

NOW = 1_000_000
TIMERS, LANES = 5000, 50

FILL = """
INSERT INTO job (lane, kind, key, grp, state, tries, due_ms, dead_ms, at_ms, body)
SELECT 'camp:' || (n % :lanes), 'x', 'k' || n, 'g' || (n % 1000),
  CASE WHEN n % 10 = 0 THEN 0 WHEN n % 100 = 1 THEN 3 ELSE 2 END, 0,
  CASE WHEN n % 500 = 0 THEN n ELSE 9000000 + n END, 0, n, '{}'
FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :timers) SELECT n FROM c) AS numbers
"""
LANE_ROWS = """
INSERT INTO lane (lane, next_ms)
SELECT 'camp:' || n, 500 + n
FROM (WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < :timers) SELECT n FROM c) AS numbers
"""


@pytest.fixture
async def filled(db: Database) -> Database:  # noqa: F811
    """Ten ended jobs to each live one, most of them timers of the future."""
    await create_all(db, metadata)

    def fill() -> Script[None]:
        yield Stmt(text(_numbered(FILL))), {}
        yield Stmt(text(_numbered(LANE_ROWS))), {}

    await db.run(fill)
    await db.write(Stmt(text("ANALYZE")))
    return db


def _numbered(sql: str) -> str:
    return sql.replace(":lanes", str(LANES)).replace(":timers", str(TIMERS))


async def plan(db: Database, stmt: Stmt, params: dict[str, Any]) -> str:  # noqa: F811
    """The database's plan for the very text that runs; on PostgreSQL the generic one, which knows no parameter."""
    if db.dialect == "sqlite":
        explained = Stmt(stmt._core)
        explained.sqlite.sql = "EXPLAIN QUERY PLAN " + explained.sqlite.sql
        return "\n".join(row[3] for row in await db.read(explained, params))
    values = ", ".join(_literal(value) for value in stmt.postgresql.positional(params))
    steps = (
        "SET LOCAL plan_cache_mode = force_generic_plan",
        "PREPARE explained AS " + stmt.postgresql.sql,
        f"EXPLAIN EXECUTE explained({values})",
    )

    def script() -> Script[str]:
        rows: list[Any] = []
        for step in steps:
            prepared = Stmt(text(step))
            prepared.postgresql.returns_rows = step.startswith("EXPLAIN")
            rows = yield prepared, {}
        yield Stmt(text("DEALLOCATE explained")), {}
        return "\n".join(row[0] for row in rows)

    return await db.run(script)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "'{" + ",".join(map(str, value)) + "}'"
    return str(value) if isinstance(value, int) else f"'{value}'"


FETCH = {"lanes": ["camp:0", "camp:1"], "now": NOW, "nth": 11}
CASES = [
    pytest.param(queries.FETCH, FETCH, "job_due", id="fetch"),
    pytest.param(queries.RELEASE, {"lanes": ["camp:1"], "me": "n"}, "job_due", id="release"),
    pytest.param(queries.OLDEST_DUE, {"now": NOW}, "job_due", id="oldest"),
    pytest.param(queries.CANCEL, {"grp": "g7", "now": NOW}, "job_grp", id="cancel"),
    pytest.param(queries.PARKED, {"most": 10}, "job_over", id="parked"),
    pytest.param(queries.RENEW_TIME, {"which": "camp:1", "until": NOW}, "job_due", id="renew time"),
]


@pytest.mark.parametrize(("stmt", "params", "index"), CASES)
async def test_the_index_is_used(filled: Database, stmt: Stmt, params: dict[str, Any], index: str) -> None:
    """Each statement finds its rows by the partial index made for it and never walks the table of jobs."""
    found = await plan(filled, stmt, params)

    assert index in found
    assert "SCAN job" not in found
    assert "Seq Scan on job" not in found


async def test_old_jobs_are_found_by_their_end(filled: Database) -> None:
    """Purging asks the index of ended jobs for the oldest."""
    assert "job_over" in await plan(filled, queries.PURGE, {"ended": 2, "before": 50})


async def test_due_lanes_are_found_by_their_moment(filled: Database) -> None:
    """Leasing asks the index of the lanes' next moments."""
    params = {"now": 520, "me": "n", "till": NOW, "before": NOW, "most": 10}

    found = await plan(filled, queries.CLAIM, params)

    assert "lane_next" in found
