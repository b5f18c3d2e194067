"""`POST /api/v2/events`: the only server-side way to show an incoming call."""

import uuid
from typing import Any, Final

from aiohttp import web

from server.sandbox.notifications import call_payload, push
from server.sandbox.rest.answers import Problem, hal
from server.sandbox.rest.bodies import read_any
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import FINDER
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_PATH: Final = "/api/v2/events"


async def _call_event(request: web.Request) -> web.StreamResponse:
    body = await read_any(request)
    items = body.get("add") if isinstance(body, dict) else None
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Problem(400, "add must be a list of events")
    world = request.app[WORLD]
    for item in items:
        if item.get("type") != "phone_call" or not item.get("phone_number"):
            raise Problem(400, "an event has type phone_call and a phone_number")
    made = [_notify(request, str(item["phone_number"]), _users(world, item.get("users"))) for item in items]
    return hal({"_links": {"self": {"href": _PATH, "method": "post"}}, "_embedded": {"items": made}})


def _users(world: World, given: Any) -> list[int]:
    """Whom to show it to: an array, a number or a string; nobody named means everybody."""
    if given in (None, "", []):
        return [user["id"] for user in world.users if user["rights"]["is_active"]]
    values = given if isinstance(given, list) else str(given).split(",")
    return [number for value in values if (number := whole(value)) in world.users and number is not None]


def _notify(request: web.Request, phone: str, users: list[int]) -> Row:
    world = request.app[WORLD]
    found = request.app[FINDER].of_call(phone, world.switches["event_digits"])
    if world.switches["events_reach"] == "notification":
        for user_id in users:
            push(world, user_id, call_payload(world, phone=phone, entity=found), source="api")
    return {
        "element_id": found[1]["id"] if found else None,
        "element_type": NOUNS[found[0]].type_id if found else None,
        "uid": str(uuid.uuid4()),
        "phone_number": phone,
    }


_FIDELITY: Final = "switch: event_digits, events_reach"
ROUTES: Final = [
    Route(
        "POST", _PATH, _call_event, "show an incoming call to users", fidelity=_FIDELITY, body="object", or_slash=True
    ),
]
