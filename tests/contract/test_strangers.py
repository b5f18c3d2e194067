"""Calls with numbers that amoCRM does not know, on real parts: told by a PBX, and found in amoCRM's records and cards.

All stories are told at once on one running sandbox; each test then looks at its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from sandboxes import Sandbox, running, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

Json = dict[str, Any]
BORN = int(time.time()) - 120
ACCEPTED, KNOWN, DIALLED, MISSED, WRONG = (f"7999500000{n}" for n in range(1, 6))


def events(ref: str, phone: str, *, way: str = "in", talk_s: int = 7) -> list[Json]:
    """Sipuni's events of one call at extension 201."""
    if way == "in":
        sides = {"src_type": 1, "src_num": phone, "dst_type": 2, "dst_num": "078332201", "short_dst_num": "201"}
    else:
        sides = {"src_type": 2, "src_num": "078332201", "short_src_num": "201", "dst_type": 1, "dst_num": phone}
    common = {"call_id": ref, **sides}
    status = "ANSWER" if talk_s else "NOANSWER"
    answered_at = BORN + 2 if talk_s else 0
    end = {"status": status, "call_start_timestamp": BORN, "call_answer_timestamp": answered_at}
    middle = [{**common, "event": 3, "timestamp": BORN + 2}] if talk_s else []
    return [{**common, "event": 1, "timestamp": BORN}, *middle, {**common, "event": 2, "timestamp": BORN + 9, **end}]


async def tell(sandbox: Sandbox, *told: list[Json]) -> None:
    url = sandbox.info["pbx"]["sipuni"]["hook_url"]
    for event in (event for one in told for event in one):
        await sandbox.ask("GET", f"{url}?{urlencode(event)}")


async def call_id(sandbox: Sandbox, ref: str) -> str:
    return next(str(call["id"]) for call in await sandbox.calls() if call["provider_call_id"] == ref)


async def record_of(sandbox: Sandbox, phone: str) -> Json | None:
    """The record of Unsorted that waits for this caller."""
    answer = await sandbox.api("/api/v4/leads/unsorted?limit=250")
    records = answer["_embedded"]["unsorted"] if answer else []
    found = [one for one in records if one["metadata"]["phone"] == f"+{phone}"]
    assert len(found) <= 1
    return found[0] if found else None


async def entity_of(sandbox: Sandbox, noun: str, phone: str) -> Json | None:
    answer = await sandbox.api(f"/api/v4/{noun}?query={phone}")
    return answer["_embedded"][noun][0] if answer else None


async def notes_of(sandbox: Sandbox, noun: str, entity_id: int) -> list[str]:
    """The calls in a card's feed, by our id."""
    answer = await sandbox.api(f"/api/v4/{noun}/{entity_id}/notes?limit=250")
    notes = answer["_embedded"]["notes"] if answer else []
    return sorted(note["params"]["uniq"] for note in notes if note["note_type"].startswith("call_"))


async def send(sandbox: Sandbox, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {sandbox.info['access_token']}"}
    return await sandbox.ask("POST", sandbox.amocrm + path, headers=headers, json=body)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """Everybody called; a missed call makes a lead here, the rest goes by the defaults."""
    async with running(tmp_path_factory.mktemp("strangers"), KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        await sandbox.switch(limit_integration_per_s=0)  # the tests look at amoCRM as the same integration
        await until(sandbox.is_copied)
        headers = {"Authorization": f"Bearer {(await sandbox.session('201'))['bearer']}"}
        rule = {"kind": "in_missed", "way": "lead", "tags": ["АТС"]}
        url = f"{sandbox.backend}/api/settings/account"
        await sandbox.ask("PUT", url, headers=headers, json={"strangers": [rule]})
        await tell(
            sandbox,
            events("accepted", ACCEPTED),
            events("known", KNOWN),
            events("dialled", DIALLED, way="out"),
            events("missed", MISSED, talk_s=0),
            events("wrong", WRONG, way="out", talk_s=0),
        )
        for phone in (ACCEPTED, KNOWN):
            await until(lambda phone=phone: record_of(sandbox, phone), timeout_s=40)
        yield sandbox


async def test_who_calls_again_is_appended_to_the_record(told: Sandbox) -> None:
    """One record of the caller, and the second call in its lead's feed; then somebody makes a contact of him."""
    record = await record_of(told, KNOWN)
    assert record is not None
    assert record["metadata"]["uniq"] == await call_id(told, "known")
    (lead,) = record["_embedded"]["leads"]

    await tell(told, events("known-2", KNOWN))
    second = await call_id(told, "known-2")
    await until(lambda: _is_noted(told, "leads", lead["id"], second), timeout_s=40)

    assert (await record_of(told, KNOWN) or {})["uid"] == record["uid"]


async def test_a_contact_made_by_hand_gets_the_calls_of_its_record(told: Sandbox) -> None:
    """amoCRM drops the record with its lead: both calls are written into the contact's card, once."""
    number = {"field_code": "PHONE", "values": [{"value": f"+{KNOWN}", "enum_code": "WORK"}]}
    made = await send(told, "/api/v4/contacts", [{"name": "Новый клиент", "custom_fields_values": [number]}])
    contact_id = made["_embedded"]["contacts"][0]["id"]
    calls = sorted([await call_id(told, "known"), await call_id(told, "known-2")])

    async def both() -> bool:
        return await notes_of(told, "contacts", contact_id) == calls

    await until(both, timeout_s=60)
    assert await record_of(told, KNOWN) is None


async def test_an_accepted_record_keeps_its_one_call(told: Sandbox) -> None:
    """amoCRM itself moves it into the new lead."""
    record = await record_of(told, ACCEPTED)
    assert record is not None
    await send(told, f"/api/v4/leads/unsorted/{record['uid']}/accept", {})
    (lead,) = record["_embedded"]["leads"]
    uniq = await call_id(told, "accepted")

    # The phone book hears of the new contact, and the call is looked for; nothing may be written then.
    await until(lambda: _is_settled(told, uniq), timeout_s=60)

    assert await notes_of(told, "leads", lead["id"]) == [uniq]
    contact = await entity_of(told, "contacts", ACCEPTED)
    assert contact is not None
    assert await notes_of(told, "contacts", contact["id"]) == []


async def test_a_dialled_number_becomes_a_contact(told: Sandbox) -> None:
    """With the call in its card, and the agent who dialled as its owner."""
    contact = await until(lambda: entity_of(told, "contacts", DIALLED), timeout_s=40)
    uniq = await call_id(told, "dialled")

    await until(lambda: _is_noted(told, "contacts", contact["id"], uniq))

    assert contact["responsible_user_id"] == told.user("201")["id"]


async def test_the_accounts_rule_makes_a_lead_of_a_missed_call(told: Sandbox) -> None:
    """With its tag, its contact and the call."""
    contact = await until(lambda: entity_of(told, "contacts", MISSED), timeout_s=40)
    full = await told.api(f"/api/v4/contacts/{contact['id']}?with=leads")
    (lead,) = full["_embedded"]["leads"]
    uniq = await call_id(told, "missed")

    await until(lambda: _is_noted(told, "leads", lead["id"], uniq))

    shown = await told.api(f"/api/v4/leads/{lead['id']}")
    assert (shown["name"], shown["_embedded"]["tags"][0]["name"]) == ("Пропущенный звонок от +7 999 500-00-04", "АТС")


async def test_a_wrong_number_makes_nothing(told: Sandbox) -> None:
    """It waits for its number to become known."""
    await until(lambda: _is_settled(told, "wrong", by_ref=True), timeout_s=40)

    assert await entity_of(told, "contacts", WRONG) is None
    assert await record_of(told, WRONG) is None


async def _is_noted(sandbox: Sandbox, noun: str, entity_id: int, uniq: str) -> bool:
    return uniq in await notes_of(sandbox, noun, entity_id)


async def _is_settled(sandbox: Sandbox, name: str, *, by_ref: bool = False) -> bool:
    """Whether the backend has said what became of a call, after it was told of its number."""
    call = await call_id(sandbox, name) if by_ref else name
    text = await asyncio.to_thread((sandbox.state / "backend.log").read_text, "utf-8")
    wanted = '"filed": "stray"' if by_ref else '"filed": "logged"'
    return any(call in line and "call_filed" in line and wanted in line for line in text.splitlines())


async def test_an_account_of_an_older_edition_is_served_by_its_older_methods(told: Sandbox) -> None:
    """Where amoCRM has no /api/v4/calls, a known number's call and an unknown one's record are made all the same."""
    for path in ("/api/v4/calls", "/api/v4/leads/unsorted/sip"):
        await told.fault(target="amocrm", kind="status", status=404, path=path)
    await tell(told, events("old-known", DIALLED), events("old-unknown", "79995000009"))

    contact = await entity_of(told, "contacts", DIALLED)
    assert contact is not None
    known, unknown = await call_id(told, "old-known"), await call_id(told, "old-unknown")
    await until(lambda: _is_noted(told, "contacts", contact["id"], known), timeout_s=40)
    record = await until(lambda: record_of(told, "79995000009"), timeout_s=40)
    assert record["metadata"]["uniq"] == unknown
