"""The whole sandbox as people start it: amoCRM, both PBXs, and the real backend as a child process."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from sandboxes import until

START_S = 60  # a cold start beside other suites on two cores


@pytest.fixture
async def whole(port: int, tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """The command with --json, and its line."""
    command = (sys.executable, "-m", "server", "sandbox", "--port", str(port), "--state", str(tmp_path), "--json")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stdout.readline(), START_S)
    assert line, (await process.stderr.read()).decode()
    yield process, json.loads(line)
    if process.returncode is None:
        process.terminate()
        await asyncio.wait_for(process.wait(), START_S)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, taken leave of or not."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return True


async def until_gone(pid: int) -> bool:
    """Whether the process ends within a few seconds."""
    for _ in range(100):
        if is_gone(pid):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_everything_is_connected_and_the_child_dies_with_its_parent(
    whole: tuple[asyncio.subprocess.Process, dict[str, Any]], port: int
) -> None:
    """Addresses and secrets of the line are those in force; a call's webhooks are taken; kill -9 leaves nothing
    behind.
    """
    process, told = whole
    async with ClientSession(timeout=ClientTimeout(total=20)) as client:
        call = {
            "from": "+79161234567",
            "extension": "203",
            "scenario": "answered",
            "ring_s": 0.1,
            "talk_s": 0.1,
            "wait": True,
        }
        for vendor in ("sipuni", "mango"):
            async with client.post(f"{told['amocrm']}/sandbox/pbx/{vendor}/calls", json=call) as answer:
                assert answer.status == 200
        async with client.get(f"{told['amocrm']}/sandbox/log?kind=webhook") as answer:
            hooks = [hook for hook in await answer.json() if hook.get("vendor")]
        async with client.get(f"{told['amocrm']}/sandbox/widgets") as answer:
            widgets = await answer.json()
    process.send_signal(signal.SIGKILL)
    await process.wait()

    assert told["backend"] == f"http://localhost:{port + 1}"
    assert told["pbx"]["sipuni"]["hook_url"].startswith(told["backend"])
    assert told["pbx"]["mango"]["hook_base"].startswith(told["backend"])
    assert {hook["vendor"] for hook in hooks} == {"sipuni", "mango"}
    assert {hook["status"] for hook in hooks} == {200}
    assert widgets == [{"code": "kommutator", "active": True, "settings": {"backend_url": told["backend"]}}]
    assert await until_gone(told["backend_pid"])


async def test_using_up_the_lines_tokens_does_not_touch_the_backend(
    whole: tuple[asyncio.subprocess.Process, dict[str, Any]],
) -> None:
    """Its code exchanged, its refresh token used, all its tokens replaced: the backend still logs a call."""
    _, told = whole
    async with ClientSession(timeout=ClientTimeout(total=30)) as client:
        exchange = {name: told[name] for name in ("client_id", "client_secret", "redirect_uri")}
        for grant in (
            {"grant_type": "authorization_code", "code": told["auth_code"]},
            {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]},
        ):
            async with client.post(f"{told['amocrm']}/oauth2/access_token", json=exchange | grant) as answer:
                assert answer.status == 200
                token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with client.get(f"{told['amocrm']}/api/v4/contacts?limit=1", headers=headers) as answer:
            fields = json.loads(await answer.text())["_embedded"]["contacts"][0]["custom_fields_values"]
        phone = next(field["values"][0]["value"] for field in fields if field["field_code"] == "PHONE")
        call = {"from": phone, "extension": "203", "scenario": "answered", "ring_s": 0.1, "talk_s": 0.1, "wait": True}
        async with client.post(f"{told['amocrm']}/sandbox/pbx/sipuni/calls", json=call) as answer:
            assert answer.status == 200
        statuses = await until(lambda: logged_calls(client, told["amocrm"]), timeout_s=30)

    assert statuses == [200]


async def logged_calls(client: ClientSession, amocrm: str) -> list[int]:
    """How the requests that log calls were answered."""
    async with client.get(f"{amocrm}/sandbox/log?kind=request") as answer:
        return [one["status"] for one in await answer.json() if one["path"] == "/api/v4/calls"]
