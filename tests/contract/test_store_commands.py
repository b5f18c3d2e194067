"""The commands that only look work on both databases, beside a server that writes."""

from store_house import KEY, LINE, database_url, db, ended, kept, line, ringing  # noqa: F401

from server.commands import calls as calls_command
from server.commands import doctor, replay
from server.core.ports import Hook
from server.core.records import Decision, pack
from server.settings import Settings
from server.sql import Database
from server.store.migrate import migrate
from server.wiring import Stores, stores

HOOK = Hook(
    method="GET", tail="", content_type="", body=b"", received_ms=1_000_000,
    query="event=1&call_id=r9&src_num=79161234567&src_type=1&dst_num=201&dst_type=2&short_dst_num=201&timestamp=1000",
)  # fmt: skip


async def running(db_: Database, url: str) -> tuple[Stores, Settings]:
    """A server's stores over the migrated database, and its settings."""
    await migrate(db_, url)
    settings = Settings(database=url, secret_key=KEY, public_url="https://voip.example")
    return stores(settings, db_), settings


async def test_calls_are_listed_beside_the_server(db: Database, database_url: str) -> None:  # noqa: F811
    """What the server has just stored is listed at once, the oldest first."""
    server, settings = await running(db, database_url)
    for call in (ringing("late", at_ms=9_000_000), ended(ringing("early", at_ms=1_000_000), at_ms=2_000_000)):
        await server.calls.digest(LINE, call.call_ref, hook_id=None, decide=lambda *_, call=call: Decision(call=call))

    listed = await calls_command.known(settings, 0)

    assert [(one.provider_call_id, one.state) for one in listed] == [("early", "ended"), ("late", "live")]
    assert await calls_command.known(settings, 9_001) == []


async def test_a_dry_replay_reads_beside_the_server(db: Database, database_url: str) -> None:  # noqa: F811
    """A webhook whose call is missing is found on one snapshot, without a lock."""
    server, settings = await running(db, database_url)
    await server.lines.put(line())
    hook_id = await server.hooks.put(LINE, key="k", received_ms=HOOK.received_ms, raw=pack(HOOK))
    assert hook_id is not None
    await server.hooks.settle(hook_id)

    report = await replay.compare(settings, replay.Range())

    assert [one.after.call_ref for one in report.differences if one.after] == ["r9"]


async def test_the_doctor_opens_both_databases(db: Database, database_url: str) -> None:  # noqa: F811
    """The database's line is good on SQLite and on PostgreSQL."""
    _, settings = await running(db, database_url)

    findings = [str(one) async for one in doctor.examine(settings, is_offline=True)]

    assert any(one.startswith("ok    database") for one in findings)
