"""MANGO OFFICE's commands and what they do to the exchange.

A command is first read (a refusal is the answer to the request), then done beside it; its final code travels in
`/result/…`. Codes: the table of results in the vendor's document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.pbx.exchange import Side, employee_of
from server.sandbox.pbx.mango_events import DONE, Teller, leg_id
from server.sandbox.pbx.model import Call, Direction, Leg, LegState, Party, Place, Stage
from server.sandbox.pbx.stand_in import StandIn

Body = dict[str, Any]

BAD_PARAMETERS: Final = 3100
MISSING_FIELD: Final = 3103
BAD_NUMBER: Final = 3200
NUMBER_NOT_FOUND: Final = 3330
UNSUPPORTED: Final = 4001
NOT_NOW: Final = 4100
CALL_GONE: Final = 4101
ALREADY_RECORDING: Final = 4102


class CodeError(Exception):
    """The vendor refuses; `code` is a result code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True)
class Outcome:
    """The final code of a command, and the call it touched."""

    code: int
    call: Call | None = None


Deed = Callable[[], Outcome]


class Commands:
    """Reads a command's JSON and answers with the deed; raises `CodeError` when there can be none."""

    def __init__(self, pbx: StandIn, teller: Teller, recorded: Callable[[Leg, str], None]) -> None:
        self._pbx = pbx
        self._teller = teller
        self._recorded = recorded
        self.readers: dict[str, Callable[[Body], Deed]] = {
            "commands/callback": self._callback,
            "commands/callback_group": self._callback_group,
            "commands/call/hangup": self._hangup,
            "commands/route": self._route,
            "commands/transfer": self._transfer,
            "commands/recording/start": self._start_recording,
        }

    def _callback(self, body: Body) -> Deed:
        sender = body.get("from")
        if not isinstance(sender, dict):
            raise CodeError(MISSING_FIELD)
        employee = Party(extension=self._extension(text(sender, "extension")))
        callee = self._party(text(body, "to_number"))
        if callee.extension:
            stages = [Stage(callee, (employee,)), Stage(employee, (callee,))]
            return self._order(Direction.INTERNAL, stages, body)
        stages = [Stage(callee, (employee,)), Stage(employee, (callee,))]
        return self._order(Direction.OUT, stages, body)

    def _callback_group(self, body: Body) -> Deed:
        first, second, line = text(body, "from"), text(body, "to"), text(body, "line_number")
        group, number = (first, second) if first in self._pbx.groups else (second, first)
        if group not in self._pbx.groups or line not in self._pbx.lines:
            raise CodeError(NUMBER_NOT_FOUND)
        client = Party(number=_digits(number))
        phones = tuple(Party(extension=extension) for extension in self._pbx.groups[group])
        stages = [Stage(client, phones, group=group, queue=True), Stage(phones[-1], (client,))]
        if group == second:
            stages = [Stage(phones[-1], (client,)), Stage(client, phones, group=group, queue=True)]
        return self._order(Direction.OUT, stages, body)

    def _order(self, direction: Direction, stages: list[Stage], body: Body) -> Deed:
        client = next((stage.targets[0].number for stage in stages if stage.targets[0].number), "")
        order = text(body, "command_id")
        line = str(body.get("line_number") or self._pbx.lines[0])

        def deed() -> Outcome:
            callbacks = self._pbx.at("order_without_call").callbacks
            if callbacks == "never":
                return Outcome(DONE)
            by_hand = self._pbx.scripted(callbacks) == "by_hand"
            call = Call(direction, client, line, order=order, by_hand=by_hand, plan=stages)
            self._pbx.exchange.place(call)
            self._pbx.follow(call)
            return Outcome(DONE, call)

        return deed

    def _hangup(self, body: Body) -> Deed:
        wanted = text(body, "call_id")

        def deed() -> Outcome:
            leg = self._live_leg(wanted)
            if leg is None:
                return Outcome(CALL_GONE)
            self._pbx.exchange.hang_up(leg.call, Side.API)
            return Outcome(DONE, leg.call)

        return deed

    def _route(self, body: Body) -> Deed:
        wanted, number, command = text(body, "call_id"), text(body, "to_number"), text(body, "command_id")
        group = self._pbx.groups.get(number, ())
        targets = tuple(Party(extension=extension) for extension in group) or (self._party(number),)

        def deed() -> Outcome:
            leg = self._live_leg(wanted)
            if leg is None:
                return Outcome(CALL_GONE)
            if leg.state is not LegState.RINGING:
                return Outcome(NOT_NOW, leg.call)
            stage = Stage(leg.source, targets, group=number if group else "", queue=bool(group))
            self._pbx.exchange.ring(leg.call, stage, command=command)
            return Outcome(DONE, leg.call)

        return deed

    def _transfer(self, body: Body) -> Deed:
        wanted, method, command = text(body, "call_id"), text(body, "method"), text(body, "command_id")
        target, initiator = self._party(text(body, "to_number")), text(body, "initiator")
        actions = {"blind": self._pbx.exchange.transfer, "hold": self._pbx.exchange.consult}
        if method not in actions:
            raise CodeError(BAD_PARAMETERS)

        def deed() -> Outcome:
            leg = self._live_leg(wanted)
            if leg is None:
                return Outcome(CALL_GONE)
            if leg.state is not LegState.TALKING or leg.call.talk is not leg:
                return Outcome(NOT_NOW, leg.call)
            if initiator != employee_of(leg).extension:
                return Outcome(NUMBER_NOT_FOUND, leg.call)
            actions[method](leg, target, command=command)
            return Outcome(DONE, leg.call)

        return deed

    def _start_recording(self, body: Body) -> Deed:
        wanted, number = text(body, "call_id"), text(body, "call_party_number")

        def deed() -> Outcome:
            leg = self._live_leg(wanted)
            if leg is None or leg.place is not Place.PHONE:
                return Outcome(CALL_GONE)
            if self._teller.is_recorded(leg.call):
                return Outcome(ALREADY_RECORDING, leg.call)
            parties = {leg.source.extension, leg.source.number, leg.target.extension, leg.target.number}
            if number not in parties:
                return Outcome(NUMBER_NOT_FOUND, leg.call)
            if leg.call.talk is not leg:
                return Outcome(NOT_NOW, leg.call)
            leg.call.record = True
            self._recorded(leg, text(body, "command_id"))
            return Outcome(DONE, leg.call)

        return deed

    def _live_leg(self, wanted: str) -> Leg | None:
        live = (leg for call in self._pbx.exchange.live for leg in call.live_legs)
        return next((leg for leg in live if leg_id(leg) == wanted), None)

    def _extension(self, extension: str) -> str:
        if not extension.isdigit() or extension in self._pbx.knobs.deleted_extensions.split(","):
            raise CodeError(NUMBER_NOT_FOUND)
        return extension

    def _party(self, number: str) -> Party:
        """An extension of up to six digits, else an outside number."""
        if number.isdigit() and len(number) <= 6:
            return Party(extension=self._extension(number))
        return Party(number=_digits(number))


def text(body: Body, name: str) -> str:
    """A required text member. Raises `CodeError`: the member is missing, or not a text."""
    value = body.get(name)
    if value in (None, ""):
        raise CodeError(MISSING_FIELD)
    if not isinstance(value, str):
        raise CodeError(BAD_PARAMETERS)
    return value


def _digits(number: str) -> str:
    bare = number.removeprefix("+")
    if not bare.isdigit() or len(bare) < 7:
        raise CodeError(BAD_NUMBER)
    return bare
