"""Click-to-call: an order is stored, put to the PBX once, and followed from click to talk.

A PBX is never asked twice by itself: after a crash nobody knows whether it took the order, and an agent would be called
out of the blue. Such an order falls silent instead, and says so.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog
from msgspec import structs

from server.core import dial
from server.core.calls import Call
from server.core.dial import Dial
from server.core.errors import (
    BadPhone,
    CallerError,
    DialTwice,
    KommutatorError,
    NotFound,
    VendorUnsupported,
)
from server.core.jobs import Job
from server.core.messages import DialRequest, DialView, Problem
from server.core.phone import to_e164
from server.core.ports import Accepted, DialOrder, Sender, VendorRequest
from server.core.records import Decision, Line
from server.core.stores import Dials as DialStore
from server.core.vocabulary import Capability, DialState, DialWay

from .agents import AgentKey, Agents
from .clock import Clock, new_id, now_ms
from .lines import Lines, keys_of

log = structlog.get_logger()

NEEDS: Mapping[DialWay, Capability] = {
    DialWay.NUMBER: Capability.DIAL_NUMBER,
    DialWay.SCHEME: Capability.DIAL_SCHEME,
    DialWay.EXTERNAL: Capability.DIAL_EXTERNAL,
}
MOST_PHONE = 64
"""Longer text is no phone number; the browser sends what stands in the card."""

SHOWN_MS = 120_000
"""For how long a finished state line stays in an agent's snapshot."""


class Later(Protocol):
    """Where timers are put."""

    async def put(self, *jobs: Job) -> None: ...


class Dialling:
    """Starts, follows and ends the calls that agents click."""

    def __init__(
        self, lines: Lines, agents: Agents, store: DialStore, sender: Sender, later: Later, *, clock: Clock = now_ms
    ) -> None:
        self._lines = lines
        self._agents = agents
        self._store = store
        self._sender = sender
        self._later = later
        self._clock = clock
        self._current: dict[AgentKey, Dial] = {}
        self._storing: dict[AgentKey, str] = {}
        self._busy: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Take up the state lines of the last minutes after a start."""
        for one in await self._store.latest(self._clock() - SHOWN_MS):
            self._set(one, is_stored=True)

    def current(self, account_id: int, user_id: int) -> DialView | None:
        """The agent's state line, if it is still worth showing."""
        one = self._current.get((account_id, user_id))
        if one is None or (one.is_over and self._clock() - one.changed_ms > SHOWN_MS):
            return None
        return self._view(one)

    async def start(self, account_id: int, user_id: int, request: DialRequest) -> DialView:
        """Order a call; it is put to the PBX in the background. The same key is the same call.

        Raises BadPhone, NoLine, NoExtension, NotFound, VendorUnsupported, DialTwice.
        """
        line, extension = self._lines.to_dial_from(account_id, user_id, request.line)
        one = self._order(account_id, user_id, request, line=line, extension=extension)
        codec = self._lines.codec(line)
        if NEEDS[one.way] not in codec.capabilities:
            raise VendorUnsupported(way=one.way)
        command = codec.dial(self._command(one, line, request), keys_of(line))
        stored = await self._stored(one)
        if stored.id == one.id:
            self._set(stored)
            self._start(self._ask(stored, line, command))
        return self._view(stored)

    async def cancel(self, account_id: int, user_id: int, dial_id: str) -> DialView:
        """Withdraw an order that rings nowhere yet. Raises NotFound, VendorError."""
        one = await self._mine(account_id, user_id, dial_id)
        if one.is_over:
            return self._view(one)
        line = self._lines.of(account_id, one.line_id)
        command = self._lines.codec(line).cancel(one.order_ref or one.id, keys_of(line))
        await self._send(line, command)
        changed = await self._store.change(
            one.id, lambda now: structs.replace(now, state=DialState.ENDED, changed_ms=self._clock())
        )
        self._set(changed)
        return self._view(changed)

    async def hang_up(self, call: Call) -> None:
        """End a live call. Raises VendorError, NotFound."""
        line = self._lines.of(call.account_id, call.line_id)
        leg = next((leg for leg in call.legs.values() if leg.is_open), None)
        command_id = new_id("h")
        codec = self._lines.codec(line)
        await self._send(
            line, codec.hangup(call.call_ref, leg.ref if leg else "", keys_of(line), command_id=command_id)
        )

    async def changed(self, decision: Decision) -> None:
        """An order's call moved on."""
        if decision.dial is not None:
            self._set(decision.dial)

    async def told(self, one: Dial) -> None:
        """An order changed without a call."""
        self._set(one)

    async def reread(self, dial_id: str) -> None:
        """Another node changed an order."""
        one = await self._store.find(dial_id)
        if one is not None:
            self._set(one, is_stored=True)

    async def silence(self, jobs: Sequence[Job]) -> None:
        """The timer of an order: nothing was heard of it in time."""
        (job,) = jobs
        dial_id = msgspec.json.decode(job.body, type=str)
        if await self._store.find(dial_id) is not None:
            self._set(await self._store.change(dial_id, lambda one: dial.fall_silent(one, self._clock())))

    async def drain(self) -> None:
        """Wait for the PBXs that are being asked."""
        while self._busy:
            await asyncio.wait(set(self._busy))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _order(self, account_id: int, user_id: int, request: DialRequest, *, line: Line, extension: str) -> Dial:
        now = self._clock()
        if not request.key or len(request.key) > MOST_PHONE:
            raise CallerError("The click's key is missing or too long.", param="key")
        return Dial(
            id=new_id("d"),
            account_id=account_id,
            agent_id=user_id,
            line_id=line.id,
            extension=extension,
            way=request.way,
            phone=_phone(request.phone),
            from_phone=_phone(request.from_phone) if request.way is DialWay.EXTERNAL else "",
            scheme=request.scheme if request.way is DialWay.SCHEME else "",
            key=request.key,
            created_ms=now,
            changed_ms=now,
        )

    async def _stored(self, one: Dial) -> Dial:
        """Keep the order, one at a time per agent. Raises DialTwice.

        Its timer goes first: an order without one would be "asking" for ever if the process died in between.
        """
        agent = (one.account_id, one.agent_id)
        before = self._current.get(agent)
        asking = before.key if before is not None and before.state is DialState.ASKING else None
        if {asking, self._storing.get(agent)} - {None, one.key}:
            raise DialTwice
        self._storing[agent] = one.key
        try:
            await self._later.put(_timer(one))
            return await self._store.put(one)
        finally:
            self._storing.pop(agent, None)

    @staticmethod
    def _command(one: Dial, line: Line, request: DialRequest) -> DialOrder:
        if one.way is DialWay.SCHEME and one.scheme not in line.schemes:
            raise NotFound("There is no such scheme on this line.", scheme=one.scheme)
        return DialOrder(
            id=one.id,
            way=one.way,
            phone=one.phone,
            extension=one.extension,
            scheme=one.scheme,
            from_phone=one.from_phone,
            our_line=line.our_lines[0] if line.our_lines else "",
            client_first=request.client_first,
        )

    async def _ask(self, one: Dial, line: Line, command: VendorRequest) -> None:
        """Put the order to the PBX and note its answer; the call's events may overtake it."""
        try:
            accepted = await self._send(line, command)
        except KommutatorError as exc:
            problem = Problem(exc.slug, exc.message, exc.cure, exc.temporary, _words(exc.details))
            log.warning("dial_failed", dial=one.id, slug=exc.slug, **problem.details)
            await self._become(one.id, lambda now: now if now.call_id else dial.fail(now, problem, self._clock()))
            return
        await self._become(one.id, lambda now: dial.accept(now, accepted.order_ref, self._clock()))

    async def _become(self, dial_id: str, change: Callable[[Dial], Dial]) -> None:
        self._set(await self._store.change(dial_id, change))

    async def _send(self, line: Line, command: VendorRequest) -> Accepted:
        answer = await self._sender.send(line.provider, command)
        return self._lines.codec(line).outcome(command, answer)

    async def _mine(self, account_id: int, user_id: int, dial_id: str) -> Dial:
        one = await self._store.find(dial_id)
        if one is None or (one.account_id, one.agent_id) != (account_id, user_id):
            raise NotFound
        return one

    def _set(self, one: Dial, *, is_stored: bool = False) -> None:
        """The newest order is the agent's state line; an older one changes in silence.

        `is_stored`: it was read just now, so it is the newest news, whatever the clocks of two nodes say.
        """
        agent = (one.account_id, one.agent_id)
        before = self._current.get(agent)
        if before is not None and before.id != one.id and before.created_ms > one.created_ms:
            return
        if not is_stored and before is not None and before.id == one.id and before.changed_ms > one.changed_ms:
            return  # two tasks told of it, the older news last
        self._current[agent] = one
        if before != one:
            self._agents.send_dial(agent, self._view(one))

    def _view(self, one: Dial) -> DialView:
        line = self._lines.get(one.line_id)
        capabilities = self._lines.codec(line).capabilities if line else frozenset()
        can = []
        if one.state is DialState.ACCEPTED and Capability.CANCEL in capabilities:
            can.append(Capability.CANCEL)
        if one.call_id and not one.is_over and Capability.HANGUP in capabilities:
            can.append(Capability.HANGUP)
        return dial.view(one, can=tuple(can))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)


def _timer(one: Dial) -> Job:
    """What ends the state line of an order of which nothing is heard."""
    return Job(
        lane=f"calls:{one.account_id}",
        kind="silence",
        key=f"silence:{one.id}",
        body=msgspec.json.encode(one.id),
        due_ms=one.created_ms + dial.SILENT_MS,
    )


def _phone(text: str) -> str:
    phone = to_e164(text) if len(text) <= MOST_PHONE else None
    if phone is None:
        raise BadPhone(phone=text[:MOST_PHONE])
    return phone


def _words(details: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in details.items()}
