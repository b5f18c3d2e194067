"""Calls: a stored webhook becomes a decision, kept in one transaction with its jobs, and is told on.

Nothing here waits for amoCRM, and everything is repeatable: the call machine absorbs what it heard before.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

import msgspec
import structlog
from msgspec import structs

from server.core import calls, dial, journal, statistics
from server.core.calls import Call, Corrected, Effect, Ended, Order, Recording, RecordingKnown, Reopened
from server.core.dial import Dial
from server.core.events import CallEvent, OrderAnswered
from server.core.jobs import Job, Later
from server.core.messages import Problem
from server.core.ports import Hook
from server.core.records import Decision, Line
from server.core.stores import Calls as CallStore
from server.core.stores import Decide, Dials, Hooks
from server.core.vocabulary import DialState, LegState, RecordingState

from .clock import Clock, new_id, now_ms
from .lines import Lines, keys_of

log = structlog.get_logger()

GRACE_MS = 5_000
"""How long stragglers of an ended call are waited for before it is logged in amoCRM (pbx.md F: 2–5 s)."""

RING_MS = 3 * 60_000
TALK_MS = 4 * 3_600_000
"""How long a call may ring, or talk, without news before its hang-up counts as lost."""

LATE_MS = 60_000
"""News of something longer ago may come after the statistics have told of it."""

LOG_PATIENCE_MS = 18 * 3_600_000
"""How long logging is tried before a person has to look (amoCRM's own old queue did the same)."""

FETCH_PATIENCE_MS = 3 * 24 * 3_600_000
"""How long fetching a recording is tried: a PBX's storage, or ours, may be down over a weekend."""

NEVER_MS = 1 << 60
"""A timer of ours has no deadline."""

TO_FETCH = (RecordingState.EXPECTED, RecordingState.AVAILABLE)
"""States of recordings that are worth asking for: also without word that one is there, after a while."""

Tell = Callable[[Decision], Awaitable[None]]
"""Hears every decision after it was stored."""


class Calls:
    """Reads webhooks into calls and tells what came of them."""

    def __init__(self, lines: Lines, store: CallStore, hooks: Hooks, dials: Dials, *, clock: Clock = now_ms) -> None:
        self._lines = lines
        self._store = store
        self._hooks = hooks
        self._dials = dials
        self._clock = clock
        self._listeners: list[Tell] = []
        self._order_listeners: list[Callable[[Dial], Awaitable[None]]] = []

    def tell(self, listener: Tell) -> None:
        """Let `listener` hear every stored decision, in order."""
        self._listeners.append(listener)

    def tell_order(self, listener: Callable[[Dial], Awaitable[None]]) -> None:
        """Let `listener` hear of orders that changed without a call."""
        self._order_listeners.append(listener)

    async def read(self, line: Line, hook: Hook, hook_id: int) -> None:
        """Read a stored webhook. Raises StoreUnavailable: the webhook then stays unread."""
        events = self._lines.codec(line).read(hook, keys_of(line))
        told = [event for event in events if not isinstance(event, OrderAnswered)]
        for answer in events:
            if isinstance(answer, OrderAnswered):
                await self._hear_order(line, answer)
        if not told:
            await self._hooks.settle(hook_id, note="no event" if not events else "")
            return
        refs = list(dict.fromkeys(event.call_ref for event in told))
        for ref in refs:
            mine = [event for event in told if event.call_ref == ref]
            name = await self._name(line, ref, mine, hook.received_ms)
            decide = self._decider(line, name, mine, hook.received_ms)
            # Only the last one marks the webhook as read: a crash between two repeats the first, harmlessly.
            await self._digest(line.id, name, hook_id if ref == refs[-1] else None, decide)

    async def learn(self, line: Line, call_ref: str, events: Sequence[CallEvent], at_ms: int) -> Decision | None:
        """Hear of a call from the PBX's statistics: what became of it, None when it changes nothing.

        `at_ms`: when it ended; news of long ago are not for screens.
        """
        decide = self._decider(line, call_ref, events, at_ms, reason=journal.STATISTICS)
        return await self._digest(line.id, call_ref, None, decide)

    async def _name(self, line: Line, ref: str, events: Sequence[CallEvent], received_ms: int) -> str:
        """The reference under which a call is known. Of late news, the statistics may have told before, by another."""
        at_ms = min(event.at_ms for event in events)
        if received_ms - at_ms < LATE_MS:
            return ref
        around = await self._store.of_line(line.id, at_ms - TALK_MS, at_ms + statistics.SLIP_MS)
        if any(call.call_ref == ref for call in around):
            return ref
        found = (statistics.told_before(event, around) for event in events)
        return next((call.call_ref for call in found if call is not None), ref)

    async def expire(self, jobs: Sequence[Job]) -> None:
        """The timer of a call: close it when its hang-up is overdue, else look again later."""
        (job,) = jobs
        call = await self._store.find(msgspec.json.decode(job.body))
        if call is None or not call.is_live:
            return
        now = self._clock()
        if not _is_overdue(call, now):
            raise _goes_on(call, now)
        await self._digest(call.line_id, call.call_ref, None, self._expirer(now))
        call = await self._store.find(call.id)
        if call is not None and call.is_live:  # it was heard of in between
            raise _goes_on(call, now)

    async def _digest(self, line_id: str, call_ref: str, hook_id: int | None, decide: Decide) -> Decision | None:
        decision = await self._store.digest(line_id, call_ref, hook_id=hook_id, decide=decide)
        if decision is None:
            return None
        with structlog.contextvars.bound_contextvars(call=decision.call.id):
            log.info("call_changed", effects=[type(one).__name__ for one in decision.effects])
            for listener in self._listeners:
                await listener(decision)
        return decision

    def _decider(
        self, line: Line, ref: str, events: Sequence[CallEvent], received_ms: int, reason: str = journal.WEBHOOK
    ) -> Decide:
        """What a webhook comes to. It runs inside the store's transaction: pure, with all it needs given here."""
        fresh = calls.begin(
            call_id=new_id("c"),
            account_id=line.account_id,
            line_id=line.id,
            provider=line.provider,
            call_ref=ref,
            received_ms=received_ms,
        )
        now = self._clock()

        def decide(before: Call | None, waiting: Sequence[Dial]) -> Decision | None:
            call, effects = _heard(before or fresh, events)
            if before is not None and not effects:
                return None
            call, order, more = _matched(call, waiting, now)
            call = structs.replace(call, heard_ms=max(received_ms, call.heard_ms))
            every = (*effects, *more)
            jobs = _jobs(call, every, now, is_new=before is None)
            return self._decision(call, order, every, jobs, reason=reason, now=now)

        return decide

    def _expirer(self, now: int) -> Decide:
        def decide(before: Call | None, waiting: Sequence[Dial]) -> Decision | None:
            if before is None or not before.is_live or not _is_overdue(before, now):
                return None
            call, effects = calls.expire(before, now)
            call = structs.replace(call, heard_ms=now)
            call, order, _ = _matched(call, waiting, now)
            jobs = _jobs(call, effects, now)
            return self._decision(call, order, effects, jobs, reason=journal.TIMER, now=now)

        return decide

    def _decision(
        self, call: Call, order: Dial | None, effects: Sequence[Effect], jobs: tuple[Job, ...], *, reason: str, now: int
    ) -> Decision:
        return Decision(
            call=call, dial=order, jobs=jobs, effects=tuple(effects), reason=reason, at_ms=now,
            agents=tuple(sorted(self._lines.audience(call))),
        )  # fmt: skip

    async def _hear_order(self, line: Line, answer: OrderAnswered) -> None:
        """The PBX reports what became of a command. A refused order is failed; an accepted one waits for its call."""
        known = await self._dials.find(answer.order_ref)
        if answer.is_done or known is None or known.line_id != line.id:
            return
        problem = Problem(slug=answer.error_slug, details={"vendor_code": answer.raw_code})
        now = self._clock()
        failed = await self._dials.change(
            known.id, lambda one: one if one.call_id or one.state is DialState.ENDED else dial.fail(one, problem, now)
        )
        for listener in self._order_listeners:
            await listener(failed)


def _heard(call: Call, events: Iterable[CallEvent]) -> tuple[Call, list[Effect]]:
    effects: list[Effect] = []
    for event in events:
        call, more = calls.apply(call, event)
        effects += more
    return call, effects


def _matched(call: Call, waiting: Sequence[Dial], now: int) -> tuple[Call, Dial | None, Sequence[Effect]]:
    """The call with its order, where it carries one out: `waiting` is that order, or those that wait on the line."""
    fitting = [one for one in waiting if _is_for(one, call, now)]
    # One that the PBX confirmed before one of which it gave no answer.
    order = min(fitting, key=lambda one: one.state is DialState.FAILED, default=None)
    if order is None:
        return call, None, ()
    bound, effects = calls.bind(call, Order(order.id, order.agent_id, order.extension, order.phone, order.from_phone))
    return bound, dial.follow(order, bound, now), effects


def _is_for(order: Dial, call: Call, now: int) -> bool:
    if call.order is not None:
        return call.order.id == order.id
    return dial.is_waiting(order, now) and dial.fits(order, call)


def _jobs(call: Call, effects: Sequence[Effect], now: int, *, is_new: bool = False) -> tuple[Job, ...]:
    """What is to be done later: log an ended call once, fetch its recordings, close one whose end never comes."""
    jobs = [_fetch(call, one, now) for one in call.recordings.values() if not call.is_live and one.state in TO_FETCH]
    is_reopened = any(isinstance(effect, Reopened) for effect in effects)
    if is_new or is_reopened:
        jobs.append(
            Job(
                lane=f"calls:{call.account_id}",
                kind="expire",
                key=f"expire:{call.id}:{now}" if is_reopened else f"expire:{call.id}",
                body=msgspec.json.encode(call.id),
                due_ms=now + RING_MS,
                dead_ms=NEVER_MS,
            )
        )
    if any(isinstance(effect, Ended) for effect in effects) or (is_new and not call.is_live):
        jobs.append(
            Job(
                lane=f"amo:{call.account_id}",
                kind="log",
                key=f"log:{call.id}",
                body=msgspec.json.encode(call.id),
                due_ms=now + GRACE_MS,
                dead_ms=now + LOG_PATIENCE_MS,
                grp=call.id,
            )
        )
    return (*jobs, *_correct(call, effects, now))


def _correct(call: Call, effects: Sequence[Effect], now: int) -> Iterator[Job]:
    """News of a call that was over: a late answer, a recording, more talk. What amoCRM was told may be out of date."""
    is_news = any(isinstance(effect, Corrected | RecordingKnown) for effect in effects)
    is_reopened = any(isinstance(effect, Reopened) for effect in effects)  # carried out when it is over again
    if not is_reopened and (call.is_live or not is_news or any(isinstance(effect, Ended) for effect in effects)):
        return
    yield Job(
        lane=f"amo:{call.account_id}",
        kind="correct",
        key=f"correct:{call.id}:{now}",
        body=msgspec.json.encode(call.id),
        due_ms=now + GRACE_MS,
        dead_ms=now + LOG_PATIENCE_MS,
        grp=call.id,
    )


def _fetch(call: Call, recording: Recording, now: int) -> Job:
    """Made again with each news of the call: a job whose key is known is ignored."""
    return Job(
        lane=f"rec:{call.line_id}",
        kind="fetch",
        key=f"fetch:{call.id}:{recording.key}:{recording.state}",
        body=msgspec.json.encode({"call": call.id, "key": recording.key}),
        due_ms=now,
        dead_ms=now + FETCH_PATIENCE_MS,
        grp=call.id,
    )


def _is_overdue(call: Call, now: int) -> bool:
    return now >= call.heard_ms + _patience_ms(call)


def _goes_on(call: Call, now: int) -> Later:
    """When to look at the call again."""
    return Later((call.heard_ms + _patience_ms(call) - now) / 1000, "the call goes on", unsure=False)


def _patience_ms(call: Call) -> int:
    is_talking = any(leg.state in (LegState.TALKING, LegState.HELD) for leg in call.legs.values())
    return TALK_MS if is_talking else RING_MS
