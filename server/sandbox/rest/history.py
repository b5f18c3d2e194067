"""`GET /api/v4/events`: what happened to entities, read only. Not to be confused with the call notices of
/api/v2/events.
"""

import uuid
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.event_types import TYPE_NAMES, told
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import ListQuery, keep, page_answer, read_query, whole
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PATH: Final = "/api/v4/events"
_MOST: Final = 100
_MOST_FILTERED: Final = 10
_FILTERS: Final = ("id", "entity_type", "entity_id", "created_at", "created_by")


def record(world: World, change: Row) -> None:
    """Keep a change as events, where amoCRM has some for it."""
    row: Row = change["row"]
    for kind, after, before in told(world, change):
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


async def _list(request: web.Request) -> web.StreamResponse:
    query = read_query(request, most=_MOST)
    filters = _checked(dict(query.filters))
    rows = keep(_visible(request), filters, _FILTERS)
    wanted = _as_list(filters["type"]) if "type" in filters else None
    rows = [row for row in rows if wanted is None or _is_one_of(row, wanted)]
    for side in ("value_before", "value_after"):
        if isinstance(filters.get(side), dict):
            rows = [row for row in rows if _holds(row[side], filters[side])]
    rows = list(reversed(rows))
    view = partial(_show, request, query)
    return page_answer(request, query, rows=rows, name="events", view=view)


def _checked(filters: Row) -> Row:
    """The filters by the names the log has for them. Raises `Problem` 400 for too many."""
    for name in ("entity_id", "created_by"):
        if isinstance(filters.get(name), list) and len(filters[name]) > _MOST_FILTERED:
            raise Problem(400, f"filter[{name}] takes at most {_MOST_FILTERED}")
    if "entity" in filters:  # the documented name; its values are singular, as in the answer
        filters["entity_type"] = [_plural(name) for name in _as_list(filters.pop("entity"))]
    return filters


def _is_one_of(row: Row, wanted: list[Any]) -> bool:
    """`custom_field_value_changed` means any field's, `custom_field_12_value_changed` this one's."""
    general = "custom_field_value_changed" if row["type"].startswith("custom_field_") else row["type"]
    return row["type"] in wanted or general in wanted


def _holds(values: list[Row], wanted: Row) -> bool:
    """Whether an event's values are those of `filter[value_after][…]`, in each of its four forms."""
    statuses = [value.get("lead_status") or value.get("customer_status") for value in values]
    for name in ("leads_statuses", "customers_statuses"):
        pairs = wanted.get(name)
        if pairs is not None and not any(_same_status(one, pair) for one in statuses for pair in _as_list(pairs)):
            return False
    owners = {str((value.get("responsible_user") or {}).get("id")) for value in values}
    if "responsible_user_id" in wanted and not owners & set(_texts(wanted["responsible_user_id"])):
        return False
    enums = {str((value.get("custom_field_value") or {}).get("enum_id")) for value in values}
    if "custom_field_values" in wanted and not enums & set(_texts(wanted["custom_field_values"])):
        return False
    leaves = {str(leaf) for value in values for one in value.values() for leaf in one.values()}
    return "value" not in wanted or str(wanted["value"]) in leaves


def _same_status(status: Row | None, pair: Any) -> bool:
    if status is None or not isinstance(pair, dict) or whole(pair.get("status_id")) != status["id"]:
        return False
    return whole(pair.get("pipeline_id")) in (None, status.get("pipeline_id"))


def _texts(value: Any) -> list[str]:
    return [text.strip() for one in _as_list(value) for text in str(one).split(",")]


async def _one(request: web.Request) -> web.StreamResponse:
    row = request.app[WORLD].events.get(request.match_info["id"])
    if row is None or not _may_see(request, row):
        return nothing()
    return hal(_show(request, read_query(request), row))


async def _types(request: web.Request) -> web.StreamResponse:
    lang = request.query.get("language_code", "ru")
    place = 2 if lang == "en" else 1
    shown = [{"key": names[0], "type": 1, "lang": names[place]} for names in TYPE_NAMES]
    body = {"_total_items": len(shown), "_links": link(request, f"{_PATH}/types"), "_embedded": {"events_types": shown}}
    return hal(body)


def _visible(request: web.Request) -> list[Row]:
    return [row for row in request.app[WORLD].events if _may_see(request, row)]


def _may_see(request: web.Request, row: Row) -> bool:
    if row["entity_type"] not in ENTITIES:
        return True
    owner = request.app[WORLD].entities(row["entity_type"]).get(row["entity_id"])
    return may(asker(request).user, "view", row["entity_type"], owner)


def _show(request: web.Request, query: ListQuery, row: Row) -> Row:
    path = f"/api/v4/{row['entity_type']}/{row['entity_id']}"
    noun = NOUNS.get(row["entity_type"])
    entity: Row = {"id": row["entity_id"], "_links": link(request, path)}
    if noun is not None and query.wants(f"{noun.singular}_name"):
        owner = request.app[WORLD].entities(noun.name).get(row["entity_id"])
        entity["name"] = owner["name"] if owner else None
    return {
        **row,
        "entity_type": noun.singular if noun else "task",
        "account_id": request.app[WORLD].account["id"],
        "_links": link(request, f"{_PATH}/{row['id']}"),
        "_embedded": {"entity": entity},
    }


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else str(value).split(",")


def _plural(name: Any) -> str:
    return next(
        (noun.name for noun in NOUNS.values() if noun.singular == name), "tasks" if name == "task" else str(name)
    )


_QUERY: Final = ("page", "limit", "filter", "with")
ROUTES: Final = [
    Route("GET", _PATH, _list, "what happened, the latest first; at most 100 a page", query=_QUERY),
    Route("GET", f"{_PATH}/types", _types, "the types of events, in ru or en", query=("language_code",)),
    Route("GET", f"{_PATH}/{{id:[0-9a-f]{{26}}}}", _one, "one event", query=("with",)),
]
