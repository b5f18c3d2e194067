"""Following calls: looking for them, one call's timeline, whether any is lost, and another try for what was given up.

It joins what the other rooms remember and decides nothing about calls.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from server.core import journal
from server.core.calls import Call
from server.core.errors import NotFound
from server.core.jobs import Job, ParkedJob, WaitingJob
from server.core.journal import AnyBody, Query
from server.core.recordings import Kept
from server.core.records import CardMark, Place, unpack
from server.core.stores import Calls as CallStore
from server.core.stores import Journal as JournalStore
from server.core.stores import Recordings as RecordingStore
from server.core.vocabulary import CallState

from .calls import LOG_PATIENCE_MS
from .clock import Clock, now_ms
from .lines import Lines

LOG = "log"
"""The kind of the jobs that bring calls into amoCRM."""

MOST_PARKED = 5000
"""Given-up jobs that are looked at: more of them are one trouble, not many."""


class Work(Protocol):
    """Durable work, as it is looked at and taken up again."""

    async def parked(self, most: int, *, lanes: Sequence[str]) -> list[ParkedJob]: ...

    async def waiting(self, grp: str) -> list[WaitingJob]: ...

    async def busy(self, groups: Sequence[str], kind: str) -> set[str]: ...

    async def depth(self, lanes: Sequence[str]) -> int: ...

    async def held(self) -> dict[str, int]: ...

    async def rearm(self, key: str) -> bool: ...

    async def put(self, *jobs: Job) -> None: ...


class Found(Struct, frozen=True):
    """A call in a list. `is_lost`: it is over, not in amoCRM, and nobody is at work on it; `parked`: a job of it was
    given up.
    """

    call: Call
    place: Place | None
    kept: Mapping[str, Kept]
    agents: tuple[int, ...] = ()
    is_lost: bool = False
    is_parked: bool = False

    @property
    def is_guess(self) -> bool:
        """Whether the call's end was never told."""
        return self.call.verdict.state is CallState.ENDED_UNKNOWN


class Page(Struct, frozen=True):
    """Calls, the latest first; `before` gives the next page, None: this is the last one."""

    calls: list[Found]
    before: tuple[int, str] | None


class Heard(Struct, frozen=True, tag_field="kind", tag="webhook"):
    """A raw webhook, masked. `path` is what follows the line's secret address."""

    id: int
    path: str
    said: object


class Moment(Struct, frozen=True):
    """One line of a timeline. `at_ms` is our clock."""

    at_ms: int
    body: AnyBody | Heard


class Timeline(Struct, frozen=True):
    """Everything that is remembered of a call. `waiting` and `parked` are its jobs that are not done."""

    found: Found
    moments: list[Moment]
    marks: list[CardMark]
    waiting: list[WaitingJob]
    parked: list[ParkedJob]


class Health(Struct, frozen=True):
    """Whether calls are lost. `waiting`: over and soon in amoCRM; `lost`: not in amoCRM, and nobody is at work on it;
    `parked`: jobs that were given up; `jobs`: all that is to be done in amoCRM, also corrections; `held_ms`: until when
    amoCRM is left alone, 0: it is not.
    """

    calls: int
    live: int
    waiting: int
    lost: int
    parked: int
    jobs: int
    held_ms: int


class History:
    """Answers what became of calls."""

    def __init__(  # it joins five rooms
        self, store: JournalStore, calls: CallStore, recordings: RecordingStore, lines: Lines, work: Work,
        *, clock: Clock = now_ms,
    ) -> None:  # fmt: skip
        self._store = store
        self._calls = calls
        self._recordings = recordings
        self._lines = lines
        self._work = work
        self._clock = clock

    async def search(self, query: Query, *, only_amiss: bool = False) -> Page:
        """The calls that a person looks for. `only_amiss`: those that need a hand."""
        parked = {job.grp for job in await self._parked(query.account_id)}
        lost = await self._lost(query.account_id)
        if only_amiss:
            query = msgspec.structs.replace(query, amiss=(*lost, *(grp for grp in parked if grp)))
        rows = await self._store.search(query)
        kept = await self._recordings.of_calls([call.id for call, _ in rows if call.recordings])
        found = [
            Found(call, place, kept.get(call.id, {}), self._agents(call), call.id in lost, call.id in parked)
            for call, place in rows
        ]
        last = rows[-1][0] if len(rows) == query.most else None
        return Page(found, (last.verdict.started_ms, last.id) if last else None)

    async def timeline(self, account_id: int, call_id: str) -> Timeline:
        """Everything about one call. Raises NotFound, also for another account's call."""
        call = await self._own(account_id, call_id)
        heard = [
            Moment(stored.received_ms, Heard(stored.id, hook.tail, journal.masked(hook)))
            for stored in await self._store.hooks(call_id)
            for hook in (unpack(stored.raw),)
        ]
        entries = [Moment(entry.at_ms, entry.body) for entry in await self._store.of_call(call_id)]
        moments = sorted([*heard, *entries], key=lambda moment: moment.at_ms)  # of one moment: first what was heard
        parked = [job for job in await self._parked(account_id) if job.grp == call_id]
        is_lost = call_id in await self._lost(account_id)
        place, kept = await self._calls.place(call_id), await self._recordings.find(call_id)
        return Timeline(
            found=Found(call, place, kept, self._agents(call), is_lost, bool(parked)),
            moments=moments,
            marks=await self._calls.marks([call_id]),
            waiting=await self._work.waiting(call_id),
            parked=parked,
        )

    async def health(self, account_id: int, since_ms: int) -> Health:
        """Whether calls are lost, and what the account's calls since then came to."""
        counts = await self._store.count(account_id, since_ms)
        lost = await self._lost(account_id)
        held = await self._work.held()
        return Health(
            calls=counts.calls,
            live=counts.live,
            waiting=len(await self._store.unfiled(account_id)) - len(lost),
            lost=len(lost),
            parked=len(await self._parked(account_id)),
            jobs=await self._work.depth([f"amo:{account_id}"]),
            held_ms=held.get(f"amo:{account_id}", 0),
        )

    async def retry(self, account_id: int, call_id: str) -> int:
        """Another try for what was given up of a call, or never begun; how many jobs. Raises NotFound."""
        call = await self._own(account_id, call_id)
        parked = [job.key for job in await self._parked(account_id) if job.grp == call_id]
        return await self._again(parked, [call.id] if call.id in await self._lost(account_id) else [])

    async def retry_all(self, account_id: int) -> int:
        """Another try for everything that was given up, or never begun; how many jobs."""
        parked = [job.key for job in await self._parked(account_id)]
        return await self._again(parked, await self._lost(account_id))

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _again(self, keys: Sequence[str], lost: Sequence[str]) -> int:
        count = sum([await self._work.rearm(key) for key in keys])
        now = self._clock()
        at_work = await self._work.busy(lost, LOG)  # by what was just taken up again
        fresh = [
            Job(
                lane=f"amo:{call.account_id}", kind=LOG, key=f"log:{call_id}:{now}", grp=call_id,
                body=msgspec.json.encode(call_id), dead_ms=now + LOG_PATIENCE_MS,
            )
            for call_id in lost
            if call_id not in at_work and (call := await self._calls.find(call_id))
        ]  # fmt: skip
        if fresh:
            await self._work.put(*fresh)
        return count + len(fresh)

    async def _own(self, account_id: int, call_id: str) -> Call:
        call = await self._calls.find(call_id)
        if call is None or call.account_id != account_id:
            raise NotFound
        return call

    async def _parked(self, account_id: int) -> list[ParkedJob]:
        lanes = [f"{kind}:{account_id}" for kind in ("amo", "calls", "crawl", "book")]
        lanes += [f"{kind}:{line.id}" for line in self._lines.of_account(account_id) for kind in ("rec", "stat")]
        return await self._work.parked(MOST_PARKED, lanes=lanes)

    async def _lost(self, account_id: int) -> list[str]:
        """Calls that are over and not in amoCRM, on which nobody is at work."""
        unfiled = await self._store.unfiled(account_id)
        at_work = await self._work.busy(unfiled, LOG)
        return [call_id for call_id in unfiled if call_id not in at_work]

    def _agents(self, call: Call) -> tuple[int, ...]:
        """Who talked, else whose call it was."""
        taker = call.verdict.answered_by
        users = self._lines.users_at(call.line_id, taker) if taker else ()
        return users or tuple(sorted(self._lines.audience(call)))
