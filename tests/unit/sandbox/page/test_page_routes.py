"""The host page's endpoints without a browser."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from server.sandbox.app import make_app
from server.sandbox.page import proxy, shell
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.seed import seed
from server.sandbox.world import Row, World

Client = TestClient[web.Request, web.Application]
ClientMaker = Callable[[web.Application], Awaitable[Client]]


@pytest.fixture
def world() -> World:
    made = World()
    seed(made)
    return made


@pytest.fixture
async def client(world: World, aiohttp_client: ClientMaker) -> Client:
    """A browser's session of the first user."""
    made = await aiohttp_client(make_app(world))
    await made.get("/dashboard/")
    return made


def test_both_languages_have_the_same_words() -> None:
    """Every text of the host exists in Russian and in English."""
    assert shell.texts("ru").keys() == shell.texts("en").keys()


async def test_stranger_becomes_the_first_user(world: World, aiohttp_client: ClientMaker) -> None:
    """The page signs a stranger in, so that its own requests are answered."""
    browser = await aiohttp_client(make_app(world))

    refused = await browser.get("/ajax/page/dashboard")
    page = await browser.get("/contacts/list/")
    answered = await browser.get("/ajax/page/dashboard")

    assert [refused.status, page.status, answered.status] == [401, 200, 200]


async def test_language_is_the_users_choice(client: Client, world: World) -> None:
    """A language that the page has is kept for the user; another one is refused."""
    page = await (await client.get("/sandbox/login?user=203&lang=en&next=/dashboard/")).text()
    refused = await client.get("/sandbox/login?user=203&lang=xx")

    assert '<html lang="en"' in page
    assert [user["lang"] for user in world.users] == ["ru", "ru", "en", "ru", "ru"]
    assert refused.status == 400


async def test_embedded_json_cannot_close_its_script(client: Client, world: World) -> None:
    """A user's name with a closing tag stays text."""
    world.users.put({**next(iter(world.users)), "name": "</script><script>alert(1)</script>"})

    body = await (await client.get("/dashboard/")).text()

    assert "</script><script>alert" not in body


@pytest.mark.parametrize("path", ["/frontend/../shell.py", "/frontend/js/%2e%2e/%2e%2e/shell.py", "/frontend/js"])
async def test_static_files_stay_in_their_folder(client: Client, path: str) -> None:
    """Nothing outside the static folder is served."""
    assert (await client.get(path)).status == 404


async def test_trace_keeps_known_kinds_only(client: Client, world: World) -> None:
    """Entries of the page join the log; unknown kinds and nonsense are ignored."""
    entries = [{"kind": "callback", "name": "render", "at": 1}, {"kind": "made up"}, 7]

    answer = await client.post("/ajax/page/trace", json=entries)

    assert answer.status == 200
    assert [one["name"] for one in world.log.entries("callback")] == ["render"]


@pytest.mark.parametrize("body", [{"kind": "callback"}, [{}] * 501, "text"])
async def test_trace_refuses_what_is_no_list(client: Client, body: Any) -> None:
    """A trace is a list of at most 500 entries."""
    assert (await client.post("/ajax/page/trace", json=body)).status == 400


async def test_card_respects_the_users_rights(client: Client, world: World) -> None:
    """A card that the user may not view answers 403, an unknown one 404."""
    agent = next(user for user in world.users if user["rights"]["contacts"]["view"] == "M")
    foreign = next(row for row in world.contacts if row["responsible_user_id"] != agent["id"])
    await client.get(f"/sandbox/login?user={agent['id']}", allow_redirects=False)

    assert (await client.get(f"/ajax/page/card/contacts/{foreign['id']}")).status == 403
    assert (await client.get("/ajax/page/card/contacts/999999999")).status == 404


async def test_plus_of_an_unencoded_phone_survives(client: Client) -> None:
    """`?phone=+7…` as amoCRM's own links write it keeps its plus."""
    card = await (await client.get("/ajax/page/card/contacts/0?phone=+79990001122")).json()

    phones = next(field for field in card["fields"] if field["code"] == "PHONE")
    assert phones["values"][0]["value"] == "+79990001122"


@pytest.mark.parametrize("page", ["0", "-3", "x", "99999"])
async def test_list_survives_any_page_number(client: Client, page: str) -> None:
    """A page number out of range shows the nearest page."""
    answer = await (await client.get(f"/ajax/page/list/contacts?page={page}")).json()

    assert 1 <= answer["page"] <= answer["pages"]


async def test_list_searches_by_number(client: Client, world: World) -> None:
    """A term of digits finds the number however it is written."""
    await client.get("/ajax/page/list/contacts")
    answer = await (await client.get("/ajax/page/list/contacts?term=нет такого имени")).json()
    assert answer["total"] == 0

    some = await (await client.get("/ajax/page/list/contacts")).json()
    phone = next(item["phones"][0] for item in some["items"] if item["phones"])
    found = await (await client.get("/ajax/page/list/contacts", params={"term": phone})).json()
    assert found["total"] >= 1


async def test_big_list_is_quick(client: Client, world: World) -> None:
    """With 25 000 contacts a page of the list is made well within its second."""
    from server.sandbox.seed import more_contacts

    more_contacts(world, 25_000)
    started = world.clock()

    answer = await (await client.get("/ajax/page/list/contacts")).json()

    assert answer["total"] > 25_000
    assert world.clock() - started < 1


async def test_deleting_needs_the_right_to(client: Client, world: World) -> None:
    """The tool bar's delete marks entities deleted, and only those the user may delete."""
    row = next(iter(world.contacts))

    (job,) = await delete(client, 1, row["id"], "x", 999)

    assert job["ids"] == [row["id"]]
    assert (world.contacts.get(row["id"]) or {})["is_deleted"] is True
    agent = next(user for user in world.users if user["rights"]["contacts"]["delete"] == "D")
    await client.get(f"/sandbox/login?user={agent['id']}", allow_redirects=False)
    other = next(one for one in world.contacts if not one["is_deleted"])
    assert (await delete(client, 17, other["id"]))[0]["ids"] == []


async def delete(client: Client, entity_type: int, *ids: Any) -> list[Row]:
    """What widgets post to delete entities; the jobs of the answer."""
    prefix = "request[multiactions][add][0]"
    form = {f"{prefix}[entity_type]": str(entity_type), f"{prefix}[multiaction_type]": "4"}
    form |= {f"{prefix}[data][data][ACTION]": "DELETE"} | {
        f"{prefix}[ids][{at}]": str(one) for at, one in enumerate(ids)
    }
    answer = await (await client.post("/ajax/v1/multiactions/set", data=form)).json()
    jobs: list[Row] = answer["response"]["multiactions"]["set"]["data"]
    return jobs


async def test_a_job_of_many_actions_is_done_at_once(client: Client, world: World) -> None:
    """status answers 2 for a job it knows, nothing for another; tasks and companies are deleted as well."""
    task, company = next(iter(world.tasks))["id"], next(iter(world.companies))["id"]
    jobs = [(await delete(client, 4, task))[0], (await delete(client, 17, company))[0]]

    prefix = "request[multiactions][status]"
    asked = {f"{prefix}[0][job_id]": str(jobs[1]["job_id"]), f"{prefix}[1][job_id]": "999"}
    answer = await (await client.get("/ajax/v1/multiactions/status", params=asked)).json()

    assert [job["ids"] for job in jobs] == [[task], [company]]
    assert [one["status"] for one in answer["response"]["multiactions"]["status"]["data"]] == [2]
    assert task not in world.tasks


@pytest.mark.parametrize(
    "body",
    [{}, {"request": {"multiactions": {"add": [{"entity_type": 1}]}}}, {"request": {"multiactions": {"add": 5}}}],
)
async def test_a_multiaction_of_nothing_is_refused(client: Client, body: Any) -> None:
    """Without a kind, ids and an action it is 400."""
    assert (await client.post("/ajax/v1/multiactions/set", json=body)).status == 400


async def test_widgets_count_rows_by_the_pages_own_list(client: Client, world: World) -> None:
    """/ajax/contacts/list/ answers with items and counts of persons and companies; only_count leaves the items out."""
    every = (await (await client.post("/ajax/contacts/list/all/", data={"page": "1"})).json())["response"]
    leads = (await (await client.post("/ajax/leads/list/")).json())["response"]
    count = await (await client.get("/ajax/contacts/list/companies/?only_count=Y")).json()

    assert every["summary"]["persons_count"] == len(world.contacts)
    assert every["summary"]["companies_count"] == count["count"] == len(world.companies)
    assert leads["summary"]["count"] >= len(leads["items"]) > 0
    assert "items" not in count["response"]


async def test_suggest_finds_people_companies_and_deals(client: Client, world: World) -> None:
    """search.php answers with id, name and element_type; without a text with nothing."""
    lead, contact = next(iter(world.leads)), next(iter(world.contacts))

    async def found(**query: str) -> list[Row]:
        answer = await (await client.get("/private/ajax/search.php", params=query)).json()
        rows: list[Row] = answer["result"]
        return rows

    assert {"id": lead["id"], "name": lead["name"], "element_type": 2} in await found(type="deals", q=lead["name"])
    people = await found(contacts="all", q=contact["name"])
    assert {"id": contact["id"], "name": contact["name"], "element_type": 1} in people
    assert await found(contacts="all", q=" ") == []


async def test_kommo_gives_widgets_a_cdn_path(client: Client, world: World, tmp_path: Path) -> None:
    """Only under the brand Kommo."""
    (tmp_path / "manifest.json").write_text('{"widget": {}, "locations": ["everywhere"]}', "utf-8")
    world.widgets.put({"id": "own", "path": str(tmp_path), "settings": {}, "active": True, "version": "1"})

    async def listed() -> Row:
        widgets: Row = (await (await client.post("/ajax/widgets/list", data={"area": "leads"})).json())["widgets"]
        return widgets["own"]

    assert "cdn_path" not in await listed()
    world.switches.set({"brand": "kommo"})
    assert (await listed())["cdn_path"] == "/upl/own/widget"


async def test_duplicates_are_merged_as_widgets_do_it(client: Client, world: World) -> None:
    """info shows every value, save keeps what was chosen; links and notes move, the other record goes."""
    main, other = list(world.contacts)[:2]
    lead = next(row for row in world.leads if other["id"] in row["links"].get("contacts", []))
    ids = [("id[]", str(main["id"])), ("id[]", str(other["id"]))]
    shown = (await (await client.post("/ajax/merge/contacts/info/", data=FormData(ids))).json())["response"]
    phone = next(name for name, field in shown["compare_fields"].items() if field["name"] == "Телефон")
    values = shown["compare_values"][phone].values()
    phones = [one["value"] for of_record in values for one in of_record["values"]]

    chosen = [("result_element[ID]", str(main["id"])), ("result_element[NAME]", "Одна запись")]
    chosen += [(f"result_element[cfv][{phone.removeprefix('cfv_')}][]", text) for text in phones]
    answer = await (await client.post("/ajax/merge/contacts/save", data=FormData(ids + chosen))).json()

    survivor = world.contacts[main["id"]]
    assert answer["response"]["multiactions"]["set"]["data"][0]["status"] == 2
    assert survivor["name"] == "Одна запись"
    assert set(values_by_code(world, survivor, "contacts", "PHONE")) == {json.loads(text)["VALUE"] for text in phones}
    assert lead["id"] in survivor["links"]["leads"]
    assert world.contacts[other["id"]]["is_deleted"]


@pytest.mark.parametrize("form", [[], [("id[]", "1")], [("id[]", "x"), ("id[]", "y")]])
async def test_merging_needs_two_records(client: Client, form: list[tuple[str, str]]) -> None:
    """One record, or none, cannot be merged."""
    assert (await client.post("/ajax/merge/leads/info", data=FormData(form))).status == 400
    assert (await client.post("/ajax/merge/leads/save/", data=FormData(form))).status == 400


@pytest.mark.parametrize("body", [{}, {"method": "add_call", "data": {}}, {"method": "remove", "data": {"text": "x"}}])
async def test_notification_needs_a_text(client: Client, body: Any) -> None:
    """Neither an unknown method nor an empty notification is kept."""
    assert (await client.post("/ajax/page/notifications", json=body)).status == 400


async def test_notification_with_nonsense_is_kept_without_it(client: Client) -> None:
    """Members of a wrong type do not break the feed."""
    data = {"text": "x", "date": "soon", "duration": "long", "element": "contact", "from": ["a"], "click_link": 5}

    answer = await client.post("/ajax/page/notifications", json={"method": "add_call", "data": data})

    assert answer.status == 200


@pytest.mark.parametrize(
    ("target", "status"), [("ftp://x", 400), ("", 400), ("http://127.0.0.1:9/nobody", 502), ("http://[bad", 400)]
)
async def test_proxy_says_why_there_is_no_answer(client: Client, target: str, status: int) -> None:
    """crm_post to a wrong or dead address is refused with words."""
    answer = await client.post("/private/widget/proxy.php", data={"target": target, "data": "{}"})

    assert answer.status == status
    assert "crm_post" in await answer.text()


def test_proxy_writes_nested_data_as_php_does() -> None:
    """Lists and objects become bracketed fields; true is 1, false and null are empty."""
    fields = proxy.as_php({"a": [1, {"b": None}], "c": True, "d": False})

    assert fields == [("a[0]", "1"), ("a[1][b]", ""), ("c", "1"), ("d", "")]


async def test_socket_gives_nobody_elses_notifications(client: Client, world: World) -> None:
    """A page may listen to its own user's channel and to entities, not to another user's notifications."""
    users, account = list(world.users), world.account["id"]
    own, foreign = (f"notifications:{account}:{user['id']}" for user in users[:2])
    async with client.ws_connect("/ajax/page/socket") as socket:
        await socket.send_str("no json")
        await socket.send_json({"subscribe": [foreign, own, 5]})
        confirmed = [(await socket.receive_json(timeout=5))["data"]["channels"] for _ in range(2)]
        world.signals.emit(foreign, {"secret": True})
        world.signals.emit(own, {"mine": True})

        received = await socket.receive_json(timeout=5)

    assert confirmed == [[], [own]]
    assert received == {"channel": own, "data": {"mine": True}}


async def test_every_answer_names_its_release(client: Client, world: World) -> None:
    """X-Core-Version follows the switch, on pages and on AJAX answers."""
    world.switches.set({"core_version": "7"})

    answer = await client.get("/private/ping.php")

    assert answer.headers["X-Core-Version"] == "7"


async def test_a_page_that_has_gone_is_not_spoken_to(client: Client, world: World) -> None:
    """Nothing is kept for a socket that was closed."""
    socket = await client.ws_connect("/ajax/page/socket")
    await socket.send_json({"subscribe": ["leads:events"]})
    await socket.receive()
    assert world.signals.emit("leads:events", {}) == 1

    await socket.close()
    await world.log.wait("socket", event="close")

    assert world.signals.emit("leads:events", {}) == 0
