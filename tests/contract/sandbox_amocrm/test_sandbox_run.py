"""Starting and stopping the sandbox: addresses, the JSON line, what survives."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from server.sandbox import ports
from server.sandbox.errors import SandboxError
from server.sandbox.options import Options, options_from
from server.sandbox.run import started
from server.sandbox.welcome import facts, json_line, welcome
from server.sandbox.widgets import changes

KEYS = {
    "amocrm", "backend", "backend_pid", "subdomain", "account_id", "client_id", "client_secret", "redirect_uri",
    "auth_code", "access_token", "refresh_token", "users", "pbx",
}  # fmt: skip


def alone(port: int, state: str = ":memory:") -> Options:
    """amoCRM only."""
    return options_from(port=port, state=state, only="amocrm")


async def test_the_json_line_has_exactly_the_documented_members(port: int) -> None:
    """With --only amocrm, backend and pbx are null."""
    async with started(alone(port)) as sandbox:
        told = json.loads(json_line(sandbox))

    assert set(told) == KEYS
    assert (told["backend"], told["pbx"], told["backend_pid"]) == (None, None, None)
    assert told["amocrm"] == f"http://127.0.0.1:{port}"
    assert told["redirect_uri"] == f"http://localhost:{port + 1}/amo/oauth"
    assert [set(user) for user in told["users"]] == [{"id", "name", "login", "extension"}] * 5
    assert len(told["client_secret"]) == 64


async def test_the_tokens_of_the_line_work(port: int) -> None:
    """At the address of the line, until the sandbox ends."""
    async with started(alone(port)) as sandbox, ClientSession() as client:
        told = facts(sandbox)
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        async with client.get(f"{told['amocrm']}/api/v4/account", headers=headers) as answer:
            account = json.loads(await answer.text())
            login = answer.status

    assert login == 200
    assert account["id"] == told["account_id"]


async def test_data_survive_a_restart(port: int, tmp_path: Path) -> None:
    """--state DIR: the same contacts, the same secrets, the same tokens."""
    async with started(alone(port, str(tmp_path))) as sandbox:
        told = facts(sandbox)
        contact = sandbox.world.contacts.add({**next(iter(sandbox.world.contacts)), "id": 999_999, "name": "Новый"})

    async with started(alone(port, str(tmp_path))) as again, ClientSession() as client:
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        url = f"{told['amocrm']}/api/v4/contacts/{contact['id']}"
        async with client.get(url, headers=headers) as answer:
            shown = json.loads(await answer.text())
        assert facts(again)["client_secret"] == told["client_secret"]

    assert shown["name"] == "Новый"


async def test_a_taken_port_is_told_and_nothing_stays_open(port: int) -> None:
    """The error names the holder; the ports before it are free again."""
    with ports.listen("127.0.0.1", port + 3), pytest.raises(ports.PortTakenError, match="pid"):
        async with started(Options(port=port, state=None, widgets=())):
            pass

    for number in range(port, port + 3):
        ports.check_free("127.0.0.1", number)


async def test_a_person_is_told_where_to_click(port: int) -> None:
    """One address per user."""
    async with started(alone(port)) as sandbox:
        text = welcome(sandbox)

    assert f"http://127.0.0.1:{port}/sandbox/login?user=203" in text
    assert "Анна Белова" in text


async def test_a_third_party_widget_is_installed(port: int, tmp_path: Path) -> None:
    """--widget CODE=PATH."""
    (tmp_path / "manifest.json").write_text(
        '{"widget": {"version": "1.0.0"}, "settings": {"backend_url": {"type": "text"}}}'
    )
    options = options_from(port=port, state=":memory:", only="amocrm", widget=[f"theirs={tmp_path}"])

    async with started(options) as sandbox:
        row = sandbox.world.widgets["theirs"]

    assert row["active"] is True
    assert row["settings"] == {"backend_url": f"http://localhost:{port + 1}"}


async def test_widgets_stand_beside_each_other_with_integrations_of_their_own(port: int, tmp_path: Path) -> None:
    """--widget is repeatable; a folder's name is its code; the line speaks of the first one."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text('{"widget": {"version": "1"}}')
    widgets = [str(tmp_path / "first"), f"other={tmp_path / 'second'}"]
    options = options_from(port=port, state=":memory:", only="amocrm", widget=widgets, redirect_uri="http://h/oauth")

    async with started(options) as sandbox, ClientSession() as client:
        told = facts(sandbox)
        listed = await answer_of(client, f"{told['amocrm']}/sandbox/widgets")
        keys = await answer_of(client, f"{told['amocrm']}/sandbox/integrations")

    assert [(one["code"], one["active"]) for one in listed] == [("first", True), ("other", True)]
    assert [one["widget"] for one in keys] == ["first", "other"]
    assert (keys[0]["client_id"], keys[0]["client_secret"]) == (told["client_id"], told["client_secret"])
    assert (keys[0]["redirect_uri"], keys[1]["redirect_uri"]) == ("http://h/oauth", "")
    assert keys[0]["client_secret"] != keys[1]["client_secret"]


async def answer_of(client: ClientSession, url: str) -> Any:
    """The JSON behind an address."""
    async with client.get(url) as answer:
        return await answer.json()


async def test_each_line_has_a_grant_of_its_own(port: int) -> None:
    """What one program does with its tokens is nothing to another."""
    async with started(alone(port)) as sandbox:
        first, second = facts(sandbox), facts(sandbox)

    for name in ("auth_code", "access_token", "refresh_token"):
        assert first[name] != second[name]


async def test_a_broken_widget_stops_the_start_with_its_cure(port: int, tmp_path: Path) -> None:
    """And leaves no port taken."""
    (tmp_path / "manifest.json").write_text('{"widget": {"locale": ["ru"]}}')
    options = options_from(port=port, state=":memory:", only="amocrm", widget=[f"theirs={tmp_path}"])

    with pytest.raises(SandboxError, match="add the file"):
        async with started(options):
            pass

    ports.check_free("127.0.0.1", port)


@pytest.mark.parametrize(("reload", "versions"), [(True, ["1.0.1"]), (False, [])])
async def test_a_changed_file_is_noticed_unless_told_otherwise(
    port: int, tmp_path: Path, reload: bool, versions: list[str]
) -> None:
    """--no-reload: pages stay as they are."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"widget": {"version": "1.0.0"}}')
    options = options_from(port=port, state=":memory:", only="amocrm", widget=[f"mine={tmp_path}"], reload=reload)

    async with started(options) as sandbox:
        with sandbox.world.signals.listen(changes.CHANNEL) as queue:
            await asyncio.sleep(2 * changes.LOOK_S)
            manifest.write_text('{"widget": {"version": "1.0.1"}}')
            told = [(await asyncio.wait_for(queue.get(), 10))[1]["version"]] if reload else []
            await asyncio.sleep(0 if reload else 4 * changes.LOOK_S)
            assert queue.empty()

    assert told == versions


async def test_a_large_account_is_filled_once(port: int, tmp_path: Path) -> None:
    """--contacts N: at least N contacts, also after a restart with the same state."""
    counts = []
    for _ in range(2):
        options = options_from(port=port, state=str(tmp_path), only="amocrm", contacts=300)
        async with started(options) as sandbox:
            counts.append(len(sandbox.world.contacts))

    assert counts == [300, 300]


async def test_the_command_runs_until_it_is_told_to_stop(port: int, tmp_path: Path) -> None:
    """The first line of --json is the line; SIGTERM ends it with 0."""
    words = f"port={port}, state={str(tmp_path)!r}, only='amocrm', as_json=True"
    code = f"import asyncio; from server.sandbox.run import *; asyncio.run(run(options_from({words})))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)

    process.terminate()

    assert set(json.loads(line)) == KEYS
    assert await asyncio.wait_for(process.wait(), 10) == 0
