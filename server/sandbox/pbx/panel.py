"""The stand-in's own pages: the phone page with its API, and the switches under `/sandbox/`.

GET  /phone                    the page
GET  /phone/api/state?after=R  calls, phones and webhooks; waits up to 20 s while nothing is newer than R
POST /phone/api/calls          a call as `play` takes it (the page asks for the scenario by_hand)
POST /phone/api/actions        {"call", "leg"?, "action": answer|reject|hang_up|transfer|consult|keys, "by"?, "to"?}
GET/PUT/DELETE /sandbox/knobs  see `knobs`
GET/PUT /sandbox/settings      {"hook", "base_url", "lines"}
GET  /sandbox/calls            all calls, as the page's state tells of the last ones
POST /sandbox/calls            as `play`
POST /sandbox/check            the vendor's own connection check
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.sandbox.pbx.exchange import Side
from server.sandbox.pbx.knobs import KnobError, Knobs, turned, view
from server.sandbox.pbx.model import Call, Leg, LegState, Party, Place, Reason
from server.sandbox.pbx.play import PlayError, play
from server.sandbox.pbx.stand_in import StandIn

_FILES: Final = Path(__file__).parent / "phone"
_POLL_S: Final = 20.0  # below the 30 s after which proxies give up
_STEP_S: Final = 0.1
_SHOWN_CALLS: Final = 12
_SHOWN_HOOKS: Final = 60


def routes(pbx: StandIn) -> Sequence[web.AbstractRouteDef]:
    """The routes of one stand-in's own pages."""
    panel = _Panel(pbx)
    return (
        web.get("/", panel.to_phone),
        web.get("/phone", panel.page),
        web.static("/phone/files", _FILES),
        web.get("/phone/api/state", panel.state),
        web.post("/phone/api/calls", panel.call),
        web.post("/phone/api/actions", panel.act),
        web.get("/sandbox/knobs", panel.knobs),
        web.put("/sandbox/knobs", panel.turn_knobs),
        web.delete("/sandbox/knobs", panel.reset_knobs),
        web.get("/sandbox/settings", panel.settings),
        web.put("/sandbox/settings", panel.set_settings),
        web.get("/sandbox/calls", panel.calls),
        web.post("/sandbox/calls", panel.call),
        web.post("/sandbox/check", panel.check),
    )


class _Panel:
    def __init__(self, pbx: StandIn) -> None:
        self._pbx = pbx

    async def to_phone(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("/phone")

    async def page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(_FILES / "index.html")

    async def state(self, request: web.Request) -> web.Response:
        """Long poll: the page is up to date the moment something rings."""
        loop = asyncio.get_running_loop()
        after = request.query.get("after", "")
        until = loop.time() + _POLL_S
        while after == self._revision() and loop.time() < until and not self._is_gone(request):
            self._pbx.watch()
            await asyncio.sleep(_STEP_S)
        self._pbx.watch()
        return web.json_response(self._state())

    async def call(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await play(self._pbx, await _body(request)), status=201)
        except PlayError as error:
            return web.json_response({"error": error.view()}, status=400)

    async def act(self, request: web.Request) -> web.Response:
        body = await _body(request)
        call = self._pbx.exchange.calls.get(body.get("call", 0))
        if call is None:
            return _error("call_gone", "there is no such call", "reload the page", status=404)
        leg = next((leg for leg in call.live_legs if leg.serial == body.get("leg")), None)
        done = self._call_action(call, body) or (leg is not None and self._leg_action(leg, body))
        if not done:
            return _error("not_now", "this cannot be done to the call now", "look at the call's state", status=409)
        return web.json_response({"done": True})

    def _call_action(self, call: Call, body: dict[str, Any]) -> bool:
        action = body.get("action")
        if action == "hang_up" and body.get("by") in ("client", "employee"):
            self._pbx.exchange.hang_up(call, Side(body["by"]))
            return True
        if action == "keys" and call.live_legs and call.legs[0].place is Place.IVR:
            self._pbx.press_keys(call, str(body.get("to", "")))
            return True
        return False

    def _leg_action(self, leg: Leg, body: dict[str, Any]) -> bool:
        exchange, action, to = self._pbx.exchange, body.get("action"), str(body.get("to", ""))
        target = Party(extension=to) if len(to) <= 6 else Party(number=to)
        if action in ("answer", "reject") and leg.state is LegState.RINGING:
            exchange.answer(leg) if action == "answer" else exchange.decline(leg, Reason.REJECTED)
        elif action in ("transfer", "consult") and leg.call.talk is leg and to.isdigit():
            (exchange.transfer if action == "transfer" else exchange.consult)(leg, target)
        else:
            return False
        return True

    async def knobs(self, _: web.Request) -> web.Response:
        return web.json_response(view(self._pbx.knobs))

    async def turn_knobs(self, request: web.Request) -> web.Response:
        try:
            self._pbx.knobs = turned(self._pbx.courier.turned, await _body(request))
        except KnobError as error:
            return _error("bad_knob", str(error), "GET /sandbox/knobs shows all of them")
        return web.json_response(view(self._pbx.knobs))

    async def reset_knobs(self, _: web.Request) -> web.Response:
        self._pbx.knobs = Knobs()
        return web.json_response(view(self._pbx.knobs))

    async def settings(self, _: web.Request) -> web.Response:
        pbx = self._pbx
        return web.json_response({"hook": pbx.hook, "base_url": pbx.base_url, "lines": list(pbx.lines)})

    async def set_settings(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if "hook" in body:
            self._pbx.hook = str(body["hook"])
        if "base_url" in body:
            self._pbx.base_url = str(body["base_url"]).rstrip("/")
        if body.get("lines"):
            self._pbx.lines = tuple(str(line) for line in body["lines"])
        return await self.settings(request)

    async def calls(self, _: web.Request) -> web.Response:
        calls = [_call_view(self._pbx, call) for call in self._pbx.exchange.calls.values()]
        return web.json_response({"calls": calls})

    async def check(self, _: web.Request) -> web.Response:
        self._pbx.check_connection()
        return web.json_response({"sent": bool(self._pbx.hook)})

    def _is_gone(self, request: web.Request) -> bool:
        """Whether nobody waits for this poll any more: the page was closed, or we are to stop."""
        return self._pbx.is_stopping or request.transport is None or request.transport.is_closing()

    def _revision(self) -> str:
        return f"{self._pbx.exchange.revision}.{self._pbx.courier.revision}"

    def _state(self) -> dict[str, Any]:
        pbx = self._pbx
        calls = list(pbx.exchange.calls.values())[-_SHOWN_CALLS:]
        return {
            "revision": self._revision(),
            "vendor": pbx.vendor,
            "now": pbx.clock.now(),
            "lines": list(pbx.lines),
            "employees": [{"extension": extension, "name": name} for extension, name in pbx.employees.items()],
            "groups": {group: list(extensions) for group, extensions in pbx.groups.items()},
            "hook": pbx.hook,
            "suspended": pbx.courier.suspended,
            "calls": [_call_view(pbx, call) for call in reversed(calls)],
            "webhooks": list(pbx.courier.sent)[: -_SHOWN_HOOKS - 1 : -1],
        }


def _call_view(pbx: StandIn, call: Call) -> dict[str, Any]:
    return {
        "call": call.serial,
        "call_id": pbx.call_id(call),
        "direction": call.direction,
        "client": call.client,
        "line": call.line,
        "is_live": call.is_live,
        "by_api": bool(call.order),
        "started_at": call.started_at,
        "talk_started_at": call.talk_started_at,
        "ended_at": call.ended_at,
        "reason": call.reason,
        "legs": [_leg_view(leg) for leg in call.legs],
    }


def _leg_view(leg: Leg) -> dict[str, Any]:
    return {
        "leg": leg.serial,
        "place": leg.place,
        "state": leg.state,
        "source": leg.source.extension or leg.source.number,
        "extension": leg.target.extension,
        "number": leg.target.number,
        "is_talk": leg.call.talk is leg,
        "answered_at": leg.answered_at,
        "reason": leg.reason,
    }


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError as exc:
        raise web.HTTPBadRequest(text="the body is not JSON") from exc
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _error(slug: str, message: str, cure: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": {"slug": slug, "message": message, "cure": cure}}, status=status)
