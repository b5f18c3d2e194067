"""Nobody gets in, nothing leaks: every forged, replayed, oversized or foreign request, over HTTP on the whole backend.

What is refused leaves no row behind, and no request.
"""

import asyncio
import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
import structlog
from fakes.clock import START_MS
from sandboxes import until
from served import (
    ACCOUNT,
    BEARER_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    OLGA,
    ORIGIN,
    OTHER_ACCOUNT,
    PAVEL,
    SECRETS,
    STRANGER,
    Served,
    mango_form,
    served,
    token,
    unsigned,
)

from server.core import session
from server.core.session import Listen, Pass

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIPUNI = "/hooks/sipuni/path-of-l_1"
MANGO = "/hooks/mango/path-of-l_2/events/call"
CALLING = {"entry_id": "e1", "call_id": "m1", "timestamp": START_MS // 1000, "seq": 1, "call_state": "Appeared"}
NOBODY_HEARD = "nothing was stored, nothing was sent"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("security"), "detached") as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["detached", "aiohttp"])
async def any_socket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A house per kind of socket."""
    async with served(tmp_path_factory.mktemp("socket"), request.param) as one:
        yield one


@pytest.fixture
def untouched(house: Served) -> Iterator[None]:
    """The test leaves no row and no request behind."""
    rows, sent = house.counts(), len(house.outside.requests)
    yield
    assert house.counts() == rows, NOBODY_HEARD
    assert len(house.outside.requests) == sent, NOBODY_HEARD


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """Whatever a test makes the house log holds no secret."""
    with structlog.testing.capture_logs() as lines:
        yield lines
    written = json.dumps(lines, default=str)
    assert [secret for secret in SECRETS if secret in written] == []


def slug(body: Any) -> str:
    assert set(body["error"]) - {"details"} == {"slug", "message", "cure", "temporary"}
    return str(body["error"]["slug"])


async def call_of(house: Served, ref: str, extension: str = "201") -> str:
    """A live call at an extension of the first account; its id."""
    fields = {
        "event": 1, "call_id": ref, "src_type": 1, "src_num": "79161234567", "dst_type": 2,
        "short_dst_num": extension, "dst_num": extension, "timestamp": int(time.time()),
    }  # fmt: skip
    status, _ = await house.ask("GET", SIPUNI, params=fields)
    assert status == 200
    await house.settled()
    with sqlite3.connect(f"file:{house.file}?mode=ro", uri=True) as db:
        return str(db.execute("SELECT id FROM call WHERE call_ref = ?", (ref,)).fetchone()[0])


# -- webhooks of PBXs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/hooks/sipuni/nobody", "/hooks/mango/path-of-l_1", "/hooks/sipuni/path-of-l_1x"],
)
@pytest.mark.usefixtures("untouched")
async def test_an_unknown_secret_path_is_not_found(house: Served, path: str) -> None:
    """By any method, in the vendor's manner; another vendor's name does not help."""
    for method in ("GET", "POST", "PUT"):
        status, body = await house.ask(method, path, params={"event": 1})
        assert (status, body["error"]) == (404, "hook-unknown")
        assert body.get("success", False) is False


@pytest.mark.usefixtures("untouched")
async def test_a_webhook_of_an_unknown_vendor_is_not_found(house: Served) -> None:
    """Nobody's manner: the one error shape."""
    status, body = await house.ask("GET", "/hooks/asterisk/path-of-l_1", params={"event": 1})

    assert (status, slug(body)) == (404, "hook-unknown")


@pytest.mark.parametrize(
    "forgery",
    [
        {"sign": "0" * 64},
        {"sign": ""},
        {"sign": "подпись"},
        {"sign": hmac.new(b"mango-salt", json.dumps(CALLING).encode(), hashlib.sha256).hexdigest()},
        {"key": "another-key"},
        {"key": "ключ"},
    ],
)
@pytest.mark.usefixtures("untouched")
async def test_a_wrong_signature_is_refused(house: Served, forgery: dict[str, str]) -> None:
    """Wrong, missing, of another scheme, in letters that no digest has, with a foreign key: 403, never 5xx."""
    status, body = await house.ask("POST", MANGO, **mango_form(CALLING, **forgery))

    assert (status, body) == (403, {"error": "hook-forged"})


@pytest.mark.usefixtures("untouched")
async def test_a_signature_of_another_text_is_refused(house: Served) -> None:
    """Signed by MANGO, changed on the way."""
    whole = mango_form(CALLING)
    status, _ = await house.ask("POST", MANGO, **{**whole, "data": whole["data"].replace("e1", "e2")})

    assert status == 403


@pytest.mark.parametrize(
    ("path", "data", "kind", "status", "error"),
    [
        (SIPUNI, b'{"event":', "application/json", 400, {"success": False, "error": "hook-malformed"}),
        (SIPUNI, b"\xff\xfe=\x00", "application/x-www-form-urlencoded", 400, None),
        (SIPUNI, b"[" * 100_000, "application/json", 400, None),
        (MANGO, b"json=%7B&sign=x", "application/x-www-form-urlencoded", 403, {"error": "hook-forged"}),
    ],
)
@pytest.mark.usefixtures("untouched")
async def test_a_malformed_webhook_is_refused_in_its_vendors_manner(
    house: Served, path: str, data: bytes, kind: str, status: int, error: Any
) -> None:
    """Half a JSON, no text at all, brackets without end."""
    found, body = await house.ask("POST", path, data=data, headers={"Content-Type": kind})

    assert found == status
    assert error is None or body == error


@pytest.mark.parametrize(
    ("path", "answer"), [(SIPUNI, {"success": False, "error": "too-large"}), (MANGO, {"error": "too-large"})]
)
@pytest.mark.usefixtures("untouched")
async def test_an_oversized_webhook_is_refused_in_its_vendors_manner(house: Served, path: str, answer: Any) -> None:
    """Sipuni looks for `success` in every answer."""
    status, body = await house.ask("POST", path, data=b"a=" + b"x" * 1_000_000)

    assert (status, body) == (413, answer)


@pytest.mark.parametrize("path", ["/api/session", "/api/dial", "/amo/hooks/x"])
@pytest.mark.usefixtures("untouched")
async def test_an_oversized_body_is_refused(house: Served, path: str) -> None:
    """A megabyte, where the largest honest request has some kilobytes."""
    headers = await house.bearer()
    status, body = await house.ask("POST", path, data=b"a=" + b"x" * 1_000_000, headers=headers)

    assert status in {404, 413} if path.endswith("/x") else status == 413 or path == "/api/session"
    assert status != 413 or slug(body) == "too-large"


async def test_odd_headers_cost_no_webhook(house: Served) -> None:
    """A content type that is no text, a tail in escapes: the event is taken all the same."""
    host, _, port = house.url.partition("://")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    query = urlencode({"event": 1, "call_id": "odd", "src_type": 1, "src_num": "79160000001", "dst_type": 2,
                       "short_dst_num": "201", "timestamp": 5})  # fmt: skip
    writer.write(
        f"GET {SIPUNI}/%ff%00?{query} HTTP/1.1\r\nHost: x\r\n".encode()
        + b"Content-Type: \xff\xfe\r\nConnection: close\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await house.settled()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'{"success":true}' in answer


@pytest.mark.parametrize("size", [10_000, 200_000])
@pytest.mark.usefixtures("untouched")
async def test_a_huge_query_or_header_is_refused(house: Served, size: int) -> None:
    """Before any code of ours sees it."""
    assert (await house.ask("GET", f"{SIPUNI}?a={'x' * size}"))[0] in {400, 414}
    assert (await house.ask("GET", "/api/poll", headers={"Authorization": "x" * size}))[0] in {400, 401, 431}


# -- sessions ------------------------------------------------------------------------------------------------------


async def test_a_one_time_token_works_once(house: Served) -> None:
    """The replay is refused with its own word, by which the widget asks for a fresh one."""
    headers = {"X-Auth-Token": token()}
    first, opened = await house.ask("POST", "/api/session", headers=headers)
    rows = house.counts()

    second, body = await house.ask("POST", "/api/session", headers=headers)

    assert (first, opened["agent"]["id"]) == (200, OLGA)
    assert (second, slug(body)) == (401, "token-replayed")
    assert "session.reuse_token" in body["error"]["cure"]
    assert house.counts() == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a.b.c",
        token(secret="another-secret-" + "y" * 40),
        token(client_uuid="another"),
        token(aud="https://evil.example"),
        token(exp=1),
        token(nbf=1 << 40),
        unsigned(),
        token(algorithm="HS512"),
        "x" * 8000,
    ],
    ids=range(11),
)
@pytest.mark.usefixtures("untouched")
async def test_a_forged_token_opens_no_session(house: Served, text: str) -> None:
    """Another secret, integration, address or time; no algorithm; another algorithm."""
    status, body = await house.ask("POST", "/api/session", headers={"X-Auth-Token": text})

    assert (status, slug(body)) == (401, "token-invalid")


@pytest.mark.usefixtures("untouched")
async def test_a_token_of_an_unknown_account_opens_no_session(house: Served) -> None:
    """Genuine, of an account that never installed us."""
    status, body = await house.ask("POST", "/api/session", headers={"X-Auth-Token": token(account_id=5)})

    assert (status, slug(body)) == (403, "account-unknown")


def bearers() -> list[str]:
    now = int(time.time())
    good = session.sign(Pass(now + 900, ACCOUNT, OLGA, True), BEARER_KEY)
    payload, _, seal = good.partition(".")
    other, _, _ = session.sign(Pass(now + 900, OTHER_ACCOUNT, OLGA, True), BEARER_KEY).partition(".")
    return [
        "",
        "Bearer",
        "Bearer x",
        f"Basic {good}",
        f"Bearer {payload}.",
        f"Bearer {other}.{seal}",
        f"Bearer {session.sign(Pass(now - 1, ACCOUNT, OLGA, True), BEARER_KEY)}",
        f"Bearer {session.sign(Pass(now + 900, ACCOUNT, OLGA, True), b'another key')}",
        f"Bearer {session.sign(Listen(now + 900, 'c_1', 'r'), BEARER_KEY)}",
        "Bearer жук.жук",
    ]


@pytest.mark.parametrize("authorization", bearers(), ids=range(10))
@pytest.mark.usefixtures("untouched")
async def test_without_a_valid_bearer_nothing_is_answered(house: Served, authorization: str) -> None:
    """Missing, spoilt, of another person, expired, of another key or kind."""
    for method, path in (
        ("POST", "/api/ticket"),
        ("GET", "/api/poll"),
        ("POST", "/api/dial"),
        ("POST", "/api/dial/d_1/cancel"),
        ("POST", "/api/calls/c_1/hangup"),
        ("POST", "/api/calls/c_1/notice"),
        ("POST", "/api/calls/c_1/dismiss"),
        ("POST", "/api/calls/c_1/recording/revoke"),
        ("GET", "/api/settings"),
        ("PUT", "/api/settings/account"),
        ("POST", "/api/lines"),
        ("PUT", "/api/lines/l_1"),
        ("DELETE", "/api/lines/l_1"),
        ("POST", "/api/lines/l_1/check"),
        ("POST", "/api/lines/l_1/secret"),
        ("PUT", "/api/agents"),
    ):
        status, body = await house.ask(method, path, headers={"Authorization": authorization})
        assert (path, status, slug(body)) == (path, 401, "bearer-invalid")


async def test_a_bearer_of_raw_bytes_is_refused(house: Served) -> None:
    """A header may hold what is no text at all."""
    host, _, port = house.url.partition("://")[2].partition(":")
    for header in (b"Authorization: Bearer \xff.\xff", b"X-Auth-Token: \xff\xfe"):
        path = b"/api/poll" if b"Bearer" in header else b"/api/session"
        method = b"GET" if b"Bearer" in header else b"POST"
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert answer.split(b" ", 2)[1] in {b"401", b"400"}


@pytest.mark.usefixtures("untouched")
async def test_an_agent_is_no_administrator(house: Served) -> None:
    """The settings are closed to him, whatever he sends."""
    headers = await house.bearer(PAVEL, is_admin=False)
    for method, path in (
        ("GET", "/api/settings"),
        ("PUT", "/api/settings/account"),
        ("POST", "/api/lines"),
        ("PUT", "/api/lines/l_1"),
        ("DELETE", "/api/lines/l_1"),
        ("POST", "/api/lines/l_1/check"),
        ("POST", "/api/lines/l_1/secret"),
        ("POST", "/api/calls/c_1/recording/revoke"),
        ("PUT", "/api/agents"),
    ):
        status, body = await house.ask(method, path, headers=headers, json={})
        assert (path, status, slug(body)) == (path, 403, "admin-only")


# -- another account's things --------------------------------------------------------------------------------------


async def test_a_call_of_another_account_is_not_found(house: Served) -> None:
    """Neither hung up, nor claimed, nor closed; by a colleague who does not see it neither."""
    call_id = await call_of(house, "theirs")
    rows, sent = house.counts(), len(house.outside.requests)

    for user_id, account_id in ((STRANGER, OTHER_ACCOUNT), (OLGA, OTHER_ACCOUNT), (PAVEL, ACCOUNT)):
        headers = await house.bearer(user_id, account_id)
        for verb in ("hangup", "notice", "dismiss"):
            status, body = await house.ask("POST", f"/api/calls/{call_id}/{verb}", headers=headers)
            assert (verb, status, slug(body)) == (verb, 404, "not-found")

    assert house.counts() == rows
    assert len(house.outside.requests) == sent


@pytest.mark.usefixtures("untouched")
async def test_a_line_of_another_account_is_not_found(house: Served) -> None:
    """Neither changed, removed, checked, nor dialled from; no seat is given at it."""
    headers = await house.bearer()
    for method, path, body in (
        ("PUT", "/api/lines/l_9", {"name": "mine"}),
        ("DELETE", "/api/lines/l_9", None),
        ("POST", "/api/lines/l_9/check", {}),
        ("POST", "/api/lines/l_9/secret", None),
        ("POST", "/api/dial", {"key": "k", "phone": "+79161234567", "line": "l_9"}),
        ("PUT", "/api/agents", {"agents": [{"user_id": OLGA, "line_id": "l_9", "extension": "201"}]}),
    ):
        status, answer = await house.ask(method, path, headers=headers, json=body)
        assert (path, status, slug(answer)) == (path, 404, "not-found")


async def test_an_order_of_another_account_is_not_found(house: Served) -> None:
    """Nor that of a colleague."""
    mine = await house.bearer()
    _, started = await house.ask("POST", "/api/dial", headers=mine, json={"key": "order", "phone": "+79161234567"})
    await house.settled()
    sent = len(house.outside.requests)

    for user_id, account_id in ((STRANGER, OTHER_ACCOUNT), (OLGA, OTHER_ACCOUNT), (PAVEL, ACCOUNT)):
        headers = await house.bearer(user_id, account_id)
        status, body = await house.ask("POST", f"/api/dial/{started['dial']['id']}/cancel", headers=headers)
        assert (status, slug(body)) == (404, "not-found")

    assert len(house.outside.requests) == sent


async def test_each_account_sees_its_own_settings(house: Served) -> None:
    """Lines, users, seats and secrets of one are nothing to the other; secrets are nothing to anybody."""
    _, mine = await house.ask("GET", "/api/settings", headers=await house.bearer())
    _, theirs = await house.ask("GET", "/api/settings", headers=await house.bearer(STRANGER, OTHER_ACCOUNT))

    assert [line["id"] for line in mine["lines"]] == ["l_1", "l_2"]
    assert [line["id"] for line in theirs["lines"]] == ["l_9"]
    assert {user["id"] for user in theirs["users"]} == {STRANGER}
    assert mine["lines"][0]["credentials"] == {"user": "078332", "secret": None}
    shown = json.dumps([mine, theirs])
    hidden = [secret for secret in SECRETS if not secret.startswith("path-of")]
    assert [secret for secret in hidden if secret in shown] == []


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"key": 1, "phone": "+79161234567"}',
        b'{"key": "k", "phone": null}',
        b'{"key": "k", "phone": "+79161234567", "way": "teleport"}',
        b'{"key": "k", "phone": "+79161234567", "unknown": 1}',
        b'{"key": "\\ud800", "phone": "+79161234567"}',
        b'{"key": ' + b"[" * 50_000,
    ],
)
@pytest.mark.usefixtures("untouched")
async def test_a_malformed_request_is_refused(house: Served, data: bytes) -> None:
    """Half a JSON, another type, a missing or unknown field, brackets without end: 400 in our shape."""
    status, body = await house.ask("POST", "/api/dial", data=data, headers=await house.bearer())

    assert (status, slug(body)) == (400, "bad-request")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("GET", "/nothing", 404), ("DELETE", "/api/session", 405), ("PUT", "/healthz", 405)],
)
@pytest.mark.usefixtures("untouched")
async def test_there_is_one_shape_of_errors(house: Served, method: str, path: str, status: int) -> None:
    """Also for addresses and methods that do not exist."""
    found, body = await house.ask(method, path)

    assert found == status
    assert slug(body)


# -- amoCRM --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "referer",
    ["evil.example", "evilamocrm.ru", "x.amocrm.ru.evil.example", "x.amocrm.ru@evil.example", "x.amocrm.ru:81"],
)
@pytest.mark.usefixtures("untouched")
async def test_a_redirect_that_names_a_foreign_host_sends_nothing(house: Served, referer: str) -> None:
    """The exchange would hand our secret to whoever lives there."""
    status, body = await house.ask("GET", "/amo/oauth", params={"code": "c", "referer": referer})

    assert (status, slug(body)) == (403, "host-foreign")


async def test_a_redirect_that_names_a_listening_stranger_sends_nothing(house: Served) -> None:
    """The stranger's server really is there, and hears nothing: neither now nor, there being no job, later."""
    sent, rows = len(house.outside.requests), house.counts()

    status, _ = await house.ask("GET", "/amo/oauth", params={"code": "c", "referer": house.outside_host})

    assert status == 403
    assert len(house.outside.requests) == sent
    assert house.counts() == rows


@pytest.mark.parametrize("query", [{}, {"code": "c"}, {"referer": "x.amocrm.ru"}, {"error": "access_denied"}])
@pytest.mark.usefixtures("untouched")
async def test_a_redirect_without_a_code_is_refused(house: Served, query: dict[str, str]) -> None:
    """Nothing to exchange."""
    status, body = await house.ask("GET", "/amo/oauth", params=query)

    assert (status, slug(body)) == (400, "bad-request")


def switch_off(account: object, *, client: str = CLIENT_ID, secret: str = CLIENT_SECRET) -> str:
    message = f"{client}|{account}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"account_id": ACCOUNT, "client_uuid": CLIENT_ID, "signature": "0" * 64}, 403),
        ({"account_id": ACCOUNT, "client_uuid": CLIENT_ID, "signature": "подпись"}, 403),
        ({"account_id": ACCOUNT, "client_uuid": CLIENT_ID}, 403),
        ({"account_id": ACCOUNT, "client_uuid": CLIENT_ID, "signature": switch_off(OTHER_ACCOUNT)}, 403),
        ({"account_id": ACCOUNT, "client_uuid": "x", "signature": switch_off(ACCOUNT, client="x")}, 403),
        ({"account_id": "²", "client_uuid": CLIENT_ID, "signature": switch_off("²")}, 400),
        ({}, 400),
    ],
)
@pytest.mark.usefixtures("untouched")
async def test_a_forged_switch_off_is_refused(house: Served, query: dict[str, Any], status: int) -> None:
    """A stranger cannot disconnect an account."""
    found, _ = await house.ask("GET", "/amo/disabled", params=query)

    assert found == status
    assert house.desk.accounts.get(ACCOUNT).state == "active"


async def test_a_switch_off_in_raw_bytes_is_refused(house: Served) -> None:
    """Escapes that are no text."""
    query = f"account_id={ACCOUNT}&client_uuid={CLIENT_ID}&signature=%ff%fe"
    async with house.http.get(aiohttp.client.URL(f"{house.url}/amo/disabled?{query}", encoded=True)) as response:
        assert response.status == 403


@pytest.mark.parametrize("secret", ["x", f"hooksecret{ACCOUNT}x", "%D0%B6", "."])
@pytest.mark.usefixtures("untouched")
async def test_a_forged_webhook_of_amocrm_is_not_found(house: Served, secret: str) -> None:
    """Nobody writes into the phone book."""
    status, body = await house.ask(
        "POST", f"/amo/hooks/{secret}", data={"contacts[add][0][id]": "1", "contacts[add][0][name]": "x"}
    )

    assert (status, slug(body)) == (404, "not-found")


@pytest.mark.usefixtures("untouched")
async def test_a_webhook_of_amocrm_that_is_no_form_is_refused(house: Served) -> None:
    """From its right address."""
    status, body = await house.ask("POST", f"/amo/hooks/hooksecret{ACCOUNT}", data=b"\xff\xfe")

    assert (status, slug(body)) == (400, "hook-malformed")


# -- other origins -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://x.amocrm.ru", "https://evilamocrm.ru", "null", "https://x.amocrm.ru:1"]
)
@pytest.mark.parametrize("path", ["/api/session", "/api/poll", "/healthz"])
async def test_a_foreign_page_reads_nothing(house: Served, origin: str, path: str) -> None:
    """No allow headers, neither for the request nor for its preflight."""
    for method in ("OPTIONS", "GET"):
        async with house.http.request(method, house.url + path, headers={"Origin": origin}) as response:
            assert [name for name in response.headers if name.startswith("Access-Control")] == []
            assert method == "GET" or response.status == 403


@pytest.mark.parametrize("path", ["/api/session", "/api/lines/l_1", "/api/nothing"])
async def test_amocrms_pages_may_ask(house: Served, path: str) -> None:
    """Their own origin is named, never a star; errors are readable, too; no cookies."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    async with house.http.options(house.url + path, headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Credentials" not in response.headers
    async with house.http.get(f"{house.url}/api/poll", headers={"Origin": ORIGIN}) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)
        assert response.headers["Vary"] == "Origin"


async def test_webhooks_are_not_for_pages(house: Served) -> None:
    """Nor is amoCRM's own redirect."""
    for path in (SIPUNI, "/amo/oauth", "/metrics"):
        async with house.http.get(house.url + path, headers={"Origin": ORIGIN}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


# -- the socket ----------------------------------------------------------------------------------------------------


async def tickets(house: Served, count: int = 1) -> list[str]:
    headers = await house.bearer()
    answers = [await house.ask("POST", "/api/ticket", headers=headers) for _ in range(count)]
    return [answer["ticket"] for _, answer in answers]


async def refused(house: Served, *protocols: str, **headers: str) -> int:
    """The status with which a handshake is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await house.http.ws_connect(f"{house.url}/api/socket", protocols=protocols, headers=headers)
    return raised.value.status


async def test_a_ticket_opens_one_socket(any_socket: Served) -> None:
    """The first message is the snapshot; the same ticket opens nothing more."""
    (ticket,) = await tickets(any_socket)
    protocols = ("kommutator.1", f"ticket.{ticket}")
    async with any_socket.http.ws_connect(f"{any_socket.url}/api/socket", protocols=protocols) as socket:
        snapshot = await socket.receive_json(timeout=5)
        assert (socket.protocol, snapshot["type"], snapshot["agent"]["id"]) == ("kommutator.1", "snapshot", OLGA)

        assert await refused(any_socket, *protocols) == 401


async def test_without_a_good_ticket_there_is_no_socket(any_socket: Served) -> None:
    """None, forged, expired, in the wrong place, or a bearer instead."""
    now = int(time.time())
    key = any_socket.desk.sessions._ticket_key  # an expired ticket is made as the house makes them
    expired = session.sign(Pass(now - 1, ACCOUNT, OLGA, True, "n"), key)
    forged = session.sign(Pass(now + 30, ACCOUNT, OLGA, True, "n"), b"another key")
    bearer = (await any_socket.bearer())["Authorization"].removeprefix("Bearer ")
    for protocols in (
        (),
        ("kommutator.1",),
        ("kommutator.1", "ticket."),
        ("kommutator.1", f"ticket.{expired}"),
        ("kommutator.1", f"ticket.{forged}"),
        ("kommutator.1", f"ticket.{bearer}"),
    ):
        assert await refused(any_socket, *protocols) == 401


async def test_another_subprotocol_is_refused(any_socket: Served) -> None:
    """A widget of a version that we do not speak."""
    (ticket,) = await tickets(any_socket)

    assert await refused(any_socket, "kommutator.99", f"ticket.{ticket}") == 400


async def test_a_foreign_page_opens_no_socket(any_socket: Served) -> None:
    """Even with a ticket, which is not spent by it."""
    (ticket,) = await tickets(any_socket)
    protocols = ("kommutator.1", f"ticket.{ticket}")

    assert await refused(any_socket, *protocols, Origin="https://evil.example") == 403
    headers = {"Origin": ORIGIN}
    async with any_socket.http.ws_connect(
        f"{any_socket.url}/api/socket", protocols=protocols, headers=headers
    ) as socket:
        assert (await socket.receive_json(timeout=5))["type"] == "snapshot"


async def test_a_socket_survives_what_it_does_not_understand(any_socket: Served) -> None:
    """Nonsense, brackets without end, another account's call: passed over; a renewal is still answered."""
    (ticket,) = await tickets(any_socket)
    protocols = ("kommutator.1", f"ticket.{ticket}")
    async with any_socket.http.ws_connect(f"{any_socket.url}/api/socket", protocols=protocols) as socket:
        await socket.receive_json(timeout=5)
        for text in (
            "{",
            "жук",
            "[" * 20_000,
            '{"type": "fly"}',
            '{"type": "notice"}',
            '{"type": "notice", "call_id": "c_none"}',
            '{"type": "dismiss", "call_id": ' + "[" * 20_000,
            '{"type": "renew"}',
        ):
            await socket.send_str(text)
        answer = await socket.receive_json(timeout=5)

    assert answer["type"] == "bearer"


# -- recordings ----------------------------------------------------------------------------------------------------

RECORDING_KEY = hashlib.sha256(b"recording:" + b"k" * 32).digest()


async def recorded(house: Served, ref: str) -> str:
    """A call with a recording; its id."""
    call_id = await call_of(house, ref)
    fields = {
        "event": 2, "call_id": ref, "src_type": 1, "src_num": "79161234567", "dst_type": 2, "short_dst_num": "201",
        "timestamp": int(time.time()), "status": "ANSWER", "call_answer_timestamp": int(time.time()) - 5,
        "call_record_link": "https://sipuni.com/api/statistic/record?id=rec-1",
    }  # fmt: skip
    await house.ask("GET", SIPUNI, params=fields)
    await house.settled()
    return call_id


async def fetched(house: Served, ref: str) -> str:
    """A call whose recording is in our store; its id. From now on the PBX is asked for listeners alone."""
    house.outside.answer = b"ID3-0123456789"

    async def is_fetched() -> bool:
        with sqlite3.connect(f"file:{house.file}?mode=ro", uri=True) as db:
            found = db.execute("SELECT 1 FROM recording WHERE call_id = ? AND state = 'fetched'", (call_id,))
            return found.fetchone() is not None

    try:
        call_id = await recorded(house, ref)
        await until(is_fetched)
    finally:
        house.outside.answer = {"success": True, "id": "cb-1"}
    return call_id


async def test_an_altered_link_opens_nothing(house: Served) -> None:
    """Signed by another, of another kind, another recording, call or account; expired: and the PBX is not asked."""
    call_id = await fetched(house, "rec2")
    soon = int(time.time()) + 60
    good = session.sign(Listen(soon, call_id, "rec-1", ACCOUNT), RECORDING_KEY)
    sent = len(house.outside.requests)
    for link, status in (
        (good[:-1], 404),
        (good + "A", 404),
        (session.sign(Listen(soon - 61, call_id, "rec-1", ACCOUNT), RECORDING_KEY), 410),
        (session.sign(Listen(soon, call_id, "rec-1", ACCOUNT), b"another"), 404),
        (session.sign(Listen(soon, call_id, "rec-2", ACCOUNT), RECORDING_KEY), 404),
        (session.sign(Listen(soon, call_id, "rec-1", OTHER_ACCOUNT), RECORDING_KEY), 404),
        (session.sign(Listen(soon, "c_other", "rec-1", ACCOUNT), RECORDING_KEY), 404),
        (session.sign(Pass(soon, ACCOUNT, OLGA, True), RECORDING_KEY), 404),
        ("%D0%B6", 404),
        ("%ff", 404),
    ):
        async with house.http.get(aiohttp.client.URL(f"{house.url}/r/{link}", encoded=True)) as response:
            assert (link, response.status) == (link, status)
    assert len(house.outside.requests) == sent


# -- switched off --------------------------------------------------------------------------------------------------


async def test_an_account_that_is_switched_off_is_out_at_once(any_socket: Served) -> None:
    """Its sockets hear a goodbye for good; bearers, tickets and tokens of it open nothing; others go on."""
    house = any_socket
    mine, theirs = await house.bearer(), await house.bearer(STRANGER, OTHER_ACCOUNT)
    open_ticket, spare = await tickets(house, 2)
    protocols = ("kommutator.1", f"ticket.{open_ticket}")
    async with house.http.ws_connect(f"{house.url}/api/socket", protocols=protocols) as socket:
        await socket.receive_json(timeout=5)
        query = {"account_id": ACCOUNT, "client_uuid": CLIENT_ID, "signature": switch_off(ACCOUNT)}
        status, _ = await house.ask("GET", "/amo/disabled", params=query)
        bye = await socket.receive_json(timeout=5)
        closing = await socket.receive(timeout=5)

    assert status == 200
    assert (bye["type"], bye["kind"], closing.data) == ("bye", "terminal", 4003)
    assert (await house.ask("GET", "/api/poll", headers=mine))[0] == 403
    assert (await house.ask("POST", "/api/session", headers={"X-Auth-Token": token()}))[0] == 403
    assert await refused(house, "kommutator.1", f"ticket.{spare}") == 403
    assert (await house.ask("GET", "/api/settings", headers=theirs))[0] == 200
