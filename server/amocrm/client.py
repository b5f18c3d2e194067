"""amoCRM's API over aiohttp: requests with the account's token, refreshed once at a time and stored before use."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import aiohttp
import structlog
from yarl import URL

from server.core.book import BookRow
from server.core.crm import CallNote, Grant, Logged, Page
from server.core.errors import CrmBlocked, CrmRateLimited, CrmRefused, CrmTokenDead, CrmUnavailable
from server.core.phone import last10
from server.core.records import Account, Tokens, User

from . import answers
from .pace import Pace

log = structlog.get_logger()

TIMEOUT_S = 10.0
"""Below the lanes' lease: a request must be over before another node may take the account."""
GRANT_S = 30.0
"""An answer with new tokens that is given up is an authorisation lost: the old ones are dead by then."""
CONNECT_S = 5.0
NOTIFY_S = 2.0
AGAIN, AGAIN_S = 3, 1.0
"""How often, and after how many seconds, a new authorisation asks again whose it is."""
PAGE = 250
FRESH_MS = 5 * 60_000
"""A token with less life than this is refreshed before it is used."""

NOTED = ("leads", "contacts", "companies", "customers")
"""Where a call's note may stand, the likeliest first."""
MOST_PAGES = 40
"""Ten thousand call notes since a doubtful attempt: more than an account makes in its 18 hours."""

EMBED = {"contacts": "leads", "companies": "leads", "leads": "contacts"}
WATCHED = [
    f"{what}_{noun}" for noun in ("contact", "company", "lead") for what in ("add", "update", "delete", "restore")
]
WATCHED += ["responsible_contact", "responsible_company", "responsible_lead", "status_lead"]

Query = list[tuple[str, str]]


class Wallet(Protocol):
    """Where the accounts' tokens are kept."""

    def tokens(self, account_id: int) -> Tokens:
        """Raises CrmTokenDead when there are none."""
        ...

    async def keep(self, account_id: int, tokens: Tokens) -> None:
        """Store a new pair; durable when this returns."""
        ...


class Client:
    """Fills `core.crm.Crm`. `attach` a wallet before the first use, close it at the end."""

    def __init__(self, *, client_id: str, client_secret: str, redirect_uri: str, clock: Callable[[], int]) -> None:
        self._integration = {
            "client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri
        }  # fmt: skip
        self._clock = clock
        self._wallet: Wallet | None = None
        self._session: aiohttp.ClientSession | None = None
        self._refreshing: dict[int, asyncio.Task[Tokens]] = {}
        self._paces: dict[int, Pace] = {}

    def attach(self, wallet: Wallet) -> None:
        """Where tokens come from and go to."""
        self._wallet = wallet

    async def close(self) -> None:
        """Let go of the connections, once every new pair of tokens is stored."""
        if self._refreshing:
            await asyncio.wait(set(self._refreshing.values()))
        if self._session is not None:
            await self._session.close()

    # -- authorisation ---------------------------------------------------------------------------------------------

    async def exchange(self, origin: str, code: str) -> Grant:
        """See `core.crm.Crm.exchange`. The code is spent by the first half, so the second is tried more than once."""
        fresh = await self._grant(origin, {"grant_type": "authorization_code", "code": code})
        for _ in range(AGAIN):
            with contextlib.suppress(CrmUnavailable, CrmRateLimited):
                return await self._whose(origin, fresh)
            await asyncio.sleep(AGAIN_S)
        return await self._whose(origin, fresh)

    async def _whose(self, origin: str, tokens: Tokens) -> Grant:
        headers = {"Authorization": f"Bearer {tokens.access}"}
        status, body = await self._send("GET", origin + "/api/v4/account", headers=headers)
        if status != 200:
            raise answers.error_of(status, body)
        account_id, name = answers.account(answers.content_of(body))
        return Grant(account_id, name, tokens)

    async def _grant(self, origin: str, what: dict[str, str]) -> Tokens:
        url, body = origin + "/oauth2/access_token", {**self._integration, **what}
        status, answer = await self._send("POST", url, json=body, timeout_s=GRANT_S)
        if status >= 400:
            raise answers.error_of(status, answer)
        return answers.tokens(answers.content_of(answer), self._clock())

    async def _refresh(self, account: Account, stale: Tokens) -> Tokens:
        """A new pair, made once however many ask. Raises CrmTokenDead.

        It is a task of its own: whoever gives up waiting must not stop it between amoCRM's answer and the store, for
        the old pair is dead by then.
        """
        known = self._purse().tokens(account.id)
        if known.access != stale.access:
            return known
        task = self._refreshing.get(account.id)
        if task is None:
            task = self._refreshing[account.id] = asyncio.create_task(self._refreshed(account, known))
            task.add_done_callback(lambda _: self._refreshing.pop(account.id))
        return await asyncio.shield(task)

    async def _refreshed(self, account: Account, known: Tokens) -> Tokens:
        try:
            fresh = await self._grant(account.origin, {"grant_type": "refresh_token", "refresh_token": known.refresh})
        except CrmRefused as exc:
            raise CrmTokenDead(account=account.id) from exc
        await self._purse().keep(account.id, fresh)
        log.info("token_refreshed", account=account.id)
        return fresh

    # -- the phone book --------------------------------------------------------------------------------------------

    async def users(self, account: Account) -> list[User]:
        """See `core.crm.Crm.users`."""
        found: list[User] = []
        for number in range(1, 100):
            content = await self._get(account, "/api/v4/users", [("page", str(number)), ("limit", str(PAGE))])
            found += [answers.user(item) for item in answers.embedded(content, "users")]
            if not answers.has_more(content):
                break
        return found

    async def page(self, account: Account, noun: str, *, page: int, updated_since_s: int = 0) -> Page:
        """See `core.crm.Crm.page`. By id at first: pages must not shift under people's edits."""
        query = [("with", EMBED[noun]), ("page", str(page)), ("limit", str(PAGE))]
        if updated_since_s:
            query += [("filter[updated_at][from]", str(updated_since_s)), ("order[updated_at]", "asc")]
        else:
            query.append(("order[id]", "asc"))
        content = await self._get(account, f"/api/v4/{noun}", query)
        rows = answers.book_rows(answers.embedded(content, noun), noun)
        return Page(tuple(rows), has_more=answers.has_more(content))

    async def search(self, account: Account, phone: str, *, timeout_s: float) -> dict[str, list[BookRow]]:
        """See `core.crm.Crm.search`. `query` finds substrings in all fields: the digits are compared here."""
        digits = last10(phone)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._search(account, digits)
        except TimeoutError as exc:
            raise CrmUnavailable("amoCRM's search took too long.") from exc

    async def _search(self, account: Account, digits: str) -> dict[str, list[BookRow]]:
        query = [("query", digits), ("with", "leads"), ("limit", "50")]
        found: dict[str, list[BookRow]] = {}
        leads: list[int] = []
        for noun in ("contacts", "companies"):
            items = answers.embedded(await self._get(account, f"/api/v4/{noun}", query), noun)
            known = [item for item in items if digits in answers.phones(item.get("custom_fields_values"))]
            found[noun] = answers.book_rows(known, noun)
            leads += answers.lead_ids(known)
        if leads:
            found["leads"] = await self.fetch(account, "leads", leads)
        return found

    async def fetch(self, account: Account, noun: str, ids: list[int]) -> list[BookRow]:
        """See `core.crm.Crm.fetch`."""
        wanted = sorted(set(ids))[:PAGE]
        query = [("filter[id][]", str(one)) for one in wanted] + [("with", EMBED[noun]), ("limit", str(PAGE))]
        content = await self._get(account, f"/api/v4/{noun}", query)
        return answers.book_rows(answers.embedded(content, noun), noun)

    async def subscribe(self, account: Account, destination: str) -> bool:
        """See `core.crm.Crm.subscribe`."""
        body = {"destination": destination, "settings": WATCHED, "sort": 10}
        try:
            status, _ = await self._ask(account, "POST", "/api/v4/webhooks", json=body, accepts=(400, 402, 404, 422))
        except CrmBlocked:
            return False
        return status < 300

    # -- calls -----------------------------------------------------------------------------------------------------

    async def log_call(self, account: Account, note: CallNote) -> Logged:
        """See `core.crm.Crm.log_call`."""
        status, body = await self._ask(account, "POST", "/api/v4/calls", json=[answers.call_body(note)], accepts=(400,))
        return answers.logged(status, answers.content_of(body))

    async def find_call(self, account: Account, note: CallNote, *, since_s: int) -> Logged | None:
        """See `core.crm.Crm.find_call`. All call notes of the account since then: a number may have changed hands."""
        for noun in NOTED:
            for number in range(1, MOST_PAGES):
                query = [("filter[updated_at][from]", str(since_s)), ("limit", str(PAGE)), ("page", str(number))]
                query += [("filter[note_type][]", "call_in"), ("filter[note_type][]", "call_out")]
                content = await self._get(account, f"/api/v4/{noun}/notes", query)
                notes = answers.embedded(content, "notes")
                found = answers.with_uniq(notes, noun, note.uniq)
                if found is not None:
                    return found
                if answers.has_nameless(notes, note):
                    raise CrmRefused("amoCRM shows a note that may be this call's, and no uniq in it: look yourself.")
                if not answers.has_more(content):
                    break
        return None

    async def notify(self, account: Account, phone: str, user_ids: list[int]) -> None:
        """See `core.crm.Crm.notify`."""
        event = {"type": "phone_call", "phone_number": phone, "users": user_ids}
        await self._ask(account, "POST", "/api/v2/events/", json={"add": [event]}, timeout_s=NOTIFY_S)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _get(self, account: Account, path: str, query: Query) -> Any:
        _, body = await self._ask(account, "GET", path, query=query)
        return answers.content_of(body)

    async def _ask(  # noqa: PLR0913  # a request has as many parts
        self, account: Account, method: str, path: str, *, query: Query | None = None, json: Any = None,
        accepts: tuple[int, ...] = (), timeout_s: float = TIMEOUT_S,
    ) -> tuple[int, bytes]:  # fmt: skip
        """One request with the account's token; once more with a fresh one when amoCRM says 401."""
        wallet = self._purse()
        held = wallet.tokens(account.id)
        if held.expires_ms - self._clock() < FRESH_MS:
            held = await self._refresh(account, held)
        url = str(URL(account.origin + path).with_query(query)) if query else account.origin + path
        for attempt in (1, 2):
            await self._paces.setdefault(account.id, Pace()).wait()
            headers = {"Authorization": f"Bearer {held.access}"}
            status, body = await self._send(method, url, headers=headers, json=json, timeout_s=timeout_s)
            if status == 401 and attempt == 1:
                held = await self._refresh(account, held)
                continue
            break
        if status == 401:
            raise CrmTokenDead(account=account.id)
        if status >= 300 and status not in accepts:
            raise answers.error_of(status, body)
        return status, body

    async def _send(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, json: Any = None,
        timeout_s: float = TIMEOUT_S,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Raises CrmUnavailable when no whole answer came in time. Redirects are not followed: tokens stay here."""
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        try:
            async with self._open().request(
                method, URL(url, encoded=True), headers=headers, json=json, timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.read()
                return response.status, body
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise CrmUnavailable(f"amoCRM does not answer ({type(exc).__name__}).") from exc

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _purse(self) -> Wallet:
        if self._wallet is None:
            raise RuntimeError("Client.attach was not called")
        return self._wallet
