"""amoCRM's own notice of a ringing call, for accounts that want it: shown by its notification centre, without our tab.

It is worth something only while the telephone rings, so it is sent once, at once, and never again.
"""

import asyncio

import structlog

from server.core.calls import Call, Rang
from server.core.crm import Crm
from server.core.errors import AccountUnknown, KommutatorError
from server.core.records import Account, Decision
from server.core.vocabulary import Direction, NoticeWay

from .accounts import Accounts
from .lines import Lines

log = structlog.get_logger()


class Notice:
    """Sends notices of ringing calls."""

    def __init__(self, accounts: Accounts, lines: Lines, crm: Crm) -> None:
        self._accounts = accounts
        self._lines = lines
        self._crm = crm
        self._busy: set[asyncio.Task[None]] = set()

    async def changed(self, decision: Decision) -> None:
        """Some telephones began to ring, perhaps."""
        call = decision.call
        rang = [effect.extension for effect in decision.effects if isinstance(effect, Rang)]
        if not rang or call.direction is not Direction.IN or call.client_phone is None:
            return
        users = sorted({user for extension in rang for user in self._lines.users_at(call.line_id, extension)})
        account = self._wants(call)
        if users and account is not None:
            task = asyncio.create_task(self._send(account, call, call.client_phone, users))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    async def drain(self) -> None:
        """Wait for the notices on their way."""
        while self._busy:
            await asyncio.wait(set(self._busy))

    def _wants(self, call: Call) -> Account | None:
        try:
            account = self._accounts.get(call.account_id)
        except AccountUnknown:
            return None
        return account if account.prefs.notice is not NoticeWay.CARD else None

    async def _send(self, account: Account, call: Call, phone: str, users: list[int]) -> None:
        try:
            await self._crm.notify(account, phone, users)
        except KommutatorError as exc:
            log.warning("notice_failed", call=call.id, slug=exc.slug)
