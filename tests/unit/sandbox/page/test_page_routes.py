"""The host page's endpoints without a browser."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server.sandbox.app import make_app
from server.sandbox.page import proxy, shell
from server.sandbox.seed import seed
from server.sandbox.world import World

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

    answer = await (
        await client.post(
            "/ajax/v1/multiactions", json={"entity": "contacts", "action": "delete", "ids": [row["id"], "x"]}
        )
    ).json()

    assert answer["ids"] == [row["id"]]
    assert (world.contacts.get(row["id"]) or {})["is_deleted"] is True


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
