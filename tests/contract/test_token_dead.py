"""An authorisation that dies unnoticed: told within a minute, and what waited goes out after the next one."""

from pathlib import Path
from typing import Any

import pytest
from sandboxes import Sandbox, running, until

PULSE_S = 1


async def alerts(sandbox: Sandbox, bearer: str) -> list[str]:
    headers = {"Authorization": f"Bearer {bearer}"}
    settings = await sandbox.ask("GET", f"{sandbox.backend}/api/settings", headers=headers)
    return [alert["slug"] for alert in settings["alerts"]]


async def switch_widget(sandbox: Sandbox, *, on: bool) -> None:
    """What an administrator does in amoCRM; switching off revokes the tokens."""
    (widget,) = await sandbox.ask("GET", f"{sandbox.amocrm}/sandbox/widgets")
    body: dict[str, Any] = {"settings": widget["settings"], "active": on}
    await sandbox.ask("PUT", f"{sandbox.amocrm}/sandbox/widgets/{widget['code']}", json=body)


async def known_phone(sandbox: Sandbox) -> str:
    contact = (await sandbox.api("/api/v4/contacts?limit=1"))["_embedded"]["contacts"][0]
    return next(
        str(field["values"][0]["value"]) for field in contact["custom_fields_values"] if field["field_code"] == "PHONE"
    )


@pytest.mark.slow
async def test_a_dead_authorisation_is_told_at_once_and_mended_by_the_next(tmp_path: Path) -> None:
    """The hook that says "switched off" is lost, nobody calls, and the administrators know all the same. A call that
    ends meanwhile is logged as soon as the integration is switched on again: the lane does not wait its minute out.
    """
    async with running(tmp_path, KOMMUTATOR_AMO_PULSE_S=str(PULSE_S), KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        await until(sandbox.is_copied)
        phone, bearer = await known_phone(sandbox), (await sandbox.session("201"))["bearer"]
        await sandbox.fault(target="backend", kind="drop", path="/amo/disabled")

        await switch_widget(sandbox, on=False)
        await until(lambda: _has(sandbox, bearer, "crm-token-dead"), timeout_s=PULSE_S * 10)

        body = {"from": phone, "extension": "201", "scenario": "answered", "ring_s": 0.2, "talk_s": 0.5}
        await sandbox.play("sipuni", **body)
        await until(lambda: _refused(sandbox), timeout_s=30)
        await sandbox.ask("DELETE", f"{sandbox.amocrm}/sandbox/log")
        await switch_widget(sandbox, on=True)

        logged = await until(lambda: sandbox.log("request", path="/api/v4/calls", status=200), timeout_s=30)
        assert len(logged) == 1
        assert "crm-token-dead" not in await alerts(sandbox, bearer)


async def _has(sandbox: Sandbox, bearer: str, slug: str) -> bool:
    return slug in await alerts(sandbox, bearer)


async def _refused(sandbox: Sandbox) -> bool:
    """Whether the call's note was tried, and refused for want of an authorisation."""
    return bool(await sandbox.log("request", path="/api/v4/calls", status=401))
