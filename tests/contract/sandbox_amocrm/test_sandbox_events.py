"""The log of events, and links of many entities."""

import pytest
from amocrm_client import Api, body, made

from server.sandbox.world import Row, World


async def events(api: Api, query: str) -> list[Row]:
    return await made(await api.get(f"/api/v4/events?{query}"), "events")


@pytest.fixture
def lead(world: World) -> Row:
    return next(row for row in world.leads if row["status_id"] not in (142, 143))


async def test_an_update_is_told_member_by_member(api: Api, lead: Row, world: World) -> None:
    """Name, price, tags and each field have an event of their own, with the values before and after."""
    field = next(f for f in world.custom_fields.where(entity_type="leads") if f["type"] == "select")
    wish = {
        "name": "Иначе",
        "price": 155,
        "tags_to_add": [{"name": "срочно"}],
        "custom_fields_values": [{"field_id": field["id"], "values": [{"value": "Звонок"}]}],
    }
    await api.patch(f"/api/v4/leads/{lead['id']}", wish)

    rows = {row["type"]: row for row in await events(api, f"filter[entity]=lead&filter[entity_id][]={lead['id']}")}
    changed = f"custom_field_{field['id']}_value_changed"

    assert rows["name_field_changed"]["value_after"] == [{"name_field_value": {"name": "Иначе"}}]
    assert rows["sale_field_changed"]["value_after"][0]["sale_field_value"]["sale"] == 155
    assert rows["entity_tag_added"]["value_after"] == [{"tag": {"name": "срочно"}}]
    assert rows[changed]["value_after"][0]["custom_field_value"]["text"] == "Звонок"
    assert [row["type"] for row in await events(api, "filter[type]=custom_field_value_changed")] == [changed]
    assert [
        row["type"] for row in await events(api, "filter[type]=sale_field_changed&filter[value_after][value]=155")
    ] == ["sale_field_changed"]


async def test_events_are_found_by_the_values_before_and_after(api: Api, lead: Row, world: World) -> None:
    """A status with its pipeline, a responsible user."""
    other = next(user["id"] for user in world.users if user["id"] != lead["responsible_user_id"])
    await api.patch(f"/api/v4/leads/{lead['id']}", {"status_id": 143, "responsible_user_id": other})
    status = (
        f"[leads_statuses][0][pipeline_id]={lead['pipeline_id']}&filter[value_after][leads_statuses][0][status_id]="
    )

    lost = await events(api, f"filter[type]=lead_status_changed&filter[value_after]{status}143")
    won = await api.get(f"/api/v4/events?filter[type]=lead_status_changed&filter[value_after]{status}142")
    given = await events(api, f"filter[value_after][responsible_user_id]=5,{other}")

    assert [row["entity_id"] for row in lost] == [lead["id"]]
    assert won.status == 204
    assert [row["type"] for row in given] == ["entity_responsible_changed"]


async def test_links_are_events_of_both_sides(api: Api, lead: Row, world: World) -> None:
    """contact_linked in the lead, lead_linked in the contact."""
    contact = next(row["id"] for row in world.contacts if row["id"] not in lead["links"].get("contacts", []))
    wish = [{"to_entity_id": contact, "to_entity_type": "contacts"}]
    await api.post(f"/api/v4/leads/{lead['id']}/link", wish)
    await api.post(f"/api/v4/leads/{lead['id']}/unlink", wish)

    told = {
        row["type"]: row["entity_id"] for row in await events(api, "filter[entity][]=lead&filter[entity][]=contact")
    }

    assert told == {
        "contact_linked": lead["id"],
        "lead_linked": contact,
        "contact_unlinked": lead["id"],
        "lead_unlinked": contact,
    }


async def test_a_tasks_life_is_told(api: Api) -> None:
    """Added, changed, completed with a result."""
    task = (await made(await api.post("/api/v4/tasks", [{"text": "а", "complete_till": 1_800_000_000}]), "tasks"))[0][
        "id"
    ]
    await api.patch(f"/api/v4/tasks/{task}", {"text": "б", "complete_till": 1_800_000_100, "task_type_id": 2})
    await api.patch(f"/api/v4/tasks/{task}", {"is_completed": True, "result": {"text": "готово"}})

    told = [row["type"] for row in await events(api, f"filter[entity]=task&filter[entity_id]={task}")]

    assert sorted(told) == [
        "task_added",
        "task_completed",
        "task_deadline_changed",
        "task_result_added",
        "task_text_changed",
        "task_type_changed",
    ]


async def test_an_event_names_its_entity_when_asked(api: Api, lead: Row) -> None:
    """with=lead_name, in the list and for one event."""
    await api.patch(f"/api/v4/leads/{lead['id']}", {"name": "Имя"})
    event = (await events(api, "with=lead_name,contact_name"))[0]

    one = await body(await api.get(f"/api/v4/events/{event['id']}"))

    assert event["_embedded"]["entity"]["name"] == "Имя"
    assert "name" not in one["_embedded"]["entity"]


async def test_a_lone_time_means_since(api: Api, lead: Row, world: World) -> None:
    """filter[created_at]=…; for notes and tasks filter[updated_at]=…"""
    now = world.now()
    await api.patch(f"/api/v4/leads/{lead['id']}", {"name": "Имя"})

    assert await events(api, f"filter[created_at]={now - 5}")
    assert (await api.get(f"/api/v4/events?filter[created_at]={now + 100}")).status == 204
    assert (await api.get(f"/api/v4/tasks?filter[updated_at]={now + 100}")).status == 204
    assert await made(await api.get("/api/v4/tasks?filter[updated_at]=1"), "tasks")
    assert await made(await api.get("/api/v4/contacts/notes?filter[updated_at]=1"), "notes")


async def test_at_most_ten_entities_are_asked_for(api: Api) -> None:
    """And at most a hundred events a page."""
    many = "&".join(f"filter[entity_id][]={number}" for number in range(11))

    assert (await api.get(f"/api/v4/events?filter[entity]=lead&{many}")).status == 400


async def test_the_types_of_events_are_listed_in_two_languages(api: Api) -> None:
    """GET /events/types."""
    ru = await made(await api.get("/api/v4/events/types"), "events_types")
    en = await made(await api.get("/api/v4/events/types?language_code=en"), "events_types")

    names = {row["key"]: row["lang"] for row in ru}
    assert names["incoming_call"] == "Входящий звонок"
    assert {row["key"]: row["lang"] for row in en}["incoming_call"] == "Incoming call"
    assert len(names) == len(en)


async def test_links_of_many_entities_are_listed_made_and_undone(api: Api, world: World) -> None:
    """`/leads/links?filter[entity_id][]`, `/leads/link`, `/leads/unlink`, each item with its own entity."""
    one, two = (row["id"] for row in await made(await api.post("/api/v4/leads", [{}, {}]), "leads"))
    contact, company = next(iter(world.contacts))["id"], next(iter(world.companies))["id"]
    wish = [
        {"entity_id": one, "to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": True}},
        {"entity_id": two, "to_entity_id": company, "to_entity_type": "companies"},
    ]
    query = f"filter[entity_id][]={one}&filter[entity_id][]={two}"

    answered = (await body(await api.post("/api/v4/leads/link", wish)))["_embedded"]["links"]
    listed = await body(await api.get(f"/api/v4/leads/links?{query}"))
    narrowed = (await body(await api.get(f"/api/v4/leads/links?{query}&filter[to_entity_type]=companies")))["_embedded"]
    undone = await api.post("/api/v4/leads/unlink", wish)

    pairs = [(row["entity_id"], row["entity_type"], row["to_entity_id"]) for row in answered]
    assert pairs == [(one, "leads", contact), (two, "leads", company)]
    assert answered[0]["metadata"] == {"main_contact": True}
    assert listed["_total_items"] == 2
    assert [row["entity_id"] for row in narrowed["links"]] == [two]
    assert undone.status == 204
    assert (await api.get(f"/api/v4/leads/links?{query}")).status == 204
    assert (await api.get("/api/v4/leads/links")).status == 400
    assert (await api.post("/api/v4/leads/link", [{**wish[0], "entity_id": 5}])).status == 400


async def test_the_next_task_of_an_entity_is_known(api: Api, lead: Row) -> None:
    """closest_task_at follows the open tasks, and leads are filtered by it."""
    about = {"entity_id": lead["id"], "entity_type": "leads", "text": "x"}
    items = [{**about, "complete_till": 1_900_000_000}, {**about, "complete_till": 1_800_000_000}]
    tasks = await made(await api.post("/api/v4/tasks", items), "tasks")

    soon = (await body(await api.get(f"/api/v4/leads/{lead['id']}")))["closest_task_at"]
    found = await made(await api.get("/api/v4/leads?filter[closest_task_at][from]=1790000000"), "leads")
    await api.patch(f"/api/v4/tasks/{tasks[1]['id']}", {"is_completed": True})
    later = (await body(await api.get(f"/api/v4/leads/{lead['id']}")))["closest_task_at"]

    assert (soon, later) == (1_800_000_000, 1_900_000_000)
    assert lead["id"] in [row["id"] for row in found]


@pytest.mark.parametrize("path", ["/api/v4/leads/notes/{note}", "/api/v4/leads/{lead}/notes/{note}"])
async def test_one_note_of_an_entity_is_pinned(api: Api, lead: Row, path: str) -> None:
    """pin and unpin answer 204; a second one takes the place of the first."""
    item = {"note_type": "common", "params": {"text": "x"}}
    first, second = await made(await api.post(f"/api/v4/leads/{lead['id']}/notes", [item, item]), "notes")

    for note in (first, second):
        answer = await api.call("POST", path.format(lead=lead["id"], note=note["id"]) + "/pin")
        assert answer.status == 204
    pinned = [
        row["id"] for row in await made(await api.get(f"/api/v4/leads/{lead['id']}/notes"), "notes") if row["is_pinned"]
    ]
    undone = await api.call("POST", path.format(lead=lead["id"], note=second["id"]) + "/unpin")

    assert pinned == [second["id"]]
    assert undone.status == 204
    assert (await api.call("POST", path.format(lead=lead["id"], note=5) + "/pin")).status == 404


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("service_message", {"service": "с", "text": "т"}),
        ("extended_service_message", {"service": "с", "text": "т"}),
        ("message_cashier", {"status": "created", "text": "т"}),
        ("geolocation", {"text": "т", "address": "а", "longitude": "-13", "latitude": "32"}),
        ("sms_in", {"text": "т", "phone": "+79999999999"}),
        ("sms_out", {"text": "т", "phone": "+79999999999"}),
        ("attachment", {"file_uuid": "u", "version_uuid": "v", "file_name": "ф.png"}),
    ],
)
async def test_every_type_of_note_keeps_its_params(api: Api, lead: Row, kind: str, params: Row) -> None:
    """As documented."""
    path = f"/api/v4/leads/{lead['id']}/notes"
    note = (await made(await api.post(path, [{"note_type": kind, "params": params}]), "notes"))[0]

    shown = await body(await api.get(f"{path}/{note['id']}"))

    assert (shown["note_type"], shown["params"]) == (kind, params)
