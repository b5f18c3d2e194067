"""The sandbox's amoCRM as one aiohttp application: API, OAuth, control, and the host page where it exists."""

import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, cast

from aiohttp import ClientSession, web

from server.sandbox import deliveries
from server.sandbox.control import data, integrations, parts, people, watching
from server.sandbox.deliveries import CLIENT
from server.sandbox.legacy import routes as legacy
from server.sandbox.legacy.envelope import is_enveloped, refuse
from server.sandbox.oauth import endpoints
from server.sandbox.page import routes as page
from server.sandbox.rest import (
    account,
    calls,
    catalogs,
    complex_leads,
    customer_settings,
    dictionaries,
    entities,
    events,
    fields,
    followers,
    history,
    links,
    notes,
    pipelines,
    tasks,
    unsorted,
    users,
    webhooks,
)
from server.sandbox.rest.access import ASKER
from server.sandbox.rest.answers import Problem, problem
from server.sandbox.rest.limits import LIMITS, Limits
from server.sandbox.rest.search import FINDER, Finder
from server.sandbox.routes import add_routes
from server.sandbox.widgets import api as widgets_api
from server.sandbox.world import WORLD, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LARGEST: Final = 16 * 2**20  # a batch of 250 entities with everything filled in
_API: Final = ("/api/", "/oauth2/", "/private/", "/ajax/", "/sandbox/", "/v3/")
_QUIET: Final = ("/sandbox/", "/ajax/page/")  # what the tester and the page's own tracing do is no news
_WIDGET: Final = "X-Sandbox-Widget"  # the page says whose request it is, where it can tell
# More exact paths first: `/leads/pipelines` must not be read as a lead's id.
_ROOMS: Final = (
    account, users, pipelines, dictionaries, fields, customer_settings, catalogs, unsorted, complex_leads, notes, links,
    followers, entities, tasks, calls, webhooks, events, history, legacy, widgets_api, endpoints, people, integrations,
    watching, parts, data,
)  # fmt: skip


def make_app(world: World) -> web.Application:
    """The application that serves this world; the caller may add `BACKEND` and `EXCHANGES` before it starts."""
    fail = world.faults.middleware("amocrm")
    merge = web.normalize_path_middleware(append_slash=False, merge_slashes=True)
    app = web.Application(middlewares=[merge, _logged, cast("object", fail), _as_problems], client_max_size=_LARGEST)  # type: ignore[list-item]
    app[WORLD] = world
    app[FINDER] = Finder(world)
    app[LIMITS] = Limits(world.switches)
    for entity_type in ("contacts", "companies"):
        world.entities(entity_type).on_change.append(
            lambda key, kind=entity_type: unsorted.forget_known_callers(world, kind, key)  # type: ignore[misc]
        )
    for room in _ROOMS:
        add_routes(app, room.ROUTES)
    app.cleanup_ctx.append(_outgoing)
    app.cleanup_ctx.append(deliveries.running)
    page.attach(app)
    return app


async def _outgoing(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession() as client:
        app[CLIENT] = client
        yield


@web.middleware
async def _logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note every request of the API with what became of it."""
    started, status = time.perf_counter(), 500
    try:
        answer = await handler(request)
        status = answer.status
        return answer
    finally:
        if request.path.startswith(_API) and not request.path.startswith(_QUIET):
            who = request.get(ASKER)
            widget = request.headers.get(_WIDGET)
            request.app[WORLD].log.note(
                "request",
                method=request.method,
                path=request.path,
                query=request.query_string,
                status=status,
                client=who.client_id if who else None,
                user_id=who.user["id"] if who else None,
                ms=round((time.perf_counter() - started) * 1000, 1),
                **({"widget": widget} if widget else {}),
            )


@web.middleware
async def _as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals as problem+json; what we did not foresee as well, with its trace in the log."""
    if "\0" in request.path:  # refused by the web server before anybody takes it for a file's name
        return problem(Problem(400, "Bad Request"))
    try:
        return await handler(request)
    except Problem as exc:
        return _refusal(request, exc)
    except web.HTTPException as exc:
        if exc.status < 400 or not request.path.startswith(_API):
            raise
        return _refusal(request, Problem(exc.status, exc.reason))
    except ConnectionResetError:
        raise
    except Exception as exc:  # noqa: BLE001  the last resort of a server: tell, log, live on
        request.app[WORLD].log.note("error", path=request.path, message=repr(exc), trace=traceback.format_exc())
        return _refusal(request, Problem(500, "the sandbox has failed; see /sandbox/log"))


def _refusal(request: web.Request, error: Problem) -> web.Response:
    return refuse(request, error) if is_enveloped(request) else problem(error)
