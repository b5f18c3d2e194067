"""Whether amoCRM still takes our tokens: asked of quiet accounts, too, so that a dead authorisation is told within a
minute and not with the first call that cannot be logged.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from server.core.crm import Crm
from server.core.errors import CrmError, CrmTokenDead, OwnError
from server.core.records import TOKEN_DEAD, Account

from .accounts import Accounts

log = structlog.get_logger()

AT_ONCE = 20
"""Accounts that are asked at a time: a thousand of them are through in seconds, and no burst leaves."""


class Pulse:
    """Asks every account once in `every_s`, unless it was heard of anyway."""

    def __init__(self, accounts: Accounts, crm: Crm, *, every_s: float) -> None:
        self._accounts = accounts
        self._crm = crm
        self._every_s = every_s
        self._free = asyncio.Semaphore(AT_ONCE)

    async def keep(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.feel()

    async def feel(self) -> None:
        """Ask all accounts, the dead ones too: amoCRM may take back what it said."""
        await asyncio.gather(*(self._ask(account) for account in self._accounts.all()))

    async def _ask(self, account: Account) -> None:
        async with self._free:
            try:
                await self._crm.check(account, within_s=self._every_s)
            except CrmTokenDead:
                await self._note(account, self._accounts.died)
            except (CrmError, OwnError) as exc:  # down, slow, blocked: whoever has something to send will tell
                log.info("no_pulse", account=account.id, slug=exc.slug)
            else:
                if account.state == TOKEN_DEAD:
                    await self._note(account, self._accounts.recovered)

    async def _note(self, account: Account, note: Callable[[int], Awaitable[None]]) -> None:
        try:
            await note(account.id)
        except OwnError as exc:  # the next beat tells again
            log.warning("pulse_not_noted", account=account.id, slug=exc.slug)
