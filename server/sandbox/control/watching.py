"""What happened, what the API is, and how amoCRM answers where nobody documented it."""

from typing import Final

from aiohttp import web

from server.sandbox.openapi import describe
from server.sandbox.rest.answers import Problem, nothing, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.routes import Route
from server.sandbox.switches import SwitchError
from server.sandbox.world import WORLD

_OWN: Final = "the sandbox's own"


async def _log(request: web.Request) -> web.StreamResponse:
    return plain(request.app[WORLD].log.entries(request.query.get("kind")))


async def _clear_log(request: web.Request) -> web.StreamResponse:
    request.app[WORLD].log.clear()
    return nothing()


async def _openapi(request: web.Request) -> web.StreamResponse:
    return plain(describe(request.app))


async def _switches(request: web.Request) -> web.StreamResponse:
    return plain(request.app[WORLD].switches.view())


async def _turn(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    try:
        world.switches.set(await read_object(request))
    except SwitchError as exc:
        raise Problem(400, str(exc)) from exc
    world.signals.emit(f"system:state:{world.account['id']}", {"core_version": world.switches["core_version"]})
    return plain(world.switches.view())


ROUTES: Final = [
    Route("GET", "/sandbox/log", _log, "what was seen", door="open", fidelity=_OWN, query=("kind",)),
    Route("DELETE", "/sandbox/log", _clear_log, "forget what was seen", door="open", fidelity=_OWN),
    Route("GET", "/sandbox/openapi.json", _openapi, "description of the API", door="open", fidelity=_OWN),
    Route("GET", "/sandbox/switches", _switches, "every switch with its value", door="open", fidelity=_OWN),
    Route("PUT", "/sandbox/switches", _turn, "turn switches", door="open", fidelity=_OWN, body="object"),
]
