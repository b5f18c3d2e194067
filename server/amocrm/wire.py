"""Requests to amoCRM over aiohttp with the account's token, refreshed once at a time and stored before use."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
import structlog
from aiohttp import hdrs
from yarl import URL

from server.core.crm import Grant
from server.core.errors import CrmRateLimited, CrmRefused, CrmTokenDead, CrmUnavailable
from server.core.jobs import still_ours
from server.core.records import Account, Tokens

from . import answers
from .pace import RATE, SECOND_S, SPARE, Pace

log = structlog.get_logger()

TIMEOUT_S = 10.0
"""Below the lanes' lease: a request must be over before another node may take the account."""
GRANT_S = 30.0
"""An answer with new tokens that is given up is an authorisation lost: the old ones are dead by then."""
CONNECT_S = 5.0
AGAIN, AGAIN_S = 3, 1.0
"""How often, and after how many seconds, a new authorisation asks again whose it is."""
READ_AGAIN_S = (0.3, 1.0)
"""After how many seconds a question is asked again that got no answer."""
FRESH_MS = 5 * 60_000
"""A token with less life than this is refreshed before it is used."""

Query = list[tuple[str, str]]


class Wallet(Protocol):
    """Where the accounts' tokens are kept."""

    def tokens(self, account_id: int) -> Tokens:
        """Raises CrmTokenDead when there are none."""
        ...

    async def turn(self, account_id: int, slots: Sequence[int], *, slot_s: float) -> None:
        """Return when a request may leave, counting those of all processes: each takes a slot for this long."""
        ...

    def sole(self, account_id: int) -> AbstractAsyncContextManager[Tokens]:
        """The right to use the refresh token, which no other process has meanwhile, and the tokens as they stand."""
        ...

    async def keep(self, account_id: int, tokens: Tokens) -> None:
        """Store a new pair; durable when this returns."""
        ...


class Wire:
    """One integration's way to amoCRM. `attach` a wallet before the first use, close it at the end."""

    def __init__(
        self, *, client_id: str, client_secret: str, redirect_uri: str, clock: Callable[[], int], rate: int = RATE
    ) -> None:
        """`rate`: how many requests a second amoCRM allows us in an account."""
        self._integration = {
            "client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri
        }  # fmt: skip
        self._clock = clock
        self._rate = rate
        self._wallet: Wallet | None = None
        self._session: aiohttp.ClientSession | None = None
        self._refreshing: dict[int, asyncio.Task[Tokens]] = {}
        self._paces: dict[int, Pace] = {}
        self._taken: dict[int, float] = {}  # when an account's token was taken last, monotonic seconds

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
        async with self._purse().sole(account.id) as held:
            if held.refresh != known.refresh:  # another process was faster
                return held
            try:
                fresh = await self._grant(
                    account.origin, {"grant_type": "refresh_token", "refresh_token": held.refresh}
                )
            except CrmRefused as exc:
                newer = self._purse().tokens(account.id)
                if newer.refresh != held.refresh:  # authorised anew while we asked: that is why the old pair is dead
                    return newer
                raise self._dead(account) from exc
            await self._purse().keep(account.id, fresh)
            log.info("token_refreshed", account=account.id)
            return fresh

    def _dead(self, account: Account) -> CrmTokenDead:
        self._taken.pop(account.id, None)  # what it took before says nothing any more
        return CrmTokenDead(account=account.id)

    async def check(self, account: Account, *, within_s: float) -> None:
        """See `core.crm.Crm.check`."""
        if time.monotonic() - self._taken.get(account.id, float("-inf")) >= within_s:
            await self.get(account, "/api/v4/account", [])

    # -- requests ----------------------------------------------------------------------------------------------------

    async def get(self, account: Account, path: str, query: Query, *, for_people: bool = False) -> Any:
        """The content of a GET. `for_people`: somebody waits for it. Raises as `ask`."""
        _, body = await self.ask(account, "GET", path, query=query, for_people=for_people)
        return answers.content_of(body)

    async def ask(  # noqa: PLR0913  # a request has as many parts
        self, account: Account, method: str, path: str, *, query: Query | None = None, json: Any = None,
        accepts: tuple[int, ...] = (), timeout_s: float = TIMEOUT_S, for_people: bool = False,
    ) -> tuple[int, bytes]:  # fmt: skip
        """One request with the account's token; once more with a fresh one when amoCRM says 401."""
        wallet = self._purse()
        held = wallet.tokens(account.id)
        if held.expires_ms - self._clock() < FRESH_MS:
            held = await self._refresh(account, held)
        url = str(URL(account.origin + path).with_query(query)) if query else account.origin + path
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {held.access}"}
            turn = partial(self._turn, account.id, for_people=for_people)
            status, body = await self._sent(turn, method, url, headers=headers, json=json, timeout_s=timeout_s)
            if status == 401 and attempt == 1:
                held = await self._refresh(account, held)
                continue
            break
        if status == 401:
            raise self._dead(account)
        self._taken[account.id] = time.monotonic()
        if status >= 300 and status not in accepts:
            raise answers.error_of(status, body)
        return status, body

    async def _turn(self, account_id: int, *, for_people: bool) -> None:
        """Wait until amoCRM allows one more request: of this process, and of all."""
        await self._paces.setdefault(account_id, Pace(rate=self._rate)).wait(for_people=for_people)
        slots = range(0 if for_people else SPARE, self._rate)
        await self._purse().turn(account_id, slots, slot_s=SECOND_S)

    async def _sent(
        self, turn: Callable[[], Awaitable[None]], method: str, url: str, **more: Any
    ) -> tuple[int, bytes]:  # fmt: skip
        """Send in turn. Reading twice harms nobody, and what reads page by page must not begin anew for one answer."""
        for wait_s in READ_AGAIN_S if method == hdrs.METH_GET else ():
            await turn()
            with contextlib.suppress(CrmUnavailable):
                status, body = await self._send(method, url, **more)
                if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return status, body
            await asyncio.sleep(wait_s)
        await turn()
        if method != hdrs.METH_GET:
            still_ours()
        return await self._send(method, url, **more)

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
