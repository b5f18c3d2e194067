"""`/private/api/v2/json/{contacts, company, leads, customers, notes, tasks}/{list, set}`: the API's second generation.

A request is `{"request": {"<noun>": {"add", "update"}}}`. Companies are called contacts in it, as in webhooks; the
answer about customers has one level more.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.legacy.asked import items_of, read_list, texts
from server.sandbox.legacy.envelope import message_of, respond
from server.sandbox.legacy.older import SHOWN
from server.sandbox.legacy.v2 import KINDS, Kind
from server.sandbox.legacy.writes import Done
from server.sandbox.rest.answers import Problem, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row

_PATHS: Final = {"companies": "company"}
_KEYS: Final = {"companies": "contacts"}


async def _list(kind: Kind, request: web.Request) -> web.StreamResponse:
    asked, world = read_list(request), request.app[WORLD]
    kinds = _asked_kinds(kind, texts(asked.values.get("type")))
    rows = [(one.name, row) for one in kinds for row in one.found(request, asked)]
    shown = [SHOWN[name](world, row) for name, row in asked.page(rows)]
    return respond(request, {_key(kind): shown}) if shown else nothing()


def _asked_kinds(kind: Kind, types: Sequence[object]) -> list[Kind]:
    """`contacts/list?type=company` shows companies, `type=all` both."""
    if kind.name != "contacts" or not types:
        return [kind]
    names = {"all": ("contacts", "companies"), "company": ("companies",)}.get(str(types[0]), ("contacts",))
    return [KINDS[name] for name in names]


async def _set(kind: Kind, request: web.Request) -> web.StreamResponse:
    body = await read_object(request)
    inner = body.get("request", body)
    asked = inner.get(_key(kind), inner.get(kind.name)) if isinstance(inner, dict) else None
    if not isinstance(asked, dict) or not asked.keys() & {"add", "update"}:
        raise Problem(400, f"request.{_key(kind)} with add or update is required")
    fresh, known = items_of(asked, "add"), items_of(asked, "update")
    told: Row = {}
    if "add" in asked:
        told["add"] = _told(kind, kind.add(request, fresh), with_ids=True)
    if "update" in asked:
        told["update"] = _told(kind, kind.change(request, known), with_ids=False)
    return respond(request, {_key(kind): told})


def _told(kind: Kind, done: Done, *, with_ids: bool) -> Row | list[Row]:
    """A list, or with errors among it an object as PHP made of a list with one named member."""
    rows: list[Row] = [
        {"id": row["id"], "request_id": request_id}
        if with_ids
        else {"id": row["id"], "last_modified": row["updated_at"]}
        for row, request_id in done.rows
    ]
    errors = {str(name): message_of(error) for name, error in done.errors}
    if kind.name == "customers":
        return {"customers": rows, "errors": errors or []}
    return {**{str(place): row for place, row in enumerate(rows)}, "errors": errors} if errors else rows


def _key(kind: Kind) -> str:
    return _KEYS.get(kind.name, kind.name)


_QUERY: Final = ("id", "query", "responsible_user_id", "type", "element_id", "limit_rows", "limit_offset", "filter")


def _routes(kind: Kind) -> list[Route]:
    path, words = f"/private/api/v2/json/{_PATHS.get(kind.name, kind.name)}", kind.fidelity
    listed, set_ = partial(_list, kind), partial(_set, kind)
    return [
        Route("GET", f"{path}/list", listed, f"list {kind.name}", fidelity=words, query=_QUERY, or_slash=True),
        Route("POST", f"{path}/set", set_, f"add and update {kind.name}", fidelity=words, body="object", or_slash=True),
    ]


ROUTES: Final = [route for kind in KINDS.values() for route in _routes(kind)]
