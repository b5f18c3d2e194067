"""A database that is locked, full or gone: the PBX is told the truth, nothing that was taken is lost, and no restart is
needed afterwards.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from databases import postgres_database
from sandboxes import until
from served import Served, mango_form, served
from sqlalchemy import text

from server.sql import Stmt

SIPUNI = "/hooks/sipuni/path-of-l_1"
MANGO = "/hooks/mango/path-of-l_2/events/call"


def told(ref: str) -> dict[str, Any]:
    """Sipuni: a call rings at 201."""
    fields = {"event": 1, "call_id": ref, "src_type": 1, "src_num": "79161234567", "dst_type": 2}
    return {"params": {**fields, "short_dst_num": "201", "timestamp": 1_790_000_000}}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, "aiohttp") as one:
        yield one


async def known(house: Served) -> list[str]:
    """The calls that the house knows, as the journal tells an administrator."""
    _, found = await house.ask("GET", "/api/journal", headers=await house.bearer())
    return [row["call"]["provider_call_id"] for row in found["calls"]]


async def test_a_webhook_waits_out_a_lock(house: Served) -> None:
    """Somebody's backup holds the file for a moment: the webhook is stored after it, not refused."""
    with closing(sqlite3.connect(house.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(house.ask("GET", SIPUNI, **told("waits")))
        done, _ = await asyncio.wait({asking}, timeout=0.3)
        assert not done
        other.execute("ROLLBACK")

    assert (await asking)[0] == 200
    await house.settled()
    assert await known(house) == ["waits"]


async def test_a_full_disk_is_told_and_got_over(house: Served) -> None:
    """Both vendors read 503 in their own form; agents' pages stay; with room again, all is as before."""
    db = house.desk.history._store._db  # type: ignore[attr-defined]  # the writer's own connection knows the limit
    ((pages,),) = await db.read(Stmt(text("PRAGMA page_count")))
    await db.write(Stmt(text(f"PRAGMA max_page_count={pages}")))
    taken: list[str] = []
    while (answer := await house.ask("GET", SIPUNI, **told(f"full-{len(taken)}")))[0] == 200:
        taken.append(f"full-{len(taken)}")
    assert answer == (503, {"success": False, "error": "store-unavailable"})
    message = {"entry_id": "e", "call_id": "e:1", "timestamp": 1_790_000_000, "seq": 1, "call_state": "Appeared"}
    assert (await house.ask("POST", MANGO, **mango_form(message)))[0] == 503
    assert (await house.ask("GET", "/readyz"))[0] == 200

    await db.write(Stmt(text("PRAGMA max_page_count=1073741823")))

    assert (await house.ask("GET", SIPUNI, **told("after")))[0] == 200
    await house.settled()
    await until(lambda: _has(house, {*taken, "after"}))


@pytest.mark.external_service
async def test_a_postgresql_that_cuts_all_connections_is_found_again(tmp_path: Path) -> None:
    """A fail-over: whoever was refused reads 503, and then it goes on without a restart."""
    url = await postgres_database()
    async with served(tmp_path, "aiohttp", database=url) as house:
        assert (await house.ask("GET", SIPUNI, **told("before")))[0] == 200
        other = await asyncpg.connect(url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        await other.close()

        async def is_taken() -> bool:
            status, body = await house.ask("GET", SIPUNI, **told("after"))
            assert (status, body) in ((200, {"success": True}), (503, {"success": False, "error": "store-unavailable"}))
            return status == 200

        await until(is_taken)
        await until(lambda: _has(house, {"before", "after"}))


async def _has(house: Served, wanted: set[str]) -> bool:
    """Whether these calls are known; what was stored and not read is read within seconds."""
    await house.settled()
    _, found = await house.ask("GET", "/api/journal", params={"limit": 200}, headers=await house.bearer())
    return wanted <= {row["call"]["provider_call_id"] for row in found["calls"]}
