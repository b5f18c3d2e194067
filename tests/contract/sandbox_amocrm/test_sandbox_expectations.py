"""What published API clients insist on, clause by clause, where no other file of this folder says it."""

import base64
import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from aiohttp import ClientSession
from amocrm_client import Api, Receiver, Site, body, made, new_contact

from server.sandbox import integrations
from server.sandbox.oauth.tokens import new_grant, token_answer
from server.sandbox.seed import more_contacts
from server.sandbox.world import Row, World


@pytest.fixture
def pair(world: World, site: Site, integration: Row) -> Row:
    """The answer of the token endpoint, for the first administrator."""
    user = world.user_named("201")
    assert user is not None
    return token_answer(world, new_grant(world, client_id=integration["id"], user_id=user["id"]))


async def test_the_date_of_a_token_answer_tells_when_it_expires(site: Site, integration: Row, world: World) -> None:
    """One client adds expires_in to the Date header; server_time agrees with it."""
    code = (await body(await site.post("/sandbox/oauth/code", json={})))["code"]
    wanted = {"client_id": integration["id"], "client_secret": integration["secret"], "code": code,
              "grant_type": "authorization_code", "redirect_uri": integration["redirect_uri"]}  # fmt: skip
    answer = await site.post("/oauth2/access_token", json=wanted)
    tokens = await body(answer)

    told = parsedate_to_datetime(answer.headers["Date"]).timestamp()

    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert abs(told + tokens["expires_in"] - claims["exp"]) <= 2
    assert abs(told - tokens["server_time"]) <= 2


async def test_the_scheme_is_taken_as_it_was_told(site: Site, pair: Row) -> None:
    """Clients send token_type back literally, some in lower case."""
    for scheme in (pair["token_type"], "bearer"):
        answer = await site.get("/api/v4/account", headers={"Authorization": f"{scheme} {pair['access_token']}"})
        assert answer.status == 200


async def test_an_access_token_is_decoded_by_hand(pair: Row) -> None:
    """Three parts of base64url without padding; an int exp; api_domain, scopes and account among the claims."""
    parts = pair["access_token"].split(".")

    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))

    assert (len(parts), "=" in pair["access_token"]) == (3, False)
    assert isinstance(claims["exp"], int)
    assert {"api_domain", "account_id", "scopes", "aud", "sub"} <= claims.keys()


async def test_api_domain_is_a_host_that_answers(site: Site, pair: Row) -> None:
    """With the scheme put before it, it tells the account's present address to the refresh token."""
    domain = jwt.decode(pair["access_token"], options={"verify_signature": False})["api_domain"]
    url = f"http://{domain}/oauth2/account/current/subdomain"

    async with site.session.get(url, headers={"X-Refresh-Token": pair["refresh_token"]}) as answer:
        told = await body(answer)

    assert set(told) == {"id", "subdomain", "domain", "top_level_domain"}
    assert (await site.get("/oauth2/account/current/subdomain", headers={"X-Refresh-Token": "x"})).status == 401


@pytest.mark.parametrize("status", [400, 401])
async def test_a_dead_refresh_token_is_told_in_json(site: Site, integration: Row, world: World, status: int) -> None:
    """400 or 401 by the switch, with hint, title, status and detail."""
    world.switches.set({"dead_code_status": status})
    wanted = {"client_id": integration["id"], "client_secret": integration["secret"], "refresh_token": "dead",
              "grant_type": "refresh_token", "redirect_uri": integration["redirect_uri"]}  # fmt: skip

    told = await body(await site.post("/oauth2/access_token", json=wanted), status)

    assert {"hint", "title", "status", "detail"} <= told.keys()
    assert told["status"] == status


async def test_secrets_are_long_enough_for_jwt_libraries(integration: Row) -> None:
    """The usual one refuses under 32 characters; amoCRM's have 64."""
    assert len(integration["secret"]) == 64


async def test_a_long_lived_token_is_an_ordinary_bearer(site: Site, world: World) -> None:
    """A day to five years, for a named user, without a refresh token; it dies with the integration."""
    asked = {"user": "203", "days": 30}
    told = await body(await site.post("/sandbox/oauth/long-lived-token", json=asked))
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    account = await body(await site.get("/api/v4/account", headers=headers))
    agent = world.user_named("203")

    claims = jwt.decode(told["access_token"], options={"verify_signature": False})

    assert agent is not None
    assert account["current_user_id"] == agent["id"]
    assert claims["exp"] - claims["iat"] == told["expires_in"] == 30 * 86400
    assert (await site.post("/sandbox/oauth/long-lived-token", json={"days": 1826})).status == 400
    await site.post("/sandbox/faults", json={"target": "amocrm", "kind": "revoke_token"})
    assert (await site.get("/api/v4/account", headers=headers)).status == 401


@pytest.mark.parametrize(("status", "title"), [(402, "Payment Required"), (403, "Forbidden"), (504, "Gateway Timeout")])
async def test_rare_refusals_are_to_be_had_as_faults(site: Site, api: Api, status: int, title: str) -> None:
    """An unpaid account, an IP white-list, a batch too heavy: problem+json like amoCRM's own."""
    fault = {"target": "amocrm", "kind": "status", "status": status, "path": "/api/v4/contacts", "n": 1}
    await body(await site.post("/sandbox/faults", json=fault))

    answer = await api.get("/api/v4/contacts")
    told = await body(answer, status)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert told | {"title": title, "type": f"https://httpstatus.es/{status}", "status": status} == told
    assert (await api.get("/api/v4/contacts")).status == 200


async def test_a_problem_has_title_type_status_and_detail(api: Api) -> None:
    """And nothing more when it is no validation error."""
    told = await body(await api.post("/api/v4/contacts", "text"), 400)

    assert set(told) == {"title", "type", "status", "detail"}


async def test_too_many_requests_are_a_json_problem(api: Api, world: World) -> None:
    """429 like any other refusal."""
    world.switches.set({"limit_integration_per_s": 1})
    await api.get("/api/v4/account")

    answer = await api.get("/api/v4/account")

    assert (answer.status, answer.headers["Content-Type"]) == (429, "application/problem+json")
    assert (await answer.json(content_type=None))["status"] == 429


@pytest.mark.parametrize(("limit", "shown"), [(250, 250), (1000, 250), (7, 7)])
async def test_a_page_holds_up_to_250(api: Api, world: World, limit: int, shown: int) -> None:
    """More is not refused, and not given."""
    more_contacts(world, 300)

    assert len(await made(await api.get(f"/api/v4/contacts?limit={limit}"), "contacts")) == shown


async def test_without_a_limit_a_page_holds_fifty(api: Api, world: World) -> None:
    """amoCRM's default."""
    more_contacts(world, 60)

    assert len(await made(await api.get("/api/v4/contacts"), "contacts")) == 50


@pytest.mark.parametrize(
    "bounds",
    [
        "[from]={low}&filter[id][to]={high}",
        "[from]={low}&filter[id][to]=",
        "%5Bfrom%5D={low}",
        "[from]=&filter[id][to]={high}",
    ],
)
async def test_a_range_may_be_open(api: Api, world: World, bounds: str) -> None:
    """`filter[x][from]=` without a number is no bound; brackets may be encoded."""
    ids = [row["id"] for row in world.contacts]
    asked = "filter[id]" + bounds.format(low=ids[0], high=ids[-1])

    rows = await made(await api.get(f"/api/v4/contacts?limit=250&{asked}"), "contacts")

    assert [row["id"] for row in rows] == ids


async def test_several_with_are_parted_by_commas(api: Api, world: World) -> None:
    """with=a,b; unknown names beside known ones are ignored; an array of them works as well."""
    lead = next(iter(world.leads))["id"]

    for asked in ("with=contacts,nonsense,loss_reason", "with[]=contacts&with[]=loss_reason"):
        shown = (await body(await api.get(f"/api/v4/leads/{lead}?{asked}")))["_embedded"]
        assert {"contacts", "loss_reason", "tags", "companies"} == shown.keys()


async def test_leads_are_filtered_by_what_the_documentation_lists(api: Api, world: World) -> None:
    """Price and times by range, pipeline, creator and name by value, deleted ones with only_deleted."""
    lead = next(row for row in world.leads if row["status_id"] in (142, 143))
    same = f"filter[pipeline_id][]={lead['pipeline_id']}&filter[created_by][]={lead['created_by']}"
    bounds = f"filter[price][from]={lead['price']}&filter[price][to]={lead['price']}"
    closed = f"filter[closed_at][from]={lead['closed_at']}&filter[closed_at][to]={lead['closed_at']}"

    rows = await made(
        await api.get(f"/api/v4/leads?{same}&{bounds}&{closed}&filter[name]={quote(lead['name'])}"), "leads"
    )

    assert lead["id"] in [row["id"] for row in rows]
    assert {row["pipeline_id"] for row in rows} == {lead["pipeline_id"]}
    assert (await api.get(f"/api/v4/leads?filter[price][from]={10**9}")).status == 204


async def test_deleted_leads_are_listed_when_asked(api: Api, site: Site, world: World) -> None:
    """with=only_deleted: id, when and by whom, is_deleted."""
    lead = next(iter(world.leads))["id"]
    await site.post("/sandbox/bin", json={"entity": "leads", "ids": [lead], "action": "delete"})

    rows = await made(await api.get("/api/v4/leads?with=only_deleted"), "leads")

    assert [(row["id"], row["is_deleted"]) for row in rows] == [(lead, True)]
    assert {"updated_at", "updated_by"} <= rows[0].keys()
    assert (await api.get(f"/api/v4/leads/{lead}")).status == 204


async def test_who_set_the_price_is_told_when_asked(api: Api) -> None:
    """with=is_price_modified_by_robot: updated_by 0 is the robot."""
    lead = (await made(await api.post("/api/v4/leads", [{"price": 5}]), "leads"))[0]["id"]
    path = f"/api/v4/leads/{lead}?with=is_price_modified_by_robot"
    by_hand = (await body(await api.get(path)))["is_price_modified_by_robot"]

    await api.patch(f"/api/v4/leads/{lead}", {"price": 6, "updated_by": 0})

    assert (by_hand, (await body(await api.get(path)))["is_price_modified_by_robot"]) == (False, True)
    assert "is_price_modified_by_robot" not in await body(await api.get(f"/api/v4/leads/{lead}"))


@pytest.mark.parametrize("noun", ["contacts", "companies", "leads", "customers"])
async def test_all_that_was_fetched_can_be_sent_back(api: Api, world: World, noun: str) -> None:
    """With every part that with= gives, read-only members, `_links` and `account_id`: nothing changes."""
    row = next(row for row in world.entities(noun) if row["links"])
    parts = "contacts,leads,companies,customers,catalog_elements,loss_reason,source,source_id"
    fetched = await body(await api.get(f"/api/v4/{noun}/{row['id']}?with={parts}"))

    await body(await api.patch(f"/api/v4/{noun}/{row['id']}", fetched))
    await body(await api.patch(f"/api/v4/{noun}", [fetched]))

    again = await body(await api.get(f"/api/v4/{noun}/{row['id']}?with={parts}"))
    ours = ("updated_at", "updated_by")
    assert {k: v for k, v in again.items() if k not in ours} == {k: v for k, v in fetched.items() if k not in ours}


async def test_numbers_may_be_floats_everywhere(api: Api, world: World) -> None:
    """complete_till, created_at, duration, ids."""
    contact = float(next(iter(world.contacts))["id"])
    params = {"uniq": "u", "duration": 12.0, "source": "a", "link": None, "phone": "+79990001122"}
    items = [{"entity_id": contact, "note_type": "call_in", "created_at": 1_700_000_000.0, "params": params}]
    note = (await made(await api.post("/api/v4/contacts/notes", items), "notes"))[0]
    task_items = [
        {"text": "x", "complete_till": 1.8e9, "created_at": 1.7e9, "entity_id": contact, "entity_type": "contacts"}
    ]
    task = (await made(await api.post("/api/v4/tasks", task_items), "tasks"))[0]
    call = {"direction": "inbound", "duration": 12.0, "source": "a", "phone": "+79990001122", "created_at": 1.7e9}

    shown = await body(await api.get(f"/api/v4/contacts/notes/{note['id']}"))
    told = await body(await api.get(f"/api/v4/tasks/{task['id']}"))

    assert (shown["created_at"], shown["params"]["duration"]) == (1_700_000_000, 12)
    assert (told["complete_till"], told["created_at"]) == (1_800_000_000, 1_700_000_000)
    assert [type(told[name]) for name in ("complete_till", "entity_id")] == [int, int]
    assert (await api.post("/api/v4/calls", [call])).status == 400  # nobody has the number, and it is no other error


@pytest.mark.parametrize("link", [None, ..., "https://voip.example/1.mp3"])
async def test_a_calls_note_may_have_no_recording(api: Api, world: World, link: Any) -> None:
    """`link` null or absent; uniq, duration, source and phone are there."""
    contact = next(iter(world.contacts))["id"]
    params = {"uniq": "u", "duration": 0, "source": "acme", "phone": "+79990001122", "link": link}
    params = {name: value for name, value in params.items() if value is not ...}
    path = f"/api/v4/contacts/{contact}/notes"
    note = (await made(await api.post(path, [{"note_type": "call_out", "params": params}]), "notes"))[0]

    shown = (await body(await api.get(f"{path}/{note['id']}")))["params"]

    assert {"uniq", "duration", "source", "phone"} <= shown.keys()
    assert shown.get("link") == (None if link is ... else link)


@pytest.mark.parametrize("request_id", ["mine", 7, "0"])
async def test_request_ids_keep_their_type_everywhere(api: Api, world: World, request_id: Any) -> None:
    """Entities, notes, tasks, calls, tags, Unsorted."""
    contact = (await made(await api.post("/api/v4/contacts", [new_contact("Ия", "+79990001122")]), "contacts"))[0]["id"]
    call = {"direction": "inbound", "duration": 1, "source": "a", "phone": "+79990001122"}
    metadata = {"phone": "+79150001122", "called_at": 1, "duration": 5, "service_code": "a", "uniq": "u"}
    asked: list[tuple[str, str, Row]] = [
        ("/api/v4/leads", "leads", {}),
        (f"/api/v4/contacts/{contact}/notes", "notes", {"note_type": "common", "params": {"text": "x"}}),
        ("/api/v4/tasks", "tasks", {"text": "x", "complete_till": 1_800_000_000}),
        ("/api/v4/calls", "calls", call),
        ("/api/v4/leads/tags", "tags", {"name": "x"}),
        ("/api/v4/leads/unsorted/sip", "unsorted", {"source_uid": "a", "source_name": "a", "metadata": metadata}),
    ]

    for path, name, item in asked:
        rows = await made(await api.post(path, [{**item, "request_id": request_id}]), name)
        assert rows[0]["request_id"] == request_id, path


async def test_notes_have_four_addresses(api: Api, world: World) -> None:
    """Created at the list with entity_id and under the entity; one is read by either path."""
    lead = next(iter(world.leads))["id"]
    item = {"note_type": "common", "params": {"text": "x"}}
    made_at = [
        await made(await api.post("/api/v4/leads/notes", [{**item, "entity_id": lead}]), "notes"),
        await made(await api.post(f"/api/v4/leads/{lead}/notes", [item]), "notes"),
    ]

    for rows in made_at:
        note = rows[0]["id"]
        for path in (f"/api/v4/leads/notes/{note}", f"/api/v4/leads/{lead}/notes/{note}"):
            assert (await body(await api.get(path)))["entity_id"] == lead


async def test_a_webhook_shows_its_nine_members(api: Api, receiver: Receiver) -> None:
    """Strict clients check them in the list and in the answer to POST; DELETE answers 204."""
    names = {
        "id",
        "destination",
        "account_id",
        "settings",
        "created_by",
        "created_at",
        "updated_at",
        "sort",
        "disabled",
    }
    told = await body(await api.post("/api/v4/webhooks", {"destination": receiver.url, "settings": ["add_lead"]}), 201)
    row = (await made(await api.get("/api/v4/webhooks"), "webhooks"))[0]

    gone = await api.delete("/api/v4/webhooks", {"destination": receiver.url})

    assert names <= told.keys()
    assert names <= row.keys()
    assert (row["settings"], row["disabled"], gone.status) == (["add_lead"], False, 204)


async def test_links_on_every_row_are_absolute_and_as_asked(api: Api, site: Site) -> None:
    """`_links.self.href` has the host and port of the request."""
    rows = await made(await api.get("/api/v4/contacts?limit=2"), "contacts")
    other = await made(await api.get("/api/v4/contacts?limit=1", headers={"Host": "demo.amocrm.ru"}), "contacts")

    assert rows[0]["_links"]["self"]["href"] == f"http://127.0.0.1:{site.port}/api/v4/contacts/{rows[0]['id']}"
    assert other[0]["_links"]["self"]["href"].startswith("http://demo.amocrm.ru/api/v4/contacts/")


async def test_an_address_may_end_with_a_slash(api: Api, world: World) -> None:
    """Some clients end all of them so."""
    contact = next(iter(world.contacts))["id"]

    assert (await api.get("/api/v4/users/?with=role")).status == 200
    assert (await api.get(f"/api/v4/contacts/{contact}/")).status == 200
    assert (await api.get(f"/oauth/?client_id={integrations.main(world)['id']}")).status == 200
    assert (await api.post("/api/v4/leads/", [{}])).status == 200


async def test_json_that_is_called_a_form_is_json(api: Api, site: Site, world: World, pair: Row) -> None:
    """As curl calls every body that nobody has named: objects as well as lists, and the exchange of tokens."""
    lead, form = next(iter(world.leads))["id"], {"Content-Type": "application/x-www-form-urlencoded"}
    hook = {"destination": "https://shop.example/hook", "settings": ["add_lead"]}
    integration = integrations.main(world)
    grant = {"client_id": integration["id"], "client_secret": integration["secret"], "grant_type": "refresh_token",
             "refresh_token": pair["refresh_token"], "redirect_uri": integration["redirect_uri"]}  # fmt: skip

    changed = await api.call("PATCH", f"/api/v4/leads/{lead}", data=' {"price": 7}', headers=form)
    hooked = await api.call("POST", "/api/v4/webhooks", data=json.dumps(hook), headers=form)
    broken = await api.call("POST", "/api/v4/webhooks", data='{"destination', headers=form)

    assert (changed.status, hooked.status, broken.status) == (200, 201, 400)
    assert world.leads[lead]["price"] == 7
    assert (await site.post("/oauth2/access_token", data=json.dumps(grant), headers=form)).status == 200


async def test_two_slashes_in_an_address_are_one(api: Api, world: World) -> None:
    """A client joins `https://<host>/` and `/api/v4/…`; method, body and token survive."""
    async with ClientSession(f"{world.origin}//", headers=api.headers) as client:
        made = await client.post("api/v4/leads", json=[{"name": "x"}])

        assert (made.status, made.method) == (200, "POST")
        assert (await client.get("api/v4/account?with=version")).status == 200
        assert (await client.get("api/v4/nothing")).status == 404


async def test_a_token_tells_whose_it_is(enter: Callable[[str], Api], site: Site, world: World) -> None:
    """As generic OAuth libraries ask for the owner; no right is needed for it."""
    user = world.user_named("205")
    assert user is not None

    owner = await body(await enter("205").get("/v3/user"))

    assert {name: owner[name] for name in ("id", "name", "email")} == {
        name: user[name] for name in ("id", "name", "email")
    }
    assert (await site.get("/v3/user")).status == 401


async def test_the_old_address_of_the_account_still_answers(site: Site, pair: Row) -> None:
    """By the access token; it is obsolete."""
    headers = {"Authorization": f"Bearer {pair['access_token']}"}

    told = await body(await site.get("/oauth2/account/subdomain", headers=headers))

    assert set(told) == {"id", "subdomain", "domain", "top_level_domain"}


@pytest.mark.parametrize(("brand", "domain", "status"), [("amocrm", "amocrm.ru", 200), ("kommo", "kommo.com", 429)])
async def test_the_brands_differ(
    site: Site, world: World, integration: Row, brand: str, domain: str, status: int
) -> None:
    """base_domain of the token; Kommo limits by address, amoCRM by integration."""
    world.switches.set({"brand": brand, "limit_integration_per_s": 1})
    other = integrations.ensure(world, "another")
    user_id = next(iter(world.users))["id"]
    grants = [new_grant(world, client_id=one["id"], user_id=user_id) for one in (integration, other)]
    tokens = [token_answer(world, grant)["access_token"] for grant in grants]

    answers = [await Api(site, token).get("/api/v4/account") for token in tokens]

    claims = jwt.decode(tokens[0], options={"verify_signature": False})
    assert claims["base_domain"] == domain
    assert [answer.status for answer in answers] == [200, status]


@pytest.mark.parametrize(
    ("path", "most", "item"),
    [
        ("/api/v4/contacts", 250, {"name": "x"}),
        ("/api/v4/leads/complex", 50, {}),
        ("/api/v4/sources", 50, {"name": "x", "external_id": "x"}),
        ("/api/v4/users", 10, {"name": "x"}),
    ],
)
async def test_a_batch_has_its_limit(api: Api, path: str, most: int, item: Row) -> None:
    """One more than allowed is 400, with a detail that says so."""
    told = await body(await api.post(path, [item] * (most + 1)), 400)

    assert str(most) in told["detail"]
