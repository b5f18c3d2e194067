"""Unsorted: calls from unknown numbers, waiting for a person."""

from typing import Any

import pytest
from amocrm_client import Api, Site, body, made, new_contact

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


def form(**more: Any) -> Row:
    """A form as an integration puts it into Unsorted; a name may be a number, as in amoCRM's own sample."""
    metadata = {"form_id": "f1", "form_name": "Заявка", "form_page": "https://example.test", "ip": "192.0.2.1",
                "form_sent_at": 1_790_000_000, "referer": "https://example.test/ad"}  # fmt: skip
    inside = {"contacts": [{"name": 234, "first_name": "123", "last_name": 234}]}
    return {"source_name": "Сайт", "source_uid": "site", "metadata": metadata, "_embedded": inside, **more}


async def test_a_form_waits_like_a_call(api: Api, world: World) -> None:
    """Listed by its category, with its metadata; accepted it becomes a lead."""
    stored = (await made(await api.post("/api/v4/leads/unsorted/forms", [form()]), "unsorted"))[0]

    listed = await made(await api.get("/api/v4/leads/unsorted?filter[category][]=forms"), "unsorted")
    await body(await api.post(f"/api/v4/leads/unsorted/{stored['uid']}/accept", {}))

    assert listed[0]["metadata"]["form_page"] == "https://example.test"
    assert (await api.get("/api/v4/leads/unsorted?filter[category][]=sip")).status == 204
    assert world.contacts[stored["_embedded"]["contacts"][0]["id"]]["name"] == "123 234"
    assert (await api.post("/api/v4/leads/unsorted/forms", [form(metadata=None)])).status == 400


@pytest.mark.parametrize("category", ["chats", "mail"])
async def test_chats_and_letters_come_from_amocrm_itself(api: Api, site: Site, category: str) -> None:
    """A control of the sandbox puts them in; list and summary know their categories."""
    told = await body(await site.post("/sandbox/unsorted", json={"category": category}))

    listed = await made(await api.get(f"/api/v4/leads/unsorted?filter[category][]={category}"), "unsorted")
    summary = await body(await api.get("/api/v4/leads/unsorted/summary"))

    assert [row["uid"] for row in listed] == [told["uid"]]
    assert summary["categories"][category] == {"total": 1}
    assert summary["total"] == 1


async def test_a_chat_is_linked_with_a_lead(api: Api, site: Site, world: World) -> None:
    """Its contact joins the lead, its own lead goes; calls cannot be linked."""
    chat = await body(await site.post("/sandbox/unsorted", json={"category": "chats"}))
    lead = next(iter(world.leads))["id"]
    wish = {"link": {"entity_id": lead, "entity_type": "leads"}}

    told = await body(await api.post(f"/api/v4/leads/unsorted/{chat['uid']}/link", wish))
    call = (await made(await api.post("/api/v4/leads/unsorted/sip", [record()]), "unsorted"))[0]

    assert [row["id"] for row in told["_embedded"]["leads"]] == [lead]
    assert chat["inside"]["contacts"][0] in world.leads[lead]["links"]["contacts"]
    assert (await api.get(f"/api/v4/contacts/{chat['inside']['contacts'][0]}")).status == 200
    assert world.leads.get(chat["inside"]["leads"][0]) is None
    assert (await api.post(f"/api/v4/leads/unsorted/{call['uid']}/link", wish)).status == 400
    assert (await api.post(f"/api/v4/leads/unsorted/{chat['uid']}/link", wish)).status == 404


async def test_a_record_whose_pipeline_is_gone_cannot_be_accepted(api: Api, site: Site, world: World) -> None:
    """400, not a failure of the sandbox."""
    pipeline = (await made(await api.post("/api/v4/leads/pipelines", [{"name": "На час"}]), "pipelines"))[0]["id"]
    row = (await made(await api.post("/api/v4/leads/unsorted/forms", [form(pipeline_id=pipeline)]), "unsorted"))[0]
    lead = row["_embedded"]["leads"][0]["id"]
    await body(await site.post("/sandbox/bin", json={"entity": "leads", "ids": [lead], "action": "delete"}))
    assert (await api.delete(f"/api/v4/leads/pipelines/{pipeline}")).status == 204

    assert (await api.post(f"/api/v4/leads/unsorted/{row['uid']}/accept", {})).status == 400


async def test_the_summary_counts_what_was_sorted(api: Api, world: World, waiting: Row) -> None:
    """Accepted, declined, how long it took; by pipeline and time."""
    other = (
        await made(await api.post("/api/v4/leads/unsorted/sip", [record(uniq="u2", phone="+79150003344")]), "unsorted")
    )[0]
    await api.post(f"/api/v4/leads/unsorted/{waiting['uid']}/accept", {})
    await api.delete(f"/api/v4/leads/unsorted/{other['uid']}/decline", {})

    summary = await body(await api.get("/api/v4/leads/unsorted/summary"))
    later = await body(await api.get(f"/api/v4/leads/unsorted/summary?filter[created_at][from]={world.now() + 100}"))

    assert (summary["total"], summary["accepted"], summary["declined"]) == (0, 1, 1)
    assert later["accepted"] == 0


async def test_the_wish_for_a_call_event_is_not_shown(api: Api) -> None:
    """is_call_event_needed may be sent and is never returned."""
    row = (await made(await api.post("/api/v4/leads/unsorted/sip", [record(is_call_event_needed=True)]), "unsorted"))[0]

    assert "is_call_event_needed" not in (await body(await api.get(f"/api/v4/leads/unsorted/{row['uid']}")))["metadata"]


async def test_a_complex_lead_with_metadata_waits_in_unsorted(api: Api, world: World) -> None:
    """leads/complex with a category; a contact that exists is linked."""
    contact = next(iter(world.contacts))["id"]
    metadata = {"category": "forms", "form_id": 123, "form_name": "Форма"}
    item = {"name": "Заявка", "status_id": 143, "_embedded": {"metadata": metadata, "contacts": [{"id": contact}]}}

    told = (await body(await api.post("/api/v4/leads/complex", [item])))[0]

    listed = (await made(await api.get("/api/v4/leads/unsorted"), "unsorted"))[0]
    assert listed["_embedded"]["leads"][0]["id"] == told["id"]
    assert told["contact_id"] == contact
    assert contact in world.leads[told["id"]]["links"]["contacts"]
    assert world.leads[told["id"]]["status_id"] not in (142, 143)
    wrong = {**item, "_embedded": {"metadata": {"category": "chats"}}}
    assert (await api.post("/api/v4/leads/complex", [wrong])).status == 400
