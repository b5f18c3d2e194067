"""The application: every door on one router, errors and CORS around them."""

from aiohttp import web

from . import admin, api, crm, health, hooks, journal, recordings, socket
from .console import calls as console
from .console import enter
from .desk import DESK, Desk
from .guard import MOST_BODY_BYTES, cors, errors

ROOMS = (hooks, api, admin, socket, crm, recordings, journal, enter, console, health)


def build(desk: Desk) -> web.Application:
    """The application over a filled desk."""
    app = web.Application(middlewares=[cors, errors], client_max_size=MOST_BODY_BYTES)
    app[DESK] = desk
    for room in ROOMS:
        app.add_routes(room.routes)
    return app
