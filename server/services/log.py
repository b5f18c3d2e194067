"""Logging finished calls in amoCRM: one call, one note, whatever fails in between.

A note that was perhaps written is looked for before it is written again: amoCRM promises no deduplication.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec
import structlog
from msgspec import Struct, structs

from server.core import phrases
from server.core.calls import Call, chain
from server.core.crm import TALKED, CallNote, Crm, Logged
from server.core.errors import (
    AccountUnknown,
    CrmEntityUnknown,
    CrmError,
    CrmRefused,
    CrmTokenDead,
)
from server.core.jobs import Hold, Job, Later, Park, guarded
from server.core.phone import last10, pretty
from server.core.records import Account, Place
from server.core.stores import Calls as CallStore
from server.core.strangers import WAITS_MS
from server.core.vocabulary import CallState, Direction, Filed, Result, StrangerWay

from . import outage
from .accounts import Accounts
from .clock import Clock, now_ms
from .lines import Lines
from .strangers import Strangers, digest

log = structlog.get_logger()

GOES_ON_S = 5.0
"""When to look again at a call that was reopened before it was logged."""

SOURCE = "kommutator"

STATUS: Mapping[Result, int] = {Result.ANSWERED: TALKED, Result.BUSY: 7, Result.REJECTED: 7, Result.UNAVAILABLE: 3}
"""amoCRM's call status (POST /api/v4/calls): 3 not in, 4 talked, 6 no answer, 7 busy."""
NO_ANSWER = 6

AGAIN_S = (30, 60, 300, 900, 1800)
"""When to try again to put a call to a number that has just become known: amoCRM's search lags behind."""

SOON_S = 30
"""When to look again whether a call is logged whose note needs a correction."""

SETTLED = (Filed.LOGGED, Filed.SKIPPED)
"""Nothing more becomes of such a call."""


class Attempt(Struct, frozen=True):
    """What one attempt is about; `before` is what became of the call so far."""

    call: Call
    account: Account
    note: CallNote
    before: Place | None


Act = Callable[[Job, Attempt], Awaitable[Place | None]]


class Shelf(Protocol):
    """Where durable work is put."""

    async def put(self, *jobs: Job) -> None: ...


class Logging:
    """The handlers of `log` jobs (a call is over), `attach` (its number became known) and `correct` (late news)."""

    def __init__(  # noqa: PLR0913  # it joins five rooms
        self, store: CallStore, accounts: Accounts, lines: Lines, crm: Crm, later: Shelf,
        alive: Callable[[Sequence[Job]], bool],
        *, link: Callable[[Call], str], settle_s: float = 5.0, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._store = store
        self._accounts = accounts
        self._lines = lines
        self._crm = crm
        self._later = later
        self._alive = alive
        self._link = link
        self._settle_s = settle_s
        self._clock = clock
        self._strangers = Strangers(store, lines, crm, settle_s=settle_s, clock=clock)
        self._breaker = outage.Breaker()
        self._turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    async def log(self, jobs: Sequence[Job]) -> None:
        """Log one call. Raises what the engine understands: Later, Hold, Park."""
        await self._handle(jobs, self._log, settled=SETTLED)

    async def attach(self, jobs: Sequence[Job]) -> None:
        """Put a call to the card of whoever has its number by now. Raises as `log`."""
        await self._handle(jobs, self._attach, settled=SETTLED)

    async def correct(self, jobs: Sequence[Job]) -> None:
        """Let the call's note say what is known by now. Raises as `log`."""
        await self._handle(jobs, self._correct, settled=())

    async def learned(self, account_id: int, phones: Iterable[str]) -> None:
        """The phone book learned of these numbers (last ten digits): calls that wait for them are put to their cards.

        Raises StoreUnavailable: the phone book then learns again.
        """
        known = set(phones)
        longest_ms = max(WAITS_MS.values())
        strays = await self._store.strays(account_id, self._clock() - longest_ms)
        jobs = [
            Job(
                lane=f"amo:{account_id}",
                kind="attach",
                key=f"attach:{stray.call_id}",
                body=msgspec.json.encode(stray.call_id),
                dead_ms=self._clock() + longest_ms,
                grp=stray.call_id,
            )
            for stray in strays
            if last10(stray.phone or "") in known and not self._is_late(stray.started_ms, stray.place)
        ]
        if jobs:
            await self._later.put(*jobs)

    # -- the two handlers --------------------------------------------------------------------------------------------

    async def _handle(self, jobs: Sequence[Job], act: Act, *, settled: Sequence[Filed]) -> None:
        (job,) = jobs
        call_id = msgspec.json.decode(job.body, type=str)
        with structlog.contextvars.bound_contextvars(call=call_id):
            call = await self._store.find(call_id)
            if call is None:
                raise Park("the call is not in the database")
            if call.is_live:
                raise Later(GOES_ON_S, "the call goes on")
            try:
                account = self._accounts.get(call.account_id)
            except AccountUnknown as exc:
                raise Hold(600, "the integration is switched off in amoCRM") from exc
            async with self._turn(call):
                before = await self._store.place(call.id)
                if before is None or before.filed not in settled:  # else the process died before the job was struck off
                    await self._settle(job, call, account, before, act)

    async def _settle(self, job: Job, call: Call, account: Account, before: Place | None, act: Act) -> None:
        with guarded(partial(self._check_alive, job)):
            place = await self._carried_out(job, call, account, before, act)
        if place is not None and place != before:
            await self._store.file(call.id, place, self._clock())
            log.info("call_filed", filed=place.filed, noun=place.noun, entity=place.entity_id, tries=job.tries)

    async def _carried_out(
        self, job: Job, call: Call, account: Account, before: Place | None, act: Act
    ) -> Place | None:
        note = self._note(call, account)
        if note is None:
            return Place(Filed.SKIPPED)
        try:
            place = await act(job, Attempt(call, account, note, before))
        except CrmError as exc:
            if isinstance(exc, CrmTokenDead):
                await self._accounts.died(account.id)
            raise self._breaker.answer(account.id, exc, job) from exc
        self._breaker.succeeded(account.id)
        return place

    async def _log(self, job: Job, attempt: Attempt) -> Place:
        if job.unsure and (found := await self._look(attempt, since_ms=job.at_ms)):
            return found
        try:
            return await self._send(attempt)
        except CrmEntityUnknown:
            place = await self._strangers.take_in(attempt.account, attempt.call, attempt.note)
        if place.filed is Filed.LOGGED:  # amoCRM's webhook of the new contact tells the same, once it comes
            await self.learned(attempt.account.id, [last10(attempt.note.phone)])
        return place

    async def _attach(self, job: Job, attempt: Attempt) -> Place | None:
        """The record in Unsorted goes when somebody accepts it (then the call is there), or creates a contact."""
        before = attempt.before
        if before is None or self._is_late(attempt.call.verdict.started_ms, before):
            return before
        is_open = bool(before.uid and await self._crm.unsorted(attempt.account, before.uid))
        # Where more is known by now than was told, a correction may have left a note in doubt.
        is_doubtful = job.unsure or before.uid or before.told != digest(attempt.note)
        found = await self._look(attempt, since_ms=job.at_ms) if is_doubtful and not is_open else None
        if is_open or (found is not None and found.filed is Filed.UNSORTED):
            raise Later(_again_s(job), "the call waits in Unsorted", unsure=False)
        if found is not None:
            return found
        try:
            return await self._send(attempt)
        except CrmEntityUnknown as exc:
            raise Later(_again_s(job), "amoCRM knows nobody with this number", unsure=False) from exc

    async def _correct(self, job: Job, attempt: Attempt) -> Place | None:
        """What was decided on what was known then is decided anew; what was written is amended."""
        before = attempt.before
        if before is None:
            raise Later(SOON_S, "the call is not logged yet", unsure=False)
        if before.told == digest(attempt.note):
            return before
        if before.filed in (Filed.SKIPPED, Filed.STRAY):  # an `attach` may be in doubt
            return await self._log(structs.replace(job, unsure=True), attempt)
        if before.uid and not before.note_id:
            agent = self._accounts.people(attempt.account.id).get(attempt.note.user_id or 0)
            await self._strangers.say_below(attempt.account, before, attempt.note, agent.name if agent else "")
            return structs.replace(before, told=digest(attempt.note))
        return await self._amend(attempt, before)

    async def _amend(self, attempt: Attempt, place: Place) -> Place:
        """Let the note at a place say what is known. One that somebody deleted need not."""
        if not place.note_id:
            return place
        at = Logged(place.noun, place.entity_id, place.note_id)
        try:
            await self._crm.amend(attempt.account, at, attempt.note)
        except CrmRefused as exc:
            log.warning("note_not_amended", reason=exc.message)
            return place
        return structs.replace(place, told=digest(attempt.note))

    async def _send(self, attempt: Attempt) -> Place:
        logged = await self._crm.log_call(attempt.account, attempt.note)
        return Place(Filed.LOGGED, logged.noun, logged.entity_id, logged.note_id, told=digest(attempt.note))

    async def _look(self, attempt: Attempt, *, since_ms: int) -> Place | None:
        """Twice, `settle_s` after the attempt and once more: what is not there yet may be there soon. What was written
        then may know less than we do now.
        """
        await asyncio.sleep(max(0.0, self._settle_s - (self._clock() - since_ms) / 1000))
        found = await self._strangers.find(attempt.account, attempt.note)
        if found is None:
            await asyncio.sleep(self._settle_s)
            found = await self._strangers.find(attempt.account, attempt.note)
        return await self._amend(attempt, found) if found is not None else None

    def _turn(self, call: Call) -> asyncio.Lock:
        """One call of a caller at a time: two at once must not make two records, or two contacts, of him."""
        key = call.account_id, last10(call.client_phone or call.id)
        return self._turns.setdefault(key, asyncio.Lock())

    def _check_alive(self, job: Job) -> None:
        if not self._alive([job]):
            raise Later(1, "another node has taken over")

    def _is_late(self, started_ms: int, place: Place) -> bool:
        way = StrangerWay.UNSORTED if place.uid else StrangerWay.NOTHING
        return self._clock() > started_ms + WAITS_MS[way]

    # -- what amoCRM is told -----------------------------------------------------------------------------------------

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
            result_text=self._words(call, account),
            link=self._link(call),
        )

    def _agent(self, call: Call) -> int | None:
        """Whose call it is: who talked; else who dialled; else, when just one telephone rang, its agent."""
        verdict = call.verdict
        if call.order is not None:
            return call.order.agent_id
        extension = verdict.answered_by or (verdict.rang[0] if len(verdict.rang) == 1 else "")
        dialled = [leg.extension for leg in call.legs.values() if leg.extension]
        if not dialled and call.closed is not None and call.closed.dialled_by:
            dialled = [call.closed.dialled_by]
        users = self._lines.users_at(call.line_id, extension or (dialled[0] if len(set(dialled)) == 1 else ""))
        return users[0] if users else None

    def _words(self, call: Call, account: Account) -> str:
        """What people read beside the call: who talked one after another, and that its end is a guess."""
        talkers = chain(call)
        words = []
        if len(talkers) > 1:
            names = " → ".join(self._name(call, account, talker) for talker in talkers)
            words.append(phrases.say(account.host, "talked", chain=names))
        if call.verdict.state is CallState.ENDED_UNKNOWN:
            words.append(phrases.say(account.host, "ended_unknown"))
        return ". ".join(words)

    def _name(self, call: Call, account: Account, talker: str) -> str:
        users = self._lines.users_at(call.line_id, talker)
        people = self._accounts.people(account.id)
        return people[users[0]].name if users and users[0] in people else pretty(talker)


def _again_s(job: Job) -> float:
    return AGAIN_S[min(job.tries, len(AGAIN_S)) - 1]
