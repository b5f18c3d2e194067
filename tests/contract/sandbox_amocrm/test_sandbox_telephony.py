"""Published telephony integrations at work: what they ask of amoCRM, in their order and their shapes.

`pbx`: a PBX module in PHP (MikoPBX's ModuleAmoCrm), which keeps a copy of all numbers and decides by itself what a call
makes. `asterisk`: a service beside Asterisk (iqtek's), which lets amoCRM find the card and falls back to Unsorted.
"""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from amocrm_client import Api, Site, body, made, new_contact

from server.sandbox.oauth.tokens import issue_code
from server.sandbox.seed import more_contacts
from server.sandbox.world import Row, World

PHONE = "+79150001122"
INDEX = PHONE[-10:]


@pytest.fixture
def agent(world: World) -> int:
    """The user who took the call."""
    user = world.user_named("203")
    assert user is not None
    return int(user["id"])


def by_index(number: str) -> str:
    """The last ten digits: what the PBX module knows a number by."""
    return number[-10:]


def record(agent: int, **more: Any) -> Row:
    """A finished call as the PBX module writes it; `id` and `is_app` it has cleaned away before."""
    return {
        "direction": "inbound", "uniq": "mikopbx-1795.1", "duration": 31, "source": "miko-pbx", "phone": PHONE,
        "link": "https://pbx.example/pbxcore/api/amo-crm/playback?view=1.mp3", "call_status": 4,
        "created_at": 1_790_000_000, "updated_at": 1_790_000_000, "request_id": "mikopbx-1795.1",
        "call_result": "| dst: 203 | Продажи | did: 74950000000 |", "created_by": agent, "responsible_user_id": agent,
        **more,
    }  # fmt: skip


async def test_pbx_signs_in_refreshes_and_sends_the_scheme_it_was_told(
    site: Site, world: World, integration: Row
) -> None:
    """Tokens by JSON; `token_type` goes back literally in front of the token."""
    user = world.user_named("201")
    assert user is not None
    own = {"client_id": integration["id"], "client_secret": integration["secret"]}
    own["redirect_uri"] = integration["redirect_uri"]
    code = issue_code(world, client_id=integration["id"], user_id=user["id"])
    asked = {**own, "grant_type": "authorization_code", "code": code}

    first = await body(await site.post("/oauth2/access_token", json=asked))
    asked = {**own, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await body(await site.post("/oauth2/access_token", json=asked))

    headers = {"Authorization": f"{second['token_type']} {second['access_token']}"}
    answer = await body(await site.get("/api/v4/leads/pipelines", headers=headers))
    assert {len(line["_embedded"]["statuses"]) > 2 for line in answer["_embedded"]["pipelines"]} == {True}
    assert (await site.post("/oauth2/access_token", json=asked)).status in (400, 401)


@pytest.mark.parametrize("noun", ["contacts", "companies", "leads"])
async def test_pbx_copies_what_has_changed(api: Api, world: World, noun: str) -> None:
    """Newest first, within two times, page by page with the number taken out of the next link."""
    more_contacts(world, 120)
    since = sorted(row["updated_at"] for row in world.entities(noun))[3]
    until = max(row["updated_at"] for row in world.entities(noun))
    wanted = {row["id"] for row in world.entities(noun) if since <= row["updated_at"] <= until}
    query = {"with": "contacts", "order[updated_at]": "desc", "filter[updated_at][from]": since,
             "filter[updated_at][to]": until}  # fmt: skip

    rows: list[Row] = []
    page: dict[str, Any] = {}
    while True:
        answer = await body(await api.get(f"/api/v4/{noun}?{urlencode({**query, **page})}"))
        rows += answer["_embedded"][noun]
        follow = parse_qs(urlsplit(answer["_links"].get("next", {"href": ""})["href"]).query)
        if "page" not in follow:
            break
        page = {"page": follow["page"][0]}

    assert {row["id"] for row in rows} == wanted
    assert [row["updated_at"] for row in rows] == sorted((row["updated_at"] for row in rows), reverse=True)
    if noun == "leads":
        assert any(row["_embedded"]["contacts"] for row in rows)


async def test_pbx_makes_contact_lead_and_task_and_logs_the_call(api: Api, world: World, agent: int) -> None:
    """Matched by the number's last ten digits as request_id; the call is then found at the new lead."""
    new = {**new_contact(f"Новый {PHONE}", PHONE), "request_id": INDEX, "responsible_user_id": agent}
    contact = (await made(await api.post("/api/v4/contacts", [new]), "contacts"))[0]
    lead = {"name": f"Звонок {PHONE}", "price": 0, "responsible_user_id": agent, "request_id": contact["request_id"],
            "_embedded": {"contacts": [{"id": contact["id"], "is_main": True}]}}  # fmt: skip
    deal = (await made(await api.post("/api/v4/leads", [lead]), "leads"))[0]
    task = {"text": "Перезвонить", "complete_till": world.now() + 3600, "responsible_user_id": agent,
            "entity_id": deal["id"], "entity_type": "leads"}  # fmt: skip
    assert await made(await api.post("/api/v4/tasks", [task]), "tasks")

    logged = (await made(await api.post("/api/v4/calls", [record(agent)]), "calls"))[0]

    assert (contact["request_id"], deal["request_id"]) == (INDEX, INDEX)
    assert (logged["entity_type"], logged["entity_id"]) == ("lead", deal["id"])
    assert logged["request_id"] == "mikopbx-1795.1"
    assert world.notes[logged["id"]]["created_by"] == agent


async def test_a_list_with_holes_as_php_writes_it_is_a_list(api: Api, agent: int) -> None:
    """Calls were taken out of the middle, and what PHP had left became an object with numbers for names."""
    await api.post("/api/v4/contacts", [new_contact("Ия", PHONE)])
    holes = {"0": record(agent, uniq="a", request_id="a"), "2": record(agent, uniq="c", request_id="c")}

    logged = await made(await api.post("/api/v4/calls", holes), "calls")

    assert [call["request_id"] for call in logged] == ["a", "c"]


async def test_pbx_puts_a_strangers_call_into_unsorted_with_names_of_its_own(
    api: Api, world: World, agent: int
) -> None:
    """The answer names request, contact and lead; the module keeps them as the number's."""
    call = record(agent)
    metadata = {"is_call_event_needed": True, "call_responsible": agent, "uniq": call["uniq"], "duration": 31,
                "service_code": "miko-pbx", "link": call["link"], "phone": PHONE, "called_at": call["created_at"],
                "from": "miko-pbx"}  # fmt: skip
    inside = {"contacts": [new_contact(f"Новый {PHONE}", PHONE)], "leads": [{"name": f"Звонок {PHONE}"}]}
    pipeline = next(iter(world.pipelines))["id"]
    item = {"request_id": INDEX, "source_name": "miko-pbx", "source_uid": "miko-pbx", "pipeline_id": pipeline,
            "created_at": call["created_at"], "metadata": metadata, "_embedded": inside}  # fmt: skip

    waiting = (await made(await api.post("/api/v4/leads/unsorted/sip", [item]), "unsorted"))[0]

    assert waiting["request_id"] == INDEX
    assert world.contacts[waiting["_embedded"]["contacts"][0]["id"]]["name"] == f"Новый {PHONE}"
    assert world.leads[waiting["_embedded"]["leads"][0]["id"]]["pipeline_id"] == pipeline


async def test_pbx_replaces_a_records_link_in_the_note(api: Api, agent: int) -> None:
    """It reads the card's notes and writes the whole params of one of them anew."""
    await api.post("/api/v4/contacts", [new_contact("Ия", PHONE)])
    logged = (await made(await api.post("/api/v4/calls", [record(agent)]), "calls"))[0]
    path = f"/api/v4/contacts/{logged['entity_id']}/notes"
    note = (await made(await api.get(path), "notes"))[0]

    params = {**note["params"], "link": "https://pbx.example/2.mp3", "call_status": 4, "call_result": "ANSWERED"}
    await body(await api.patch(f"{path}/{note['id']}", {"note_type": "call_in", "params": params}))

    assert (await body(await api.get(f"{path}/{note['id']}")))["params"]["link"] == "https://pbx.example/2.mp3"


async def test_pbx_tells_users_who_is_calling(api: Api, world: World, agent: int) -> None:
    """By the old door, with the slash at its end."""
    event = {"type": "phone_call", "phone_number": PHONE, "users": [agent]}

    await body(await api.post("/api/v2/events/", {"add": [event]}))

    assert [entry["user_id"] for entry in world.log.entries("notification")] == [agent]


@pytest.mark.parametrize("stored", ["+7 (915) 000-11-22", "8 915 000 11 22", "79150001122", "9150001122"])
async def test_asterisk_asks_with_plus_seven_seven_and_eight(api: Api, stored: str) -> None:
    """One after another until somebody answers; here each of them does, however the number is stored."""
    contact = (await made(await api.post("/api/v4/contacts", [new_contact("Ия", stored)]), "contacts"))[0]["id"]

    for prefix in ("+7", "7", "8"):
        query = urlencode({"page": 1, "limit": 250, "query": f"{prefix}{INDEX}"})
        found = await made(await api.get(f"/api/v4/contacts?{query}"), "contacts")
        assert [row["id"] for row in found] == [contact], prefix
        assert found[0]["responsible_user_id"]


async def test_asterisk_falls_back_to_unsorted_when_nobody_has_the_number(api: Api, world: World, agent: int) -> None:
    """400 at /calls, then Unsorted with the pipeline it knows by name, and no entities of its own."""
    call = {"uniq": "1795.7", "direction": "inbound", "duration": 0, "source": "asterisk", "phone": PHONE,
            "link": "https://pbx.example/1.mp3", "call_result": "", "call_status": 6, "responsible_user_id": agent,
            "created_at": 1_790_000_000}  # fmt: skip
    refused = await body(await api.post("/api/v4/calls", [call]), 400)
    pipelines = await made(await api.get("/api/v4/leads/pipelines"), "pipelines")
    known = {line["name"]: line["id"] for line in pipelines}
    name = next(iter(world.pipelines))["name"]
    metadata = {"uniq": "1795.7", "from_": PHONE, "phone": "203", "called_at": 1_790_000_000, "duration": 0,
                "link": call["link"], "service_code": "asterisk", "is_call_event_needed": True}  # fmt: skip
    item = {"source_uid": "asterisk", "source_name": "Asterisk", "pipeline_id": known[name], "metadata": metadata,
            "created_at": 1_790_000_000}  # fmt: skip

    waiting = (await made(await api.post("/api/v4/leads/unsorted/sip", [item]), "unsorted"))[0]

    assert [(error["title"], error["status"]) for error in refused["errors"]] == [("Entity not found", 263)]
    assert [row["uid"] for row in await made(await api.get("/api/v4/leads/unsorted"), "unsorted")] == [waiting["uid"]]
