"""Logging calls: `POST /api/v4/calls`. amoCRM looks for the entity itself and answers 400 when nobody is found."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, hal, link, problem
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.notes import write_note
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import FINDER
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_NOT_FOUND: Final = 263  # amoCRM's number for "no entity with this phone"
_STATUSES: Final = range(1, 9)
_DIRECTIONS: Final = {"inbound": "call_in", "outbound": "call_out"}

_Refuse = Callable[[str, str, str], None]


async def _create(request: web.Request) -> web.StreamResponse:
    world, user = request.app[WORLD], asker(request).user
    items, refusals = await read_items(request), Refusals()
    for position, item in enumerate(items):
        check(item, refusals.of(request_id_of(item, position)))
    refusals.settle()
    calls: list[Row] = []
    errors: list[Row] = []
    for position, item in enumerate(items):
        request_id = request_id_of(item, position)
        found = request.app[FINDER].of_call(str(item["phone"]), world.switches["calls_digits"])
        if found is None:
            detail = "Entity not found"
            errors.append({"title": detail, "status": _NOT_FOUND, "detail": detail, "request_id": request_id})
        else:
            note = log(world, *found, item, user_id=user["id"])
            calls.append(_show(request, note, request_id))
    return _answer(world, calls, errors)


def _answer(world: World, calls: list[Row], errors: list[Row]) -> web.Response:
    body: Row = {"_total_items": len(calls), "errors": errors, "_embedded": {"calls": calls}}
    if errors and (not calls or world.switches["calls_mixed_batch"] == 400):
        refusal = Problem(400, "Entity not found")
        refusal.body = body
        return problem(refusal)
    return hal(body)


def check(item: Row, refuse: _Refuse) -> None:
    """Refuse what amoCRM refuses of one call."""
    for name in ("direction", "duration", "source", "phone"):
        if item.get(name) in (None, ""):
            refuse("FieldMissing", name, "This field is missing.")
    if item.get("direction") and item["direction"] not in ("inbound", "outbound"):
        refuse("NotSupportedChoice", "direction", "The value you selected is not a valid choice.")
    if item.get("duration") is not None and (whole(item["duration"]) is None or whole(item["duration"]) < 0):  # type: ignore[operator]
        refuse("InvalidType", "duration", "This value should be of type int.")
    if item.get("phone") is not None and not isinstance(item["phone"], str | int):
        refuse("InvalidType", "phone", "This value should be of type string.")
    if item.get("call_status") is not None and whole(item["call_status"]) not in _STATUSES:
        refuse("NotSupportedChoice", "call_status", "The value you selected is not a valid choice.")


def log(world: World, entity_type: str, entity: Row, item: Row, *, user_id: int) -> Row:
    """The call's note: written once, or once per uniq where the switch says so."""
    uniq = item.get("uniq")
    if uniq and world.switches["calls_uniq"] == "dedupe":
        known = (n for n in world.notes if n["note_type"] in _DIRECTIONS.values() and n["params"].get("uniq") == uniq)
        if (first := next(known, None)) is not None:
            return first
    now, created_by = world.now(), _creator(world, item)
    responsible = whole(item.get("responsible_user_id"))
    note = {
        "entity_id": entity["id"],
        "note_type": _DIRECTIONS[item["direction"]],
        "created_by": created_by,
        "updated_by": whole(item.get("updated_by")) or created_by,
        "created_at": whole(item.get("created_at")) or now,
        "updated_at": whole(item.get("updated_at")) or now,
        "responsible_user_id": entity["responsible_user_id"] if responsible is None else responsible,
        "group_id": entity["group_id"],
        "params": _params(item),
        "visible_from": world.clock() + world.switches["note_visible_after_s"],
    }
    return write_note(world, entity_type, note, user_id=user_id)


def _creator(world: World, item: Row) -> int:
    """Whose call it is in the statistics: the named user, else the robot (0)."""
    for name in ("created_by", "call_responsible"):
        number = whole(item.get(name))
        if number in world.users:
            return int(number or 0)
    return 0


def _params(item: Row) -> dict[str, Any]:
    names = ("uniq", "source", "link", "phone", "call_responsible", "call_result")
    params: dict[str, Any] = {name: item.get(name) for name in names}
    params["phone"] = str(item["phone"])
    params["duration"] = whole(item["duration"])
    params["call_status"] = whole(item.get("call_status"))
    return params


def _show(request: web.Request, note: Row, request_id: Any) -> Row:
    entity_type, entity_id = note["entity_type"], note["entity_id"]
    return {
        "id": note["id"],
        "entity_id": entity_id,
        "entity_type": NOUNS[entity_type].singular,
        "account_id": request.app[WORLD].account["id"],
        "request_id": request_id,
        "_embedded": {"entity": {"id": entity_id, "_links": link(request, f"/api/v4/{entity_type}/{entity_id}")}},
    }


ROUTES: Final = [
    Route(
        "POST",
        "/api/v4/calls",
        _create,
        "log calls by number",
        fidelity="switch: calls_mixed_batch, calls_uniq, calls_digits",
        body="array",
    ),
]
