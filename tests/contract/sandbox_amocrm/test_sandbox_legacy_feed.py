"""/api/v2: notes, tasks, calls and Unsorted as the API before /api/v4 had them."""

import json
import time
from typing import Any

import pytest
from amocrm_client import Api, body, listed, made, new_contact, write

from server.sandbox.world import Row, World

PHONE = "+79000007710"


@pytest.fixture
async def contact(api: Api) -> int:
    fresh = await made(await api.post("/api/v4/contacts", [new_contact("Ия", PHONE)]), "contacts")
    return int(fresh[0]["id"])


async def test_a_plain_note_is_the_same_in_both_apis(api: Api, contact: int) -> None:
    """Type 4 with its text; a change of the text is seen as well."""
    note = {"element_id": str(contact), "element_type": "1", "note_type": 4, "text": "Перезвонить"}

    added = (await write(api, "notes", add=[note]))["items"][0]["id"]
    await write(api, "notes", update=[{"id": added, "updated_at": int(time.time()), "text": "Уже"}])

    seen = await body(await api.get(f"/api/v4/contacts/{contact}/notes/{added}"))
    assert (seen["note_type"], seen["params"]) == ("common", {"text": "Уже"})
    shown = (await listed(await api.get(f"/api/v2/notes?type=contact&element_id={contact}")))[0]
    assert (shown["id"], shown["note_type"], shown["text"]) == (added, 4, "Уже")
    assert (shown["element_id"], shown["element_type"], shown["is_editable"]) == (contact, 1, True)


@pytest.mark.parametrize("written", ["params", "text"])
async def test_a_call_is_a_note_of_type_10_or_11(api: Api, contact: int, written: str) -> None:
    """Its params in capitals, as an object or as the JSON text of older clients."""
    call = {"UNIQ": "u1", "PHONE": PHONE, "DURATION": 33, "SRC": "acme", "LINK": "https://voip.example/1.mp3"}
    told = {"params": call} if written == "params" else {"text": json.dumps(call)}
    at = {"element_id": contact, "element_type": 1, "note_type": 10, "created_at": 1_700_000_000}

    await write(api, "notes", add=[{**at, **told}])

    seen = (await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes"))[0]
    assert (seen["note_type"], seen["created_at"]) == ("call_in", 1_700_000_000)
    assert (seen["params"]["uniq"], seen["params"]["duration"], seen["params"]["source"]) == ("u1", 33, "acme")
    shown = (await listed(await api.get(f"/api/v2/notes?type=contact&element_id={contact}&note_type=10")))[0]
    assert shown["params"] == json.loads(shown["text"]) == call


@pytest.mark.parametrize(
    "wrong", [{"note_type": 3}, {"element_id": 1}, {"element_type": 4}, {"text": None}, {"note_type": "x"}]
)
async def test_a_note_without_sense_is_told_as_an_error(api: Api, contact: int, wrong: Row) -> None:
    """A system's type, an unknown element, a task, no text."""
    note = {"element_id": contact, "element_type": 1, "note_type": 4, "text": "x", **wrong}

    told = await write(api, "notes", add=[note])

    assert told["items"] == []
    assert len(told["errors"]["add"]) == 1


async def test_a_task_is_made_completed_and_found(api: Api, contact: int) -> None:
    """complete_till or complete_till_at, element by number, status among the filters."""
    till = int(time.time()) + 3600
    task = {"element_id": contact, "element_type": 1, "task_type": "2", "text": "Встреча", "complete_till_at": till}

    added = (await write(api, "tasks", add=[task, {"text": "Без карточки", "complete_till": till}]))["items"]
    await write(api, "tasks", update=[{"id": added[0]["id"], "updated_at": int(time.time()), "is_completed": 1}])

    shown = (await listed(await api.get(f"/api/v2/tasks?type=contact&element_id={contact}")))[0]
    assert (shown["id"], shown["task_type"], shown["complete_till_at"]) == (added[0]["id"], 2, till)
    assert (shown["is_completed"], shown["element_type"], shown["result"]) == (True, 1, {})
    assert (await body(await api.get(f"/api/v4/tasks/{added[0]['id']}")))["is_completed"] is True
    done = {row["id"] for row in await listed(await api.get("/api/v2/tasks?filter[status]=1"))}
    undone = {row["id"] for row in await listed(await api.get("/api/v2/tasks?filter[status][]=0"))}
    assert added[0]["id"] in done - undone
    assert added[1]["id"] in undone - done


async def test_a_call_is_logged_by_its_number_and_unknown_ones_told_apart(api: Api, world: World, contact: int) -> None:
    """200 with both; without a creator it is the administrator's."""
    known = {"phone_number": "8 900 000 77 10", "direction": "outbound", "duration": "7", "source": "acme", "uniq": "u"}

    told = await body(await api.post("/api/v2/calls", {"add": [known, {**known, "phone_number": "70000000000"}]}))

    assert told["_links"] == {"self": "/api/v2/calls", "method": "post"}
    item = told["_embedded"]["items"][0]
    assert (item["element_id"], item["element_type"], item["phone_number"]) == (contact, 1, "8 900 000 77 10")
    assert item["_links"] == {"self": f"/api/v2/notes?id={item['id']}&type=contact", "method": "get"}
    error = told["_embedded"]["errors"][0]
    assert (error["msg"], error["code"], error["item"]["phone_number"]) == ("Entity not found", 263, "70000000000")
    note = world.notes[item["id"]]
    assert (note["note_type"], note["created_by"], note["params"]["duration"]) == ("call_out", 11_000_011, 7)


def waiting_call(**more: Any) -> Row:
    """A call from an unknown number, as the documentation of the time has it."""
    info = {"from": PHONE, "to": 11_000_013, "date_call": 1_790_000_000, "service_code": "acme", "add_note": True}
    inside = {"leads": [{"name": "Звонок", "sale": 100}], "contacts": [{"name": "Ия", "tags": "звонок"}]}
    return {"source_name": "Acme", "source_uid": "acme-1", "incoming_entities": inside,
            "incoming_lead_info": {**info, **more}}  # fmt: skip


async def test_a_call_waits_and_is_accepted(api: Api, world: World) -> None:
    """The uids are the data of the answer; accepting tells the ids of what became real."""
    put = await body(await api.post("/api/v2/incoming_leads/sip", {"add": [waiting_call()]}))
    uid = put["data"][0]
    seen = (await made(await api.get("/api/v4/leads/unsorted"), "unsorted"))[0]
    waiting = (await listed(await api.get("/api/v2/incoming_leads?categories[]=sip")))[0]

    taken = await body(await api.post("/api/v2/incoming_leads/accept", {"accept": [uid], "user_id": 11_000_013}))

    assert put["status"] == taken["status"] == "success"
    assert (seen["uid"], seen["metadata"]["phone"], seen["metadata"]["call_responsible"]) == (uid, PHONE, 11_000_013)
    assert (waiting["uid"], waiting["incoming_lead_info"]["from"]) == (uid, PHONE)
    inside = taken["data"][uid]
    lead = await body(await api.get(f"/api/v4/leads/{inside['leads'][0]}"))
    assert (lead["name"], lead["price"], lead["responsible_user_id"]) == ("Звонок", 100, 11_000_013)
    assert world.contacts[inside["contacts"][0]]["is_unsorted"] is False
    assert [note["note_type"] for note in world.notes.where(entity_id=lead["id"])] == ["call_in"]
    assert (await api.get("/api/v2/incoming_leads")).status == 204
    assert (await body(await api.get("/api/v2/incoming_leads/summary")))["accepted"] == 1


async def test_a_call_is_declined_with_all_that_is_inside(api: Api, world: World) -> None:
    """As in /api/v4."""
    uid = (await body(await api.post("/api/v2/incoming_leads/sip", {"add": [waiting_call()]})))["data"][0]

    told = await body(await api.post("/api/v2/incoming_leads/decline", {"decline": [uid], "user_id": 11_000_011}))

    assert world.leads.get(told["data"][uid]["leads"][0]) is None
    assert (await api.post("/api/v2/incoming_leads/decline", {"decline": [uid]})).status == 404


@pytest.mark.parametrize("name", ["from", "to", "date_call", "service_code"])
async def test_a_call_with_something_missing_fails_by_name(api: Api, name: str) -> None:
    """fail and the reason; nothing waits."""
    told = await body(await api.post("/api/v2/incoming_leads/sip", {"add": [waiting_call(**{name: None})]}), 400)

    assert told["status"] == "fail"
    assert name in told["error"]
    assert (await api.get("/api/v2/incoming_leads")).status == 204


async def test_the_same_call_twice_fails(api: Api) -> None:
    """Exact copies are refused here too."""
    await api.post("/api/v2/incoming_leads/sip", {"add": [waiting_call()]})

    assert (await body(await api.post("/api/v2/incoming_leads/sip", {"add": [waiting_call()]}), 400))[
        "status"
    ] == "fail"
