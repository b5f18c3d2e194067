"""Unsorted: calls from unknown numbers, waiting for a person."""

from typing import Any

import pytest
from amocrm_client import Api, body, made, new_contact

from server.sandbox.world import Row, World

PHONE = "+79150001122"


def record(**more: Any) -> Row:
    """A call as an integration puts it into Unsorted, without entities of its own."""
    metadata = {"phone": PHONE, "called_at": 1_790_000_000, "duration": 54, "service_code": "acme", "uniq": "u1",
                "link": "https://voip.example/1.mp3", "from": PHONE, "call_responsible": 11_000_011}  # fmt: skip
    return {"source_name": "Acme", "source_uid": "acme-main", "request_id": "1", "metadata": {**metadata, **more}}


@pytest.fixture
async def waiting(api: Api) -> Row:
    """A record that waits."""
    return (await made(await api.post("/api/v4/leads/unsorted/sip", [record()]), "unsorted"))[0]


async def test_the_answer_names_what_was_created(waiting: Row, world: World) -> None:
    """uid, account, request id, and the ids of lead and contact."""
    assert waiting["request_id"] == "1"
    assert waiting["account_id"] == world.account["id"]
    lead, contact = waiting["_embedded"]["leads"][0]["id"], waiting["_embedded"]["contacts"][0]["id"]
    assert world.leads[lead]["name"] == f"Звонок от {PHONE}"
    assert world.contacts[contact]["name"] == f"Автоконтакт {PHONE}"


async def test_a_waiting_contact_is_invisible(api: Api, waiting: Row) -> None:
    """Neither found nor fetched, and a call finds nobody."""
    contact = waiting["_embedded"]["contacts"][0]["id"]
    call = {"direction": "inbound", "duration": 1, "source": "s", "phone": PHONE}

    assert (await api.get(f"/api/v4/contacts/{contact}")).status == 204
    assert (await api.get("/api/v4/contacts?query=9150001122")).status == 204
    assert (await api.post("/api/v4/calls", [call])).status == 400


async def test_the_list_shows_what_was_told(api: Api, waiting: Row) -> None:
    """With the metadata, so that a client can compare uniq."""
    rows = await made(await api.get("/api/v4/leads/unsorted?filter[category][]=sip"), "unsorted")

    assert [(row["uid"], row["category"], row["metadata"]["uniq"]) for row in rows] == [(waiting["uid"], "sip", "u1")]
    assert (await body(await api.get(f"/api/v4/leads/unsorted/{waiting['uid']}")))["metadata"]["phone"] == PHONE


async def test_accepting_makes_lead_and_contact_real(api: Api, world: World, waiting: Row) -> None:
    """The lead gets a normal status, the record leaves the list."""
    answer = await body(await api.post(f"/api/v4/leads/unsorted/{waiting['uid']}/accept", {"user_id": 11_000_013}))

    assert {"uid", "pipeline_id", "category", "created_at", "_embedded"} <= set(answer)
    lead = await body(await api.get(f"/api/v4/leads/{answer['_embedded']['leads'][0]['id']}"))
    types = {status["id"]: status["type"] for pipeline in world.pipelines for status in pipeline["statuses"]}
    assert types[lead["status_id"]] == 0
    assert lead["responsible_user_id"] == 11_000_013
    assert (await api.get("/api/v4/leads/unsorted")).status == 204
    assert len(await made(await api.get("/api/v4/contacts?query=9150001122"), "contacts")) == 1


async def test_accepting_twice_is_404(api: Api, waiting: Row) -> None:
    """Also with no body at all."""
    first = await api.call("POST", f"/api/v4/leads/unsorted/{waiting['uid']}/accept")
    second = await api.post(f"/api/v4/leads/unsorted/{waiting['uid']}/accept", {})

    assert (first.status, second.status) == (200, 404)


async def test_declining_deletes_what_was_inside(api: Api, world: World, waiting: Row) -> None:
    """DELETE with a JSON body."""
    answer = await body(await api.delete(f"/api/v4/leads/unsorted/{waiting['uid']}/decline", {"user_id": 11_000_011}))

    assert answer["uid"] == waiting["uid"]
    assert waiting["_embedded"]["leads"][0]["id"] not in world.leads
    assert (await body(await api.get("/api/v4/leads/unsorted/summary")))["declined"] == 1


async def test_notes_of_a_declined_record_are_gone_with_it(api: Api, waiting: Row) -> None:
    """A note may be written into the waiting lead; nobody finds it after the record was declined."""
    (lead,) = waiting["_embedded"]["leads"]
    note = {"note_type": "call_in", "params": {"uniq": "u2", "duration": 5, "source": "x", "phone": "+79990000000"}}
    await made(await api.post(f"/api/v4/leads/{lead['id']}/notes", [note]), "notes")
    listing = "/api/v4/leads/notes?filter[note_type]=call_in"
    before = (await body(await api.get(listing)))["_embedded"]["notes"]

    await api.delete(f"/api/v4/leads/unsorted/{waiting['uid']}/decline")

    assert "u2" in [one["params"]["uniq"] for one in before]
    answer = await api.get(listing)
    after = (await body(answer))["_embedded"]["notes"] if answer.status == 200 else []
    assert "u2" not in [one["params"]["uniq"] for one in after]


@pytest.mark.parametrize(("mode", "status"), [("refuse", 400), ("accept", 200)])
async def test_an_exact_copy_is_a_switch(api: Api, world: World, waiting: Row, mode: str, status: int) -> None:
    """The same call told twice."""
    world.switches.set({"unsorted_exact_duplicates": mode})

    assert (await api.post("/api/v4/leads/unsorted/sip", [record()])).status == status
    assert waiting


async def test_the_record_goes_when_its_number_becomes_a_contact(api: Api, waiting: Row) -> None:
    """Somebody creates the contact by hand."""
    await made(await api.post("/api/v4/contacts", [new_contact("Живой", "8 (915) 000-11-22")]), "contacts")

    assert (await api.get("/api/v4/leads/unsorted")).status == 204
    assert (await api.get(f"/api/v4/leads/unsorted/{waiting['uid']}")).status == 404


async def test_own_entities_may_come_along(api: Api, world: World) -> None:
    """Lead and contact as the caller names them; the call shows in the accepted lead."""
    wanted = record(is_call_event_needed=True)
    wanted["_embedded"] = {"leads": [{"name": "Л"}], "contacts": [new_contact("К", PHONE)], "companies": []}
    made_one = (await made(await api.post("/api/v4/leads/unsorted/sip", [wanted]), "unsorted"))[0]

    await body(await api.post(f"/api/v4/leads/unsorted/{made_one['uid']}/accept", {}))

    lead = made_one["_embedded"]["leads"][0]["id"]
    assert world.leads[lead]["name"] == "Л"
    notes = await made(await api.get(f"/api/v4/leads/{lead}/notes"), "notes")
    assert [(note["note_type"], note["params"]["uniq"]) for note in notes] == [("call_in", "u1")]


@pytest.mark.parametrize("missing", ["phone", "called_at", "duration", "service_code", "uniq"])
async def test_the_call_must_be_told_whole(api: Api, missing: str) -> None:
    """A missing member is named."""
    told = await body(await api.post("/api/v4/leads/unsorted/sip", [record(**{missing: None})]), 400)

    assert told["validation-errors"][0]["errors"][0]["path"] == f"metadata.{missing}"


@pytest.mark.parametrize("wrong", [{"metadata": None}, {"source_name": None}, {"pipeline_id": 5}])
async def test_a_record_without_sense_is_refused(api: Api, wrong: Row) -> None:
    """Source, metadata and pipeline must be right."""
    assert (await api.post("/api/v4/leads/unsorted/sip", [{**record(), **wrong}])).status == 400


@pytest.mark.parametrize("embedded", [None, {"leads": 1}, {"contacts": [1]}, []])
async def test_entities_that_are_none_count_as_absent(api: Api, embedded: object) -> None:
    """amoCRM's own names are used then."""
    wanted = {**record(), "_embedded": embedded}

    made_one = (await made(await api.post("/api/v4/leads/unsorted/sip", [wanted]), "unsorted"))[0]

    assert len(made_one["_embedded"]["leads"]) == len(made_one["_embedded"]["contacts"]) == 1
