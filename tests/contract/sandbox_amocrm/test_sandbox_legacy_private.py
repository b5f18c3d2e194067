"""/private: the API's second generation, its sign-in by key, the XML search and the call queue."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from amocrm_client import Api, Site, body, made, new_contact

from server.sandbox.webhook_bodies import flatten
from server.sandbox.world import Row, World

JSON = "/private/api/v2/json"
PHONE = "+79000007720"


async def response(answer: Any, status: int = 200) -> Row:
    """What stands in the envelope."""
    assert answer.content_type == "application/json"
    told: Row = (await body(answer, status))["response"]
    assert abs(told["server_time"] - time.time()) < 60
    return told


def parsed(text: str) -> ElementTree.Element:
    """The root of an answer in XML."""
    return ElementTree.fromstring(text)  # noqa: S314  the sandbox's own answer


async def set_(api: Api, path: str, noun: str, **asked: Any) -> Row:
    """`…/set` with add or update."""
    return dict((await response(await api.post(f"{JSON}/{path}/set", {"request": {noun: asked}})))[noun])


@pytest.fixture
def key(world: World) -> Row:
    """An administrator's login and API key."""
    user = world.user_named("201")
    assert user is not None
    return {"USER_LOGIN": user["login"], "USER_HASH": user["api_key"]}


@pytest.mark.parametrize("form", ["json", "data"])
async def test_a_key_opens_a_session(site: Site, key: Row, form: str) -> None:
    """Sent as JSON or form; the cookie opens all APIs."""
    told = await response(await site.post("/private/api/auth.php?type=json", **{form: key}))

    assert (told["auth"], told["user"]["id"]) == (True, 11_000_011)
    assert told["accounts"][0]["subdomain"] == "demo"
    for path in ("/api/v2/account", "/api/v4/account", f"{JSON}/accounts/current"):
        assert (await site.get(path)).status == 200, path


async def test_without_type_json_the_session_is_told_in_xml(site: Site, key: Row) -> None:
    """The first child is auth; `type` inside the body means nothing."""
    answer = await site.post("/private/api/auth.php", data={**key, "type": "json"})

    assert answer.content_type == "text/xml"
    root = parsed(await answer.text())
    assert (root[0].tag, root[0].text) == ("auth", "true")


async def test_a_whole_set_cookie_line_is_good_as_a_cookie(site: Site, key: Row) -> None:
    """Some clients send back what they got, attributes and all."""
    line = (await site.post("/private/api/auth.php?type=json", json=key)).headers["Set-Cookie"]
    site.session.cookie_jar.clear()

    assert (await site.get("/api/v2/account")).status == 401
    assert (await site.get("/api/v2/account", headers={"Cookie": line})).status == 200


@pytest.mark.parametrize("wrong", [{"USER_HASH": "0" * 32}, {"USER_LOGIN": "nobody@demo.example"}, {"USER_HASH": ""}])
async def test_a_wrong_key_is_401_with_code_110(site: Site, key: Row, wrong: Row) -> None:
    """In both languages, and no cookie."""
    answer = await site.post("/private/api/auth.php?type=json", json={**key, **wrong})
    as_xml = await site.post("/private/api/auth.php", data={**key, **wrong})

    told = await response(answer, 401)
    assert (told["auth"], told["error_code"]) == (False, "110")
    assert "Set-Cookie" not in answer.headers
    assert "<auth>false</auth>" in await as_xml.text()
    assert as_xml.status == 401


async def test_a_deactivated_users_key_opens_nothing(site: Site, key: Row, world: World) -> None:
    """Nor does a user without a key, of a state kept from before there were keys, have an empty one."""
    user = world.user_named("201")
    assert user is not None
    world.users.put({**user, "rights": {**user["rights"], "is_active": False}})
    inactive = await site.post("/private/api/auth.php?type=json", json=key)
    world.users.put({name: value for name, value in user.items() if name != "api_key"})
    without = await site.post("/private/api/auth.php?type=json", json={**key, "USER_HASH": ""})

    assert (inactive.status, without.status) == (401, 401)


async def test_a_key_in_every_address_needs_no_session(site: Site, key: Row) -> None:
    """As libraries without a cookie jar do; a wrong one is refused in the envelope."""
    query = urlencode(key)

    told = await response(await site.get(f"{JSON}/accounts/current/?{query}"))
    refused = await response(await site.get(f"{JSON}/accounts/current?{query}x"), 401)

    assert told["account"]["current_user"] == 11_000_011
    assert refused["error_code"] == 110
    assert refused["error"]


async def test_a_session_by_key_is_limited_like_an_integration(site: Site, key: Row, world: World) -> None:
    """The page's own session is not."""
    world.switches.set({"limit_integration_per_s": 1})
    await site.get("/sandbox/login?user=201", allow_redirects=False)
    on_page = [(await site.get("/api/v2/account")).status for _ in range(2)]
    await site.post("/private/api/auth.php?type=json", json=key)

    by_key = [await site.get(f"{JSON}/accounts/current") for _ in range(2)]

    assert on_page == [200, 200]
    assert [answer.status for answer in by_key] == [200, 429]
    assert (await response(by_key[1], 429))["error_code"] == 429


async def test_a_tester_is_told_the_key(site: Site, key: Row) -> None:
    """By the page, as system().amohash, and by the sandbox itself."""
    told = await body(await site.post("/sandbox/api-key", json={"user": "201"}))
    await site.get("/sandbox/login?user=201", allow_redirects=False)
    system = (await body(await site.post("/ajax/widgets/list")))["system"]

    assert told == {"login": key["USER_LOGIN"], "key": key["USER_HASH"]}
    assert (system["amouser"], system["amohash"]) == (key["USER_LOGIN"], key["USER_HASH"])


async def test_the_current_account_has_all_dictionaries(api: Api, world: World) -> None:
    """Users with their rights, statuses of the main pipeline, fields with their choices; flags are Y and N."""
    account = (await response(await api.get(f"{JSON}/accounts/current")))["account"]

    users = {user["login"].partition("@")[0]: user for user in account["users"]}
    assert (users["sergeeva"]["is_admin"], users["melnik"]["is_admin"]) == ("Y", "N")
    assert (users["melnik"]["rights_lead_view"], users["melnik"]["id"]) == ("M", "11000015")
    main = next(p for p in world.pipelines if p["is_main"])
    statuses = [str(one["id"]) for one in main["statuses"] if one["type"] == 0]
    assert [one["id"] for one in account["leads_statuses"]] == statuses
    phone = next(field for field in account["custom_fields"]["contacts"] if field["code"] == "PHONE")
    assert (phone["type_id"], phone["multiple"]) == ("8", "Y")
    assert "MOB" in phone["enums"].values()
    assert {"id": 4, "name": "", "code": "COMMON", "editable": "Y"} in account["note_types"]
    listed = (await response(await api.get(f"{JSON}/pipelines/list")))["pipelines"]
    assert listed == account["pipelines"]


async def test_contacts_are_set_and_listed(api: Api, world: World) -> None:
    """request_id counts from 0; what was set is seen by /api/v4 and comes back in the old names."""
    phone = next(f["id"] for f in world.custom_fields.where(entity_type="contacts", code="PHONE"))
    fields = [{"id": phone, "values": [{"value": PHONE, "enum": "WORK"}]}]
    contact = {"name": "Ия", "tags": "VIP", "company_name": "ООО Новая", "custom_fields": fields}

    told = await set_(api, "contacts", "contacts", add=[contact, {"name": "Ян"}])

    assert [one["request_id"] for one in told["add"]] == [0, 1]
    shown = (await response(await api.get(f"{JSON}/contacts/list?query=9000007720")))["contacts"][0]
    stored = world.contacts[told["add"][0]["id"]]
    assert (shown["id"], shown["type"], shown["company_name"]) == (stored["id"], "contact", "ООО Новая")
    assert (shown["last_modified"], shown["date_create"]) == (stored["updated_at"], stored["created_at"])
    assert [tag["name"] for tag in shown["tags"]] == ["VIP"]
    enum = str(stored["custom_fields_values"][0]["values"][0]["enum_id"])
    assert shown["custom_fields"] == [
        {"id": str(phone), "name": "Телефон", "code": "PHONE", "values": [{"value": PHONE, "enum": enum}]}
    ]


async def test_companies_are_called_contacts(api: Api) -> None:
    """In the request, in the answer, in the list; contacts/list shows them by their type."""
    told = await set_(api, "company", "contacts", add=[{"name": "ТД Балтика"}])

    listed = (await response(await api.get(f"{JSON}/company/list?id={told['add'][0]['id']}")))["contacts"]
    by_type = (await response(await api.get(f"{JSON}/contacts/list?type=company&limit_rows=500")))["contacts"]
    every = (await response(await api.get(f"{JSON}/contacts/list?type=all")))["contacts"]
    assert (listed[0]["name"], listed[0]["type"]) == ("ТД Балтика", "company")
    assert listed[0] in by_type
    assert {row["type"] for row in by_type} == {"company"}
    assert {row["type"] for row in every} == {"contact", "company"}


async def test_leads_are_set_updated_and_refused(api: Api) -> None:
    """Numbers as text; an old change is an error by the row's id, beside what was done."""
    lead = (await set_(api, "leads", "leads", add=[{"name": "Кабель", "price": "500"}]))["add"][0]["id"]
    now = int(time.time())

    good = await set_(api, "leads", "leads", update=[{"id": lead, "last_modified": now, "status_id": "142"}])
    bad = await set_(
        api, "leads", "leads", update=[{"id": lead, "last_modified": now - 60}, {"id": lead, "last_modified": now}]
    )

    shown = (await response(await api.get(f"{JSON}/leads/list?id[]={lead}")))["leads"][0]
    assert (shown["id"], shown["price"], shown["status_id"]) == (str(lead), "500", "142")
    assert good["update"] == [{"id": lead, "last_modified": now}]
    assert bad["update"]["errors"] == {str(lead): "Last modified date is older than in database"}
    assert bad["update"]["0"]["id"] == lead


async def test_customers_have_one_level_more(api: Api, world: World) -> None:
    """Their ids stand under add > customers."""
    told = await set_(api, "customers", "customers", add=[{"name": "Клуб", "next_date": 1_800_000_000}])

    made_id = told["add"]["customers"][0]["id"]
    assert told["add"]["errors"] == []
    assert world.customers[made_id]["next_date"] == 1_800_000_000
    shown = (await response(await api.get(f"{JSON}/customers/list?id={made_id}")))["customers"][0]
    assert (shown["name"], shown["main_user_id"]) == ("Клуб", 11_000_011)


async def test_notes_and_tasks_are_set_and_listed(api: Api, world: World) -> None:
    """A call's text is JSON; a task is done by its status."""
    contact = next(iter(world.contacts))["id"]
    at = {"element_id": contact, "element_type": 1, "responsible_user_id": 11_000_013}
    call = {"UNIQ": "u9", "PHONE": PHONE, "DURATION": 5}

    note = (await set_(api, "notes", "notes", add=[{**at, "note_type": 11, "text": json.dumps(call)}]))["add"][0]["id"]
    task = {**at, "task_type": "CALL", "text": "Перезвонить", "complete_till": 1_800_000_000, "status": 1}
    task_id = (await set_(api, "tasks", "tasks", add=[task]))["add"][0]["id"]

    notes = (await response(await api.get(f"{JSON}/notes/list?type=contact&element_id={contact}")))["notes"]
    shown = next(row for row in notes if row["id"] == str(note))
    assert (shown["note_type"], json.loads(shown["text"]), shown["element_type"]) == ("11", call, "1")
    assert world.notes[note]["note_type"] == "call_out"
    tasks = (await response(await api.get(f"{JSON}/tasks/list?id={task_id}")))["tasks"]
    assert (tasks[0]["status"], tasks[0]["task_type"], tasks[0]["complete_till"]) == ("1", "1", 1_800_000_000)


async def test_links_are_set_listed_and_undone(api: Api, world: World) -> None:
    """Pairs by contact and by lead; what cannot be linked is told."""
    contact = (await set_(api, "contacts", "contacts", add=[{"name": "Ия"}]))["add"][0]["id"]
    lead = (await set_(api, "leads", "leads", add=[{"name": "Кабель"}]))["add"][0]["id"]
    pair = {"from": "leads", "from_id": lead, "to": "contacts", "to_id": contact}
    wrong = {**pair, "to_id": 1}

    told = await set_(api, "links", "links", link=[pair, wrong])
    ask = urlencode(flatten({"links": [{"from": "leads", "from_id": lead, "to": "contacts"}]}))
    listed = (await response(await api.get(f"{JSON}/links/list?{ask}")))["links"]
    by_contact = (await response(await api.get(f"{JSON}/contacts/links?contacts_link[]={contact}")))["links"]
    by_lead = (await response(await api.get(f"{JSON}/contacts/links?deals_link={lead}")))["links"]
    gone = await set_(api, "links", "links", unlink=[pair])

    assert [one["to_id"] for one in told["link"]["errors"]] == [1]
    assert listed == told["link"]["links"] == [{**pair, "quantity": 1}]
    assert by_contact == by_lead
    assert (by_lead[0]["contact_id"], by_lead[0]["lead_id"]) == (str(contact), str(lead))
    assert gone["unlink"]["errors"] == []
    assert (await api.get(f"{JSON}/contacts/links?deals_link={lead}")).status == 204


async def test_widgets_post_forms_with_the_pages_session(site: Site, world: World) -> None:
    """jQuery's form of the same request, without a token."""
    await site.get("/sandbox/login?user=201", allow_redirects=False)
    asked = {"request": {"leads": {"add": [{"name": "С формы", "price": 7}]}}}

    told = await response(await site.post(f"{JSON}/leads/set", data=dict(flatten(asked))))

    assert world.leads[told["leads"]["add"][0]["id"]]["price"] == 7


@pytest.mark.parametrize("wrong", [{}, {"request": 1}, {"request": {"leads": {}}}, {"request": {"leads": {"add": 1}}}])
async def test_a_request_without_sense_is_400_in_the_envelope(api: Api, wrong: Row) -> None:
    """error and error_code, as everything that is refused here."""
    told = await response(await api.post(f"{JSON}/leads/set", wrong), 400)

    assert (bool(told["error"]), told["error_code"]) == (True, 400)


async def test_rights_are_refused_with_code_244(enter: Callable[[str], Api], world: World) -> None:
    """Adding without the right; a foreign row among updates is told by its id."""
    user = world.user_named("205")
    assert user is not None
    user["rights"]["leads"]["add"] = "D"
    foreign = next(row["id"] for row in world.leads if row["responsible_user_id"] != user["id"])
    api = enter("205")

    refused = await api.post(f"{JSON}/leads/set", {"request": {"leads": {"add": [{"name": "x"}]}}})
    told = await set_(api, "leads", "leads", update=[{"id": foreign, "name": "x"}])

    assert (await response(refused, 403))["error_code"] == 244
    assert told["update"] == {"errors": {str(foreign): "Forbidden"}}


async def test_nothing_found_is_204_in_the_second_generation(api: Api) -> None:
    """Without a body and so without an envelope."""
    for path in ("contacts/list?id=1", "notes/list?type=lead&element_id=1", "links/list", "nope/list?id=1"):
        answer = await api.get(f"{JSON}/{path}")

        assert answer.status == (404 if path.startswith("nope") else 204), path


async def test_the_call_queue_takes_known_and_unknown_numbers(api: Api, world: World) -> None:
    """success lists the uuids; a known number gets its note, an unknown one nothing yet."""
    contact = (await made(await api.post("/api/v4/contacts", [new_contact("Ия", PHONE)]), "contacts"))[0]["id"]
    call = {"uuid": "c1", "caller": PHONE, "to": "203", "date": 1_700_000_000, "type": "inbound", "billsec": 9}

    told = await response(
        await api.post("/api/calls/add/?code=acme&key=k", {"request": {"add": [call, {**call, "caller": "1"}]}})
    )

    assert told["calls"]["add"] == {"success": ["c1", "c1"], "errors": []}
    notes = world.notes.where(entity_type="contacts", entity_id=contact)
    assert [(note["note_type"], note["params"]["duration"], note["created_at"]) for note in notes] == [
        ("call_in", 9, 1_700_000_000)
    ]
    wrong = await response(await api.post("/api/calls/add/?code=acme&key=k", {"add": [{"uuid": "c2"}]}))
    assert [one["uuid"] for one in wrong["calls"]["add"]["errors"]] == ["c2"]


async def test_the_old_search_answers_in_xml(site: Site, api: Api, world: World) -> None:
    """contact > id, name, company > name, is_company; line by line, for the page's session as well."""
    company = (await made(await api.post("/api/v4/companies", [new_contact("A & <B>", PHONE)]), "companies"))[0]["id"]
    fresh = {**new_contact("Ия \x00Зимина", PHONE), "_embedded": {"companies": [{"id": company}]}}
    contact = (await made(await api.post("/api/v4/contacts", [fresh]), "contacts"))[0]["id"]
    await site.get("/sandbox/login?user=201", allow_redirects=False)

    answer = await site.get("/private/api/contact_search.php?SEARCH=nobody@mail.example&SEARCH=9000007720")

    text = await answer.text()
    assert answer.content_type == "text/xml"
    found = {one.findtext("id"): one for one in parsed(text).findall("contact")}
    assert list(found) == [str(contact), str(company)]
    assert (found[str(contact)].findtext("name"), found[str(contact)].findtext("is_company")) == ("Ия Зимина", "0")
    assert found[str(contact)].findtext("company/name") == "A & <B>"
    assert (found[str(company)].findtext("name"), found[str(company)].findtext("is_company")) == ("A & <B>", "1")
    assert text.replace("\t", "").split("</id>\n<name>")[0].split("<id>")[1] == str(contact)
    assert found[str(contact)].findtext("phones/phone/number") == PHONE
    assert [one.tag for one in found[str(contact)].findall("user/*")] == ["id", "name"]


async def test_the_old_search_finds_nobody_without_a_text(api: Api) -> None:
    """An empty list, in XML."""
    for query in ("", "?SEARCH=", "?SEARCH=nobody-is-called-so"):
        root = parsed(await (await api.get(f"/private/api/contact_search.php{query}")).text())

        assert (root.tag, len(root)) == ("contacts", 0)
