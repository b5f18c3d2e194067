"""`POST /api/v4/calls` and `/api/v2/events`: who the number belongs to, and what is told when nobody has it."""

import time
from typing import Any

import pytest
from amocrm_client import Api, body, made, new_contact

from server.sandbox.world import Row, World

PHONE = "+7 (916) 555-44-33"


def call(phone: str = PHONE, **more: Any) -> Row:
    """An inbound call."""
    return {"direction": "inbound", "duration": 54, "source": "acme", "phone": phone, "uniq": "u1", **more}


@pytest.fixture
async def contact(api: Api) -> int:
    """A contact with the number, without leads or customers."""
    return int((await made(await api.post("/api/v4/contacts", [new_contact("Ия", PHONE)]), "contacts"))[0]["id"])


async def lead_of(api: Api, contact: int, **more: Any) -> int:
    """A lead of this contact."""
    wanted = {"_embedded": {"contacts": [{"id": contact}]}, **more}
    return int((await made(await api.post("/api/v4/leads", [wanted]), "leads"))[0]["id"])


@pytest.mark.parametrize("phone", ["89165554433", "+79165554433", "9165554433", "7 916 555 44 33"])
async def test_a_number_matches_by_its_last_ten_digits(api: Api, contact: int, phone: str) -> None:
    """However it is written; the entity's type is singular."""
    logged = (await made(await api.post("/api/v4/calls", [call(phone)]), "calls"))[0]

    assert (logged["entity_id"], logged["entity_type"], logged["request_id"]) == (contact, "contact", "0")
    assert logged["_embedded"]["entity"]["id"] == contact
    assert logged["account_id"]


async def test_one_open_lead_gets_the_call(api: Api, contact: int) -> None:
    """Closed leads do not count."""
    await lead_of(api, contact, status_id=143)
    open_lead = await lead_of(api, contact)

    logged = (await made(await api.post("/api/v4/calls", [call()]), "calls"))[0]

    assert (logged["entity_type"], logged["entity_id"]) == ("lead", open_lead)


async def test_two_open_leads_leave_the_call_at_the_contact(api: Api, contact: int) -> None:
    """Which deal it was about nobody can tell."""
    await lead_of(api, contact)
    await lead_of(api, contact)

    logged = (await made(await api.post("/api/v4/calls", [call()]), "calls"))[0]

    assert (logged["entity_type"], logged["entity_id"]) == ("contact", contact)


@pytest.mark.parametrize(("is_on", "expected"), [(True, "customer"), (False, "contact")])
async def test_one_customer_gets_the_call(api: Api, world: World, contact: int, is_on: bool, expected: str) -> None:
    """Where the customers function is on."""
    customer = (await made(await api.post("/api/v4/customers", [{"name": "К"}]), "customers"))[0]["id"]
    await api.post(f"/api/v4/customers/{customer}/link", [{"to_entity_id": contact, "to_entity_type": "contacts"}])
    world.switches.set({"customers": is_on})

    assert (await made(await api.post("/api/v4/calls", [call()]), "calls"))[0]["entity_type"] == expected


async def test_a_companys_own_number_gives_the_company(api: Api) -> None:
    """When no contact has it."""
    await api.post("/api/v4/companies", [new_contact("ООО", PHONE)])

    assert (await made(await api.post("/api/v4/calls", [call()]), "calls"))[0]["entity_type"] == "company"


async def test_an_unknown_number_is_400_with_263(api: Api) -> None:
    """Not the validation form: errors on top, nothing embedded."""
    told = await body(await api.post("/api/v4/calls", [call("+79000000000")]), 400)

    assert told["_total_items"] == 0
    assert told["_embedded"] == {"calls": []}
    error = told["errors"][0]
    assert (error["title"], error["status"], error["request_id"]) == ("Entity not found", 263, "0")


@pytest.mark.parametrize("status", [200, 400])
async def test_a_mixed_batch_tells_both(api: Api, world: World, contact: int, status: int) -> None:
    """Found ones embedded, the others in errors; the status is a switch."""
    world.switches.set({"calls_mixed_batch": status})

    told = await body(await api.post("/api/v4/calls", [call(), call("+79000000000", request_id="x")]), status)

    assert [one["entity_id"] for one in told["_embedded"]["calls"]] == [contact]
    assert [one["request_id"] for one in told["errors"]] == ["x"]


async def test_the_call_is_a_note_of_its_entity(api: Api, world: World, contact: int) -> None:
    """With the call's params, back-dated, by the agent who took it."""
    agent = world.user_named("203")
    assert agent is not None
    wanted = call(
        link="https://voip.example/1.mp3", call_responsible=agent["id"], call_status=4, created_at=1_790_000_000.0
    )
    await made(await api.post("/api/v4/calls", [wanted]), "calls")

    note = (await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes"))[0]

    assert (note["note_type"], note["created_by"], note["created_at"]) == ("call_in", agent["id"], 1_790_000_000)
    assert note["responsible_user_id"] == world.contacts[contact]["responsible_user_id"]
    expected = {"uniq": "u1", "duration": 54, "source": "acme", "phone": PHONE, "link": "https://voip.example/1.mp3"}
    assert expected.items() <= note["params"].items()


async def test_a_call_of_nobody_is_the_robots(api: Api, contact: int) -> None:
    """Neither created_by nor call_responsible: the robot, 0."""
    await made(await api.post("/api/v4/calls", [call(direction="outbound")]), "calls")

    note = (await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes"))[0]

    assert (note["note_type"], note["created_by"]) == ("call_out", 0)


@pytest.mark.parametrize(("mode", "notes"), [("repeat", 2), ("dedupe", 1)])
async def test_the_same_uniq_twice_is_a_switch(api: Api, world: World, contact: int, mode: str, notes: int) -> None:
    """Deduplication is not promised."""
    world.switches.set({"calls_uniq": mode})

    for _ in range(2):
        await made(await api.post("/api/v4/calls", [call()]), "calls")

    assert len(await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes")) == notes


async def test_a_note_may_be_visible_late(api: Api, world: World, contact: int) -> None:
    """The switch for clients that look whether a call has arrived."""
    world.switches.set({"note_visible_after_s": 5})
    await made(await api.post("/api/v4/calls", [call()]), "calls")

    at_once = (await api.get(f"/api/v4/contacts/{contact}/notes")).status
    world.clock = lambda: time.time() + 6

    assert at_once == 204
    assert len(await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes")) == 1


async def test_uniq_may_be_absent_from_notes(api: Api, world: World, contact: int) -> None:
    """The switch for clients that compare it."""
    world.switches.set({"note_uniq": False})
    await made(await api.post("/api/v4/calls", [call()]), "calls")

    assert "uniq" not in (await made(await api.get(f"/api/v4/contacts/{contact}/notes"), "notes"))[0]["params"]


@pytest.mark.parametrize(
    "wrong",
    [{"direction": "sideways"}, {"direction": None}, {"duration": -1}, {"duration": "long"}, {"source": ""},
     {"phone": None}, {"phone": ["7"]}, {"call_status": 99}],
)  # fmt: skip
async def test_a_call_without_sense_is_refused(api: Api, wrong: Row) -> None:
    """In the validation form."""
    assert (await body(await api.post("/api/v4/calls", [call(**wrong)]), 400))["validation-errors"]


@pytest.mark.parametrize("kind", ["json", "form"])
async def test_a_call_event_reaches_the_named_users(api: Api, world: World, contact: int, kind: str) -> None:
    """Through the notification centre; JSON or a form with brackets."""
    agent = world.user_named("203")
    assert agent is not None
    form = {"add[0][type]": "phone_call", "add[0][phone_number]": PHONE, "add[0][users][]": str(agent["id"])}
    event = {"add": [{"type": "phone_call", "phone_number": PHONE, "users": [agent["id"]]}]}
    with world.signals.listen(f"notifications:{world.account['id']}:{agent['id']}") as queue:
        answer = await (
            api.post("/api/v2/events/", event) if kind == "json" else api.call("POST", "/api/v2/events", data=form)
        )

        item = (await body(answer))["_embedded"]["items"][0]
        _, payload = queue.get_nowait()

    assert (item["element_id"], item["element_type"], item["phone_number"]) == (contact, 1, PHONE)
    assert payload["click"]["value"] == f"/contacts/detail/{contact}"
    assert [row["user_id"] for row in world.notifications] == [agent["id"]]


async def test_a_call_event_for_nobody_in_particular_reaches_everybody(api: Api, world: World) -> None:
    """users omitted; an unknown number offers a new contact."""
    event = {"add": [{"type": "phone_call", "phone_number": "+79000000000"}]}

    item = (await body(await api.post("/api/v2/events", event)))["_embedded"]["items"][0]

    assert (item["element_id"], item["element_type"]) == (None, None)
    assert {row["user_id"] for row in world.notifications} == {user["id"] for user in world.users}
    assert {row["body"]["click"]["value"] for row in world.notifications} == {"/contacts/add/?phone=+79000000000"}


async def test_eight_digits_are_enough_for_an_event(api: Api, contact: int) -> None:
    """Where /calls needs ten."""
    event = {"add": [{"type": "phone_call", "phone_number": "00 65554433"}]}

    item = (await body(await api.post("/api/v2/events", event)))["_embedded"]["items"][0]

    assert item["element_id"] == contact
    assert (await api.post("/api/v4/calls", [call("00 65554433")])).status == 400


@pytest.mark.parametrize("wrong", [{}, {"add": []}, {"add": [{"type": "other", "phone_number": "1"}]}, {"add": [1]}])
async def test_an_event_without_sense_is_400(api: Api, wrong: Row) -> None:
    """Not 500."""
    assert (await api.post("/api/v2/events", wrong)).status == 400


async def test_calls_and_changes_are_in_the_events_list(api: Api, world: World, contact: int) -> None:
    """The latest first; by type, entity and time; rights apply."""
    await made(await api.post("/api/v4/calls", [call()]), "calls")
    lead = await lead_of(api, contact)
    await api.patch(f"/api/v4/leads/{lead}", {"status_id": 143})

    calls = await made(
        await api.get(f"/api/v4/events?filter[type]=incoming_call&filter[entity_id][]={contact}"), "events"
    )
    leads = await made(await api.get("/api/v4/events?filter[entity][]=lead"), "events")

    assert [(one["type"], one["entity_type"]) for one in calls] == [("incoming_call", "contact")]
    assert [one["type"] for one in leads] == ["lead_status_changed", "lead_added"]
    assert leads[0]["value_after"][0]["lead_status"]["id"] == 143
    assert await body(await api.get(f"/api/v4/events/{leads[0]['id']}")) == leads[0]
    assert (await api.get("/api/v4/events?filter[type]=chat_added")).status == 204
