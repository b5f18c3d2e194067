"""The hot statements find their rows by an index on both databases, however full the tables are."""

from typing import Any

import pytest
from sqlalchemy import text
from store_house import database_url, db, kept  # noqa: F401
from test_lanes_plans import plan

from server.sql import Script, Stmt
from server.store import calls, dials, directory, hooks, journal, recordings
from server.wiring import Stores

ROWS = 2000
NUMBERS = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ROWS}) SELECT n FROM c"  # noqa: S608  # a number of ours
FILL = (
    """INSERT INTO call (id, account_id, line_id, call_ref, client_phone, started_ms, over_ms, is_live, body)
    SELECT 'c' || n, n % 5, 'l' || (n % 5), 'r' || n, '+7' || n, n, CASE WHEN n % 200 = 0 THEN NULL ELSE n END,
    CASE WHEN n % 200 = 0 THEN 1 ELSE 0 END, 'x'""",
    """INSERT INTO hook (line_id, key, received_ms, raw, state)
    SELECT 'l' || (n % 5), 'k' || n, n, CAST('x' AS {blob}), CASE WHEN n % 200 = 0 THEN 0 ELSE 1 END""",
    """INSERT INTO dial (id, account_id, agent_id, line_id, key, created_ms, call_id, is_waiting, body)
    SELECT 'd' || n, n % 5, n, 'l' || (n % 5), 'k' || n, n, 'c' || n, CASE WHEN n % 200 = 0 THEN 1 ELSE 0 END, 'x'""",
    """INSERT INTO entry (account_id, noun, id, name, owner_id, group_id, company_id, updated_s, is_open)
    SELECT n % 5, CASE WHEN n % 2 = 0 THEN 'contacts' ELSE 'leads' END, n, 'x', 1, 1, 0, n, 1""",
    """INSERT INTO phone (account_id, last10, noun, entity_id) SELECT n % 5, 'p' || n, 'contacts', n""",
    """INSERT INTO bond (account_id, noun, entity_id, lead_id) SELECT n % 5, 'contacts', n, n + 1""",
    """INSERT INTO recording (call_id, key, account_id, line_id, state, attempts, name, size, content_type, at_ms,
    changed_ms, listened) SELECT 'c' || n, 'k' || n, n % 5, 'l' || (n % 5),
    CASE WHEN n % 100 = 0 THEN 'expired' ELSE 'fetched' END, 1, 'f' || n, 1, 'audio/mpeg', n, n, 0""",
    """INSERT INTO card (call_id, agent_id, noticed_ms) SELECT 'c' || n, 7, n""",
    """INSERT INTO journal (call_id, at_ms, body) SELECT 'c' || n, n, 'x'""",
)


@pytest.fixture
async def filled(kept: Stores) -> Stores:  # noqa: F811
    """Thousands of rows, few of them live, unread or waiting."""
    blob = "BYTEA" if kept.db.dialect == "postgresql" else "BLOB"

    def fill() -> Script[None]:
        for statement in FILL:
            yield Stmt(text(f"{statement.format(blob=blob)} FROM ({NUMBERS}) AS numbers")), {}

    await kept.db.run(fill)
    await kept.db.write(Stmt(text("ANALYZE")))
    return kept


FOUND = {"account": 1, "digits": "p6", "kind": "contacts", "entity": 6, "ids": [6, 7]}
WANTED = {
    "account": 1, "since_ms": 0, "until_ms": ROWS * 2, "before_ms": ROWS * 2, "before_id": "", "most": 50,
}  # fmt: skip
CASES = [
    pytest.param(calls.BY_REF, {"line": "l1", "ref": "r1"}, "call", "call_ref", id="call by its vendor's id"),
    pytest.param(calls.TO_CHANGE, {"line": "l1", "ref": "r1"}, "call", "call_ref", id="call to change"),
    pytest.param(calls.SINCE, {"since_ms": ROWS - 10}, "call", "call_started", id="calls since"),
    pytest.param(calls.MARKS, {"calls": ["c1", "c2"]}, "card", "card", id="marks of calls"),
    pytest.param(recordings.OF_CALL, {"call": "c1"}, "recording", "recording", id="recordings of a call"),
    pytest.param(recordings.OF_CALLS, {"calls": ["c1", "c2"]}, "recording", "recording", id="recordings of calls"),
    pytest.param(
        recordings.CHANGED, {"since_ms": ROWS - 10}, "recording", "recording_changed", id="recordings of late"
    ),
    pytest.param(journal.OF_CALL, {"call": "c1"}, "journal", "journal_call", id="what happened to a call"),
    pytest.param(journal.HOOKS, {"call": "c1"}, "hook", "hook_call", id="webhooks of a call"),
    pytest.param(
        journal._search(frozenset({"phone"})), {**WANTED, "phone": "+79"}, "call", "call_phone", id="calls of a number"
    ),
    pytest.param(dials.WAITING, {"line": "l1"}, "dial", "dial_waiting", id="waiting orders"),
    pytest.param(dials.OF_CALL, {"call": "c1"}, "dial", "dial_call", id="order of a call"),
    pytest.param(dials.BY_KEY, {"account": 1, "agent": 1, "click": "k1"}, "dial", "dial_key", id="order by its click"),
    pytest.param(directory.FIND, FOUND, "phone", "phone", id="who is this"),
    pytest.param(directory.LEADS, FOUND, "bond", "bond", id="open leads of a person"),
    pytest.param(directory.DROP_PHONES, FOUND, "phone", "phone_entity", id="a person's numbers"),
    pytest.param(directory.DROP_BONDS, FOUND, "bond", "bond_lead", id="a lead's people"),
]


@pytest.mark.parametrize(("stmt", "params", "table", "index"), CASES)
async def test_the_index_is_used(filled: Stores, stmt: Stmt, params: dict[str, Any], table: str, index: str) -> None:
    """The statement uses the index made for it and never walks its table."""
    found = await plan(filled.db, stmt, {name: params[name] for name in params if _names(stmt, name)})

    assert index in found
    assert f"SCAN {table}" not in found.replace(f"SCAN {table} USING INDEX", "")
    assert f"Seq Scan on {table}" not in found


@pytest.mark.parametrize(
    ("stmt", "index"),
    [
        pytest.param(hooks.ALL_UNREAD, "hook_new", id="webhooks that a restart reads"),
        pytest.param(recordings.EXPIRED, "recording_over", id="recordings with a file to remove"),
    ],
)
async def test_what_is_left_to_do_has_an_index_of_its_own(filled: Stores, stmt: Stmt, index: str) -> None:
    """It is found without walking all that was ever done."""
    if filled.db.dialect == "sqlite":
        found = await plan(filled.db, stmt, {})
    else:
        found = str(await filled.db.read(Stmt(text("EXPLAIN " + stmt.postgresql.sql))))

    assert index in found


async def test_old_webhooks_are_found_by_their_age(filled: Stores) -> None:
    """Purging asks the index of the moments of arrival."""
    assert "hook_age" in await plan(filled.db, hooks.PURGE, {"before_ms": 50})


async def test_calls_that_are_not_in_amocrm_have_an_index_of_their_own(filled: Stores) -> None:
    """In good times it is empty, however many calls there were."""
    await filled.db.write(Stmt(text("UPDATE call SET crm = '{}' WHERE started_ms < 1990")))
    await filled.db.write(Stmt(text("ANALYZE")))

    assert "call_unfiled" in await plan(filled.db, journal.UNFILED, {"account": 1})


async def test_old_recordings_are_found_by_their_age(filled: Stores) -> None:
    """Letting go asks the index of what is held."""
    assert "recording_age" in await plan(filled.db, recordings.EXPIRE, {"before_ms": 50, "now_ms": 60})


@pytest.mark.parametrize("index", ["call_live", "call_over"])
async def test_screens_ask_two_indexes(filled: Stores, index: str) -> None:
    """What is on screens is found without walking the calls of years."""
    found = await plan(filled.db, calls.ON_SCREENS, {"since_ms": ROWS - 10})

    assert index in found
    assert "Seq Scan on call" not in found


def _names(stmt: Stmt, name: str) -> bool:
    return name in stmt.postgresql._order
