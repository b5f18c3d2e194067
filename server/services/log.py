"""Logging finished calls in amoCRM: one call, one note, whatever fails in between.

A note that was perhaps written is looked for before it is written again: amoCRM promises no deduplication.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from server.core.calls import Call
from server.core.crm import CallNote, Crm, Logged
from server.core.errors import (
    AccountUnknown,
    CrmEntityUnknown,
    CrmError,
    CrmTokenDead,
)
from server.core.jobs import Hold, Job, Later, Park
from server.core.records import Account
from server.core.stores import Calls as CallStore
from server.core.vocabulary import Direction, Result

from . import outage
from .accounts import Accounts
from .clock import Clock, now_ms
from .lines import Lines

log = structlog.get_logger()

GOES_ON_S = 5.0
"""When to look again at a call that was reopened before it was logged."""

SOURCE = "kommutator"

STATUS: Mapping[Result, int] = {Result.ANSWERED: 4, Result.BUSY: 7, Result.REJECTED: 7, Result.UNAVAILABLE: 3}
"""amoCRM's call status (POST /api/v4/calls): 3 not in, 4 talked, 6 no answer, 7 busy."""
NO_ANSWER = 6

RETRY_UNKNOWN_S = (30, 60, 300, 900, 1800)
"""When to ask again about a number that amoCRM does not know: somebody may be creating the contact right now."""


class Logging:
    """The handler of `log` jobs."""

    def __init__(  # noqa: PLR0913  # it joins four rooms
        self, store: CallStore, accounts: Accounts, lines: Lines, crm: Crm, alive: Callable[[Sequence[Job]], bool],
        *, link: Callable[[Call], str], settle_s: float = 5.0, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._store = store
        self._accounts = accounts
        self._lines = lines
        self._crm = crm
        self._alive = alive
        self._link = link
        self._settle_s = settle_s
        self._clock = clock

    async def log(self, jobs: Sequence[Job]) -> None:
        """Log one call. Raises what the engine understands: Later, Hold, Park."""
        (job,) = jobs
        call_id = msgspec.json.decode(job.body, type=str)
        with structlog.contextvars.bound_contextvars(call=call_id):
            await self._log(job, call_id)

    async def _log(self, job: Job, call_id: str) -> None:
        call = await self._store.find(call_id)
        if call is None:
            raise Park("the call is not in the database")
        if call.is_live:
            raise Later(GOES_ON_S, "the call goes on", unsure=False)
        try:
            account = self._accounts.get(call.account_id)
        except AccountUnknown as exc:
            raise Hold(600, "the integration is switched off in amoCRM") from exc
        note = self._note(call, account)
        if note is None:
            return
        logged = await self._logged(job, account, note)
        became = msgspec.json.encode({"noun": logged.noun, "entity_id": logged.entity_id, "note_id": logged.note_id})
        await self._store.set_crm(call.id, became.decode())
        log.info("call_logged", entity=logged.entity_id, noun=logged.noun, tries=job.tries)

    async def _logged(self, job: Job, account: Account, note: CallNote) -> Logged:
        try:
            if job.unsure and (found := await self._look(account, note, since_ms=job.at_ms)):
                return found
            if not self._alive([job]):
                raise Later(1, "another node has taken over")
            return await self._crm.log_call(account, note)
        except CrmEntityUnknown as exc:
            wait_s = RETRY_UNKNOWN_S[min(job.tries, len(RETRY_UNKNOWN_S)) - 1]
            raise Later(wait_s, "amoCRM knows nobody with this number", unsure=False) from exc
        except CrmTokenDead as exc:
            await self._accounts.died(account.id)
            raise outage.answer(exc, unsure=job.unsure) from exc
        except CrmError as exc:
            raise outage.answer(exc, unsure=job.unsure) from exc

    async def _look(self, account: Account, note: CallNote, *, since_ms: int) -> Logged | None:
        """Twice, `settle_s` after the attempt and once more: a note that is not there yet may be there soon."""
        since_s = note.started_s - 60
        await asyncio.sleep(max(0.0, self._settle_s - (self._clock() - since_ms) / 1000))
        found = await self._crm.find_call(account, note, since_s=since_s)
        if found is None:
            await asyncio.sleep(self._settle_s)
            found = await self._crm.find_call(account, note, since_s=since_s)
        return found

    def _note(self, call: Call, account: Account) -> CallNote | None:
        """What amoCRM is told, or None for a call that is not logged: internal, or without a number."""
        if call.client_phone is None or (call.direction is Direction.INTERNAL and not account.prefs.log_internal):
            return None
        verdict = call.verdict
        result = verdict.result or Result.UNKNOWN
        return CallNote(
            uniq=call.id,
            direction=Direction.OUT if call.direction is Direction.OUT else Direction.IN,
            phone=call.client_phone,
            duration_s=verdict.talk_s,
            source=SOURCE,
            started_s=verdict.started_ms // 1000,
            status=STATUS.get(result, NO_ANSWER),
            user_id=self._agent(call),
            result_text="",
            link=self._link(call),
        )

    def _agent(self, call: Call) -> int | None:
        """Whose call it is: who talked; else who dialled; else, when just one telephone rang, its agent."""
        verdict = call.verdict
        if call.order is not None:
            return call.order.agent_id
        extension = verdict.answered_by or (verdict.rang[0] if len(verdict.rang) == 1 else "")
        dialled = [leg.extension for leg in call.legs.values() if leg.extension]
        users = self._lines.users_at(call.line_id, extension or (dialled[0] if len(set(dialled)) == 1 else ""))
        return users[0] if users else None
