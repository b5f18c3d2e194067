"""`replay`: the stored webhooks tell the calls anew; differences are shown, and corrected without sending anything."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from office import ACCOUNT, LINE, TALK, connected, hear, opened, settings_of
from sqlalchemy import text

from server.commands import replay as command
from server.core import calls
from server.core.calls import Call, Order
from server.core.errors import ConfigError, NotFound, StoreLocked
from server.core.ports import Hook
from server.core.records import Decision
from server.core.vocabulary import CallState
from server.providers.sipuni import Sipuni
from server.settings import Settings
from server.sql import Stmt
from server.store.calls import started_since

JOBS = Stmt(text("SELECT count(*) FROM job"))
DROP_JOBS = Stmt(text("DELETE FROM job"))
DROP_CALLS = Stmt(text("DELETE FROM call"))
EVERYTHING = command.Range()
HEARD_MS = 1_700_000_001_000


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A server that took the webhooks of an answered call and then stopped."""
    known = settings_of(tmp_path)
    async with opened(known) as kept:
        await connected(kept)
        await hear(kept, *TALK)
        await kept.db.write(DROP_JOBS)
    return known


async def the_call(settings: Settings) -> Call:
    async with opened(settings) as kept:
        (one,) = await started_since(kept.db, 0)
    return one


async def misread(settings: Settings, **changed: Any) -> Call:
    """An older version had read the call otherwise; returns it as it was right."""
    async with opened(settings) as kept:
        (right,) = await started_since(kept.db, 0)
        wrong = structs.replace(right, **changed)
        await kept.calls.digest(LINE, right.call_ref, hook_id=None, decide=lambda *_: Decision(call=wrong))
    return right


async def test_what_was_read_right_reads_the_same(settings: Settings) -> None:
    """Nothing differs when the code that reads is the code that read."""
    report = await command.compare(settings, EVERYTHING)

    assert (report.hooks, report.same, report.differences) == (4, 1, [])
    assert report.summary() == "4 webhooks read; 1 calls read the same; 0 differ."


async def test_differences_are_told_by_field(settings: Settings) -> None:
    """A call that was misread is shown with what it was and what it would be."""
    right = await misread(settings, legs={}, words={}, closed=None)

    lines = await command.run(settings, since=0, until=None, call_id="", dry_run=True)

    assert lines[0].startswith(right.id)
    assert "    client_phone: None -> +79161234567" in lines
    assert lines[-1] == "4 webhooks read; 0 calls read the same; 1 differ."


async def test_a_dry_run_changes_nothing_beside_the_server(settings: Settings) -> None:
    """`--dry-run` works while the server holds the database, and leaves the misread call as it is."""
    await misread(settings, legs={})
    async with opened(settings) as server:
        before = await started_since(server.db, 0)

        report = await command.compare(settings, EVERYTHING)

        assert len(report.differences) == 1
        assert await started_since(server.db, 0) == before


async def test_a_correction_is_stored_and_sends_nothing(settings: Settings) -> None:
    """The call reads right afterwards, keeps its id and its time on screens, and no job was put."""
    right = await misread(settings, legs={})

    await command.correct(settings, EVERYTHING)

    assert await the_call(settings) == right
    async with opened(settings) as kept:
        assert await kept.db.read(JOBS) == [(0,)]


async def test_correcting_needs_the_lock(settings: Settings) -> None:
    """While the server runs, calls are not corrected under its feet."""
    async with opened(settings):
        with pytest.raises(StoreLocked, match="holds"):
            await command.correct(settings, EVERYTHING)


async def test_a_call_that_was_not_known_is_made(settings: Settings) -> None:
    """Webhooks that an older version did not understand make their call now, without a job."""
    async with opened(settings) as kept:
        await kept.db.write(DROP_CALLS)

    lines = await command.run(settings, since=0, until=None, call_id="", dry_run=False)

    assert lines[0].startswith("new call  sipuni 1700000000.12345")
    assert (await the_call(settings)).account_id == ACCOUNT


async def test_a_new_call_without_end_is_closed(tmp_path: Path) -> None:
    """No timer waits for the hang-up of a call made by a replay, so it is closed as of unknown end."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, "agent_rang")
        await kept.db.write(DROP_CALLS)

    await command.correct(settings, EVERYTHING)

    assert (await the_call(settings)).verdict.state is CallState.ENDED_UNKNOWN


async def test_a_call_with_purged_webhooks_is_not_judged(settings: Settings) -> None:
    """Half a story would make another call: it is left alone and counted."""
    async with opened(settings) as kept:
        await hear(kept, *TALK, call_ref="other", at_ms=HEARD_MS + 60_000)
        assert await kept.hooks.purge(HEARD_MS + 150) == 2

    report = await command.compare(settings, EVERYTHING)

    assert (report.partly_purged, report.same, report.differences) == (1, 1, [])
    assert "1 calls not judged" in report.summary()


async def test_what_webhooks_do_not_tell_stays(tmp_path: Path) -> None:
    """The click that made a call, and that its hang-up was given up, are no differences."""
    settings = settings_of(tmp_path)

    def known(before: Call | None, _waiting: object) -> Decision:
        assert before is not None
        bound, _ = calls.bind(before, Order("d_1", 7, "202", "+79161234567"))
        return Decision(call=calls.expire(bound, HEARD_MS + 1)[0])

    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, "agent_rang")
        (stored,) = await started_since(kept.db, 0)
        await kept.calls.digest(LINE, stored.call_ref, hook_id=None, decide=known)

    report = await command.compare(settings, EVERYTHING)

    assert (report.same, report.differences) == (1, [])


async def test_a_call_of_which_nothing_speaks_is_shown_and_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When today's codec finds no event in a call's webhooks, that is a difference, and the call is not deleted."""
    monkeypatch.setattr(Sipuni, "read", lambda *_: [])  # a codec that forgot this vendor message

    lines = await command.run(settings, since=0, until=None, call_id="", dry_run=False)

    assert "no webhook speaks of it" in lines[1]
    assert (await the_call(settings)).verdict.state is CallState.ENDED


async def test_a_codec_that_trips_is_counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that today's codec cannot read is what a replay is to find, not what ends it."""
    read = Sipuni.read

    def trip(self: Sipuni, hook: Hook, keys: Any) -> Any:
        if "event=2" in hook.query:
            raise KeyError("billsec")
        return read(self, hook, keys)

    monkeypatch.setattr(Sipuni, "read", trip)

    report = await command.compare(settings, EVERYTHING)

    assert report.unreadable == 2
    assert len(report.differences) == 1


async def test_the_range_chooses_calls_by_their_first_webhook(settings: Settings) -> None:
    """`--since` and `--until` choose whole calls, never halves of them."""
    async with opened(settings) as kept:
        await hear(kept, *TALK, call_ref="other", at_ms=HEARD_MS + 60_000)

    early = await command.compare(settings, command.Range(0, HEARD_MS + 1))
    late = await command.compare(settings, command.Range(HEARD_MS + 1))
    none = await command.compare(settings, command.Range(HEARD_MS + 60_001))

    assert [report.same for report in (early, late, none)] == [1, 1, 0]
    assert [report.differences for report in (early, late, none)] == [[], [], []]


async def test_one_call_may_be_chosen(settings: Settings) -> None:
    """`--call ID` looks at that call alone, and says when there is none."""
    right = await misread(settings, legs={})
    async with opened(settings) as kept:
        await hear(kept, *TALK, call_ref="other", at_ms=HEARD_MS)

    report = await command.compare(settings, command.Range(call_id=right.id))

    assert [one.before.id for one in report.differences if one.before] == [right.id]
    assert report.same == 0
    with pytest.raises(NotFound):
        await command.compare(settings, command.Range(call_id="c_nobody"))


async def test_webhooks_of_a_removed_line_are_counted(settings: Settings) -> None:
    """Without its line a webhook cannot be read; its call stays as it is."""
    async with opened(settings) as kept:
        await kept.lines.remove(LINE)

    report = await command.compare(settings, EVERYTHING)

    assert (report.lines_gone, report.hooks, report.differences) == (4, 0, [])


async def test_the_key_is_needed(settings: Settings) -> None:
    """Stored webhooks are encrypted: without the server's key the command says which setting to give."""
    for key, words in (("", "give the server's settings"), ("x" * 32, "another key")):
        with pytest.raises(ConfigError, match=words):
            await command.compare(settings_of(Path(settings.state), secret_key=key), EVERYTHING)


async def test_a_webhook_not_yet_read_is_left_to_the_server(settings: Settings) -> None:
    """What the server has stored and not read yet is no difference."""
    async with opened(settings) as kept:
        await kept.hooks.put(LINE, key="fresh", received_ms=HEARD_MS, raw=b"whatever")

    report = await command.compare(settings, EVERYTHING)

    assert (report.hooks, report.same) == (4, 1)
