"""Widgets, faults, the PBXs and the backend: the parts a tester moves."""

from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.sandbox.backend import BACKEND, Backend, BackendError
from server.sandbox.faults import FaultError
from server.sandbox.oauth.tokens import revoke_access
from server.sandbox.pbx.audio import mp3
from server.sandbox.pbx.play import PlayError, play
from server.sandbox.pbx.stand_in import StandIn, audio_response
from server.sandbox.rest.answers import Problem, nothing, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.limits import LIMITS
from server.sandbox.routes import Route
from server.sandbox.widgets import installed
from server.sandbox.widgets.archive import Archive, ArchiveError
from server.sandbox.world import WORLD, Row, World

EXCHANGES: Final = web.AppKey("exchanges", dict[str, StandIn])

_OWN: Final = "the sandbox's own"


async def _widgets(request: web.Request) -> web.StreamResponse:
    return plain([_show(row) for row in request.app[WORLD].widgets])


async def _put_widget(request: web.Request) -> web.StreamResponse:
    body = await read_object(request)
    path, settings, active = body.get("path"), body.get("settings"), body.get("active")
    if not isinstance(settings, dict | None) or not isinstance(active, bool | None):
        raise Problem(400, "settings is an object, active true or false")
    code = request.match_info["code"]
    try:
        if path is not None:
            Archive(Path(str(path))).check()
        if settings is not None:
            installed.forget_settings(request.app[WORLD], code)
        row = await installed.save(
            request.app, code, path=None if path is None else str(path), settings=settings, active=active
        )
    except ArchiveError as exc:
        raise Problem(400, str(exc)) from exc
    return plain(_show(row))


def _show(row: Row) -> Row:
    return {"code": row["id"], "active": row["active"], "settings": row["settings"]}


async def _faults(request: web.Request) -> web.StreamResponse:
    return plain(request.app[WORLD].faults.view())


async def _add_fault(request: web.Request) -> web.StreamResponse:
    world, body = request.app[WORLD], await read_object(request)
    if (
        body.get("kind") == "revoke_token"
        and body.get("target") == "amocrm"
        and not body.keys() & {"n", "path", "rate"}
    ):
        return plain({**body, "revoked": _revoke_all(world)})
    try:
        fault = world.faults.add(body)
    except FaultError as exc:
        raise Problem(400, str(exc)) from exc
    world.log.note("fault", **{f"fault_{name}": value for name, value in body.items()})
    if fault.target == "backend" and fault.kind == "outage" and BACKEND in request.app:
        await _interrupt(request.app[BACKEND], body.get("for_s"))
    return plain(fault.view())


def _revoke_all(world: World) -> int:
    """Every access token dies now; refresh tokens live on, so a good client notices nothing."""
    grants = world.grants.where(alive=True)
    for grant in grants:
        revoke_access(world, grant)
    return len(grants)


async def _interrupt(backend: Backend, for_s: Any) -> None:
    await backend.kill()
    if for_s is not None:
        backend.start_after(float(for_s))


async def _clear_faults(request: web.Request) -> web.StreamResponse:
    request.app[WORLD].faults.clear()
    request.app[LIMITS].forgive()
    return nothing()


async def _call(request: web.Request) -> web.StreamResponse:
    exchange = request.app[EXCHANGES].get(request.match_info["vendor"]) if EXCHANGES in request.app else None
    if exchange is None:
        raise Problem(404, "there is no such PBX in this sandbox")
    try:
        return plain(await play(exchange, await read_object(request)))
    except PlayError as exc:
        raise Problem(400, exc.message, **exc.view()) from exc


async def _backend(request: web.Request) -> web.StreamResponse:
    return plain(_child(request).view())


async def _move_backend(request: web.Request) -> web.StreamResponse:
    backend, body = _child(request), await read_object(request)
    actions = {"kill": backend.kill, "stop": backend.stop, "start": backend.start}
    action = actions.get(str(body.get("action")))
    if action is None:
        raise Problem(400, f"action is one of {', '.join(actions)}")
    try:
        await action()
    except BackendError as exc:
        raise Problem(500, str(exc)) from exc
    return plain(backend.view())


def _child(request: web.Request) -> Backend:
    if BACKEND not in request.app:
        raise Problem(404, "this sandbox runs without a backend")
    return request.app[BACKEND]


async def _recording(request: web.Request) -> web.StreamResponse:
    """What the sample account's talks sound like."""
    return audio_response(request, mp3(float(request.match_info["seconds"])))


def _own(method: str, path: str, handler: Any, summary: str) -> Route:
    body: Any = None if method in ("GET", "DELETE") else "object"
    return Route(method, path, handler, summary, door="open", fidelity=_OWN, body=body)


ROUTES: Final = [
    _own("GET", "/sandbox/widgets", _widgets, "installed widgets"),
    _own("PUT", "/sandbox/widgets/{code:[A-Za-z0-9_-]{1,64}}", _put_widget, "install or edit a widget"),
    _own("GET", "/sandbox/faults", _faults, "faults in force"),
    _own("POST", "/sandbox/faults", _add_fault, "put a fault in force"),
    _own("DELETE", "/sandbox/faults", _clear_faults, "no faults, no blocks any more"),
    _own("POST", "/sandbox/pbx/{vendor}/calls", _call, "let a PBX live through a call"),
    _own("GET", "/sandbox/backend", _backend, "the backend's process"),
    _own("POST", "/sandbox/backend", _move_backend, "kill, stop or start the backend"),
    _own("GET", "/sandbox/recordings/{seconds:\\d{1,4}}.mp3", _recording, "a recording of the sample account"),
]
