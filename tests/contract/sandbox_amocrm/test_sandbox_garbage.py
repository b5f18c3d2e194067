"""Garbage at every door: whatever is sent, amoCRM answers with something below 500 and keeps living."""

import json
import random
from typing import Any

import pytest
from amocrm_client import Api, Site, body
from yarl import URL

from server.sandbox.openapi import describe
from server.sandbox.world import World

SCALARS: tuple[Any, ...] = (
    *(None, True, 0, -1, 12.5, 1e300, 2**70),
    *("", "0", "١٢", "\ud800", "a" * 5000, "7" * 40, "<b>'\"&", "\x00"),
)
NAMES = [
    "id",
    "name",
    "custom_fields_values",
    "field_id",
    "field_code",
    "values",
    "value",
    "enum_id",
    "_embedded",
    "contacts",
    "tags",
    "params",
    "text",
    "note_type",
    "entity_id",
    "entity_type",
    "direction",
    "duration",
    "phone",
    "source",
    "metadata",
    "destination",
    "settings",
    "add",
    "users",
    "type",
    "phone_number",
    "complete_till",
    "request_id",
    "to_entity_id",
    "to_entity_type",
    "status_id",
    "pipeline_id",
    "responsible_user_id",
    "created_at",
    "uniq",
    "update",
    "request",
    "leads",
    "links",
    "link",
    "custom_fields",
    "enum",
    "element_id",
    "element_type",
    "task_type",
    "updated_at",
    "leads_id",
    "unlink",
    "company_name",
    "incoming_lead_info",
    "incoming_entities",
    "accept",
    "USER_LOGIN",
    "multiactions",
    "ids",
    "result_element",
    "ID",
    "NAME",
    "TAGS",
    "cfv",
    "action",
    "code",
]
GOOD: tuple[dict[str, Any], ...] = (
    {"id": 501_016},
    {"id": 701_001},
    {"note_type": "common"},
    {"direction": "inbound", "duration": 1, "source": "s", "phone": "1"},
    {"field_code": "PHONE", "values": [{}]},
    {"to_entity_type": "contacts"},
    {"type": "phone_call"},
    {"element_type": 1, "element_id": 501_016, "note_type": 4},
    {"id": "501016", "custom_fields": [{"id": 7_001, "values": [{}]}]},
    {"from": "contacts", "from_id": 501_016, "to": "leads"},
    {"id": [501_016, 501_017], "result_element": {"ID": 501_016, "NAME": {}, "TAGS": [{}], "cfv": {"1": [{}], "x": 1}}},
    {
        "request": {
            "multiactions": {"add": {"0": {"entity_type": 1, "ids": [{}], "data": {"data": {"ACTION": "DELETE"}}}}}
        }
    },
    {"code": "kommutator", "action": "edit", "settings": "[", "widget_active": {}},
)
QUERIES = (
    *("", "page=0&limit=-5", "limit=99999999999999999999", "page[]=1", "with[]=a&with[x]=b"),
    *("filter=x", "filter[id]=x&filter[id][from]=y", "filter[[[=1", "filter[statuses]=1", "filter[statuses][0]=1"),
    *(
        "order=id",
        "order[id][x]=1",
        "limit_rows=-1&limit_offset=x&id[]=a&id[x][y]=1&type[]=1&with[a]=b",
        "filter[date_create][from]=99999999999999999&filter[pipe][1]=2&element_id=x",
        "links[0][from]=leads&links[0][from_id]=701001&links[0][to]=x",
        "USER_LOGIN=x&USER_HASH[]=",
        "query[]=1",
        "query=%ff%fe",
        "query=%00",
        "filter[updated_at][from]=never",
        "&&&=%5B",
    ),
)
OLD_FORMS = (
    "/api/v2/leads",
    "/private/api/v2/json/contacts/set",
    "/private/api/auth.php",
    "/api/v2/incoming_leads/sip",
)
# They move the sandbox itself, hold the connection open, or speak to other servers.
LEFT_OUT = ("/private/widget/proxy.php", "/ajax/page/socket")


def garbage(dice: random.Random, depth: int = 0) -> Any:
    """A value that has the names of real ones and little of their sense."""
    kind = dice.random()
    if depth > 3 or kind < 0.3:
        return dice.choice(SCALARS)
    if kind < 0.5:
        return [garbage(dice, depth + 1) for _ in range(dice.randint(0, 3))]
    made = {dice.choice(NAMES): garbage(dice, depth + 1) for _ in range(dice.randint(0, 6))}
    return {**made, **dice.choice(GOOD)}


def wrapped(value: Any) -> list[Any]:
    """A value in the places where one generation of the API or another looks for it."""
    inside = {"add": [value], "update": [value], "link": [value]}
    nouns = ("contacts", "leads", "customers", "notes", "tasks", "links")
    return [value, [value], inside, {"request": dict.fromkeys(nouns, inside)}]


def operations(site: Site) -> list[tuple[str, str]]:
    """Every method of every described path, with ids of entities that exist."""
    known = {
        "id": "501016",
        "note_id": "90001",
        "status_id": "30002",
        "catalog_id": "4501",
        "customer_id": "301001",
        "uid": "0" * 58,
        "code": "kommutator",
        "entity": "contacts",
        "kind": "companies",
        "name": "x",
    }
    paths = describe(site.app)["paths"]  # type: ignore[arg-type]
    return [
        (method.upper(), path.format_map({**known, "rest": "x"}))
        for path, methods in paths.items()
        for method in methods
        if path not in LEFT_OUT
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_no_body_breaks_it(site: Site, api: Api, world: World, seed: int) -> None:
    """Objects, lists, scalars with real names and foreign values."""
    dice = random.Random(seed)  # noqa: S311  the same garbage every time
    await site.get("/sandbox/login?user=201", allow_redirects=False)
    broken, statuses = [], set()
    for method, path in operations(site):
        for _ in range(12 if method in ("POST", "PATCH", "DELETE") else 0):
            sent = json.dumps(dice.choice(wrapped(garbage(dice))))
            headers = {"Content-Type": "application/json"}
            answer = await api.call(method, path, data=sent, headers=headers, allow_redirects=False)
            statuses.add(answer.status)
            if answer.status >= 500:
                broken.append((method, path, sent, world.log.entries("error")[-1:]))

    assert broken == []
    assert {200, 400} <= statuses


async def test_no_query_breaks_it(site: Site, api: Api, world: World) -> None:
    """Filters, pages and orders that make no sense."""
    await site.get("/sandbox/login?user=201", allow_redirects=False)
    broken = []
    for method, path in operations(site):
        for query in QUERIES if method == "GET" else ():
            answer = await api.get(f"{path}?{query}", allow_redirects=False)
            if answer.status >= 500 and not path.startswith("/frontend/js/vendor/"):
                broken.append((path, query, world.log.entries("error")[-1:]))

    assert broken == []


async def test_no_form_breaks_it(site: Site, api: Api) -> None:
    """Forms with brackets that do not fit, where JSON is expected and where forms are."""
    for path in ("/api/v2/events", "/oauth2/access_token", "/oauth", "/api/v4/contacts", *OLD_FORMS):
        for raw in (b"a[b=1&a[]]=2", b"add[x][y]=1", b"add=1&add[0]=2", b"\xff=\xfe", b"client_id[]=1", b"&&&"):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await api.call("POST", path, data=raw, headers=headers, allow_redirects=False)

            assert answer.status < 500, (path, raw)


async def test_it_still_lives_afterwards(site: Site, api: Api) -> None:
    """A path full of nonsense is 404, and the account answers."""
    for path in ("/api/v4/%ff", "/api/v4/contacts/" + "9" * 400, "/api/v4/contacts/1/notes/x", "/api//v4/..;/"):
        answer = await site.get(URL(path, encoded=True), headers=api.headers)

        assert answer.status in (204, 400, 404)
    assert (await body(await api.get("/api/v4/account")))["id"]
