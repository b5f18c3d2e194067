"""The phone book: copied from amoCRM at first, kept fresh by its webhooks or by asking what changed since.

The first copy goes page by page as durable jobs, so that it goes on where it was after a restart, at a pace that
leaves amoCRM's request limit to people and calls.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct, structs

from server.core.book import BookRow
from server.core.crm import Change, Crm
from server.core.directory import Entry
from server.core.errors import AccountUnknown, CrmTokenDead
from server.core.jobs import Job
from server.core.messages import DirectoryView
from server.core.phone import last10
from server.core.records import Account
from server.core.stores import Directory as DirectoryStore

from .accounts import Accounts
from .clock import Clock, now_ms

log = structlog.get_logger()

NOUNS = ("companies", "contacts", "leads")
"""The order of the copy: a contact shows its company's name, a lead belongs to both."""

DELTA_MS = 60_000
"""How often to ask what changed, where the tariff has no webhooks."""

CHECK_MS = 3_600_000
"""How often to ask what changed where webhooks come: they are retried only for an hour and then lost."""

OVERLAP_S = 60
"""How far a delta reaches back before the sweep before it: clocks differ, and amoCRM's index lags behind a change."""

FOREVER_MS = 1 << 60


class Step(Struct, frozen=True):
    """One page of the copy, or of a delta (`since_s` above 0). `began_s`: when this sweep of all pages began."""

    account: int
    noun: str = NOUNS[0]
    page: int = 1
    since_s: int = 0
    has_hooks: bool = False
    began_s: int = 0


class Heard(Struct, frozen=True):
    """A webhook of amoCRM, waiting to be learned."""

    account: int
    changes: tuple[Change, ...]


class Later(Protocol):
    """Where durable work is put."""

    async def put(self, *jobs: Job) -> None: ...


class Directory:
    """Looks numbers up and keeps the copy."""

    def __init__(
        self,
        store: DirectoryStore,
        crm: Crm,
        accounts: Accounts,
        later: Later,
        *,
        hooks_base: str,
        clock: Clock = now_ms,
    ) -> None:
        self._store = store
        self._crm = crm
        self._accounts = accounts
        self._later = later
        self._hooks_base = hooks_base
        self._clock = clock
        self._listeners: list[Callable[[int, set[str]], Awaitable[None]]] = []

    def tell(self, listener: Callable[[int, set[str]], Awaitable[None]]) -> None:
        """Let `listener` hear which numbers (account, last ten digits) were learned or changed."""
        self._listeners.append(listener)

    # -- looking up ------------------------------------------------------------------------------------------------

    async def find(self, account_id: int, phone: str) -> list[Entry]:
        """Everybody with this number. No request to amoCRM."""
        return await self._store.find(account_id, last10(phone))

    async def search(self, account_id: int, phone: str, *, timeout_s: float) -> list[Entry]:
        """Ask amoCRM itself and keep the answer. Raises CrmError."""
        account = self._accounts.get(account_id)
        found = await self._crm.search(account, phone, timeout_s=timeout_s)
        for noun in NOUNS:
            await self._store.put(account_id, noun, found.get(noun, []))
        return await self.find(account_id, phone)

    def is_complete(self, account_id: int) -> bool:
        """Whether the first copy is whole: then an unknown number is unknown."""
        try:
            return self._accounts.get(account_id).progress.is_complete
        except AccountUnknown:
            return True

    # -- copying ---------------------------------------------------------------------------------------------------

    async def crawl(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """One page; answers with the job of the next. Ends in the first delta."""
        (job,) = jobs
        step = msgspec.json.decode(job.body, type=Step)
        try:
            account = self._accounts.get(step.account)
        except AccountUnknown:
            return ()
        try:
            return [await self._crawl(job, step, account)]
        except CrmTokenDead:
            await self._accounts.died(account.id)
            raise

    async def _crawl(self, job: Job, step: Step, account: Account) -> Job:
        if step.page == 1 and step.noun == NOUNS[0]:
            step = structs.replace(step, began_s=self._clock() // 1000)
            await self._accounts.set_users(account.id, await self._crm.users(account))
            if not step.since_s:
                has_hooks = await self._crm.subscribe(account, f"{self._hooks_base}/amo/hooks/{account.hook_secret}")
                step = structs.replace(step, has_hooks=has_hooks)
        page = await self._crm.page(account, step.noun, page=step.page, updated_since_s=step.since_s)
        await self._learn(account.id, step.noun, page.rows)
        if not step.since_s:
            await self._report(account.id, is_complete=False)
        return await self._next(job, step, has_more=page.has_more)

    async def _next(self, job: Job, step: Step, *, has_more: bool) -> Job:
        if has_more:
            return _job(job, structs.replace(step, page=step.page + 1))
        later = NOUNS.index(step.noun) + 1
        if later < len(NOUNS):
            return _job(job, structs.replace(step, noun=NOUNS[later], page=1))
        if not step.since_s:
            await self._report(step.account, is_complete=True)
        # Not from the newest change that we know: a webhook may have told that one, and an earlier one been lost.
        delta = Step(step.account, since_s=max(1, step.began_s - OVERLAP_S), has_hooks=step.has_hooks)
        return _job(job, delta, due_ms=self._clock() + (CHECK_MS if step.has_hooks else DELTA_MS))

    async def hear(self, account_id: int, changes: Sequence[Change]) -> None:
        """One of amoCRM's webhooks: kept, and learned after the answer, for which amoCRM waits 2 s."""
        body = msgspec.json.encode(Heard(account_id, tuple(changes)))
        await self._later.put(Job(f"book:{account_id}", "learn", f"learn:{secrets.token_hex(8)}", body))

    async def learn(self, jobs: Sequence[Job]) -> None:
        """Learn what a webhook said. It says nothing of a lead's people: those are fetched."""
        (job,) = jobs
        heard = msgspec.json.decode(job.body, type=Heard)
        leads = []
        for change in heard.changes:
            if change.row is None:
                await self._store.remove(heard.account, change.noun, [change.id])
            elif change.noun == "leads":
                leads.append(change.id)
            else:
                await self._learn(heard.account, change.noun, [change.row])
        if leads:
            try:
                account = self._accounts.get(heard.account)
            except AccountUnknown:
                return
            await self._learn(account.id, "leads", await self._crm.fetch(account, "leads", leads))

    async def _learn(self, account_id: int, noun: str, rows: Sequence[BookRow]) -> None:
        await self._store.put(account_id, noun, rows)
        phones = {phone for row in rows for phone in row.phones}
        for listener in self._listeners if phones else ():
            await listener(account_id, phones)

    async def _report(self, account_id: int, *, is_complete: bool) -> None:
        counts = await self._store.counts(account_id)
        progress = DirectoryView(is_complete=is_complete, **{noun: counts.get(noun, 0) for noun in NOUNS})
        await self._accounts.set_progress(account_id, progress)


def _job(before: Job, step: Step, *, due_ms: int = 0) -> Job:
    """The follow-up: its key counts on, so that the same step put twice is one job."""
    stem, _, count = before.key.rpartition("#")
    key = f"{stem or before.key}#{int(count or 0) + 1 if stem else 1}"
    body = msgspec.json.encode(step)
    return Job(before.lane, before.kind, key, body, due_ms=due_ms, dead_ms=FOREVER_MS, grp=before.grp)
