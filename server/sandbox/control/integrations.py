"""The integrations behind the widgets: their keys for a backend that somebody else wrote, and where amoCRM calls it."""

from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from server.sandbox import integrations
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row

_OWN: Final = "the sandbox's own"
_ADDRESSES: Final = ("redirect_uri", "disable_hook")


async def _list(request: web.Request) -> web.StreamResponse:
    return plain([_show(row) for row in request.app[WORLD].integrations])


async def _put(request: web.Request) -> web.StreamResponse:
    """Members that are not there stay; an empty address is none."""
    world, body = request.app[WORLD], await read_object(request)
    given = {name: _address(name, body[name]) for name in _ADDRESSES if name in body}
    if unknown := body.keys() - given.keys():
        raise Problem(400, f"only {' and '.join(_ADDRESSES)} can be set, not {', '.join(sorted(unknown))}")
    row = integrations.ensure(world, request.match_info["code"])
    return plain(_show(world.integrations.put(row | given)))


def _address(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        is_address = False
    if not is_address:
        raise Problem(400, f"{name} is a whole address: http://localhost:9000/oauth")
    return str(value)


def _show(row: Row) -> Row:
    addresses = {name: row[name] for name in _ADDRESSES}
    return {"widget": row["widget_code"], "client_id": row["id"], "client_secret": row["secret"], **addresses}


ROUTES: Final = [
    Route(
        "GET", "/sandbox/integrations", _list, "keys and addresses of every integration", door="open", fidelity=_OWN
    ),
    Route(
        "PUT", "/sandbox/integrations/{code:[A-Za-z0-9_-]{1,64}}", _put, "addresses of a widget's integration",
        door="open", fidelity=_OWN, body="object",
    ),
]  # fmt: skip
