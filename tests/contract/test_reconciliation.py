"""A PBX that tells nothing: its statistics bring every call back, once; what was told wrongly is put right."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from clients import Clients, all_clients
from sandboxes import Json, Sandbox, running, until

pytestmark = [pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """Calls are compared a second after they are over: nobody waits ten minutes here."""
    folder = tmp_path_factory.mktemp("reconcile")
    async with running(folder, KOMMUTATOR_RECONCILE_SETTLE_S="1", KOMMUTATOR_RECONCILE_HOUR="-1") as started:
        await until(started.is_copied, timeout_s=60)
        await started.switch(limit_integration_per_s=0, limit_account_per_s=0)
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(sandbox: Sandbox) -> Clients:
    return await all_clients(sandbox)


async def administrator(sandbox: Sandbox) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {(await sandbox.session('201'))['bearer']}"}}


async def compared(sandbox: Sandbox, vendor: str) -> Json:
    """What a comparison finds that is asked for now."""
    admin = await administrator(sandbox)
    settings = await sandbox.ask("GET", f"{sandbox.backend}/api/settings", **admin)
    (line,) = [one for one in settings["lines"] if one["provider"] == vendor]
    url = f"{sandbox.backend}/api/lines/{line['id']}/reconcile"
    before = (await sandbox.ask("GET", url, **admin))["last"]
    await sandbox.ask("POST", url, json={}, **admin)

    async def is_new() -> Json | None:
        last = (await sandbox.ask("GET", url, **admin))["last"]
        return last if last != before else None

    found: Json = await until(is_new, timeout_s=30)
    return found


async def known(sandbox: Sandbox, phone: str) -> list[Json]:
    found = await sandbox.ask(
        "GET", f"{sandbox.backend}/api/journal", params={"phone": phone.strip("+")}, **await administrator(sandbox)
    )
    return [row["call"] for row in found["calls"]]


async def noted(sandbox: Sandbox, call_id: str) -> int:
    """How often a call of ours stands in amoCRM."""
    counts: Counter[str] = Counter()
    for noun in ("contacts", "companies", "leads", "customers"):
        answer = await sandbox.api(f"/api/v4/{noun}/notes?filter[note_type][]=call_in&limit=250")
        notes = answer["_embedded"]["notes"] if answer else ()
        counts.update(str(note["params"].get("uniq")) for note in notes)
    return counts[call_id]


async def played(sandbox: Sandbox, vendor: str, phone: str, extension: str, **more: Any) -> None:
    """An answered call, lived through to its end."""
    call = {"from": phone, "extension": extension, "scenario": "answered", "ring_s": 0.3, "talk_s": 1.0, **more}
    await sandbox.play(vendor, **call)

    async def is_told() -> bool:
        state = await sandbox.ask("GET", f"{sandbox.info['pbx'][vendor]['url']}/phone/api/state")
        return not any(one["is_live"] for one in state["calls"])

    await until(is_told, timeout_s=20)


@pytest.mark.parametrize("vendor", ["sipuni", "mango"])
async def test_a_call_that_nobody_told_of_is_added_once(sandbox: Sandbox, clients: Clients, vendor: str) -> None:
    """Every webhook of it was lost: after a comparison it stands in amoCRM with its length and its agent, after another
    still once; the administrator is told that webhooks are missing, until none is."""
    client = clients.take(lambda one: one.group == 0 and one.leads == 0)
    await sandbox.fault(target=vendor, kind="drop")
    await played(sandbox, vendor, client.phone, "202", record=True)
    await sandbox.ask("DELETE", f"{sandbox.amocrm}/sandbox/faults")
    assert await known(sandbox, client.phone) == []

    report = await until(lambda: _with(sandbox, vendor, added=1), timeout_s=30, step_s=0.5)
    (found,) = await known(sandbox, client.phone)
    assert (found["direction"], found["result"], found["answered_by_ext"]) == ("in", "answered", "202")
    assert 0 < found["talk_s"] <= 3
    await until(lambda: noted(sandbox, found["id"]), timeout_s=20)
    settings = await sandbox.ask("GET", f"{sandbox.backend}/api/settings", **await administrator(sandbox))
    assert "hooks-missing" in [alert["slug"] for alert in settings["alerts"]]

    again = await compared(sandbox, vendor)

    assert (report["added"], again["added"], again["corrected"], again["doubtful"]) == (1, 0, 0, 0)
    assert len(await known(sandbox, client.phone)) == 1
    assert await noted(sandbox, found["id"]) == 1
    settings = await sandbox.ask("GET", f"{sandbox.backend}/api/settings", **await administrator(sandbox))
    assert "hooks-missing" not in [alert["slug"] for alert in settings["alerts"]]


@pytest.mark.parametrize("vendor", ["sipuni", "mango"])
async def test_a_lost_hang_up_is_put_right(sandbox: Sandbox, clients: Clients, vendor: str) -> None:
    """The call would have gone on for hours: the statistics end it, with its real length."""
    client = clients.take(lambda one: one.group == 0 and one.leads == 0)
    url = f"{sandbox.info['pbx'][vendor]['url']}/sandbox/knobs"
    await sandbox.ask("PUT", url, json={"drop_hangup_rate": 1.0})
    await played(sandbox, vendor, client.phone, "203")
    await sandbox.ask("DELETE", url)
    (found,) = await known(sandbox, client.phone)
    assert found["state"] == "live"

    await until(lambda: _with(sandbox, vendor, corrected=1), timeout_s=30, step_s=0.5)

    (found,) = await known(sandbox, client.phone)
    assert (found["state"], found["result"], found["answered_by_ext"]) == ("ended", "answered", "203")
    assert 0 < found["talk_s"] <= 3
    await until(lambda: noted(sandbox, found["id"]), timeout_s=20)
    assert await noted(sandbox, found["id"]) == 1


async def test_a_call_back_that_nobody_took_is_not_doubled(sandbox: Sandbox, clients: Clients) -> None:
    """Sipuni's webhooks tell of it as a missed call, its statistics as one going out: it is one call all the same."""
    client = clients.take(lambda one: one.group == 0 and one.leads == 0)
    told = (await compared(sandbox, "sipuni"))["told"]
    call = {"from": client.phone, "extension": "201", "scenario": "callback_no_answer", "ring_s": 0.3}
    await sandbox.play("sipuni", **call)

    async def is_ended() -> bool:
        return [one["state"] for one in await known(sandbox, client.phone)] == ["ended"]

    await until(is_ended, timeout_s=20)
    report = await until(lambda: _more(sandbox, "sipuni", told), timeout_s=30, step_s=0.5)

    assert (report["added"], report["doubtful"]) == (0, 0)
    assert len(await known(sandbox, client.phone)) == 1


async def _more(sandbox: Sandbox, vendor: str, told: int) -> Json | None:
    """A comparison that looked at more calls than that; before the last one has settled, one does not."""
    report = await compared(sandbox, vendor)
    return report if report["told"] > told else None


async def _with(sandbox: Sandbox, vendor: str, **wanted: int) -> Json | None:
    """A comparison that found this; before the call has settled, one finds nothing."""
    report = await compared(sandbox, vendor)
    return report if wanted.items() <= report.items() else None
