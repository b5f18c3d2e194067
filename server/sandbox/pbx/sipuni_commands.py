"""Sipuni's API methods and what they do to the exchange; who may call them, `sipuni` has checked."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.pbx import sipuni_statistics
from server.sandbox.pbx.exchange import Side
from server.sandbox.pbx.model import Call, Direction, Party, Stage
from server.sandbox.pbx.stand_in import StandIn

Params = Mapping[str, str]

_SHORTEST_ATTEMPT_S: Final = 30  # callAttemptTime of call_tree
_MOST_ROWS: Final = 200_000  # statistic/export/all


class RefusalError(Exception):
    """The vendor says no; the message goes into the answer."""


@dataclass(frozen=True)
class Scheme:
    """A call scheme of the account: whom it rings."""

    id: str
    name: str
    type: str  # 0 incoming, 1 outgoing
    extensions: tuple[str, ...]


SCHEMES: Final = (
    Scheme("000-913898", "Основная", "0", ("201", "202")),
    Scheme("000658610", "Поддержка", "0", ("203",)),
    Scheme("000-913899", "Исходящая", "1", ("201",)),
)


class Commands:
    """The methods by path: each answers what becomes the reply's JSON, or its CSV when it is a text."""

    def __init__(self, pbx: StandIn) -> None:
        self._pbx = pbx
        self.methods: dict[str, Callable[[Params], Any]] = {
            "callback/call_number": self._call_number,
            "callback/call_tree": self._call_tree,
            "callback/call_external": self._call_external,
            "callback/cancel": self._cancel,
            "events/call/hangup": self._hangup,
            "schema/list": self._schemes,
            "statistic/export": self._export,
            "statistic/export/all": self._export_all,
            "statistic/operators": self._operators,
        }

    def _call_number(self, params: Params) -> Any:
        employee = self._employee(params, "sipnumber")
        client = Party(number=_phone(params, "phone"))
        stages = [Stage(client, (employee,)), Stage(employee, (client,))]
        if _required(params, "reverse") == "1":
            stages.reverse()
        return self._ordered(client.number, stages)

    def _call_tree(self, params: Params) -> Any:
        client = Party(number=_phone(params, "phone"))
        caller = self._employee(params, "sipnumber")
        scheme = next((scheme for scheme in SCHEMES if scheme.id == params.get("tree")), None)
        if scheme is None:
            raise RefusalError("tree not found")
        attempt_s = params.get("callAttemptTime")
        if attempt_s is not None and (not attempt_s.isdigit() or int(attempt_s) < _SHORTEST_ATTEMPT_S):
            raise RefusalError("callAttemptTime must be at least 30")
        phones = tuple(Party(extension=extension) for extension in scheme.extensions)
        stages = [Stage(client, phones), Stage(phones[-1], (client,))]
        if params.get("reverse") == "1":
            stages = [Stage(caller, (client,)), Stage(client, phones)]
        return self._ordered(client.number, stages)

    def _call_external(self, params: Params) -> Any:
        first, second = Party(number=_phone(params, "phoneFrom")), Party(number=_phone(params, "phoneTo"))
        stages = [
            Stage(self._employee(params, "sipnumber"), (first,)),
            Stage(self._employee(params, "sipnumber2"), (second,)),
        ]
        return self._ordered(second.number, stages)

    def _ordered(self, client: str, stages: list[Stage]) -> Any:
        order = self._pbx.new_order()
        callbacks = self._pbx.at("order_without_call").callbacks
        if callbacks != "never":
            call = Call(Direction.OUT, client, self._pbx.lines[0], order=order, plan=stages)
            call.by_hand = self._pbx.scripted(callbacks) == "by_hand"
            # The order's id is answered before the PBX has dialled anybody.
            asyncio.get_running_loop().call_soon(self._dial, call)
        return _success(order, self._pbx.knobs.reply_form)

    def _dial(self, call: Call) -> None:
        self._pbx.follow(self._pbx.exchange.place(call))

    def _cancel(self, params: Params) -> Any:
        order = _required(params, "callbackId")
        call = next((call for call in self._pbx.exchange.live if call.order == order), None)
        if call is None:
            raise RefusalError("callback not found")
        self._pbx.exchange.hang_up(call, Side.API)
        return {"success": True}

    def _hangup(self, params: Params) -> Any:
        wanted = _required(params, "callId")
        call = next((call for call in self._pbx.exchange.live if self._pbx.call_id(call) == wanted), None)
        if call is None:
            raise RefusalError("call not found")
        self._pbx.exchange.hang_up(call, Side.API)
        return {"success": True}

    def _schemes(self, params: Params) -> Any:
        wanted = params.get("type") or "0"
        return {
            "data": [
                {"id": scheme.id, "name": scheme.name, "type": scheme.type, "createdAt": "2023-11-01 10:00:00"}
                for scheme in SCHEMES
                if scheme.type == wanted
            ]
        }

    def _export(self, params: Params) -> str:
        return sipuni_statistics.report(self._pbx.exchange.calls.values(), params, self._pbx.knobs)

    def _export_all(self, params: Params) -> str:
        limit, page = _number(params, "limit", _MOST_ROWS), _number(params, "page", _MOST_ROWS)
        calls = [call for call in self._pbx.exchange.calls.values() if not call.is_live]
        if params.get("order") == "desc":
            calls.reverse()
        return sipuni_statistics.whole(calls[(page - 1) * limit : page * limit], self._pbx.knobs)

    def _operators(self, _: Params) -> str:
        rows = [f"{extension};{name};online" for extension, name in self._pbx.listed_employees()]
        return "\n".join(["extension;name;status", *rows]) + "\n"

    def _employee(self, params: Params, name: str) -> Party:
        extension = _required(params, name)
        if not extension.isdigit() or extension in self._pbx.knobs.deleted_extensions.split(","):
            raise RefusalError(f"{name} not found")
        return Party(extension=extension)


def _success(order: str, form: str) -> Any:
    forms: dict[str, Any] = {
        "id": {"success": True, "id": order},
        "callbackId": {"success": True, "callbackId": order},
        "result.callbackId": {"success": True, "result": {"callbackId": order}},
        "result.id": {"success": True, "result": {"id": order}},
        "result": {"result": 1},
        "bare": 1,
    }
    return forms[form]


def _required(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not value:
        raise RefusalError(f"missing {name}")
    return value


def _phone(params: Params, name: str) -> str:
    phone = _required(params, name)
    if not phone.isdigit() or len(phone) < 7:
        raise RefusalError(f"wrong {name}")
    return "7" + phone[1:] if len(phone) == 11 and phone.startswith("8") else phone


def _number(params: Params, name: str, most: int) -> int:
    value = _required(params, name)
    if not value.isdigit() or not 1 <= int(value) <= most:
        raise RefusalError(f"wrong {name}")
    return int(value)
