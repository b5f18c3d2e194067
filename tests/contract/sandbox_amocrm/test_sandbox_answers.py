"""The exact outside of answers: content types, empties, problems, limits, rights."""

import asyncio
from collections.abc import Callable

import pytest
from amocrm_client import Api, Site, body, made, new_contact

from server.sandbox.rest.limits import LIMITS
from server.sandbox.world import World


async def test_success_is_hal_without_a_charset(api: Api) -> None:
    """Clients compare the whole header."""
    assert (await api.get("/api/v4/account")).headers["Content-Type"] == "application/hal+json"


@pytest.mark.parametrize("path", ["/api/v4/nope", "/api/v4/leads/unsorted/" + "0" * 58, "/api/v4/widgets/none"])
async def test_a_problem_is_problem_json_without_a_charset(api: Api, path: str) -> None:
    """One client compares the content type as a whole."""
    answer = await api.get(path)

    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert set(await body(answer, 404)) == {"title", "type", "status", "detail"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v4/contacts/1",
        "/api/v4/leads/999999999",
        "/api/v4/contacts?query=nobody-is-called-so",
        "/api/v4/contacts?filter[id]=1",
        "/api/v4/leads?page=9000",
        "/api/v4/leads/unsorted",
        "/api/v4/webhooks",
        "/api/v4/tasks/1",
        "/api/v4/contacts/notes/1",
    ],
)
async def test_nothing_found_is_204_without_a_body(api: Api, path: str) -> None:
    """Never 200 with an empty list: one client would loop for ever."""
    answer = await api.get(path)

    assert (answer.status, await answer.read()) == (204, b"")


@pytest.mark.parametrize("path", ["/api/v4/account", "/api/v4/contacts", "/api/v4/users", "/api/v4/leads/pipelines"])
async def test_success_has_no_status_or_error_on_top(api: Api, path: str) -> None:
    """Clients take those keys for failures."""
    assert not {"status", "error"} & set(await body(await api.get(path)))


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"text"', b"[]", b"\xff", b"[" * 100_000, b""])
async def test_a_body_that_is_no_list_of_objects_is_400(api: Api, raw: bytes) -> None:
    """Garbage is refused, whatever it is."""
    answer = await api.call("POST", "/api/v4/contacts", data=raw, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")


async def test_validation_errors_name_the_item_and_the_member(api: Api, world: World) -> None:
    """The request id is the caller's, else the position as text; nothing of the batch is stored."""
    before = len(world.contacts)
    wrong = {"custom_fields_values": [{"field_id": 1, "values": []}]}

    told = await body(
        await api.post("/api/v4/contacts", [new_contact("ok"), wrong, {**wrong, "request_id": "mine"}]), 400
    )

    assert [found["request_id"] for found in told["validation-errors"]] == ["1", "mine"]
    error = told["validation-errors"][0]["errors"][0]
    assert (error["code"], error["path"]) == ("NotSupportedChoice", "custom_fields_values.0.field_id")
    assert error["detail"]
    assert len(world.contacts) == before


async def test_without_a_token_or_session_it_is_401(site: Site) -> None:
    """And the problem says so."""
    answer = await site.get("/api/v4/contacts")

    assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")


async def test_the_pages_session_opens_the_api(site: Site) -> None:
    """Widgets call /api/v4 from the page without a token."""
    await site.get("/sandbox/login?user=203", allow_redirects=False)

    account = await body(await site.get("/api/v4/account"))

    assert account["current_user_id"] == 11_000_013


async def test_users_are_for_administrators(enter: Callable[[str], Api]) -> None:
    """An agent gets 403."""
    assert (await enter("203").get("/api/v4/users")).status == 403
    assert (await enter("201").get("/api/v4/users")).status == 200


@pytest.mark.parametrize("extension", ["203", "204", "205"])
async def test_a_user_sees_what_the_rights_allow(enter: Callable[[str], Api], world: World, extension: str) -> None:
    """A sees all, G the group's, M the own."""
    user = world.user_named(extension)
    assert user is not None
    tests = {
        "203": lambda _: True,
        "204": lambda row: row["group_id"] == user["group_id"],
        "205": lambda row: row["responsible_user_id"] == user["id"],
    }
    expected = {row["id"] for row in world.contacts if tests[extension](row)}

    seen = await body(await enter(extension).get("/api/v4/contacts?limit=250"))

    assert {row["id"] for row in seen["_embedded"]["contacts"]} == expected


async def test_a_foreign_entity_cannot_be_changed(enter: Callable[[str], Api], world: World) -> None:
    """An agent with M may not edit a colleague's contact."""
    foreign = next(row for row in world.contacts if row["responsible_user_id"] != world.users[11_000_015]["id"])

    answer = await enter("205").patch(f"/api/v4/contacts/{foreign['id']}", {"name": "x"})

    assert answer.status == 403


@pytest.mark.parametrize(("switch", "status"), [(204, 204), (403, 403)])
async def test_a_foreign_entity_looks_unknown_or_forbidden(
    enter: Callable[[str], Api], world: World, switch: int, status: int
) -> None:
    """Nobody documented which; the switch shows both."""
    world.switches.set({"view_denied": switch})
    foreign = next(row for row in world.contacts if row["responsible_user_id"] != world.users[11_000_015]["id"])

    assert (await enter("205").get(f"/api/v4/contacts/{foreign['id']}")).status == status


async def test_the_eighth_request_within_a_second_is_429(api: Api, world: World) -> None:
    """Seven requests per second and integration."""
    world.switches.set({"limit_integration_per_s": 7})

    statuses = [(await api.get("/api/v4/account")).status for _ in range(8)]

    assert statuses == [200] * 7 + [429]


async def test_who_does_not_listen_to_429_is_blocked(site: Site, api: Api, world: World) -> None:
    """403 sticks until the block is over, though requests are slow again."""
    limits, now = site.app[LIMITS], 100.0
    limits.clock = lambda: now
    world.switches.set({"limit_integration_per_s": 1, "limit_violations_to_block": 2, "limit_block_s": 60})

    statuses = [(await api.get("/api/v4/account")).status for _ in range(5)]
    now += 30
    later = (await api.get("/api/v4/account")).status
    now += 31
    at_last = (await api.get("/api/v4/account")).status

    assert statuses == [200, 429, 429, 429, 403]
    assert (later, at_last) == (403, 200)


async def test_retry_after_is_sent_where_the_switch_says_so(api: Api, world: World) -> None:
    """Clients obey it when it is there."""
    world.switches.set({"limit_integration_per_s": 1, "limit_retry_after": True})
    await api.get("/api/v4/account")

    assert (await api.get("/api/v4/account")).headers["Retry-After"] == "1"


async def test_a_chunked_body_without_a_length_is_read(api: Api) -> None:
    """Node clients send Transfer-Encoding: chunked."""

    async def chunks() -> object:
        yield b'[{"name": '
        await asyncio.sleep(0)
        yield '"Частями"}]'.encode()

    answer = await api.call("POST", "/api/v4/contacts", data=chunks(), headers={"Content-Type": "application/json"})

    assert len(await made(answer, "contacts")) == 1
