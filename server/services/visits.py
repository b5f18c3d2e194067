"""Visits to the console: an administrator's page trades its bearer for a one-minute ticket, a form carries the ticket
into a new window, and there it becomes a cookie. Nothing of it is ever in a URL.
"""

import hashlib
import secrets
from zoneinfo import available_timezones

from server.core import session
from server.core.errors import AccountUnknown, AdminOnly, TicketInvalid
from server.core.session import Pass, Visit
from server.core.stores import Accounts as AccountStore

from .accounts import Accounts
from .clock import Clock, now_ms

TICKET_S = 60
VISIT_S = 8 * 3600
"""A working day; after it the console is opened anew from amoCRM."""

LANGUAGES = ("ru", "en")
ZONE = "Europe/Moscow"
"""Whose times are shown to a browser that does not tell its zone."""


class Visits:
    """Lets administrators in."""

    def __init__(self, accounts: Accounts, store: AccountStore, *, secret_key: str, clock: Clock = now_ms) -> None:
        self._accounts = accounts
        self._store = store
        self._clock = clock
        key = secret_key.split(",", maxsplit=1)[0].encode()
        self._ticket_key = hashlib.sha256(b"console-ticket:" + key).digest()
        self._cookie_key = hashlib.sha256(b"console:" + key).digest()

    def ticket(self, one: Pass) -> str:
        """A ticket for an administrator, good for a minute, once. Raises AdminOnly."""
        if not self._is_admin(one.account_id, one.user_id, said=one.is_admin):
            raise AdminOnly
        expires_s = self._clock() // 1000 + TICKET_S
        ticket = Pass(expires_s, one.account_id, one.user_id, one.is_admin, secrets.token_urlsafe(12))
        return session.sign(ticket, self._ticket_key)

    async def enter(self, ticket: str, *, language: str, zone: str) -> str:
        """Trade a ticket for the cookie of a visit. Raises TicketInvalid."""
        now = self._clock()
        one = session.verify(ticket, self._ticket_key, Pass, now_s=now // 1000)
        if one is None:
            raise TicketInvalid
        spender = await self._store.spend(
            f"console:{one.nonce}", account_id=one.account_id, user_id=one.user_id, exp_ms=one.expires_s * 1000
        )
        if spender is not None:
            raise TicketInvalid
        visit = Visit(now // 1000 + VISIT_S, one.account_id, one.user_id, _language(language), _zone(zone))
        return self.sign(visit)

    def sign(self, visit: Visit) -> str:
        """The cookie of a visit."""
        return session.sign(visit, self._cookie_key)

    def read(self, cookie: str) -> Visit | None:
        """Whose visit a cookie is; None when it is over, forged, or of nobody who is an administrator by now."""
        visit = session.verify(cookie, self._cookie_key, Visit, now_s=self._clock() // 1000)
        if visit is None or not self._is_admin(visit.account_id, visit.user_id, said=True):
            return None
        return visit

    def _is_admin(self, account_id: int, user_id: int, *, said: bool) -> bool:
        """What the ticket said, unless amoCRM's list of users says otherwise by now."""
        try:
            self._accounts.get(account_id)
        except AccountUnknown:
            return False
        user = self._accounts.users(account_id).get(user_id)
        return said and (user is None or (user.is_admin and user.is_active))


def _language(told: str) -> str:
    return told if told in LANGUAGES else LANGUAGES[0]


def _zone(told: str) -> str:
    return told if told in available_timezones() else ZONE
