"""What a route of the sandbox is: one row that serves the request, describes it in OpenAPI and lists it in the docs.

Each room exports `ROUTES`; `add_routes` puts them into an application behind the right door. No other way in exists, so
the description cannot fall behind the code.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

from server.sandbox.rest.access import enter, enter_page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Door = Literal["api", "page", "open"]

ID: Final = r"{id:\d{1,15}}"  # of an entity; longer numbers are no ids anywhere
ROUTES_SEEN: Final = web.AppKey("routes_seen", list["Route"])


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    `door`: api = Bearer token or page session, page = page session only, open = anybody. `fidelity` is what the docs
    say: `as amoCRM`, or `switch: <names>` where its behaviour hangs on switches.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    door: Door = "api"
    fidelity: str = "as amoCRM"
    query: tuple[str, ...] = ()
    body: Literal["array", "object", "form"] | None = None
    or_slash: bool = False  # the same address with a slash at its end


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Serve these routes and remember them for the description."""
    seen = app.setdefault(ROUTES_SEEN, [])
    for route in routes:
        is_loose = route.or_slash or route.path.startswith("/api/v4/")  # several clients end every address with a slash
        for end in ("", "/") if is_loose else ("",):
            app.router.add_route(route.method, route.path + end, _behind(route))
        seen.append(route)


def _behind(route: Route) -> Handler:
    if route.door == "open":
        return route.handler
    door = enter if route.door == "api" else enter_page

    async def entered(request: web.Request) -> web.StreamResponse:
        door(request)
        return await route.handler(request)

    return entered
