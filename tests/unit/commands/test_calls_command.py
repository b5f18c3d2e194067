"""`calls`: the fixed form, where the database is found, and that nothing is disturbed by looking."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from office import ACCOUNT, LINE, TALK, connected, hear, opened, settings_of

from server.commands import calls as command
from server.commands.opened import database_url
from server.core import calls
from server.core.calls import Order
from server.core.errors import ConfigError
from server.core.recordings import unknown
from server.core.records import Decision
from server.core.vocabulary import RecordingState
from server.settings import Settings
from server.sql import sqlite_path

KEYS = [
    "id", "account", "provider", "line", "provider_call_id", "direction", "client_phone", "our_line", "started_at",
    "answered_at", "ended_at", "talk_s", "state", "result", "answered_by_ext", "rang_ext", "missed_by_ext", "origin",
    "pending_ref", "recordings", "legs",
]  # fmt: skip
LEG_KEYS = ["id", "extension", "phone", "side", "state", "started_at", "answered_at", "ended_at", "result"]


async def listed(settings: Settings, since_s: float = 0) -> list[dict[str, Any]]:
    return list(json.loads(command.as_json(await command.known(settings, since_s))))


async def test_a_call_has_the_fixed_form(tmp_path: Path) -> None:
    """An answered call tells everything under the fixed keys, in Unix seconds."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)

    (one,) = await listed(settings)

    assert list(one) == KEYS
    assert (one["account"], one["line"], one["provider"]) == (ACCOUNT, LINE, "sipuni")
    assert (one["direction"], one["client_phone"], one["provider_call_id"]) == (
        "in",
        "+79161234567",
        "1700000000.12345",
    )
    assert (one["state"], one["result"], one["answered_by_ext"]) == ("ended", "answered", "202")
    assert 1_700_000_000 <= one["started_at"] < one["answered_at"] < one["ended_at"] < 1_700_001_000
    assert one["talk_s"] == one["ended_at"] - one["answered_at"]
    assert (one["rang_ext"], one["missed_by_ext"], one["pending_ref"]) == (["201", "202"], ["201"], None)


async def test_a_leg_has_the_fixed_form(tmp_path: Path) -> None:
    """Each leg tells who is at its end, its stages and its result, under fixed keys."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)

    legs = (await listed(settings))[0]["legs"]

    assert [list(leg) for leg in legs] == [LEG_KEYS] * len(legs)
    agent = next(leg for leg in legs if leg["extension"] == "202")
    assert (agent["side"], agent["phone"], agent["state"]) == ("agent", "+79161234567", "ended")


async def test_a_live_call_has_nulls(tmp_path: Path) -> None:
    """While it rings a call has no result, no answer and no end; the keys are there all the same."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, "agent_rang")

        (one,) = await listed(settings)  # while the writer is open, as beside a running server

    assert list(one) == KEYS
    assert one["state"] == "live"
    assert [one[key] for key in ("result", "answered_at", "ended_at", "answered_by_ext")] == [None] * 4
    assert one["talk_s"] == 0


async def test_a_click_is_named_by_its_order(tmp_path: Path) -> None:
    """A call that carries out a click-to-call names the order and came from the widget."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, "agent_rang")
        (stored,) = await kept.calls.on_screens(0)
        bound, _ = calls.bind(stored, Order("d_5", 7, "202", "+79161234567"))
        await kept.calls.digest(LINE, stored.call_ref, hook_id=None, decide=lambda *_: Decision(call=bound))

    (one,) = await listed(settings)

    assert (one["pending_ref"], one["origin"], one["direction"]) == ("d_5", "widget", "out")


async def test_a_recording_has_our_link_or_none(tmp_path: Path) -> None:
    """A recording's link is ours and signed; without the server's key there is none, and never the vendor's."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)

    (told,) = (await listed(settings))[0]["recordings"]
    (untold,) = (await listed(Settings(state=str(tmp_path))))[0]["recordings"]

    assert list(told) == ["provider_key", "state", "url"]
    assert told["state"] == "available"
    assert told["url"].startswith("https://voip.example/r/")
    assert untold["url"] is None


async def test_a_recording_shows_what_we_did_with_it(tmp_path: Path) -> None:
    """Fetched, absent or expired: our word, not the vendor's; what is withdrawn or gone has no link."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)
        (call,) = await kept.calls.on_screens(0)
        (recording,) = call.recordings.values()
        for state, is_revoked in (("fetched", False), ("absent", False), ("expired", False), ("fetched", True)):
            one = structs.replace(unknown(call, recording), state=RecordingState(state))
            await kept.recordings.put(one)
            if is_revoked:
                await kept.recordings.revoke([one], 1)

            (told,) = (await listed(settings))[0]["recordings"]

            assert (told["state"], told["url"] is not None) == (state, state == "fetched" and not is_revoked)


async def test_since_leaves_out_what_started_before(tmp_path: Path) -> None:
    """`--since` is by the call's start and includes that very second."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)
        (stored,) = await kept.calls.on_screens(0)
        later = structs.replace(stored.verdict, started_ms=stored.verdict.started_ms + 100_000)
        other = structs.replace(stored, id="c_later", call_ref="later", verdict=later)
        await kept.calls.digest(LINE, "later", hook_id=None, decide=lambda *_: Decision(call=other))

    started = [one["started_at"] for one in await listed(settings)]
    since = [one["id"] for one in await listed(settings, started[1])]

    assert started == sorted(started)
    assert since == ["c_later"]


async def test_the_table_is_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json there is a table with the number and the result in it, untruncated also in a pipe."""
    settings = settings_of(tmp_path)
    async with opened(settings) as kept:
        await connected(kept)
        await hear(kept, *TALK)

    command.print_table(await command.known(settings, 0))

    printed = capsys.readouterr().out
    assert "+79161234567" in printed
    assert "answered" in printed


@pytest.mark.parametrize("inside", ["", "backend"])
def test_the_database_is_found_in_the_folder_or_in_backend(tmp_path: Path, inside: str) -> None:
    """`--state DIR` finds the file in DIR or in DIR/backend."""
    path = tmp_path / inside / "kommutator.db"
    path.parent.mkdir(exist_ok=True)
    path.touch()

    assert sqlite_path(database_url(Settings(state=str(tmp_path)))) == path


def test_a_database_that_is_set_wins(tmp_path: Path) -> None:
    """With the setting `database` the folder does not matter."""
    url = "postgresql://host/name"

    assert database_url(Settings(state=str(tmp_path), database=url)) == url


async def test_a_database_that_is_not_migrated_is_not_read(tmp_path: Path) -> None:
    """An empty file is no database of ours; it is named with its cure and stays empty."""
    path = tmp_path / "kommutator.db"
    path.touch()

    with pytest.raises(ConfigError, match="python -m server migrate"):
        await command.known(Settings(state=str(tmp_path)), 0)

    assert path.read_bytes() == b""


def test_a_missing_database_is_said_in_a_line(tmp_path: Path) -> None:
    """Without a database the command ends with 2, the reason and the cure, and makes no file."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "calls", "--json", "--state", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no database" in done.stderr
    assert "--state DIR" in done.stderr
    assert list(tmp_path.iterdir()) == []
