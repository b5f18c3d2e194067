"""Creating and changing entities, notes, tasks and links the way published clients do it."""

import copy

import pytest
from amocrm_client import Api, body, made, new_contact

from server.sandbox.world import World


async def test_a_created_entity_is_matched_by_request_id(api: Api) -> None:
    """The caller's own value, its type kept, or the position as text."""
    batch = [{"name": "а", "request_id": "mine"}, {"name": "б"}, {"name": "в", "request_id": 7}]

    rows = await made(await api.post("/api/v4/contacts", batch), "contacts")

    assert [row["request_id"] for row in rows] == ["mine", "1", 7]
    assert len({row["id"] for row in rows}) == 3


async def test_a_single_object_is_a_batch_of_one(api: Api) -> None:
    """Some clients forget the list."""
    assert len(await made(await api.post("/api/v4/leads", {"name": "Одна"}), "leads")) == 1


@pytest.mark.parametrize("entity", ["contacts", "companies", "leads", "customers"])
async def test_what_was_fetched_can_be_sent_back(api: Api, world: World, entity: str) -> None:
    """Read-only members, links, empty _embedded and nulls mean absent; nothing else changes."""
    row = copy.deepcopy(next(iter(world.entities(entity))))
    fetched = await body(await api.get(f"/api/v4/{entity}/{row['id']}"))
    for field in fetched["custom_fields_values"] or []:
        field["field_id"] = None if field["field_code"] else field["field_id"]
        for value in field["values"]:
            value["enum_id"] = None
    fetched |= {"_embedded": {}, "metadata": None, "name": "Новое имя"}

    await body(await api.patch(f"/api/v4/{entity}/{row['id']}", fetched))

    after = world.entities(entity)[row["id"]]
    assert after["name"] == "Новое имя"
    assert {key: after[key] for key in ("links", "tags", "created_at", "responsible_user_id")} == {
        key: row[key] for key in ("links", "tags", "created_at", "responsible_user_id")
    }
    assert sorted(map(str, after["custom_fields_values"])) == sorted(map(str, row["custom_fields_values"]))


async def test_a_list_is_patched_as_a_whole(api: Api, world: World) -> None:
    """PATCH of an array at the list; each answer has the id and updated_at."""
    one, two = (row["id"] for row in list(world.leads)[:2])

    rows = await made(await api.patch("/api/v4/leads", [{"id": one, "price": 5}, {"id": two, "price": 6.0}]), "leads")

    assert [(row["id"], isinstance(row["updated_at"], int)) for row in rows] == [(one, True), (two, True)]
    assert [world.leads[one]["price"], world.leads[two]["price"]] == [5, 6]


async def test_an_unknown_id_in_a_batch_changes_nothing(api: Api, world: World) -> None:
    """All or none."""
    lead = next(iter(world.leads))

    answer = await api.patch("/api/v4/leads", [{"id": lead["id"], "price": 12345}, {"id": 1, "price": 1}])

    assert answer.status == 400
    assert world.leads[lead["id"]]["price"] != 12345


async def test_field_values_come_back_with_names_codes_and_types(api: Api) -> None:
    """Per value: value, enum_id and enum_code (and enum, as the official sample shows)."""
    contact = (await made(await api.post("/api/v4/contacts", [new_contact("П", "+7 999 1112233")]), "contacts"))[0]

    fields = (await body(await api.get(f"/api/v4/contacts/{contact['id']}")))["custom_fields_values"]

    assert set(fields[0]) == {"field_id", "field_name", "field_code", "field_type", "values"}
    value = fields[0]["values"][0]
    assert (value["value"], value["enum_code"], value["enum"]) == ("+7 999 1112233", "WORK", "WORK")
    assert isinstance(value["enum_id"], int)


async def test_a_choice_may_be_named_by_its_text_alone(api: Api, world: World) -> None:
    """The choices of a select have no codes: the text must not fall on the first of them."""
    source = next(f for f in world.custom_fields.where(entity_type="leads") if f["type"] == "select")
    wanted = source["enums"][1]
    fields = [{"field_id": source["id"], "values": [{"value": wanted["value"]}]}]

    lead = (await made(await api.post("/api/v4/leads", [{"custom_fields_values": fields}]), "leads"))[0]

    shown = await body(await api.get(f"/api/v4/leads/{lead['id']}"))
    assert shown["custom_fields_values"][0]["values"][0]["enum_id"] == wanted["id"]


@pytest.mark.parametrize(("keys", "expected"), [("enum_code", {"enum_code"}), ("enum", {"enum"})])
async def test_the_code_of_a_value_has_either_name(api: Api, world: World, keys: str, expected: set[str]) -> None:
    """The switch shows one of them only."""
    world.switches.set({"enum_key": keys})
    row = next(iter(world.contacts))

    fields = (await body(await api.get(f"/api/v4/contacts/{row['id']}")))["custom_fields_values"]

    assert set(fields[0]["values"][0]) == {"value", "enum_id"} | expected


async def test_a_name_and_its_parts_follow_each_other(api: Api, world: World) -> None:
    """Given the parts, the name is made; given the name, the parts."""
    batch = [{"first_name": "Пётр", "last_name": "Ильин"}, {"name": "Анна Ким"}]

    one, two = (world.contacts[row["id"]] for row in await made(await api.post("/api/v4/contacts", batch), "contacts"))

    assert one["name"] == "Пётр Ильин"
    assert (two["first_name"], two["last_name"]) == ("Анна", "Ким")


async def test_a_new_lead_stands_in_the_first_normal_status(api: Api, world: World) -> None:
    """Of the main pipeline, with a name of its own."""
    row = (await made(await api.post("/api/v4/leads", [{}]), "leads"))[0]

    lead, main = world.leads[row["id"]], next(p for p in world.pipelines if p["is_main"])
    assert (lead["pipeline_id"], lead["status_id"]) == (main["id"], main["statuses"][1]["id"])
    assert lead["name"] == f"Сделка #{row['id']}"


async def test_a_closed_lead_has_a_closing_time(api: Api, world: World) -> None:
    """142 and 143 close, any other status opens again."""
    row = (await made(await api.post("/api/v4/leads", [{}]), "leads"))[0]
    first = world.leads[row["id"]]["status_id"]

    await body(await api.patch(f"/api/v4/leads/{row['id']}", {"status_id": 142}))
    closed = world.leads[row["id"]]["closed_at"]
    await body(await api.patch(f"/api/v4/leads/{row['id']}", {"status_id": first}))

    assert closed
    assert world.leads[row["id"]]["closed_at"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"status_id": 5},
        {"pipeline_id": 5},
        {"responsible_user_id": 5},
        {"price": "много"},
        {"name": ["x"]},
        {"created_at": 1e300},
        {"_embedded": {"contacts": [{"id": 1}]}},
        {"_embedded": "x"},
        {"custom_fields_values": "x"},
        {"custom_fields_values": [None]},
    ],
)
async def test_a_value_that_cannot_be_is_refused(api: Api, wrong: dict[str, object]) -> None:
    """With a validation error, never with 500."""
    told = await body(await api.post("/api/v4/leads", [wrong]), 400)

    assert told["validation-errors"]


async def test_tags_are_set_added_and_removed(api: Api, world: World) -> None:
    """`_embedded.tags` replaces, tags_to_add and tags_to_delete change."""
    row = (
        await made(await api.post("/api/v4/leads", [{"_embedded": {"tags": [{"name": "a"}, {"name": "b"}]}}]), "leads")
    )[0]

    await body(
        await api.patch(
            f"/api/v4/leads/{row['id']}", {"tags_to_add": [{"name": "c"}], "tags_to_delete": [{"name": "a"}]}
        )
    )

    shown = await body(await api.get(f"/api/v4/leads/{row['id']}"))
    assert [tag["name"] for tag in shown["_embedded"]["tags"]] == ["b", "c"]
    assert len(world.tags.where(entity_type="leads", name="b")) == 1


async def test_links_are_made_listed_and_undone(api: Api, world: World) -> None:
    """link answers with the links, unlink with 204; both sides see it."""
    lead = (await made(await api.post("/api/v4/leads", [{}]), "leads"))[0]["id"]
    contact = next(iter(world.contacts))["id"]
    wanted = [{"to_entity_id": contact, "to_entity_type": "contacts", "metadata": None}]

    answer = await body(await api.post(f"/api/v4/leads/{lead}/link", wanted))
    back = await body(await api.get(f"/api/v4/contacts/{contact}/links?filter[to_entity_type]=leads"))
    undone = await api.post(f"/api/v4/leads/{lead}/unlink", wanted)

    assert answer["_embedded"]["links"][0]["to_entity_id"] == contact
    assert lead in [link["to_entity_id"] for link in back["_embedded"]["links"]]
    assert undone.status == 204
    assert (await api.get(f"/api/v4/leads/{lead}/links")).status == 204


async def test_a_lead_has_one_company(api: Api, world: World) -> None:
    """A second one replaces the first."""
    lead = (await made(await api.post("/api/v4/leads", [{}]), "leads"))[0]["id"]
    one, two = (row["id"] for row in list(world.companies)[:2])

    for company in (one, two):
        await body(
            await api.post(f"/api/v4/leads/{lead}/link", [{"to_entity_id": company, "to_entity_type": "companies"}])
        )

    assert world.leads[lead]["links"]["companies"] == [two]
    assert lead not in world.companies[one]["links"]["leads"]


async def test_notes_are_written_and_read_at_both_addresses(api: Api, world: World) -> None:
    """With entity_id in the item, or in the path."""
    contact = next(iter(world.contacts))["id"]
    text = {"note_type": "common", "params": {"text": "Перезвонить"}}

    one = (await made(await api.post("/api/v4/contacts/notes", [{**text, "entity_id": contact}]), "notes"))[0]
    two = (await made(await api.post(f"/api/v4/contacts/{contact}/notes", [text]), "notes"))[0]

    assert (one["entity_id"], one["request_id"], two["entity_id"]) == (contact, "0", contact)
    shown = await body(await api.get(f"/api/v4/contacts/notes/{one['id']}"))
    assert shown == await body(await api.get(f"/api/v4/contacts/{contact}/notes/{one['id']}"))
    assert shown["params"] == {"text": "Перезвонить"}


async def test_a_call_note_is_changed_later(api: Api, world: World) -> None:
    """The result modal adds its result; what was there stays."""
    contact = next(iter(world.contacts))["id"]
    call = {
        "note_type": "call_in",
        "params": {"uniq": "u", "duration": 12.0, "source": "s", "phone": "+7", "link": None},
    }
    note = (await made(await api.post(f"/api/v4/contacts/{contact}/notes", [call]), "notes"))[0]

    await body(await api.patch(f"/api/v4/contacts/notes/{note['id']}", {"params": {"call_result": "Договорились"}}))

    params = (await body(await api.get(f"/api/v4/contacts/notes/{note['id']}")))["params"]
    assert params == {"uniq": "u", "duration": 12, "source": "s", "phone": "+7", "call_result": "Договорились"}


@pytest.mark.parametrize("is_amended", [True, False])
async def test_a_note_may_change_hands(api: Api, world: World, is_amended: bool) -> None:
    """amoCRM's own library sends whose it is; the documentation does not list it."""
    world.switches.set({"note_owner_amended": is_amended})
    contact, first = next(iter(world.contacts))["id"], {"note_type": "common", "params": {"text": "x"}}
    before = (await made(await api.post(f"/api/v4/contacts/{contact}/notes", [first]), "notes"))[0]
    path = f"/api/v4/contacts/notes/{before['id']}"
    whose = (await body(await api.get(path)))["responsible_user_id"]
    other = next(user["id"] for user in world.users if user["id"] != whose)

    await body(await api.patch(path, {"responsible_user_id": other, "created_by": other}))

    shown = await body(await api.get(path))
    assert shown["responsible_user_id"] == shown["created_by"] == (other if is_amended else whose)


@pytest.mark.parametrize(
    "wrong",
    [
        {"note_type": "nonsense", "params": {}},
        {"note_type": "common"},
        {"note_type": "common", "params": {}},
        {"note_type": ["common"], "params": {"text": "x"}},
        {"note_type": "common", "params": {"text": "x"}, "entity_id": 1},
    ],
)
async def test_a_note_without_sense_is_refused(api: Api, world: World, wrong: dict[str, object]) -> None:
    """Type, params and owner must be right."""
    contact = next(iter(world.contacts))["id"]

    answer = await api.post("/api/v4/contacts/notes", [{"entity_id": contact, **wrong}])

    assert (await body(answer, 400))["validation-errors"]


async def test_notes_are_filtered_by_type_and_owner(api: Api, world: World) -> None:
    """filter[note_type], filter[entity_id][]."""
    contact = next(iter(world.contacts))["id"]
    await api.post(
        f"/api/v4/contacts/{contact}/notes", [{"note_type": "sms_in", "params": {"text": "x", "phone": "+7"}}]
    )

    rows = await made(
        await api.get(f"/api/v4/contacts/notes?filter[note_type]=sms_in&filter[entity_id][]={contact}"), "notes"
    )

    assert [row["note_type"] for row in rows] == ["sms_in"]


async def test_a_task_takes_floats_and_is_completed(api: Api, world: World) -> None:
    """complete_till arrives as a float; the result is kept."""
    lead = next(iter(world.leads))["id"]
    task = {"text": "Позвонить", "complete_till": 1_800_000_000.0, "entity_id": lead, "entity_type": "leads"}
    row = (await made(await api.post("/api/v4/tasks", [task]), "tasks"))[0]

    await body(await api.patch(f"/api/v4/tasks/{row['id']}", {"is_completed": True, "result": {"text": "Готово"}}))

    shown = await body(await api.get(f"/api/v4/tasks/{row['id']}"))
    assert (shown["complete_till"], shown["is_completed"], shown["result"]) == (1_800_000_000, True, {"text": "Готово"})
    found = await made(await api.get(f"/api/v4/tasks?filter[entity_type]=leads&filter[entity_id]={lead}"), "tasks")
    assert [task["id"] for task in found] == [row["id"]]


@pytest.mark.parametrize(
    "wrong",
    [{"text": "x"}, {"complete_till": 1}, {"text": "x", "complete_till": "завтра"},
     {"text": "x", "complete_till": 1, "entity_type": "cows", "entity_id": 1},
     {"text": "x", "complete_till": 1, "responsible_user_id": 1}],
)  # fmt: skip
async def test_a_task_without_sense_is_refused(api: Api, wrong: dict[str, object]) -> None:
    """Text and deadline are required, references must exist."""
    assert (await api.post("/api/v4/tasks", [wrong])).status == 400


async def test_a_lead_with_its_contact_is_one_request(api: Api, world: World) -> None:
    """leads/complex: a bare array with the ids of all three."""
    company = next(iter(world.companies))["id"]
    inside = {
        "contacts": [new_contact("Пётр", "+7 999 1112233")],
        "companies": [{"id": company}],
        "tags": [{"name": "т"}],
    }
    wanted = {"name": "Сделка", "request_id": "r", "price": 10, "_embedded": inside}

    answer = await body(await api.post("/api/v4/leads/complex", [wanted, {"name": "Одна"}]))

    assert [set(one) for one in answer] == [{"id", "contact_id", "company_id", "request_id", "merged"}] * 2
    assert (answer[0]["request_id"], answer[0]["company_id"], answer[1]["contact_id"]) == (["r"], company, None)
    lead = world.leads[answer[0]["id"]]
    assert lead["links"] == {"contacts": [answer[0]["contact_id"]], "companies": [company]}
    assert world.contacts[answer[0]["contact_id"]]["links"]["companies"] == [company]


async def test_an_unknown_contact_stops_a_complex_lead(api: Api, world: World) -> None:
    """And nothing is stored."""
    before = len(world.leads)

    answer = await api.post("/api/v4/leads/complex", [{"name": "x"}, {"_embedded": {"contacts": [{"id": 1}]}}])

    assert answer.status == 400
    assert len(world.leads) == before
