"""Sessions: amoCRM's one-time token is traded for our bearer and the socket's ticket; both are checked locally."""

import hashlib
import os
import secrets
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from server.core import session
from server.core.errors import BearerInvalid, TicketInvalid, TokenReplayed
from server.core.messages import AgentView, SessionAnswer
from server.core.session import Claims, Pass
from server.core.stores import Accounts as AccountStore
from server.core.vocabulary import BEARER_S, PROTOCOL, TICKET_S

from .accounts import Accounts
from .clock import Clock, now_ms
from .lines import Lines

log = structlog.get_logger()

MOST_TICKETS = 100_000
"""Spent tickets that are remembered; each lives half a minute, so this many logins in that time are fine."""


SKEW_S = 60
"""For how long after its end a spent ticket is remembered: the clocks of two nodes differ."""


class TokenReader(Protocol):
    """Checks the signature of amoCRM's one-time token."""

    def read(self, token: str) -> Claims:
        """Raises TokenInvalid."""
        ...


class Sessions:
    """Opens and checks sessions."""

    def __init__(  # noqa: PLR0913  # it joins three rooms and the integration's settings
        self, accounts: Accounts, lines: Lines, store: AccountStore, reader: TokenReader, *, secret_key: str,
        client_id: str, redirect_uri: str, reuse: str = "never", is_alone: bool = True, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._lines = lines
        self._store = store
        self._reader = reader
        self._client_id = client_id
        self._audience = audience_of(redirect_uri)
        self._reuse = reuse
        self._clock = clock
        self._is_alone = is_alone
        key = secret_key.split(",", maxsplit=1)[0].encode()
        # Bearers outlive a restart, so that ten thousand browsers come back without asking amoCRM for tokens. Tickets
        # die with a process that is alone and remembers the spent ones by itself; those of several nodes open each.
        self._bearer_key = hashlib.sha256(b"bearer:" + key).digest()
        self._ticket_key = os.urandom(32) if is_alone else hashlib.sha256(b"ticket:" + key).digest()
        self._spent: dict[str, int] = {}

    async def open(self, token: str) -> SessionAnswer:
        """Trade a one-time token. Raises TokenInvalid, TokenReplayed, AccountUnknown."""
        claims = self._reader.read(token)
        now_s = self._clock() // 1000
        session.check(claims, audience=self._audience, client_id=self._client_id, now_s=now_s)
        self._accounts.get(claims.account_id)
        await self._spend(claims)
        is_admin = self._accounts.is_admin(claims.account_id, claims.user_id)
        known = claims.is_admin if claims.is_admin is not None else is_admin
        return self._answer(claims.account_id, claims.user_id, is_admin=known)

    def renew(self, one: Pass) -> SessionAnswer:
        """A fresh bearer and ticket for who has a valid bearer. Raises AccountUnknown, BearerInvalid.

        What amoCRM's list of users has taken away meanwhile is gone: a page may stay open for weeks.
        """
        self._accounts.get(one.account_id)
        user = self._accounts.users(one.account_id).get(one.user_id)
        if user is not None and not user.is_active:
            raise BearerInvalid
        is_admin = one.is_admin and (user is None or user.is_admin)
        return self._answer(one.account_id, one.user_id, is_admin=is_admin)

    def bearer(self, text: str) -> Pass:
        """Whose bearer this is. Raises BearerInvalid."""
        one = session.verify(text, self._bearer_key, Pass, now_s=self._clock() // 1000)
        if one is None:
            raise BearerInvalid
        return one

    async def ticket(self, text: str) -> Pass:
        """Whose ticket this is; it is spent by this, at all nodes. Raises TicketInvalid."""
        now_s = self._clock() // 1000
        one = session.verify(text, self._ticket_key, Pass, now_s=now_s)
        if one is None or one.nonce in self._spent:
            raise TicketInvalid
        self._remember(one, now_s)
        if not self._is_alone:
            exp_ms = (one.expires_s + SKEW_S) * 1000
            spender = await self._store.spend(
                f"ticket:{one.nonce}", account_id=one.account_id, user_id=one.user_id, exp_ms=exp_ms
            )
            if spender is not None:
                raise TicketInvalid
        return one

    def _remember(self, one: Pass, now_s: int) -> None:
        if len(self._spent) >= MOST_TICKETS:
            self._spent = {nonce: until for nonce, until in self._spent.items() if until > now_s}
        self._spent[one.nonce] = one.expires_s

    def agent(self, account_id: int, user_id: int, *, is_admin: bool) -> AgentView:
        """The agent of a session, as his screens show him."""
        person = self._accounts.people(account_id).get(user_id)
        extensions = self._lines.extensions(account_id, user_id)
        return AgentView(id=user_id, name=person.name if person else "", is_admin=is_admin, extensions=extensions)

    def _answer(self, account_id: int, user_id: int, *, is_admin: bool) -> SessionAnswer:
        now_s = self._clock() // 1000
        nonce = secrets.token_urlsafe(9)
        bearer = Pass(now_s + BEARER_S, account_id, user_id, is_admin)
        ticket = Pass(now_s + TICKET_S, account_id, user_id, is_admin, nonce)
        return SessionAnswer(
            ticket=session.sign(ticket, self._ticket_key),
            bearer=session.sign(bearer, self._bearer_key),
            expires_at=bearer.expires_s,
            protocol=PROTOCOL,
            agent=self.agent(account_id, user_id, is_admin=is_admin),
            lines=tuple(self._lines.view(line) for line in self._lines.of_account(account_id)),
        )

    async def _spend(self, claims: Claims) -> None:
        spender = await self._store.spend(
            claims.jti, account_id=claims.account_id, user_id=claims.user_id, exp_ms=claims.exp * 1000
        )
        if spender is None or (self._reuse == "same_agent" and spender == claims.user_id):
            return
        log.warning("token_replayed", account=claims.account_id, user=claims.user_id)
        raise TokenReplayed


def audience_of(redirect_uri: str) -> str:
    """What amoCRM writes into `aud`: scheme and host of the redirect URI, without port and path."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.hostname}"
