"""`GET /api/v4/events`: what happened to entities, read only. Not to be confused with the call notices of
/api/v2/events.
"""

import uuid
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import hal, link, nothing
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import keep, page_answer, read_query
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PATH: Final = "/api/v4/events"
_MOST: Final = 100
_ENTITY_EVENTS: Final = {
    ("add", "contacts"): "contact_added",
    ("add", "companies"): "company_added",
    ("add", "leads"): "lead_added",
    ("add", "customers"): "customer_added",
    ("add", "tasks"): "task_added",
    ("delete", "contacts"): "contact_deleted",
    ("delete", "companies"): "company_deleted",
    ("delete", "leads"): "lead_deleted",
    ("status", "leads"): "lead_status_changed",
}
_NOTE_EVENTS: Final = {
    "common": "common_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "service_message": "service_note_added",
}


def record(world: World, change: Row) -> None:
    """Keep a change as an event, where amoCRM has one for it."""
    kind, after, before = _told(change)
    if kind is None:
        return
    row: Row = change["row"]
    world.events.add(
        {
            "id": uuid.uuid4().hex[:26],
            "type": kind,
            "entity_id": row["id"],
            "entity_type": change["entity_type"],
            "created_by": change["user_id"],
            "created_at": world.now(),
            "value_after": after,
            "value_before": before,
        }
    )


def _told(change: Row) -> tuple[str | None, list[Row], list[Row]]:
    """The event's type, and its values after and before."""
    action, row = change["action"], change["row"]
    if action == "note":
        return _NOTE_EVENTS.get(change["note"]["note_type"]), [{"note": {"id": change["note"]["id"]}}], []
    if action == "responsible":
        after, before = row["responsible_user_id"], change["old_responsible_user_id"]
        return "entity_responsible_changed", [_responsible(after)], [_responsible(before)]
    kind = _ENTITY_EVENTS.get((action, change["entity_type"]))
    if action == "status":
        old = {"id": change["old_status_id"], "pipeline_id": change["old_pipeline_id"]}
        new = {"id": row["status_id"], "pipeline_id": row["pipeline_id"]}
        return kind, [{"lead_status": new}], [{"lead_status": old}]
    return kind, [], []


def _responsible(user_id: int) -> Row:
    return {"responsible_user": {"id": user_id}}


async def _list(request: web.Request) -> web.StreamResponse:
    query = read_query(request, most=_MOST)
    filters = dict(query.filters)
    if "entity" in filters:  # the documented name; its values are singular, as in the answer
        filters["entity_type"] = [_plural(name) for name in _as_list(filters.pop("entity"))]
    rows = keep(_visible(request), filters, ("id", "type", "entity_type", "entity_id", "created_at", "created_by"))
    rows = list(reversed(rows))
    return page_answer(request, query, rows=rows, name="events", view=partial(_show, request))


async def _one(request: web.Request) -> web.StreamResponse:
    found = [row for row in _visible(request) if row["id"] == request.match_info["id"]]
    return hal(_show(request, found[0])) if found else nothing()


def _visible(request: web.Request) -> list[Row]:
    world, user = request.app[WORLD], asker(request).user

    def may_see(row: Row) -> bool:
        if row["entity_type"] not in ENTITIES:
            return True
        return may(user, "view", row["entity_type"], world.entities(row["entity_type"]).get(row["entity_id"]))

    return [row for row in world.events if may_see(row)]


def _show(request: web.Request, row: Row) -> Row:
    path = f"/api/v4/{row['entity_type']}/{row['entity_id']}"
    noun = NOUNS.get(row["entity_type"])
    return {
        **row,
        "entity_type": noun.singular if noun else "task",
        "account_id": request.app[WORLD].account["id"],
        "_links": link(request, f"{_PATH}/{row['id']}"),
        "_embedded": {"entity": {"id": row["entity_id"], "_links": link(request, path)}},
    }


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else str(value).split(",")


def _plural(name: Any) -> str:
    return next(
        (noun.name for noun in NOUNS.values() if noun.singular == name), "tasks" if name == "task" else str(name)
    )


ROUTES: Final = [
    Route(
        "GET", _PATH, _list, "what happened, the latest first; at most 100 a page", query=("page", "limit", "filter")
    ),
    Route("GET", f"{_PATH}/{{id:[0-9a-f]{{26}}}}", _one, "one event"),
]
