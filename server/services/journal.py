"""Writing the journal: what happened beside the decisions, which their own transactions write.

Nobody waits for it. Entries gather for a moment and are stored together; a process that is killed loses that moment,
and a database that is away loses what does not fit into memory. The calls themselves are never at stake.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from msgspec import structs

from server.core.calls import Call
from server.core.errors import KommutatorError, OwnError
from server.core.jobs import Handler, Hold, Job, Later, NotDone, Outcomes
from server.core.journal import AnyBody, Asked, Entry, Listened, Shown, Tried
from server.core.messages import CallView
from server.core.stores import Journal as JournalStore

from .clock import Clock, now_ms

log = structlog.get_logger()

GATHER_S = 0.2
AGAIN_S = 5.0
"""When to try again to store entries."""

MOST = 20_000
"""Entries that wait for a database that is away; older ones are given up."""

NOTE_CHARS = 500

ATTEMPTS = 20
EACH = 10
"""The first attempts of a job are all told, later ones by tens: a recording is asked for over days."""


class Journal:
    """Takes entries in and stores them soon."""

    def __init__(self, store: JournalStore, *, clock: Clock = now_ms) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[Entry] = []
        self._task: asyncio.Task[None] | None = None
        self._is_closing = asyncio.Event()

    def shown(self, call: Call, user_id: int, view: CallView) -> None:
        """An agent is shown a card."""
        caller = view.caller
        path = caller.card.path if caller.card else ""
        fresh = Shown({str(user_id): view.state}, caller.kind, caller.name, path)
        last = self._waiting[-1] if self._waiting else None
        if last is not None and last.call_id == call.id and isinstance(last.body, Shown):
            joined = structs.replace(last.body, to={**last.body.to, **fresh.to})
            is_one_more = len(joined.to) > len(last.body.to)
            if is_one_more and joined == structs.replace(fresh, to=joined.to):  # the same card at one more agent's
                self._waiting[-1] = structs.replace(last, body=joined)
                return
        self._note(call.id, fresh)

    def listened(self, call: Call) -> None:
        """Somebody plays the call's recording."""
        self._note(call.id, Listened())

    def asked(self, call_id: str, what: str, user_id: int) -> None:
        """An administrator wanted something of the call."""
        self._note(call_id, Asked(what, user_id))

    def watched(self, handler: Handler) -> Handler:
        """The same handler, its attempts told: for jobs whose group is a call."""

        async def watching(jobs: Sequence[Job]) -> Sequence[Job] | Outcomes | None:
            try:
                answer = await handler(jobs)
            except Exception as exc:
                self._tried(jobs, exc)
                raise
            self._tried(jobs, None)
            return answer

        return watching

    async def close(self) -> None:
        """Store what is waiting, if the database takes it now."""
        self._is_closing.set()
        if self._task is not None:
            await self._task

    # -- inside ----------------------------------------------------------------------------------------------------

    def _tried(self, jobs: Sequence[Job], answer: Exception | None) -> None:
        outcome, again_s = _outcome(answer)
        for job in jobs:
            if job.grp and (job.tries <= ATTEMPTS or job.tries % EACH == 0):
                self._note(job.grp, Tried(job.kind, job.tries, outcome, _words(answer), again_s, _slug(answer)))

    def _note(self, call_id: str, body: AnyBody) -> None:
        self._waiting.append(Entry(call_id, self._clock(), body))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        wait_s = GATHER_S
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._is_closing.wait()
            wait_s = GATHER_S if await self._flush() else AGAIN_S
            if self._is_closing.is_set():
                return

    async def _flush(self) -> bool:
        lot, self._waiting = self._waiting, []
        try:
            await self._store.put(lot)
        except OwnError as exc:
            log.warning("journal_waits", slug=exc.slug, entries=len(lot))
            self._waiting = (lot + self._waiting)[-MOST:]
            return False
        return True


def _words(answer: Exception | None) -> str:
    """What the attempt's answer says; it may quote anything that a remote side sent."""
    if answer is None:
        return ""
    said = answer.note if isinstance(answer, NotDone) else f"{type(answer).__name__}: {answer}"
    return said[:NOTE_CHARS].encode("utf-8", "replace").decode()


def _slug(answer: Exception | None) -> str:
    cause = answer.__cause__ if isinstance(answer, NotDone) else answer
    return cause.slug if isinstance(cause, KommutatorError) else ""


def _outcome(answer: Exception | None) -> tuple[str, float]:
    if answer is None:
        return "done", 0.0
    if isinstance(answer, Hold):
        return "hold", answer.after_s
    if isinstance(answer, Later):
        return "later", answer.after_s
    return ("parked", 0.0) if isinstance(answer, NotDone) else ("failed", 0.0)
