"""amoCRM's client against a small server that answers as it is told."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes.clock import START_MS, HandClock
from fakes.house import account
from msgspec import structs

from server.amocrm import wire
from server.amocrm.client import Client
from server.amocrm.pace import RATE, SECOND_S, Pace
from server.core.crm import CallNote, Logged, Pipeline, Record, Status, Stranger, Unsorted
from server.core.errors import (
    CrmBlocked,
    CrmEntityUnknown,
    CrmError,
    CrmRateLimited,
    CrmRefused,
    CrmTokenDead,
    CrmUnavailable,
    CrmUnpaid,
)
from server.core.jobs import Later, guarded
from server.core.records import Account, Tokens
from server.core.vocabulary import Direction

GRANT = {"token_type": "Bearer", "expires_in": 86400, "access_token": "access-2", "refresh_token": "refresh-2"}
LOGGED = {"_embedded": {"calls": [{"id": 5, "entity_id": 11, "entity_type": "contact"}]}}
NOTE = CallNote(
    uniq="c_1", direction=Direction.IN, phone="+79161234567", duration_s=7, source="kommutator",
    started_s=START_MS // 1000, status=4, user_id=3,
)  # fmt: skip
Answer = Callable[[web.Request], Any]


def contact(contact_id: int, *phones: str, **more: Any) -> dict[str, Any]:
    values = [{"value": phone} for phone in phones]
    return {"id": contact_id, "name": f"n{contact_id}", "custom_fields_values": [
        {"field_code": "PHONE", "values": values}], "_embedded": {"leads": [], "customers": []}, **more}  # fmt: skip


def listing(noun: str, *items: dict[str, Any], following: str = "") -> dict[str, Any]:
    links = {"next": {"href": following}} if following else {}
    return {"_embedded": {noun: list(items)}, "_links": links}


class Amo:
    """A server: notes every request and answers by path; an unplanned path is an empty listing."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.bearers: list[str] = []
        self.plans: dict[str, list[Any]] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    def plan(self, path: str, *answers: Any) -> None:
        """What a path answers, one by one; the last stays. A number is a bare status, bytes a raw body."""
        self.plans[path] = list(answers)

    def count(self, path: str) -> int:
        """How often a path was asked."""
        return sum(one == path for _, one in self.seen)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Every request."""
        self.seen.append((request.method, request.path))
        self.bearers.append(request.headers.get("Authorization", ""))
        self.bodies.append(await request.json() if request.can_read_body else dict(request.query))
        plan = self.plans.get(request.path, [204])
        what = plan.pop(0) if len(plan) > 1 else plan[0]
        if request.path == "/oauth2/access_token":
            await self.gate.wait()
        if callable(what):
            what = what(request)
        if isinstance(what, web.StreamResponse):
            return what
        if isinstance(what, int):
            return web.Response(status=what)
        if isinstance(what, bytes):
            return web.Response(body=what)
        if what is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.json_response(what)


class Purse:
    """Where tokens are kept: notes the order of events."""

    def __init__(self) -> None:
        self.held = Tokens("access-1", "refresh-1", START_MS + 86_400_000)
        self.kept: list[Tokens] = []

    def tokens(self, _: int) -> Tokens:
        return self.held

    async def turn(self, _: int, slots: Sequence[int], *, slot_s: float) -> None:  # the contract names it
        pass

    @contextlib.asynccontextmanager
    async def sole(self, _: int) -> AsyncIterator[Tokens]:
        yield self.held

    async def keep(self, _: int, tokens: Tokens) -> None:
        await asyncio.sleep(0)
        self.kept.append(tokens)
        self.held = tokens


@pytest.fixture
def amo() -> Amo:
    return Amo()


@pytest.fixture
async def origin(amo: Amo) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", amo.answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    amo.gate.set()
    await server.close()


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
async def client(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr("server.amocrm.wire.READ_AGAIN_S", (0.0, 0.0))
    one = Client(client_id="id", client_secret="secret", redirect_uri="https://voip.example/o", clock=HandClock())
    one.attach(purse)
    yield one
    await one.close()


@pytest.fixture
def demo(origin: str) -> Account:
    return account(origin=origin)


async def test_a_request_carries_the_accounts_token(client: Client, amo: Amo, demo: Account) -> None:
    """And nothing else of ours."""
    await client.users(demo)

    assert amo.bearers == ["Bearer access-1"]


async def test_a_refused_token_is_refreshed_stored_and_tried_once_more(
    client: Client, amo: Amo, demo: Account, purse: Purse
) -> None:
    """401, then the same request with the new token."""
    amo.plan("/api/v4/users", 401, listing("users"))
    amo.plan("/oauth2/access_token", lambda _: (purse.kept == [] and GRANT) or {})

    await client.users(demo)

    assert [path for _, path in amo.seen] == ["/api/v4/users", "/oauth2/access_token", "/api/v4/users"]
    assert amo.bodies[1]["refresh_token"] == "refresh-1"
    assert amo.bodies[1]["client_secret"] == "secret"
    assert (amo.bearers[2], purse.kept[0].refresh) == ("Bearer access-2", "refresh-2")


async def test_a_token_near_its_end_is_refreshed_before_use(
    client: Client, amo: Amo, demo: Account, purse: Purse
) -> None:
    """No request is spent on a refusal that is certain."""
    purse.held = Tokens("old", "refresh-1", START_MS + 60_000)
    amo.plan("/oauth2/access_token", GRANT)

    await client.users(demo)

    assert [path for _, path in amo.seen] == ["/oauth2/access_token", "/api/v4/users"]


async def test_many_requests_at_once_make_one_refresh(client: Client, amo: Amo, demo: Account, purse: Purse) -> None:
    """The refresh token works once: a second refresh would kill the authorisation."""
    purse.held = Tokens("old", "refresh-1", START_MS)
    amo.plan("/oauth2/access_token", GRANT)

    await asyncio.gather(*(client.users(demo) for _ in range(5)))

    assert amo.count("/oauth2/access_token") == 1
    assert len(purse.kept) == 1


async def test_whoever_gives_up_waiting_does_not_lose_the_new_tokens(
    client: Client, amo: Amo, demo: Account, purse: Purse
) -> None:
    """A caller's search has two seconds; amoCRM has killed the old pair by then."""
    purse.held = Tokens("old", "refresh-1", START_MS)
    amo.plan("/oauth2/access_token", GRANT)
    amo.gate.clear()

    with pytest.raises(CrmUnavailable):
        await client.search(demo, "+79161234567", timeout_s=0.05)
    amo.gate.set()
    await client.close()

    assert [tokens.access for tokens in purse.kept] == ["access-2"]
    assert amo.count("/oauth2/access_token") == 1


async def test_a_refused_refresh_means_a_dead_token(client: Client, amo: Amo, demo: Account, purse: Purse) -> None:
    """Only a new authorisation helps."""
    amo.plan("/api/v4/users", 401)
    amo.plan("/oauth2/access_token", web.json_response({"hint": "Token has been revoked"}, status=400))

    with pytest.raises(CrmTokenDead):
        await client.users(demo)

    assert purse.kept == []


async def test_a_refresh_that_lost_to_a_new_authorisation_is_no_dead_token(
    client: Client, amo: Amo, demo: Account, purse: Purse
) -> None:
    """An administrator authorised anew while we asked with the old pair, which is dead for that very reason."""
    new = Tokens("access-9", "refresh-9", START_MS + 86_400_000)

    def overtaken(_: web.Request) -> web.Response:
        purse.held = new
        return web.json_response({"hint": "Token has been revoked"}, status=400)

    amo.plan("/api/v4/users", 401, listing("users"))
    amo.plan("/oauth2/access_token", overtaken)

    assert await client.users(demo) == []
    assert amo.bearers[-1] == "Bearer access-9"


async def test_what_amocrm_took_before_a_death_does_not_count(client: Client, amo: Amo, demo: Account) -> None:
    """Else a dead authorisation would be taken for a living one right after a request that went well."""
    await client.check(demo, within_s=60)
    amo.plan("/api/v4/users", 401)
    amo.plan("/oauth2/access_token", 400)
    with pytest.raises(CrmTokenDead):
        await client.users(demo)

    amo.plan("/api/v4/account", 401)
    with pytest.raises(CrmTokenDead):
        await client.check(demo, within_s=60)


async def test_a_token_that_is_refused_again_right_after_its_refresh_is_dead(
    client: Client, amo: Amo, demo: Account
) -> None:
    """No third try."""
    amo.plan("/api/v4/users", 401)
    amo.plan("/oauth2/access_token", GRANT)

    with pytest.raises(CrmTokenDead):
        await client.users(demo)

    assert amo.count("/api/v4/users") == 2


@pytest.mark.parametrize("answer", [500, 502, None, b"<html>", {"token_type": "Bearer"}])
async def test_a_refresh_that_fails_is_no_dead_token(
    client: Client, amo: Amo, demo: Account, purse: Purse, answer: Any
) -> None:
    """amoCRM is away: the authorisation stands."""
    purse.held = Tokens("old", "refresh-1", START_MS)
    amo.plan("/oauth2/access_token", answer)

    with pytest.raises(CrmUnavailable):
        await client.users(demo)

    assert purse.kept == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (429, CrmRateLimited),
        (403, CrmBlocked),
        (402, CrmUnpaid),
        (500, CrmUnavailable),
        (504, CrmUnavailable),
        (400, CrmRefused),
        (404, CrmRefused),
        (None, CrmUnavailable),
        (b'{"_embedded": {"users": [', CrmUnavailable),
        (b"<html>maintenance</html>", CrmUnavailable),
        ({"_links": {}}, CrmUnavailable),
        (b"{}", CrmUnavailable),
    ],
)
async def test_every_failure_has_its_error(
    client: Client, amo: Amo, demo: Account, answer: Any, error: type[CrmError]
) -> None:
    """Limit, ban, outage, refusal, a broken connection, half an answer, a web page."""
    amo.plan("/api/v4/users", answer)

    with pytest.raises(error):
        await client.users(demo)


@pytest.mark.parametrize("lost", [500, None])
async def test_a_question_that_got_no_answer_is_asked_again(client: Client, amo: Amo, demo: Account, lost: Any) -> None:
    """Twice more: reading harms nobody. What changes something is sent once; whoever sent it looks for it."""
    amo.plan("/api/v4/users", lost, lost, {"_embedded": {"users": []}})
    assert await client.users(demo) == []
    assert amo.count("/api/v4/users") == 3

    amo.plan("/api/v4/leads/unsorted/sip", lost)
    with pytest.raises(CrmUnavailable):
        await client.put_unsorted(demo, UNSORTED)
    assert amo.count("/api/v4/leads/unsorted/sip") == 1


async def test_a_redirect_is_not_followed(client: Client, amo: Amo, demo: Account) -> None:
    """The token would go wherever it points."""
    elsewhere = Amo()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", elsewhere.answer)
    other = TestServer(app)
    await other.start_server()
    amo.plan("/api/v4/users", web.Response(status=302, headers={"Location": str(other.make_url("/api/v4/users"))}))

    with pytest.raises(CrmError):
        await client.users(demo)

    assert elsewhere.seen == []
    await other.close()


async def test_an_answer_that_does_not_come_is_given_up(
    client: Client, amo: Amo, demo: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-out is shortened, or the test would take ten seconds."""
    monkeypatch.setitem(Client.notify.__globals__, "NOTIFY_S", 0.05)
    amo.plan("/oauth2/access_token", GRANT)

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hang)
    server = TestServer(app)
    await server.start_server()
    slow = account(origin=str(server.make_url("")).rstrip("/"))

    with pytest.raises(CrmUnavailable):
        await client.notify(slow, "+79161234567", [1])

    await client.close()
    await server.close()


# -- authorisation -------------------------------------------------------------------------------------------------


async def test_a_code_is_traded_and_the_account_read(client: Client, amo: Amo, origin: str) -> None:
    """With the new token."""
    amo.plan("/oauth2/access_token", GRANT)
    amo.plan("/api/v4/account", {"id": 77, "name": "Демо"})

    grant = await client.exchange(origin, "code-1")

    assert (grant.account_id, grant.name, grant.tokens.access) == (77, "Демо", "access-2")
    assert grant.tokens.expires_ms == START_MS + 86_400_000
    assert amo.bodies[0]["code"] == "code-1"
    assert amo.bearers[1] == "Bearer access-2"


@pytest.mark.parametrize("answer", [500, 429, b"", b"{}", b'{"id": "x"}', None])
async def test_an_account_that_cannot_be_read_at_once_is_read_again(
    client: Client, amo: Amo, origin: str, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is spent: giving up here would mean installing anew. (The pause is shortened.)"""
    monkeypatch.setattr(wire, "AGAIN_S", 0.0)
    amo.plan("/oauth2/access_token", GRANT)
    amo.plan("/api/v4/account", answer, {"id": 77, "name": "Демо"})

    assert (await client.exchange(origin, "code-1")).account_id == 77
    assert amo.count("/oauth2/access_token") == 1


async def test_a_dead_code_is_refused(client: Client, amo: Amo, origin: str) -> None:
    """Used, or older than 20 minutes."""
    amo.plan("/oauth2/access_token", web.json_response({"hint": "Authorization code has expired"}, status=400))

    with pytest.raises(CrmRefused, match="expired"):
        await client.exchange(origin, "code-1")


async def test_a_token_that_was_taken_just_now_needs_no_check(client: Client, amo: Amo, demo: Account) -> None:
    """A busy account costs no request more."""
    await client.check(demo, within_s=60)
    await client.check(demo, within_s=60)
    await client.check(demo, within_s=0)

    assert [path for _, path in amo.seen] == ["/api/v4/account"] * 2


async def test_a_check_finds_a_dead_authorisation(client: Client, amo: Amo, demo: Account) -> None:
    """The token is refused, and so is its renewal."""
    amo.plan("/api/v4/account", 401)
    amo.plan("/oauth2/access_token", 400)

    with pytest.raises(CrmTokenDead):
        await client.check(demo, within_s=60)


# -- the phone book ------------------------------------------------------------------------------------------------


async def test_users_are_read_to_the_last_page(client: Client, amo: Amo, demo: Account) -> None:
    """However many there are."""
    pages = [listing("users", {"id": 1, "name": "a"}, following="x"), listing("users", {"id": 2, "name": "b"})]
    amo.plan("/api/v4/users", *pages)

    assert [user.id for user in await client.users(demo)] == [1, 2]


async def test_a_page_tells_whether_another_follows(client: Client, amo: Amo, demo: Account) -> None:
    """And asks in an order that does not shift under people's edits."""
    amo.plan("/api/v4/contacts", listing("contacts", contact(1, "8 916 123-45-67"), following="x"))

    page = await client.page(demo, "contacts", page=3)

    assert (page.has_more, page.rows[0].phones) == (True, ("9161234567",))
    assert (amo.bodies[0]["page"], amo.bodies[0]["order[id]"]) == ("3", "asc")


async def test_an_empty_listing_is_no_rows(client: Client, demo: Account) -> None:
    """amoCRM answers it with 204 and no body."""
    page = await client.page(demo, "contacts", page=1, updated_since_s=5)

    assert (page.rows, page.has_more) == ((), False)


async def test_a_search_compares_the_digits_exactly(client: Client, amo: Amo, demo: Account) -> None:
    """`query` finds the digits anywhere, in any field."""
    amo.plan(
        "/api/v4/contacts",
        listing("contacts", contact(1, "+79161234567"), contact(2, "+791612345679"), contact(3), contact(4, "1234567")),
    )

    found = await client.search(demo, "+79161234567", timeout_s=2)

    assert [row.id for row in found["contacts"]] == [1]
    assert amo.bodies[0]["query"] == "9161234567"


async def test_a_search_brings_the_leads_of_whom_it_found(client: Client, amo: Amo, demo: Account) -> None:
    """By id, with their people."""
    amo.plan(
        "/api/v4/contacts", listing("contacts", contact(1, "+79161234567", _embedded={"leads": [{"id": 9}]}))
    )  # fmt: skip
    amo.plan("/api/v4/leads", listing("leads", {"id": 9, "name": "Окна", "_embedded": {"contacts": [{"id": 1}]}}))

    found = await client.search(demo, "+79161234567", timeout_s=2)

    assert found["leads"][0].bonds == (("contacts", 1),)


async def test_webhooks_are_asked_for_where_the_tariff_has_them(client: Client, amo: Amo, demo: Account) -> None:
    """False without: then changes are asked for."""
    amo.plan("/api/v4/webhooks", web.json_response({"id": 1}, status=201), 402, 403, 404)

    assert [await client.subscribe(demo, "https://voip.example/amo/hooks/x") for _ in range(4)] == [
        True,
        False,
        False,
        False,
    ]


# -- calls ---------------------------------------------------------------------------------------------------------


async def test_a_call_is_logged(client: Client, amo: Amo, demo: Account) -> None:
    """One per request."""
    amo.plan("/api/v4/calls", LOGGED)

    logged = await client.log_call(demo, NOTE)

    assert (logged.noun, logged.entity_id, logged.note_id) == ("contacts", 11, 5)
    assert amo.bodies[0][0]["uniq"] == "c_1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.json_response({"errors": [{"request_id": "c_1", "status": 263}]}, status=400), CrmEntityUnknown),
        ({"errors": [{"status": 263}]}, CrmEntityUnknown),
        (web.json_response({"validation-errors": []}, status=400), CrmRefused),
        (b"{}", CrmUnavailable),
        (b'{"_embedded": {"calls": [{"id"', CrmUnavailable),
        (None, CrmUnavailable),
    ],
)
async def test_an_answer_to_a_call_is_understood_or_unsure(
    client: Client, amo: Amo, demo: Account, answer: Any, error: type[CrmError]
) -> None:
    """Nobody has the number; refused; or who knows whether it was written."""
    if isinstance(answer, web.Response):
        assert isinstance(answer.body, bytes)
        status, body = answer.status, answer.body
        answer = lambda _: web.Response(status=status, body=body)  # noqa: E731  # a response answers once only
    amo.plan("/api/v4/calls", answer)

    with pytest.raises(error):
        await client.log_call(demo, NOTE)


def note(uniq: str | None, note_id: int = 1, **more: Any) -> dict[str, Any]:
    params = {"uniq": uniq, "phone": "8 916 123-45-67", "duration": 7} | more
    told = {name: value for name, value in params.items() if value is not None}
    return {"id": note_id, "entity_id": 9, "created_at": NOTE.started_s, "params": told}


async def test_a_logged_call_is_found_wherever_it_was_put(client: Client, amo: Amo, demo: Account) -> None:
    """Among all call notes since the attempt, to the last page."""
    amo.plan("/api/v4/contacts/notes", listing("notes", note("c_0"), following="x"), listing("notes", note("c_1", 6)))

    logged = await client.find_call(demo, NOTE, since_s=100)

    assert logged is not None
    assert (logged.noun, logged.entity_id, logged.note_id) == ("contacts", 9, 6)
    assert amo.bodies[0]["filter[updated_at][from]"] == "100"


async def test_a_call_that_was_not_logged_is_not_found(client: Client, amo: Amo, demo: Account) -> None:
    """All places were looked at."""
    amo.plan("/api/v4/leads/notes", listing("notes", note("c_0")))

    assert await client.find_call(demo, NOTE, since_s=100) is None
    assert {path for _, path in amo.seen} == {
        f"/api/v4/{noun}/notes" for noun in ("leads", "contacts", "companies", "customers")
    }


@pytest.mark.parametrize("answer", [b"{}", {"_links": {}}, b"[]", {"_embedded": {}}, b'{"_embedded": {"notes": [{"id"'])
async def test_half_a_list_of_notes_is_not_an_empty_one(
    client: Client, amo: Amo, demo: Account, answer: Any
) -> None:  # fmt: skip
    """A call that may stand there must not be written again on the strength of it."""
    amo.plan("/api/v4/contacts/notes", answer)

    with pytest.raises(CrmUnavailable):
        await client.find_call(demo, NOTE, since_s=100)


@pytest.mark.parametrize("answer", [b"{}", {"_embedded": {}}])
async def test_half_a_list_of_unsorted_is_not_an_empty_one(
    client: Client, amo: Amo, demo: Account, answer: Any
) -> None:  # fmt: skip
    """As above."""
    amo.plan("/api/v4/leads/unsorted", answer)

    with pytest.raises(CrmUnavailable):
        await client.find_unsorted(demo, {"c_1"}, since_s=100)


@pytest.mark.parametrize("answer", [402, 403, 404, 426])
async def test_an_account_without_customers_has_no_calls_there(
    client: Client, amo: Amo, demo: Account, answer: int
) -> None:  # fmt: skip
    """Their absence looks like an account that is not paid."""
    amo.plan("/api/v4/customers/notes", answer)

    assert await client.find_call(demo, NOTE, since_s=100) is None


async def test_a_list_of_notes_is_read_to_its_end(client: Client, amo: Amo, demo: Account) -> None:
    """However many there are: what was not read is not known to be absent."""

    def pages(request: web.Request) -> Any:
        number = int(request.query["page"])
        return listing("notes", note("c_1" if number == 45 else f"x{number}"), following="x" if number < 45 else "")

    amo.plan("/api/v4/contacts/notes", pages)

    assert await client.find_call(demo, NOTE, since_s=100) is not None


async def test_nothing_is_changed_for_a_lane_that_was_lost_in_the_queue(
    client: Client, amo: Amo, demo: Account
) -> None:  # fmt: skip
    """A request waits for its turn, and for a fresh token; by then another node may have sent it. Looking goes on."""

    def lost() -> None:
        raise Later(1, "another node has taken over")

    with guarded(lost):
        with pytest.raises(Later):
            await client.log_call(demo, NOTE)
        await client.unsorted(demo, "u1")

    assert [method for method, _ in amo.seen] == ["GET"]


async def test_a_note_without_our_id_leaves_it_open(client: Client, amo: Amo, demo: Account) -> None:
    """An amoCRM that does not show `uniq`: the call is for a person to look at, and never sent again on a guess."""
    amo.plan("/api/v4/contacts/notes", listing("notes", note(None)))

    with pytest.raises(CrmRefused):
        await client.find_call(demo, NOTE, since_s=100)


@pytest.mark.parametrize("changed", [{"duration": 99}, {"phone": "+79990000000"}])
async def test_another_calls_note_without_an_id_says_nothing(
    client: Client, amo: Amo, demo: Account, changed: dict[str, Any]
) -> None:
    """Another length or number."""
    amo.plan("/api/v4/contacts/notes", listing("notes", note(None, **changed)))

    assert await client.find_call(demo, NOTE, since_s=100) is None


# -- calls of unknown numbers --------------------------------------------------------------------------------------

RECORD = {
    "uid": "u1", "created_at": NOTE.started_s, "_embedded": {"leads": [{"id": 701}]},
    "metadata": {"uniq": "c_1", "duration": "7", "call_responsible": 3, "link": "https://example.com/r"},
}  # fmt: skip
KNOWN = Record("u1", 701, duration_s=7, user_id=3, link="https://example.com/r")
UNSORTED = Unsorted(note=NOTE, lead_name="Звонок", contact_name="+7", source_name="Сипуни", source_uid="l_1")
STRANGER = Stranger(phone=NOTE.phone, name="+7", pipeline_id=3, status_id=4, responsible_id=9, tags=("АТС",))


async def test_a_call_goes_into_unsorted(client: Client, amo: Amo, demo: Account) -> None:
    """With everything that amoCRM demands; the caller in both fields that its versions read."""
    amo.plan("/api/v4/leads/unsorted/sip", listing("unsorted", {**RECORD, "metadata": None}))

    assert await client.put_unsorted(demo, UNSORTED) == Record("u1", 701)
    ((body,),) = amo.bodies
    assert (body["source_name"], body["source_uid"], body["created_at"]) == ("Сипуни", "l_1", NOTE.started_s)
    assert "pipeline_id" not in body
    assert body["metadata"] == {
        "phone": NOTE.phone, "from": NOTE.phone, "call_responsible": 3, "called_at": NOTE.started_s, "duration": 7,
        "link": "", "service_code": "kommutator", "uniq": "c_1", "is_call_event_needed": True,
    }  # fmt: skip


@pytest.mark.parametrize("answer", [b"{}", b'{"_embedded": {"unsorted": [{}]}}', None, 500])
async def test_an_unsorted_call_with_a_riddle_for_an_answer_may_be_there(
    client: Client, amo: Amo, demo: Account, answer: Any
) -> None:
    """Unavailable, so that it is looked for before it is sent again."""
    amo.plan("/api/v4/leads/unsorted/sip", answer)

    with pytest.raises(CrmUnavailable):
        await client.put_unsorted(demo, UNSORTED)


@pytest.mark.parametrize("absent", [404, 405])
async def test_an_account_without_the_new_methods_has_the_old_ones(
    client: Client, amo: Amo, demo: Account, absent: int
) -> None:
    """The same call, in the words of the API before."""
    amo.plan("/api/v4/calls", absent)
    amo.plan("/api/v4/leads/unsorted/sip", absent)
    amo.plan("/api/v2/calls", {"_embedded": {"items": [{"id": 5, "element_id": 701, "element_type": 2}]}})
    amo.plan("/api/v2/incoming_leads/sip", {"status": "success", "data": ["u1"]})

    logged = await client.log_call(demo, NOTE)
    record = await client.put_unsorted(demo, UNSORTED)

    assert (logged.noun, logged.entity_id, logged.note_id) == ("leads", 701, 5)
    assert record == Record("u1")
    call, unsorted = amo.bodies[1]["add"][0], amo.bodies[3]["add"][0]
    assert (call["phone_number"], call["uniq"], call["call_status"]) == (NOTE.phone, "c_1", 4)
    assert (unsorted["incoming_lead_info"]["from"], unsorted["incoming_lead_info"]["uniq"]) == (NOTE.phone, "c_1")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"_embedded": {"items": [], "errors": [{"msg": "Entity not found", "code": 263}]}}, CrmEntityUnknown),
        ({"_embedded": {"items": [], "errors": [{"msg": "Bad", "code": 203}]}}, CrmRefused),
        ({}, CrmUnavailable),
    ],
)
async def test_the_old_method_tells_its_errors_too(
    client: Client, amo: Amo, demo: Account, answer: Any, error: type[CrmError]
) -> None:
    """Per item."""
    amo.plan("/api/v4/calls", 404)
    amo.plan("/api/v2/calls", answer)

    with pytest.raises(error):
        await client.log_call(demo, NOTE)


async def test_a_waiting_record_is_found_by_its_call(client: Client, amo: Amo, demo: Account) -> None:
    """On the second page."""
    other = {**RECORD, "uid": "u0", "metadata": {}}
    amo.plan("/api/v4/leads/unsorted", listing("unsorted", other, following="x"), listing("unsorted", RECORD))

    assert await client.find_unsorted(demo, {"c_1"}, since_s=NOTE.started_s - 60) == KNOWN


async def test_older_records_are_not_walked_through(client: Client, amo: Amo, demo: Account) -> None:
    """An account may have thousands waiting."""
    old = {**RECORD, "metadata": {"uniq": "c_0"}, "created_at": NOTE.started_s - 61}
    amo.plan("/api/v4/leads/unsorted", listing("unsorted", old, following="x"))

    assert await client.find_unsorted(demo, {"c_1"}, since_s=NOTE.started_s - 60) is None
    assert amo.count("/api/v4/leads/unsorted") == 1


@pytest.mark.parametrize(("answer", "waits"), [(RECORD, KNOWN), (404, None), (405, None), (204, None)])
async def test_a_sorted_record_is_gone(client: Client, amo: Amo, demo: Account, answer: Any, waits: Any) -> None:
    """404, as documented, or nothing, as elsewhere."""
    amo.plan("/api/v4/leads/unsorted/u1", answer)

    assert await client.unsorted(demo, "u1") == waits


@pytest.mark.parametrize("answer", [{}, {"uid": ""}, lambda _: web.json_response([1])])
async def test_a_riddle_about_a_record_is_no_answer(client: Client, amo: Amo, demo: Account, answer: Any) -> None:
    """It would say that the record is gone, and the call be written once more."""
    amo.plan("/api/v4/leads/unsorted/u1", answer)

    with pytest.raises(CrmUnavailable):
        await client.unsorted(demo, "u1")


async def test_plain_notes_are_read_and_written(client: Client, amo: Amo, demo: Account) -> None:
    """What amoCRM shows without a text is none."""
    notes = listing("notes", {"id": 1, "params": {"text": "Перезвонить"}}, {"id": 2, "params": None})
    amo.plan("/api/v4/leads/701/notes", notes, listing("notes", {"id": 3}))

    assert await client.remarks(demo, "leads", 701) == ["Перезвонить", ""]
    await client.remark(demo, "leads", 701, "Разговор 0:07")

    assert amo.bodies[-1] == [{"note_type": "common", "params": {"text": "Разговор 0:07"}}]


async def test_a_contact_is_created_with_its_number(client: Client, amo: Amo, demo: Account) -> None:
    """And its owner and tags."""
    amo.plan("/api/v4/contacts", listing("contacts", {"id": 501}))

    assert await client.create(demo, STRANGER) == ("contacts", 501)
    ((body,),) = amo.bodies
    assert body["custom_fields_values"][0]["values"][0]["value"] == NOTE.phone
    assert (body["responsible_user_id"], body["_embedded"]) == (9, {"tags": [{"name": "АТС"}]})


async def test_a_lead_is_created_with_its_contact(client: Client, amo: Amo, demo: Account) -> None:
    """In one request; the answer is a bare array."""
    amo.plan("/api/v4/leads/complex", lambda _: web.json_response([{"id": 701, "contact_id": 501}]))

    assert await client.create(demo, structs.replace(STRANGER, lead_name="Звонок")) == ("leads", 701)
    ((body,),) = amo.bodies
    assert (body["name"], body["pipeline_id"], body["status_id"], body["responsible_user_id"]) == ("Звонок", 3, 4, 9)
    assert body["_embedded"]["tags"] == [{"name": "АТС"}]
    assert body["_embedded"]["contacts"][0]["custom_fields_values"][0]["field_code"] == "PHONE"


async def test_a_call_is_noted_at_a_known_entity(client: Client, amo: Amo, demo: Account) -> None:
    """Back-dated, and its agent's, or call statistics miss it."""
    amo.plan("/api/v4/leads/701/notes", listing("notes", {"id": 5}))

    logged = await client.note(demo, "leads", 701, NOTE)

    assert (logged.noun, logged.entity_id, logged.note_id) == ("leads", 701, 5)
    ((body,),) = amo.bodies
    assert (body["note_type"], body["created_at"], body["created_by"], body["responsible_user_id"]) == (
        "call_in", NOTE.started_s, 3, 3,
    )  # fmt: skip
    assert body["params"] == {
        "uniq": "c_1", "duration": 7, "source": "kommutator", "phone": NOTE.phone, "call_responsible": 3,
        "call_status": 4,
    }  # fmt: skip


async def test_a_note_is_amended(client: Client, amo: Amo, demo: Account) -> None:
    """Its kind, what it says and whose it is; not when it was."""
    amo.plan("/api/v4/leads/notes/5", {"id": 5})

    await client.amend(demo, Logged("leads", 701, 5), NOTE)

    assert amo.seen == [("PATCH", "/api/v4/leads/notes/5")]
    (body,) = amo.bodies
    assert (body["id"], body["entity_id"], body["note_type"], body["params"]["call_status"]) == (5, 701, "call_in", 4)
    assert (body["created_by"], body["responsible_user_id"]) == (3, 3)
    assert "created_at" not in body


async def test_what_a_note_says_no_more_is_taken_out(client: Client, amo: Amo, demo: Account) -> None:
    """What a PATCH leaves out stays as it was: that the PBX told of no end must not stand beside the end."""
    amo.plan("/api/v4/leads/notes/5", {"id": 5})

    await client.amend(demo, Logged("leads", 701, 5), structs.replace(NOTE, result_text=""))

    assert amo.bodies[0]["params"]["call_result"] == ""


@pytest.mark.parametrize(("account", "error"), [({"id": 1}, CrmRefused), (403, CrmBlocked)])
async def test_a_note_that_may_not_be_changed_stops_nothing_else(
    client: Client, amo: Amo, demo: Account, account: Any, error: type[CrmError]
) -> None:
    """403 is also what a blocked account answers, to everything."""
    amo.plan("/api/v4/leads/notes/5", 403)
    amo.plan("/api/v4/account", account)

    with pytest.raises(error):
        await client.amend(demo, Logged("leads", 701, 5), NOTE)


async def test_pipelines_in_use_are_offered(client: Client, amo: Amo, demo: Account) -> None:
    """The main one first, without Unsorted's status and without archived pipelines."""
    statuses = {"statuses": [{"id": 1, "name": "Неразобранное", "type": 1}, {"id": 2, "name": "Новая", "type": 0}]}
    found = [
        {"id": 8, "name": "Опт", "_embedded": {"statuses": []}},
        {"id": 7, "name": "Старая", "is_archive": True},
        {"id": 9, "name": "Продажи", "is_main": True, "_embedded": statuses},
    ]
    amo.plan("/api/v4/leads/pipelines", listing("pipelines", *found))

    assert await client.pipelines(demo) == [
        Pipeline(9, "Продажи", (Status(2, "Новая"),)), Pipeline(8, "Опт"),
    ]  # fmt: skip


# -- pace ----------------------------------------------------------------------------------------------------------


async def test_no_second_sees_more_requests_than_amocrm_allows() -> None:
    """It bans who asks more often; a second's worth may go at once, work's and people's together."""
    start = time.monotonic()
    pace, sent = Pace(start - 2 * SECOND_S), []

    async def ask(for_people: bool) -> None:
        await pace.wait(for_people=for_people)
        sent.append(time.monotonic())

    await asyncio.gather(*(ask(number % 3 == 0) for number in range(2 * RATE + 1)))

    assert sent[RATE - 1] - start < 0.3
    assert all(sent[n + RATE] - sent[n] >= 1.0 for n in range(len(sent) - RATE))


async def test_a_backlog_leaves_room_for_people() -> None:
    """Twenty calls wait to be logged; somebody's telephone rings."""
    start = time.monotonic()
    pace = Pace(start - 2 * SECOND_S)
    backlog = [asyncio.create_task(pace.wait()) for _ in range(20)]
    await asyncio.sleep(0)

    await pace.wait(for_people=True)

    assert time.monotonic() - start < 0.3
    for task in backlog:
        task.cancel()


async def test_a_fresh_process_counts_the_last_second_of_the_one_before() -> None:
    """A server that is restarted again and again must not be banned for its bursts."""
    start = time.monotonic()

    await Pace(start).wait()

    assert time.monotonic() - start >= 1.0
