"""Calls, the earlier ways: `POST /api/v2/calls`, and the queue of `/api/calls/add/` before it.

The queue took a call whether its number was known or not, and tried for 18 hours to find it an entity.
"""

from typing import Final

from aiohttp import web

from server.sandbox.legacy.asked import items_of, moment
from server.sandbox.legacy.envelope import message_of, respond
from server.sandbox.rest import calls
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, hal
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import FINDER
from server.sandbox.rest.writing import Refusals
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_PATH: Final = "/api/v2/calls"
_NOT_FOUND: Final = 263


async def _create(request: web.Request) -> web.StreamResponse:
    made: list[Row] = []
    errors: list[Row] = []
    for item in _calls_in(await read_object(request)):
        try:
            made.append(_show(item, _log(request, _call(request.app[WORLD], item))))
        except Problem as exc:
            code = exc.status if exc.status != 404 else _NOT_FOUND
            errors.append({"msg": message_of(exc), "code": code, "item": item})
    embedded: Row = {"items": made} | ({"errors": errors} if errors else {})
    return hal({"_links": {"self": _PATH, "method": "post"}, "_embedded": embedded})


def _calls_in(body: Row) -> list[Row]:
    items = items_of(body, "add")
    if not items:
        raise Problem(400, "add must be a list of calls")
    return items


def _call(world: World, item: Row) -> Row:
    """The call as /api/v4 takes it; without a creator it is the administrator's."""
    admin = next((user["id"] for user in world.users if user["rights"]["is_admin"]), 0)
    times: Row = {name: moment(world, item[name]) for name in ("created_at", "updated_at") if name in item}
    usual = {"duration": 0, "source": "", "created_by": admin}
    given = {name: value for name, value in item.items() if value not in (None, "")}
    return {**usual, **given, **times, "phone": item.get("phone_number", item.get("phone"))}


def _log(request: web.Request, call: Row) -> Row:
    """The call's note. Raises `Invalid`, and `Problem` 404 when nobody has the number."""
    refusals = Refusals()
    calls.check({**call, "source": call["source"] or "-"}, refusals.of("0"))
    refusals.settle()
    world = request.app[WORLD]
    found = request.app[FINDER].of_call(str(call["phone"]), world.switches["calls_digits"])
    if found is None:
        raise Problem(404, "Entity not found")
    return calls.log(world, *found, call, user_id=asker(request).user["id"])


def _show(item: Row, note: Row) -> Row:
    noun = NOUNS[note["entity_type"]]
    path = f"/api/v2/notes?id={note['id']}&type={noun.singular}"
    return {
        "id": note["id"],
        "element_id": note["entity_id"],
        "element_type": noun.type_id,
        "phone_number": str(item.get("phone_number", item.get("phone"))),
        "_links": {"self": path, "method": "get"},
    }


async def _queue(request: web.Request) -> web.StreamResponse:
    body = await read_object(request)
    inner = body.get("request")
    taken: list[str] = []
    errors: list[Row] = []
    for item in _calls_in(inner if isinstance(inner, dict) else body):
        try:
            taken.append(_take(request, item))
        except Problem as exc:
            errors.append({"uuid": item.get("uuid"), "error": message_of(exc)})
    return respond(request, {"calls": {"add": {"success": taken, "errors": errors}}})


def _take(request: web.Request, item: Row) -> str:
    """Log one call of the queue; one whose number nobody has is taken as well. Raises `Invalid`."""
    is_inbound = item.get("type") == "inbound"
    call = {
        "direction": item.get("type"),
        "phone": item.get("caller" if is_inbound else "to"),
        "call_responsible": item.get("to" if is_inbound else "caller"),
        "uniq": item.get("uuid"),
        "duration": item.get("billsec") or 0,
        "link": item.get("link"),
        "source": request.query.get("code", ""),
        "created_at": whole(item.get("date")),
    }
    try:
        _log(request, call)
    except Problem as exc:
        if exc.status != 404:
            raise
    return str(item.get("uuid"))


ROUTES: Final = [
    Route(
        "POST",
        _PATH,
        _create,
        "log calls by number, the earlier way",
        fidelity="switch: calls_uniq, calls_digits",
        body="object",
        or_slash=True,
    ),
    Route(
        "POST",
        "/api/calls/add",
        _queue,
        "log calls through the queue; nothing is tried again",
        fidelity="switch: calls_uniq, calls_digits",
        query=("code", "key"),
        body="object",
        or_slash=True,
    ),
]
