"""Custom fields: defined, changed and deleted by the API, with the values each type takes."""

from collections.abc import Callable
from typing import Any

import pytest
from amocrm_client import Api, body, made

from server.sandbox.world import Row, World

PATH = "/api/v4/leads/custom_fields"


async def field(api: Api, kind: str, place: str = "leads", **more: object) -> Row:
    """A new field of this type."""
    item = {"name": f"Поле {kind}", "type": kind, **more}
    answer = await body(await api.post(f"/api/v4/{place}/custom_fields", [item]), 201)
    row: Row = answer["_embedded"]["custom_fields"][0]
    return row


async def value_of(api: Api, given: Any, row: Row, place: str = "leads", **words: Any) -> list[Row] | None:
    """What a value comes back as, after it was written into a new entity."""
    item = {"name": "x", "custom_fields_values": [{"field_id": row["id"], "values": given}]}
    entity = (await made(await api.post(f"/api/v4/{place}", [item]), place))[0]
    shown = (await body(await api.get(f"/api/v4/{place}/{entity['id']}")))["custom_fields_values"]
    return None if shown is None else shown[0]["values"]


async def test_a_field_is_created_with_201_and_shown(api: Api) -> None:
    """With its values to choose from; the answer is matched by request_id."""
    stored = await field(api, "multiselect", enums=[{"value": "А", "sort": 1}, {"value": "Б", "sort": 2}], code="KIND")

    shown = await body(await api.get(f"{PATH}/{stored['id']}"))

    assert stored["request_id"] == "0"
    assert [(enum["value"], enum["sort"]) for enum in shown["enums"]] == [("А", 1), ("Б", 2)]
    assert (shown["code"], shown["type"], shown["entity_type"]) == ("KIND", "multiselect", "leads")
    assert (shown["is_deletable"], shown["is_predefined"], shown["is_api_only"]) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("text", "слово", "слово"),
        ("text", 12, "12"),
        ("numeric", "1.5", "1.5"),
        ("numeric", 7.0, "7"),
        ("monetary", 100, "100"),
        ("checkbox", True, True),
        ("checkbox", "0", False),
        ("url", "https://example.test/", "https://example.test/"),
        ("textarea", "одна\nдве", "одна\nдве"),
        ("streetaddress", "ул. Ленина, 1", "ул. Ленина, 1"),
        ("tracking_data", "utm", "utm"),
        ("date", 1_577_836_800, 1_577_836_800),
        ("date", "2020-01-01T00:00:00+00:00", 1_577_836_800),
        ("date_time", "2020-01-01T03:00:00+03:00", 1_577_836_800),
        ("birthday", 631_152_000, 631_152_000),
        ("legal_entity", {"name": "ООО", "vat_id": "77", "odd": 1}, {"name": "ООО", "vat_id": "77"}),
        ("file", {"file_uuid": "u", "file_name": "a.odt"}, {"file_uuid": "u", "file_name": "a.odt"}),
    ],
)
async def test_each_type_takes_its_own_values(api: Api, kind: str, given: Any, expected: Any) -> None:
    """As documented; numbers and texts come back as texts, times as seconds, flags as booleans."""
    row = await field(api, kind)

    assert await value_of(api, [{"value": given}], row) == [{"value": expected}]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("numeric", "много"),
        ("numeric", True),
        ("checkbox", "да"),
        ("date", "завтра"),
        ("date", 1e300),
        ("legal_entity", {"vat_id": "77"}),
        ("legal_entity", "ООО"),
        ("text", {"a": 1}),
    ],
)
async def test_a_value_of_another_type_is_refused_by_path(api: Api, kind: str, wrong: Any) -> None:
    """The validation error names the field's position and the value's."""
    row = await field(api, kind)
    item = {"custom_fields_values": [{"field_id": row["id"], "values": [{"value": wrong}]}]}

    told = await body(await api.post("/api/v4/leads", [item]), 400)

    assert told["validation-errors"][0]["errors"][0]["path"] == "custom_fields_values.0.values.0"


@pytest.mark.parametrize("kind", ["select", "radiobutton", "multiselect"])
@pytest.mark.parametrize("by", [{"value": "Б"}, {"enum_code": "b"}, {"enum_id": ...}])
async def test_a_choice_is_made_by_value_code_or_id(api: Api, kind: str, by: Row) -> None:
    """And comes back with all three."""
    row = await field(api, kind, enums=[{"value": "А", "sort": 1, "code": "a"}, {"value": "Б", "sort": 2, "code": "b"}])
    chosen = row["enums"][1]["id"]
    given = {"enum_id": chosen} if "enum_id" in by else by

    shown = await value_of(api, [given], row)

    assert shown == [{"value": "Б", "enum_id": chosen, "enum_code": "b", "enum": "b"}]


async def test_an_address_consists_of_lines(api: Api) -> None:
    """smart_address: six numbered parts, by number or by code."""
    row = await field(api, "smart_address", place="contacts")

    shown = await value_of(
        api, [{"value": "Ленина, 1", "enum_id": 1}, {"value": "Казань", "enum_code": "city"}], row, place="contacts"
    )

    assert shown is not None
    assert [(v["value"], v["enum_id"], v["enum_code"]) for v in shown] == [
        ("Ленина, 1", 1, "address_line_1"),
        ("Казань", 3, "city"),
    ]


@pytest.mark.parametrize("empty", [None, [], [{"value": ""}], [{"value": None}]])
async def test_a_field_is_emptied(api: Api, empty: Any) -> None:
    """By null, by no values, by an empty value."""
    row = await field(api, "text")
    item = {"custom_fields_values": [{"field_id": row["id"], "values": [{"value": "было"}]}]}
    lead = (await made(await api.post("/api/v4/leads", [item]), "leads"))[0]["id"]

    wish = {"custom_fields_values": [{"field_id": row["id"], "values": empty}]}
    await body(await api.patch(f"/api/v4/leads/{lead}", wish))

    assert (await body(await api.get(f"/api/v4/leads/{lead}")))["custom_fields_values"] is None


async def test_a_changed_field_keeps_the_enums_it_names(api: Api) -> None:
    """Those with an id stay, others are new, the rest goes; the type never changes. Documented as 201."""
    row = await field(api, "select", enums=[{"value": "А", "sort": 1}, {"value": "Б", "sort": 2}])
    kept = row["enums"][0]["id"]

    wish = {"name": "Иначе", "type": "text", "enums": [{"id": kept, "value": "А!", "sort": 1}, {"value": "В"}]}
    after = await body(await api.patch(f"{PATH}/{row['id']}", wish), 201)

    assert (after["name"], after["type"]) == ("Иначе", "select")
    assert [enum["value"] for enum in after["enums"]] == ["А!", "В"]
    assert after["enums"][0]["id"] == kept
    assert after["enums"][1]["id"] not in {enum["id"] for enum in row["enums"]}


async def test_several_fields_are_changed_at_once(api: Api) -> None:
    """PATCH of an array at the list; an unknown one is named and nothing changes."""
    one, two = await field(api, "text"), await field(api, "url")

    wishes = [{"id": one["id"], "sort": 700}, {"id": two["id"], "name": "Сайт"}]
    rows = (await body(await api.patch(PATH, wishes), 201))["_embedded"]["custom_fields"]
    told = await body(await api.patch(PATH, [{"id": one["id"], "sort": 1}, {"id": 5}]), 400)

    assert (rows[0]["sort"], rows[1]["name"]) == (700, "Сайт")
    assert told["validation-errors"][0]["request_id"] == "1"
    assert (await body(await api.get(f"{PATH}/{one['id']}")))["sort"] == 700


async def test_a_deleted_field_takes_its_values_along(api: Api, world: World) -> None:
    """204; a predefined one cannot be deleted."""
    row = await field(api, "text")
    item = {"custom_fields_values": [{"field_id": row["id"], "values": [{"value": "needle"}]}]}
    lead = (await made(await api.post("/api/v4/leads", [item]), "leads"))[0]["id"]

    gone = await api.delete(f"{PATH}/{row['id']}")

    assert gone.status == 204
    assert (await api.get(f"{PATH}/{row['id']}")).status == 204
    assert world.leads[lead]["custom_fields_values"] == []
    assert (await api.get("/api/v4/leads?query=needle")).status == 204
    phone = next(f["id"] for f in world.custom_fields.where(entity_type="contacts", code="PHONE"))
    assert (await api.delete(f"/api/v4/contacts/custom_fields/{phone}")).status == 400


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("leads", {"name": "x"}),
        ("leads", {"type": "text"}),
        ("leads", {"name": "x", "type": "нечто"}),
        ("leads", {"name": "x", "type": "price"}),
        ("leads", {"name": "x", "type": "select"}),
        ("leads", {"name": "x", "type": "select", "enums": [{"sort": 1}]}),
        ("contacts", {"name": "x", "type": "text", "code": "PHONE"}),
        ("contacts", {"name": "x", "type": "text", "code": "не код"}),
        ("customers", {"name": "x", "type": "smart_address"}),
        ("contacts", {"name": "x", "type": "birthday", "remind": "never ever"}),
        ("leads", {"name": "x", "type": "text", "group_id": "нет"}),
    ],
)
async def test_a_field_that_cannot_be_is_refused(api: Api, place: str, wrong: Row) -> None:
    """Name and type are needed, the type must fit the entity, the code must be free."""
    told = await body(await api.post(f"/api/v4/{place}/custom_fields", [wrong]), 400)

    assert told["validation-errors"]


async def test_only_administrators_define_fields(enter: Callable[[str], Api]) -> None:
    """Everybody reads them."""
    agent = enter("203")

    assert (await agent.post(PATH, [{"name": "x", "type": "text"}])).status == 403
    assert (await agent.get(PATH)).status == 200


async def test_fields_are_filtered_and_ordered(api: Api) -> None:
    """filter[type][], order[sort]."""
    rows = (await body(await api.get(f"{PATH}?filter[type][]=select&order[sort]=desc")))["_embedded"]["custom_fields"]

    assert {row["type"] for row in rows} == {"select"}


async def test_groups_hold_fields(api: Api) -> None:
    """Created with 201, filled by PATCH, listed after the predefined ones, deleted with 204."""
    row = await field(api, "text")
    group = (await body(await api.post(f"{PATH}/groups", [{"name": "Доставка", "sort": 4}]), 201))["_embedded"][
        "custom_field_groups"
    ][0]

    moved = await body(await api.patch(f"{PATH}/groups/{group['id']}", {"fields": [row["id"]]}))
    listed = (await body(await api.get(f"{PATH}/groups")))["_embedded"]["custom_field_groups"]
    inside = (await body(await api.get(f"{PATH}/{row['id']}")))["group_id"]
    gone = await api.delete(f"{PATH}/groups/{group['id']}")

    assert moved["fields"] == [row["id"]]
    assert {one["id"] for one in listed} == {"default", "statistic", group["id"]}
    assert inside == group["id"]
    assert gone.status == 204
    assert (await body(await api.get(f"{PATH}/{row['id']}")))["group_id"] is None
    assert (await api.get(f"{PATH}/groups/{group['id']}")).status == 404
    assert (await api.delete(f"{PATH}/groups/default")).status == 400


async def test_catalogs_and_segments_have_fields_of_their_own(api: Api, world: World) -> None:
    """A category is nested; the price type exists there only."""
    catalog = next(iter(world.catalogs))["id"]
    place = f"catalogs/{catalog}"
    nested = [{"value": "Верх", "request_id": "1"}, {"value": "Низ", "parent_request_id": "1"}]

    row = await field(api, "category", place, nested=nested)
    segment = await field(api, "text", "customers/segments")

    assert (row["entity_type"], row["catalog_id"], row["enums"]) == ("catalogs", catalog, None)
    assert [(one["value"], one["parent_id"]) for one in row["nested"]] == [
        ("Верх", None),
        ("Низ", row["nested"][0]["id"]),
    ]
    assert (await field(api, "price", place, is_required=True))["is_required"]
    assert segment["entity_type"] == "segments"
    assert (await api.get("/api/v4/catalogs/5/custom_fields")).status == 404


async def test_a_predefined_field_can_be_renamed_and_stays_what_it_is(api: Api, world: World) -> None:
    """Its code and its nature are amoCRM's; an empty name is refused."""
    phone = next(f["id"] for f in world.custom_fields.where(entity_type="contacts", code="PHONE"))
    path = f"/api/v4/contacts/custom_fields/{phone}"

    after = await body(await api.patch(path, {"name": "Номер", "code": "OTHER", "sort": 1}), 201)

    assert (after["name"], after["code"], after["is_predefined"], after["is_deletable"]) == (
        "Номер",
        "PHONE",
        True,
        False,
    )
    assert [enum["code"] for enum in after["enums"]][:2] == ["WORK", "WORKDD"]
    assert (await api.delete(path)).status == 400
    assert (await api.patch(path, {"name": ""})).status == 400


@pytest.mark.parametrize(
    "path",
    ["/api/v4/leads/custom_fields", "/api/v4/leads/pipelines", "/api/v4/leads/loss_reasons", "/api/v4/catalogs",
     "/api/v4/customers/segments"],
)  # fmt: skip
async def test_what_the_sample_account_has_can_be_sent_back(api: Api, path: str) -> None:
    """Fetched and sent back as it is, nothing changes."""
    row = next(iter((await body(await api.get(path)))["_embedded"].values()))[0]

    answer = await api.patch(f"{path}/{row['id']}", row)

    assert answer.status in (200, 201)
    again = await body(await api.get(f"{path}/{row['id']}"))
    ours = ("updated_at", "updated_by")
    assert {k: v for k, v in again.items() if k not in ours} == {k: v for k, v in row.items() if k not in ours}
