"""Tags, reasons of loss, sources, users, roles and catalogs."""

from collections.abc import Callable

import pytest
from amocrm_client import Api, Site, body, made

from server.sandbox.world import Row, World

PERSON = {"name": "Иван Иванов", "email": "ivan@demo.example", "password": "aBcde1@345"}


async def test_tags_are_created_once_per_name_and_kind(api: Api) -> None:
    """A name that is known gives the known id; only tags of leads have colours."""
    items = [{"name": "Тег 1", "color": "DDEBB5"}, {"name": "Тег 2", "request_id": "mine"}]

    first = await made(await api.post("/api/v4/leads/tags", items), "tags")
    again = await made(await api.post("/api/v4/leads/tags", [{"name": "Тег 1"}]), "tags")
    other = await made(await api.post("/api/v4/contacts/tags", [{"name": "Тег 1"}]), "tags")

    assert [(tag["color"], tag["request_id"]) for tag in first] == [("DDEBB5", "0"), (None, "mine")]
    assert again[0]["id"] == first[0]["id"] != other[0]["id"]
    assert (await api.post("/api/v4/contacts/tags", [{"name": "x", "color": "DDEBB5"}])).status == 400
    assert (await api.post("/api/v4/leads/tags", [{"color": "DDEBB5"}])).status == 400
    assert (await api.post("/api/v4/leads/tags", [{"name": "x", "color": {}}])).status == 400


async def test_a_tag_of_leads_is_renamed_and_coloured(api: Api) -> None:
    """One or several at a time; a name that another tag has is refused; other entities' tags stay as they are."""
    path = "/api/v4/leads/tags"
    first, second = await made(await api.post(path, [{"name": "a"}, {"name": "b"}]), "tags")

    one = await body(await api.patch(f"{path}/{first['id']}", {"name": "A", "color": "DDEBB5"}))
    many = await made(await api.patch(path, [{"id": second["id"], "color": "EBEBEB", "request_id": "7"}]), "tags")

    assert (one["id"], one["name"], one["color"]) == (first["id"], "A", "DDEBB5")
    assert (many[0]["name"], many[0]["color"], many[0]["request_id"]) == ("b", "EBEBEB", "7")
    assert (await api.patch(f"{path}/{first['id']}", {"name": "b"})).status == 400
    assert (await api.patch(f"{path}/{first['id']}", {"color": "red"})).status == 400
    assert (await api.patch(f"{path}/{first['id']}", {"name": " "})).status == 400
    assert (await api.patch(path, [{"id": 5, "name": "c"}])).status == 400
    assert (await api.patch(f"{path}/5", {"name": "c"})).status == 404
    assert (await api.patch("/api/v4/contacts/tags", [{"id": 5}])).status == 405


async def test_null_takes_all_tags_away(api: Api) -> None:
    """`_embedded.tags: null`, as documented; an absent key changes nothing."""
    lead = (await made(await api.post("/api/v4/leads", [{"_embedded": {"tags": [{"name": "a"}]}}]), "leads"))[0]["id"]

    await api.patch(f"/api/v4/leads/{lead}", {"name": "x", "_embedded": {}})
    kept = (await body(await api.get(f"/api/v4/leads/{lead}")))["_embedded"]["tags"]
    await api.patch(f"/api/v4/leads/{lead}", {"_embedded": {"tags": None}})
    gone = (await body(await api.get(f"/api/v4/leads/{lead}")))["_embedded"]["tags"]

    assert ([tag["name"] for tag in kept], gone) == (["a"], [])


async def test_a_lost_lead_tells_its_reason(api: Api) -> None:
    """with=loss_reason; the reasons are kept by administrators."""
    path = "/api/v4/leads/loss_reasons"
    reason = (await made(await api.post(path, [{"name": "Передумал", "sort": 10}]), "loss_reasons"))[0]
    wish = {"status_id": 143, "loss_reason_id": reason["id"]}
    lead = (await made(await api.post("/api/v4/leads", [wish]), "leads"))[0]["id"]

    shown = await body(await api.get(f"/api/v4/leads/{lead}?with=loss_reason"))
    renamed = await body(await api.patch(f"{path}/{reason['id']}", {"name": "Раздумал"}))
    gone = await api.delete(f"{path}/{reason['id']}")
    after = await body(await api.get(f"/api/v4/leads/{lead}?with=loss_reason"))

    assert [one["name"] for one in shown["_embedded"]["loss_reason"]] == ["Передумал"]
    assert renamed["name"] == "Раздумал"
    assert gone.status == 204
    assert (after["loss_reason_id"], after["_embedded"]["loss_reason"]) == (None, [])
    assert (await api.post("/api/v4/leads", [{"loss_reason_id": 5}])).status == 400


async def test_a_source_belongs_to_its_integration_and_names_leads(api: Api, site: Site, world: World) -> None:
    """Created by external_id; a lead of that source goes into its pipeline; the page has no sources."""
    pipeline = list(world.pipelines)[1]["id"]
    items = [{"name": "Лендинг", "external_id": "land-1", "pipeline_id": pipeline, "default": True}]
    source = (await made(await api.post("/api/v4/sources", items), "sources"))[0]
    item = {"_embedded": {"source": {"external_id": "land-1", "type": "widget"}}}
    lead = (await made(await api.post("/api/v4/leads", [item]), "leads"))[0]["id"]

    shown = await body(await api.get(f"/api/v4/leads/{lead}?with=source,source_id"))
    plain = await body(await api.get(f"/api/v4/leads/{lead}"))
    twice = await api.post("/api/v4/sources", items)
    await site.get("/sandbox/login?user=201")

    assert shown["_embedded"]["source"] == {"id": source["id"], "name": "Лендинг"}
    assert (shown["source_id"], plain["source_id"]) == (source["id"], None)
    assert shown["pipeline_id"] == pipeline
    assert source["services"] == []
    assert twice.status == 400
    assert (await site.get("/api/v4/sources")).status == 403
    assert (await api.get("/api/v4/sources?filter[external_id]=other")).status == 204
    assert (await api.delete(f"/api/v4/sources/{source['id']}")).status == 204


async def test_sources_are_deleted_by_the_list(api: Api, world: World) -> None:
    """DELETE carries the ids; one that is unknown keeps the others."""
    items = [{"name": name, "external_id": name} for name in "abc"]
    first, second, third = await made(await api.post("/api/v4/sources", items), "sources")

    refused = await api.delete("/api/v4/sources", [{"id": third["id"]}, {"id": 5}])
    gone = await api.delete("/api/v4/sources", [{"id": first["id"]}, {"id": second["id"]}])

    assert (refused.status, gone.status) == (400, 204)
    assert [row["id"] for row in world.sources] == [third["id"]]


async def test_users_are_created_ten_at_most_with_201(api: Api, world: World) -> None:
    """With the rights asked for, denied otherwise; the password is checked and never shown."""
    rights = {"leads": {"view": "M", "edit": "M", "add": "A", "delete": "D", "export": "D"}}
    answer = await body(await api.post("/api/v4/users?with=group", [{**PERSON, "rights": rights}]), 201)
    user = answer["_embedded"]["users"][0]

    eleven = [{**PERSON, "email": f"u{number}@demo.example"} for number in range(11)]

    assert user["rights"]["leads"]["view"] == "M"
    assert user["rights"]["contacts"]["view"] == "D"
    assert "password" not in user
    assert user["_embedded"]["groups"]
    assert (await api.post("/api/v4/users", eleven)).status == 400
    assert world.users.get(user["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "просто"},
        {"email": "нет"},
        {"name": " "},
        {"name": "<b>"},
        {"lang": "xx"},
        {"email": "sergeeva@demo.example"},
        {"rights": {"leads": {"view": "Z"}}},
        {"rights": {"leads": {"view": []}}},
        {"rights": {"role_id": 5}},
        {"rights": {"group_id": 77}},
    ],
)
async def test_a_user_that_cannot_be_is_refused(api: Api, wrong: Row) -> None:
    """By member."""
    assert (await body(await api.post("/api/v4/users", [{**PERSON, **wrong}]), 400))["validation-errors"]


async def test_a_role_gives_its_rights_to_who_has_it(api: Api, enter: Callable[[str], Api], world: World) -> None:
    """PATCH answers 202; a status right goes before the general one."""
    lead = next(row for row in world.leads if row["status_id"] not in (142, 143))
    place = {"entity_type": "leads", "pipeline_id": lead["pipeline_id"], "status_id": lead["status_id"]}
    denied = {"view": "D", "edit": "D", "delete": "D"}
    rights = {"leads": dict.fromkeys(("view", "edit", "add", "delete", "export"), "A")}
    role = (await made(await api.post("/api/v4/roles", [{"name": "Стажёр", "rights": rights}]), "roles"))[0]
    person = {**PERSON, "rights": {"role_id": role["id"]}}
    user = (await body(await api.post("/api/v4/users?with=role", [person]), 201))["_embedded"]["users"][0]
    agent = enter(user["email"])
    before = (await agent.get(f"/api/v4/leads/{lead['id']}")).status

    changed = await api.patch(
        f"/api/v4/roles/{role['id']}", {"rights": {"status_rights": [{**place, "rights": denied}]}}
    )
    listed = await made(await api.get("/api/v4/roles?with=users"), "roles")

    assert user["_embedded"]["roles"][0]["name"] == "Стажёр"
    assert (before, changed.status) == (200, 202)
    assert (await agent.get(f"/api/v4/leads/{lead['id']}")).status == 204
    assert listed[0]["_embedded"]["users"] == [user["id"]]
    assert (await api.delete(f"/api/v4/roles/{role['id']}")).status == 204
    assert world.users[user["id"]]["rights"]["role_id"] is None


async def test_rights_to_customers_are_those_to_leads(api: Api, enter: Callable[[str], Api]) -> None:
    """Nobody gives them separately."""
    letters = dict.fromkeys(("view", "edit", "add", "delete", "export"), "D")
    person = {**PERSON, "rights": {"leads": letters}}
    user = (await body(await api.post("/api/v4/users", [person]), 201))["_embedded"]["users"][0]

    assert (await enter(user["email"]).get("/api/v4/customers")).status == 204
    assert (await api.get("/api/v4/customers")).status == 200


async def test_catalogs_have_elements_with_fields(api: Api, world: World) -> None:
    """Created, found by any field, changed; linked to a lead with a quantity."""
    catalog = (await made(await api.post("/api/v4/catalogs", [{"name": "Услуги"}]), "catalogs"))[0]["id"]
    path = f"/api/v4/catalogs/{catalog}/elements"
    field = (await body(await api.post(f"/api/v4/catalogs/{catalog}/custom_fields", [{"name": "Код", "type": "text"}]),
                        201))["_embedded"]["custom_fields"][0]["id"]  # fmt: skip
    item = {"name": "Выезд", "custom_fields_values": [{"field_id": field, "values": [{"value": "SRV-7"}]}]}
    element = (await made(await api.post(path, [item]), "elements"))[0]
    lead = next(iter(world.leads))["id"]

    found = await made(await api.get(f"{path}?query=srv"), "elements")
    changed = await body(await api.patch(f"{path}/{element['id']}", {"name": "Выезд мастера"}))
    metadata = {"quantity": 2.5, "catalog_id": catalog}
    wish = [{"to_entity_id": element["id"], "to_entity_type": "catalog_elements", "metadata": metadata}]
    links = (await body(await api.post(f"/api/v4/leads/{lead}/link", wish)))["_embedded"]["links"]
    shown = await body(await api.get(f"/api/v4/leads/{lead}?with=catalog_elements"))
    undone = await api.post(f"/api/v4/leads/{lead}/unlink", wish)

    assert [row["id"] for row in found] == [element["id"]]
    assert (changed["name"], changed["catalog_id"], changed["is_deleted"]) == ("Выезд мастера", catalog, False)
    assert links[0]["metadata"]["quantity"] == 2.5
    assert shown["_embedded"]["catalog_elements"][0]["metadata"]["catalog_id"] == catalog
    assert undone.status == 204
    assert (await body(await api.get(f"/api/v4/leads/{lead}?with=catalog_elements")))["_embedded"][
        "catalog_elements"
    ] == []


async def test_catalogs_need_their_own_right(enter: Callable[[str], Api]) -> None:
    """403 without catalog_access."""
    assert (await enter("203").get("/api/v4/catalogs")).status == 403
    assert (await enter("201").get("/api/v4/catalogs")).status == 200


async def test_an_account_has_one_catalog_of_goods(api: Api) -> None:
    """A second one is refused; so is an eleventh of any kind."""
    many = [{"name": str(number)} for number in range(10)]

    assert (await api.post("/api/v4/catalogs", [{"name": "Ещё товары", "type": "products"}])).status == 400
    assert (await api.post("/api/v4/catalogs", many)).status == 400
