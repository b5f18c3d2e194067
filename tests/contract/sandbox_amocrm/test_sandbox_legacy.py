"""/api/v2: contacts, companies, leads and customers as the API before /api/v4 had them."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from amocrm_client import Api, Receiver, Site, body, listed, made, new_contact, write

from server.sandbox.webhook_bodies import flatten
from server.sandbox.world import World

FORM = "application/x-www-form-urlencoded"
ENTITIES = ["contacts", "companies", "leads", "customers"]


def field_id(world: World, entity_type: str, name: str) -> int:
    return next(f["id"] for f in world.custom_fields.where(entity_type=entity_type) if name in (f["code"], f["name"]))


@pytest.fixture
async def lead(api: Api) -> int:
    """A lead of the second generation, linked with a contact it knows by its id."""
    contact = (await write(api, "contacts", add=[{"name": "Ия Зимина"}]))["items"][0]["id"]
    added = await write(api, "leads", add=[{"name": "Кабель", "sale": "1500", "contacts_id": [contact]}])
    return int(added["items"][0]["id"])


async def test_an_added_contact_is_seen_by_the_present_api(api: Api, world: World) -> None:
    """Fields by number, a choice by its code, tags in one text, everything as text."""
    phone = field_id(world, "contacts", "PHONE")
    values = [{"value": "+7 900 000-77-01", "enum": "MOB"}]
    contact = {"name": "Ия Зимина", "tags": "VIP, срочно", "custom_fields": [{"id": str(phone), "values": values}]}

    added = (await write(api, "contacts", add=[{**contact, "request_id": 7}]))["items"][0]

    assert added == {
        "id": added["id"],
        "request_id": 7,
        "_links": {"self": {"href": f"/api/v2/contacts?id={added['id']}", "method": "get"}},
    }
    seen = await body(await api.get(f"/api/v4/contacts/{added['id']}"))
    assert (seen["first_name"], seen["last_name"]) == ("Ия", "Зимина")
    assert [tag["name"] for tag in seen["_embedded"]["tags"]] == ["VIP", "срочно"]
    assert seen["custom_fields_values"][0]["values"][0]["enum_code"] == "MOB"


async def test_a_contact_of_the_present_api_has_the_earlier_shape(api: Api, world: World) -> None:
    """Links without a host, empty links as empty objects, field values with the number of their choice."""
    fresh = (await made(await api.post("/api/v4/contacts", [new_contact("Ия", "+79000007702")]), "contacts"))[0]

    answer = await body(await api.get(f"/api/v2/contacts?id={fresh['id']}"))

    assert answer["_links"] == {"self": {"href": f"/api/v2/contacts?id={fresh['id']}", "method": "get"}}
    shown = answer["_embedded"]["items"][0]
    assert list(shown) == [
        *("id", "name", "first_name", "last_name", "responsible_user_id", "created_by", "created_at", "updated_at"),
        *("account_id", "updated_by", "group_id", "company", "closest_task_at", "tags", "custom_fields"),
        *("leads", "customers", "_links"),
    ]
    assert (shown["company"], shown["leads"], shown["tags"], shown["closest_task_at"]) == ({}, {}, {}, 0)
    stored = world.contacts[fresh["id"]]["custom_fields_values"][0]
    assert shown["custom_fields"] == [
        {
            "id": stored["field_id"],
            "name": "Телефон",
            "code": "PHONE",
            "values": [{"value": "+79000007702", "enum": stored["values"][0]["enum_id"]}],
            "is_system": True,
        }
    ]


async def test_a_lead_shows_its_contacts_pipeline_and_sale(api: Api, world: World, lead: int) -> None:
    """The price is called sale, the main contact stands apart."""
    shown = (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]

    contact, pipeline = shown["main_contact"]["id"], next(p["id"] for p in world.pipelines if p["is_main"])
    assert shown["sale"] == 1500
    assert shown["contacts"]["id"] == [contact]
    assert shown["contacts"]["_links"]["self"]["href"] == f"/api/v2/contacts?id={contact}"
    assert (shown["pipeline"]["id"], shown["status_id"]) == (pipeline, world.leads[lead]["status_id"])
    assert (shown["closed_at"], shown["is_deleted"]) == (0, False)


async def test_a_contact_makes_its_company_by_name(api: Api, world: World) -> None:
    """company_name finds a company of this name or makes one; it comes back with the contact."""
    told = await write(api, "contacts", add=[{"name": one, "company_name": "ООО Новая"} for one in ("А", "Б")])

    ids = ",".join(str(one["id"]) for one in told["items"])
    companies = [row["company"] for row in await listed(await api.get(f"/api/v2/contacts?id={ids}"))]
    assert companies[0] == companies[1]
    assert companies[0]["name"] == "ООО Новая"
    assert len(world.companies.where(name="ООО Новая")) == 1


async def test_an_update_changes_links_and_parts_them(api: Api, lead: int) -> None:
    """contacts_id and company_id join, unlink parts."""
    company = (await write(api, "companies", add=[{"name": "ТД"}]))["items"][0]["id"]
    contact = (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]["main_contact"]["id"]

    joined = await write(api, "leads", update=[{"id": lead, "updated_at": int(time.time()), "company_id": company}])
    between = (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]
    parted = {"id": str(lead), "updated_at": int(time.time()), "unlink": {"contacts_id": [contact]}}
    await write(api, "leads", update=[parted])
    after = (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]

    assert set(joined["items"][0]) == {"id", "updated_at", "_links"}
    assert (between["company"]["id"], between["main_contact"]["id"]) == (company, contact)
    assert (after["company"]["id"], after["main_contact"], after["contacts"]) == (company, {}, {})


async def test_an_update_older_than_what_is_stored_is_refused_alone(api: Api, lead: int) -> None:
    """Told by the row's id beside what was done; without errors there is no such member."""
    now = int(time.time())
    good = await write(api, "leads", update=[{"id": lead, "updated_at": now, "name": "Новое имя"}])

    told = await write(
        api, "leads", add=[{"name": "Другая"}], update=[{"id": lead, "updated_at": now - 60, "name": "Старое имя"}]
    )

    assert "errors" not in good
    assert told["errors"] == {"update": {str(lead): "Last modified date is older than in database"}}
    assert len(told["items"]) == 1
    assert (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]["name"] == "Новое имя"


async def test_a_refused_item_leaves_the_others_alone(api: Api, world: World) -> None:
    """An unknown field is told by request id; the rest is stored, unlike in /api/v4."""
    before = len(world.contacts)
    wrong = {"name": "Б", "request_id": "mine", "custom_fields": [{"id": 1, "values": [{"value": "x"}]}]}

    told = await write(api, "contacts", add=[{"name": "А"}, wrong], update=[{"id": 1}])

    assert len(world.contacts) == before + 1
    assert [(one["request_id"], one["code"]) for one in told["errors"]["add"]] == [("mine", 400)]
    assert "custom_fields" in told["errors"]["add"][0]["message"]
    assert set(told["errors"]["update"]) == {"1"}


@pytest.mark.parametrize(("content_type", "is_form"), [(FORM, True), (FORM, False), ("application/json", False)])
async def test_json_and_forms_with_brackets_say_the_same(api: Api, content_type: str, is_form: bool) -> None:
    """jQuery and http_build_query send forms; scripts in PHP send JSON under a form's name."""
    asked = {"add": [{"name": "Кабель", "sale": 10}, {"name": "Труба", "sale": 20}]}
    sent = urlencode(flatten(asked)) if is_form else json.dumps(asked)

    answer = await api.call("POST", "/api/v2/leads/", data=sent, headers={"Content-Type": content_type})

    ids = [str(one["id"]) for one in (await body(answer))["_embedded"]["items"]]
    shown = await listed(await api.get(f"/api/v2/leads?id={','.join(ids)}"))
    assert [(row["name"], row["sale"]) for row in shown] == [("Кабель", 10), ("Труба", 20)]


@pytest.mark.parametrize("kind", ENTITIES)
async def test_lists_are_paged_by_rows_and_offset(api: Api, world: World, kind: str) -> None:
    """Up to 500 rows without a limit, 204 behind the end."""
    every = sorted(row["id"] for row in world.entities(kind))

    first = await listed(await api.get(f"/api/v2/{kind}?limit_rows=4"))
    second = await listed(await api.get(f"/api/v2/{kind}?limit_rows=4&limit_offset=4"))

    assert [row["id"] for row in [*first, *second]] == every[: len(first) + len(second)]
    assert [row["id"] for row in await listed(await api.get(f"/api/v2/{kind}"))] == every
    assert (await api.get(f"/api/v2/{kind}?limit_rows=4&limit_offset=4000")).status == 204


@pytest.mark.parametrize(
    "form", ["id={0},{1}", "id[]={0}&id[]={1}", "id%5B0%5D={0}&id%5B1%5D={1}", "filter[id][]={0}&filter[id][]={1}"]
)
async def test_ids_come_in_every_form(api: Api, world: World, form: str) -> None:
    """With commas or with brackets."""
    two = [row["id"] for row in world.contacts][3:5]

    assert [row["id"] for row in await listed(await api.get(f"/api/v2/contacts?{form.format(*two)}"))] == two


async def test_nothing_found_is_204_here_too(api: Api) -> None:
    """An unknown id, an id without sense, a search without hits."""
    for query in ("id=1", "id=x", "query=nobody-is-called-so"):
        answer = await api.get(f"/api/v2/contacts?{query}")

        assert (answer.status, await answer.read()) == (204, b"")


async def test_query_finds_a_number_here_too(api: Api, world: World) -> None:
    """However it is written."""
    await made(await api.post("/api/v4/contacts", [new_contact("Ия", "8 (900) 000-77-03")]), "contacts")

    assert [row["name"] for row in await listed(await api.get("/api/v2/contacts?query=%2B79000007703"))] == ["Ия"]


@pytest.mark.parametrize("zone", ["", " +0300"])
async def test_if_modified_since_shows_what_changed(api: Api, world: World, lead: int, zone: str) -> None:
    """A time without a zone is the account's, Moscow."""
    at = time.gmtime(world.leads[lead]["updated_at"] + 3 * 3600)
    since = time.strftime("%a, %d %b %Y %H:%M:%S", at) + zone

    answer = await api.get("/api/v2/leads", headers={"If-Modified-Since": since})

    assert [row["id"] for row in await listed(answer)] == [lead]
    assert (
        await api.get("/api/v2/leads", headers={"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
    ).status == 204
    assert len(await listed(await api.get("/api/v2/leads", headers={"If-Modified-Since": "whenever"}))) > 1


async def test_leads_are_filtered_by_place_and_state(api: Api, world: World) -> None:
    """By status, by pipeline and status, open ones only, by the responsible user, by the day of their making."""
    closed = {row["id"] for row in world.leads if row["status_id"] in (142, 143)}
    one = next(row for row in world.leads if row["id"] not in closed)
    place = f"filter[pipe][{one['pipeline_id']}][]={one['status_id']}"

    async def found(query: str) -> set[int]:
        return {row["id"] for row in await listed(await api.get(f"/api/v2/leads?{query}"))}

    def stored(**members: Any) -> set[int]:
        return {row["id"] for row in world.leads.where(**members)}

    assert await found(f"status[]={one['status_id']}") == stored(status_id=one["status_id"])
    assert await found(place) == stored(status_id=one["status_id"], pipeline_id=one["pipeline_id"])
    assert await found("filter[active]=1") == stored() - closed
    assert await found(f"responsible_user_id={one['responsible_user_id']}") == stored(
        responsible_user_id=one["responsible_user_id"]
    )
    day = time.strftime("%d.%m.%Y", time.gmtime(one["created_at"] + 3 * 3600))
    early = f"filter[date_create][to]={one['created_at']}"
    assert one["id"] in await found(f"filter[date_create][from]={day}&{early}")
    assert await found(early) == {row["id"] for row in world.leads if row["created_at"] <= one["created_at"]}


async def test_a_choice_is_named_by_its_number_or_its_text(api: Api, world: World) -> None:
    """Select fields take the enum, the number as value, or the text."""
    source = next(f for f in world.custom_fields.where(entity_type="leads") if f["type"] == "select")
    choice = source["enums"][1]
    forms: list[Any] = [{"value": "x", "enum": str(choice["id"])}, {"value": choice["id"]}, {"value": choice["value"]}]
    leads = [
        {"name": "Л", "custom_fields": [{"id": source["id"], "values": [form]}]} for form in [*forms, choice["id"]]
    ]

    told = await write(api, "leads", add=leads)

    shown = await listed(await api.get(f"/api/v2/leads?id={','.join(str(one['id']) for one in told['items'])}"))
    assert [row["custom_fields"][0]["values"] for row in shown] == [
        [{"value": choice["value"], "enum": choice["id"]}]
    ] * 4


@pytest.mark.parametrize(
    ("kind", "sent", "stored", "shown"),
    [
        ("date", "2026-10-05", 1_791_147_600, "2026-10-05 00:00:00"),
        ("date", "05.10.2026", 1_791_147_600, "2026-10-05 00:00:00"),
        ("date_time", 1_791_150_000, 1_791_150_000, "2026-10-05 00:40:00"),
        ("date", 2**53, 2**53, str(2**53)),
        ("checkbox", "1", True, "1"),
        ("checkbox", "0", False, "0"),
    ],
)
async def test_days_and_ticks_are_written_out(
    api: Api, world: World, kind: str, sent: Any, stored: Any, shown: str
) -> None:
    """A day in the account's zone, a tick as 1 or 0; what no calendar has stays a number."""
    made_up = {"entity_type": "leads", "name": "Поле", "code": None, "type": kind, "enums": None, "sort": 900}
    field = world.custom_fields.add(made_up)["id"]

    told = await write(api, "leads", add=[{"name": "Л", "custom_fields": [{"id": field, "values": [{"value": sent}]}]}])

    lead = told["items"][0]["id"]
    assert world.leads[lead]["custom_fields_values"] == [{"field_id": field, "values": [{"value": stored}]}]
    assert (await listed(await api.get(f"/api/v2/leads?id={lead}")))[0]["custom_fields"][0]["values"] == [
        {"value": shown}
    ]


@pytest.mark.parametrize("added", [{"name": "Один"}, {"7": {"name": "Один"}}, [{"name": "Один"}]])
async def test_one_item_needs_no_list(api: Api, added: Any) -> None:
    """PHP made no difference between a list and an object with numbers."""
    told = await write(api, "leads", add=added)

    assert [row["name"] for row in await listed(await api.get(f"/api/v2/leads?id={told['items'][0]['id']}"))] == [
        "Один"
    ]


async def test_rights_decide_here_too(enter: Callable[[str], Api], world: World) -> None:
    """An agent sees and changes the own only; others look unknown, a change is refused."""
    user = world.user_named("205")
    assert user is not None
    foreign = next(row for row in world.leads if row["responsible_user_id"] != user["id"])
    api = enter("205")

    shown = await listed(await api.get("/api/v2/leads"))
    told = await write(api, "leads", update=[{"id": foreign["id"], "name": "x"}])

    assert {row["responsible_user_id"] for row in shown} == {user["id"]}
    assert (await api.get(f"/api/v2/leads?id={foreign['id']}")).status == 204
    assert told == {"items": [], "errors": {"update": {str(foreign["id"]): "Forbidden"}}}


async def test_a_webhook_and_the_events_list_tell_of_the_earlier_api(api: Api, receiver: Receiver) -> None:
    """Whoever listens need not know which API it was."""
    await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": ["add_lead", "status_lead"]})

    told = await write(api, "leads", add=[{"name": "Кабель"}])
    first = await receiver.next()
    await write(api, "leads", update=[{"id": told["items"][0]["id"], "status_id": 142}])
    second = await receiver.next()

    assert first["form"]["leads[add][0][name]"] == "Кабель"
    assert second["form"]["leads[status][0][status_id]"] == "142"
    kinds = [one["type"] for one in await made(await api.get("/api/v4/events?filter[entity][]=lead"), "events")]
    assert kinds == ["lead_status_changed", "lead_added"]


async def test_limits_and_the_switched_off_customers_hold_here_too(api: Api, world: World) -> None:
    """429 and 402 as problems."""
    world.switches.set({"customers": False, "limit_integration_per_s": 1})

    off, fast = await api.get("/api/v2/customers"), await api.get("/api/v2/contacts")

    assert (off.status, off.headers["Content-Type"]) == (402, "application/problem+json")
    assert fast.status == 429


@pytest.mark.parametrize("wrong", [{}, {"add": 1}, {"add": [1]}, {"update": "x"}, [], {"add": [{}] * 501}])
async def test_a_request_without_sense_is_400(api: Api, wrong: Any) -> None:
    """Not 500."""
    assert (await api.post("/api/v2/contacts", wrong)).status == 400


async def test_the_account_has_its_dictionaries_by_id(site: Site, api: Api, world: World) -> None:
    """Users, fields with their choices, pipelines, types; only what is asked for. For the page's session as well."""
    names = ["users", "custom_fields", "note_types", "groups", "task_types", "pipelines"]

    account = await body(await api.get(f"/api/v2/account?with={','.join(names)}&free_users=Y"))

    parts = account["_embedded"]
    assert list(parts) == names
    assert (account["current_user"], account["timezone_offset"]) == (11_000_011, "+03:00")
    assert parts["users"]["11000015"]["rights"]["lead_view"] == "M"
    phone = parts["custom_fields"]["contacts"][str(field_id(world, "contacts", "PHONE"))]
    assert (phone["field_type"], phone["is_system"]) == (8, True)
    assert "WORK" in phone["enums"].values()
    main = next(p for p in world.pipelines if p["is_main"])
    assert set(parts["pipelines"][str(main["id"])]["statuses"]) == {str(one["id"]) for one in main["statuses"]}
    await site.get("/sandbox/login?user=203", allow_redirects=False)
    assert "_embedded" not in await body(await site.get("/api/v2/account"))


async def test_pipelines_are_keyed_by_id(api: Api, world: World) -> None:
    """One, or all; an unknown one is 204."""
    ids = [pipeline["id"] for pipeline in world.pipelines]

    every = (await body(await api.get("/api/v2/pipelines")))["_embedded"]["items"]
    one = (await body(await api.get(f"/api/v2/pipelines?id={ids[1]}")))["_embedded"]["items"]

    assert list(every) == [str(known) for known in ids]
    assert list(one) == [str(ids[1])]
    assert one[str(ids[1])]["statuses"]["142"]["is_editable"] is False
    assert (await api.get("/api/v2/pipelines?id=1")).status == 204
