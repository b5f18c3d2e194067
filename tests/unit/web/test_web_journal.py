"""The journal's doors: who may look, what the JSON and the console tell, and how one comes in."""

import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from served import ACCOUNT, OLGA, OTHER_ACCOUNT, PAVEL, PUBLIC_URL, STRANGER, Served, served

from server.core.session import Pass
from server.services.visits import TICKET_S, VISIT_S, Visits

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

SIPUNI = "/hooks/sipuni/path-of-l_1"
OURS = {"Origin": PUBLIC_URL}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("journal"), "detached") as one:
        yield one


async def a_call(house: Served, ref: str, phone: str = "79161234567") -> str:
    """A missed call; its id."""
    at = int(time.time())
    fields = {
        "call_id": ref, "src_type": 1, "src_num": phone, "dst_type": 2, "short_dst_num": "201", "timestamp": at,
    }  # fmt: skip
    await house.ask("GET", SIPUNI, params={**fields, "event": 1})
    await house.ask("GET", SIPUNI, params={**fields, "event": 2, "status": "NOANSWER", "call_start_timestamp": at})
    await house.settled()
    _, found = await house.ask("GET", "/api/journal", params={"limit": 1}, headers=await house.bearer())
    return str(found["calls"][0]["call"]["id"])


async def entered(house: Served, *, language: str = "ru", zone: str = "Asia/Novosibirsk") -> dict[str, str]:
    """The header of a visit's cookie, as it is got with a form."""
    _, told = await house.ask("POST", "/api/console", headers=await house.bearer())
    assert told["url"] == f"{PUBLIC_URL}/console/enter"
    form = {"ticket": told["ticket"], "language": language, "zone": zone}
    async with house.http.post(f"{house.url}/console/enter", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/console")
        cookie = answer.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    return {"Cookie": cookie.partition(";")[0]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/journal"), ("GET", "/api/journal/health"), ("GET", "/api/journal/calls/c_1"),
        ("POST", "/api/journal/retry"), ("POST", "/api/journal/calls/c_1/retry"), ("POST", "/api/console"),
    ],
)  # fmt: skip
async def test_only_administrators_look(house: Served, method: str, path: str) -> None:
    """Nobody without a bearer, no agent with one."""
    assert (await house.ask(method, path))[0] == 401
    status, told = await house.ask(method, path, headers=await house.bearer(PAVEL, is_admin=False))
    assert (status, told["error"]["slug"]) == (403, "admin-only")


async def test_a_call_is_found_and_followed(house: Served) -> None:
    """From the list to its timeline: what was heard, with the secret masked, and what it came to."""
    call_id = await a_call(house, "followed")
    bearer = await house.bearer()

    _, found = await house.ask("GET", "/api/journal", params={"phone": "916 123", "agent": OLGA}, headers=bearer)
    _, told = await house.ask("GET", f"/api/journal/calls/{call_id}", headers=bearer)

    assert call_id in [row["call"]["id"] for row in found["calls"]]
    assert told["call"]["result"] == "missed"
    assert told["agents"] == [OLGA]
    kinds = [moment["body"]["kind"] for moment in told["moments"]]
    assert sorted(kinds) == ["decided", "decided", "webhook", "webhook"]
    assert kinds[0] == "webhook"
    assert [job["kind"] for job in told["waiting"]] == ["log"]


@pytest.mark.parametrize("asked", [{"result": "nonsense"}, {"since": "yesterday"}, {"agent": "-1"}, {"before": "x.c"}])
async def test_what_cannot_be_looked_for_is_said(house: Served, asked: dict[str, str]) -> None:
    """A bad request, not an empty list."""
    status, told = await house.ask("GET", "/api/journal", params=asked, headers=await house.bearer())
    assert (status, told["error"]["slug"]) == (400, "bad-request")


async def test_another_accounts_calls_stay_its_own(house: Served) -> None:
    """Neither found, nor followed, nor tried again."""
    call_id = await a_call(house, "ours")
    bearer = await house.bearer(STRANGER, OTHER_ACCOUNT)

    assert (await house.ask("GET", "/api/journal", headers=bearer))[1]["calls"] == []
    assert (await house.ask("GET", f"/api/journal/calls/{call_id}", headers=bearer))[0] == 404
    assert (await house.ask("POST", f"/api/journal/calls/{call_id}/retry", headers=bearer))[0] == 404


async def test_the_console_tells_the_same_as_a_page(house: Served) -> None:
    """In the visitor's language and zone, without scripts, unframed, unkept."""
    call_id = await a_call(house, "seen")
    visit = await entered(house)

    async with house.http.get(f"{house.url}/console", headers=visit) as answer:
        page, headers = await answer.text(), answer.headers
    _, one = await house.ask("GET", f"/console/calls/{call_id}", headers=visit)

    assert answer.status == 200
    assert "Потеряно звонков" in page
    assert f"/console/calls/{call_id}" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Звонит аппарат 201" in one
    assert "<script" not in page + one
    assert "path-of-l_1" not in page + one


async def test_the_other_language_is_a_click_away(house: Served) -> None:
    """And the visit stays the same otherwise."""
    visit = await entered(house)
    form = {"back": "/console?phone=1"}
    async with house.http.post(
        f"{house.url}/console/language", data=form, headers={**visit, **OURS}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/console?phone=1")
        turned = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    assert "Calls lost" in (await house.ask("GET", "/console", headers=turned))[1]


@pytest.mark.parametrize("cookie", ["", "__Host-kommutator=forged.x", "__Host-kommutator=é"])
async def test_without_a_visit_the_console_says_how_to_come_in(house: Served, cookie: str) -> None:
    """401, and no word of any call; in the browser's language."""
    for language, words in (("ru", "Откройте его из amoCRM"), ("en-GB,en", "Open it from amoCRM")):
        headers = {"Cookie": cookie, "Accept-Language": language}
        status, page = await house.ask("GET", "/console", headers=headers)
        assert status == 401
        assert words in page


async def test_a_ticket_opens_once(house: Served) -> None:
    """The second form with it is turned away, as is a form with anything else."""
    _, told = await house.ask("POST", "/api/console", headers=await house.bearer())
    form = {"ticket": told["ticket"]}
    assert (await house.ask("POST", "/console/enter", data=form, allow_redirects=False))[0] == 303
    assert (await house.ask("POST", "/console/enter", data=form, allow_redirects=False))[0] == 401
    assert (await house.ask("POST", "/console/enter", data={"ticket": "x.y"}, allow_redirects=False))[0] == 401
    assert (await house.ask("POST", "/console/enter", data={}, allow_redirects=False))[0] == 401


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", f"https://a{ACCOUNT}.amocrm.ru"])
@pytest.mark.parametrize("path", ["/console/retry", "/console/calls/c_1/revoke", "/console/language", "/console/leave"])
async def test_forms_of_other_pages_change_nothing(house: Served, path: str, origin: str | None) -> None:
    """The cookie is not enough: what changes something must come from our own pages."""
    headers = {**await entered(house), **({"Origin": origin} if origin else {})}
    assert (await house.ask("POST", path, headers=headers, allow_redirects=False))[0] == 401


async def test_a_retry_is_told_in_the_calls_timeline(house: Served) -> None:
    """Who asked for it, too."""
    call_id = await a_call(house, "again")
    headers = {**await entered(house), **OURS}
    async with house.http.post(
        f"{house.url}/console/calls/{call_id}/retry", headers=headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"/console/calls/{call_id}")
    await house.desk.journal.close()

    _, page = await house.ask("GET", f"/console/calls/{call_id}", headers=headers)

    assert re.search(r"Ольга[^<]*: повторить", page)


async def test_unknown_calls_have_a_page_of_their_own(house: Served) -> None:
    """404, with what may be the matter."""
    status, page = await house.ask("GET", "/console/calls/c_none", headers=await entered(house))
    assert status == 404
    assert "Такого звонка нет" in page


async def test_a_visit_ends(house: Served) -> None:
    """A ticket after a minute, a cookie after a working day."""
    now = time.time_ns() // 1_000_000
    one = Visits(house.desk.accounts, house.desk.visits._store, secret_key="k" * 32, clock=lambda: now)
    ticket = one.ticket(Pass(now, ACCOUNT, OLGA, is_admin=True))
    cookie = await one.enter(ticket, language="fr", zone="Mars/Olympus")
    visit = one.read(cookie)
    assert visit is not None
    assert (visit.language, visit.zone) == ("ru", "Europe/Moscow")

    now += VISIT_S * 1000
    assert one.read(cookie) is None
    late = one.ticket(Pass(now, ACCOUNT, OLGA, is_admin=True))
    now += TICKET_S * 1000
    with pytest.raises(Exception, match="ticket"):
        await one.enter(late, language="ru", zone="UTC")
