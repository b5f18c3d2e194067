"""The simulated exchange: it rings phones, connects parties and tells a listener what happened, in order.

Every action may come from a script, a person at the phone page or the vendor's API, at any moment. So an action that
no longer fits (answering a phone that stopped ringing) does nothing, as pressing that button does in life.
The exchange knows no vendor and sends nothing; `sipuni` and `mango` translate.
"""

import asyncio
from enum import StrEnum

from server.sandbox.pbx.clock import Clock
from server.sandbox.pbx.model import (
    Call,
    CallArrived,
    CallEnded,
    Direction,
    Happening,
    Leg,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegMoved,
    LegRang,
    LegResumed,
    LegState,
    LegTransferred,
    Listener,
    Party,
    Place,
    Reason,
    Stage,
    TalkStarted,
)


class Side(StrEnum):
    """Who hangs up. In an internal call `employee` is the one who called and `client` the one who was called."""

    CLIENT = "client"
    EMPLOYEE = "employee"
    API = "api"


class Exchange:
    """All calls of one PBX: the live ones can be steered, the ended ones feed its statistics."""

    def __init__(self, *, clock: Clock, listener: Listener, ring_limit_s: float = 30) -> None:
        self.clock = clock
        self.calls: dict[int, Call] = {}
        self.revision = 0
        self._listener = listener
        self._ring_limit_s = ring_limit_s
        self._serials = 0
        self._timers: set[asyncio.Task[None]] = set()

    @property
    def live(self) -> list[Call]:
        """The calls that have not ended, oldest first."""
        return [call for call in self.calls.values() if call.is_live]

    def arrive(self, client: str, line: str, *, record: bool = True, by_hand: bool = False) -> Call:
        """A caller reaches `line` and hears the scheme's menu until `ring` sends the call somewhere."""
        call = self._new_call(Call(Direction.IN, client, line, record=record, by_hand=by_hand))
        self._tell(CallArrived(call))
        self._open(call, Place.IVR, source=Party(number=client), target=Party(number=line))
        return call

    def place(self, call: Call) -> Call:
        """Start a call from the inside: the stages of its plan ring one after the other, each when the one before was
        answered. Serial and time are filled in here.
        """
        self._new_call(call)
        self._ring(call, call.plan.pop(0), None, command=call.order)
        return call

    def ring(self, call: Call, stage: Stage, *, command: str = "") -> None:
        """Send a call that waits in a menu, in a queue or at a ringing phone to new phones.

        `command` marks the new legs as caused by an API command.
        """
        waiting = [leg for leg in call.live_legs if leg.state is LegState.RINGING]
        if not call.is_live or not waiting:
            return
        for leg in waiting:
            self._end(leg, Reason.API if leg.place is Place.PHONE else Reason.SCHEME)
        self._ring(call, stage, waiting[0], command=command)

    def answer(self, leg: Leg, *, exclusive: bool = True) -> None:
        """Pick up a ringing phone; the others stop ringing unless `exclusive` is off (two answers within a second)."""
        if leg.state is not LegState.RINGING:
            return
        call = leg.call
        leg.state = LegState.TALKING
        leg.answered_at = self.clock.now()
        self._tell(LegAnswered(leg))
        if self._held_by(leg):
            return
        if exclusive:
            self._stop_others(leg)
        if call.plan:
            self._ring(call, call.plan.pop(0), leg, command=call.order)
        else:
            self._talk(leg)

    def decline(self, leg: Leg, reason: Reason) -> None:
        """Stop one ringing phone: rejected, busy, or nobody came."""
        if leg.state is not LegState.RINGING:
            return
        self._end(leg, reason)
        call = leg.call
        held = self._held_by(leg)
        if held:
            self._resume(held)
        elif any(other.is_live for other in call.stage):
            return
        elif leg.transfer_from:
            self._return_to_initiator(leg)
        else:
            self._finish(call, reason)

    def hang_up(self, call: Call, by: Side) -> None:
        """One side puts the receiver down; an employee who consults a colleague thereby hands the call over."""
        if not call.is_live:
            return
        consulted = next((leg for leg in call.live_legs if self._held_by(leg)), None)
        if consulted and by is Side.EMPLOYEE and consulted.state is LegState.TALKING:
            self._complete(consulted)
            return
        self._end_call(call, self._close_legs(call, by))

    def transfer(self, leg: Leg, target: Party, *, command: str = "") -> None:
        """Hand the talk over blindly; if the new phone does not answer, the call comes back to who gave it."""
        if leg.state is not LegState.TALKING or leg.call.talk is not leg:
            return
        call = leg.call
        giver = employee_of(leg)
        self._close(leg, Reason.TRANSFERRED)
        client = Party(number=call.client) if leg.target == giver else leg.target
        new = self._make(call, Place.PHONE, source=client, target=target)
        new.taken_from, new.transfer_from, new.command = leg, giver.extension, command
        call.stage = [new]
        call.talk = None
        self._tell(LegTransferred(leg, new))
        for other in call.live_legs:
            if other is not new:
                self._end(other, Reason.TRANSFERRED)
        self._limit(call)

    def consult(self, leg: Leg, target: Party, *, command: str = "") -> None:
        """Put the client on hold and call a colleague; the initiator's hang-up connects the two."""
        if leg.state is not LegState.TALKING or leg.call.talk is not leg:
            return
        call = leg.call
        leg.state = LegState.HELD
        self._tell(LegHeld(leg))
        new = self._make(call, Place.PHONE, source=employee_of(leg), target=target)
        new.command = command
        call.stage = [new]
        self._tell(LegRang(new))
        self._limit(call)

    async def rung_out(self) -> None:
        """Return when no phone's ring limit is still running."""
        await asyncio.gather(*self._timers)

    async def close(self) -> None:
        """Stop the ring timers."""
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)

    def _new_call(self, call: Call) -> Call:
        self._serials += 1
        call.serial, call.started_at = self._serials, self.clock.now()
        self.calls[call.serial] = call
        return call

    def _make(self, call: Call, place: Place, *, source: Party, target: Party) -> Leg:
        leg = Leg(
            call=call,
            serial=len(call.legs) + 1,
            place=place,
            source=source,
            target=target,
            started_at=self.clock.now(),
        )
        call.legs.append(leg)
        return leg

    def _open(self, call: Call, place: Place, *, source: Party, target: Party) -> Leg:
        leg = self._make(call, place, source=source, target=target)
        self._tell(LegRang(leg))
        return leg

    def _ring(self, call: Call, stage: Stage, taken_from: Leg | None, *, command: str = "") -> None:
        if stage.queue:
            queue = self._make(call, Place.QUEUE, source=stage.source, target=Party(number=call.line))
            queue.taken_from, queue.group, queue.command = taken_from, stage.group, command
            self._tell(LegRang(queue))
            taken_from = queue
        call.stage = []
        for target in stage.targets:
            leg = self._make(call, Place.PHONE, source=stage.source, target=target)
            leg.taken_from, leg.group, leg.command = taken_from, stage.group, command
            call.stage.append(leg)
            self._tell(LegRang(leg))
        self._limit(call)

    def _stop_others(self, answered: Leg) -> None:
        call = answered.call
        for other in call.stage:
            if other is not answered and other.is_live:
                self._end(other, Reason.ELSEWHERE)
        for leg in call.live_legs:
            if leg.place is Place.QUEUE:
                self._end(leg, Reason.SCHEME)

    def _talk(self, leg: Leg) -> None:
        call = leg.call
        call.talk = leg
        call.answered_by = leg.target
        if call.talk_started_at is None:
            call.talk_started_at = self.clock.now()
        self._tell(TalkStarted(leg))

    def _held_by(self, leg: Leg) -> Leg | None:
        """The talk that waits while `leg` is a consultation."""
        held = leg.call.talk
        return held if held and held is not leg and held.state is LegState.HELD else None

    def _resume(self, leg: Leg) -> None:
        leg.state = LegState.TALKING
        self._tell(LegResumed(leg))

    def _complete(self, consulted: Leg) -> None:
        call = consulted.call
        held = call.talk
        if held is None:
            return
        self._end(held, Reason.CALLEE)
        consulted.source, consulted.taken_from = Party(number=call.client), held
        consulted.transfer_from = employee_of(held).extension
        self._tell(LegMoved(consulted))
        self._talk(consulted)

    def _return_to_initiator(self, leg: Leg) -> None:
        back = Stage(source=leg.source, targets=(Party(extension=leg.transfer_from),))
        self._ring(leg.call, back, leg)

    def _close_legs(self, call: Call, by: Side) -> Reason:
        """End the phones of the present stage first, then what stood behind them, newest first; why the first ended."""
        present = [leg for leg in call.stage if leg.is_live]
        behind = [leg for leg in reversed(call.live_legs) if leg not in present]
        for leg in present + behind:
            self._end(leg, _why(leg, by))
        return (present + behind)[0].reason or Reason.API

    def _finish(self, call: Call, reason: Reason) -> None:
        for leg in reversed(call.live_legs):
            self._end(leg, Reason.CALLEE if leg.answered_at else reason)
        self._end_call(call, reason)

    def _close(self, leg: Leg, reason: Reason) -> None:
        leg.state, leg.ended_at, leg.reason = LegState.ENDED, self.clock.now(), reason

    def _end(self, leg: Leg, reason: Reason) -> None:
        self._close(leg, reason)
        self._tell(LegEnded(leg))

    def _end_call(self, call: Call, reason: Reason) -> None:
        call.ended_at, call.reason = self.clock.now(), reason
        self._tell(CallEnded(call))

    def _tell(self, happening: Happening) -> None:
        self.revision += 1
        self._listener(happening)

    def _limit(self, call: Call) -> None:
        """Phones of a call that people steer do not ring for ever; a scripted call says itself how long."""
        if call.by_hand:
            timer = asyncio.ensure_future(self._give_up(list(call.stage)))
            self._timers.add(timer)
            timer.add_done_callback(self._timers.discard)

    async def _give_up(self, legs: list[Leg]) -> None:
        await self.clock.sleep(self._ring_limit_s)
        for leg in legs:
            self.decline(leg, Reason.NO_ANSWER)


def employee_of(leg: Leg) -> Party:
    """The employee's side of a leg: who is called, else who calls."""
    return leg.target if leg.target.extension else leg.source


def _why(leg: Leg, by: Side) -> Reason:
    if by is Side.API:
        return Reason.API
    if leg.state is LegState.RINGING and leg.place is Place.PHONE:
        return Reason.CANCELLED
    calls_himself = bool(leg.source.extension) is (by is Side.EMPLOYEE)
    return Reason.CALLER if calls_himself else Reason.CALLEE
