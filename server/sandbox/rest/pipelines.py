"""Pipelines of leads and their statuses: read by everybody, changed by administrators."""

import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import admin, asker
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items, read_object
from server.sandbox.rest.changes import announce_update
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.nouns import LOST, WON, Member
from server.sandbox.rest.query import read_query, whole
from server.sandbox.rest.shelves import ALL, Shelf, routes
from server.sandbox.rest.writing import Refusals, read_members, request_id_of
from server.sandbox.routes import ID, Route
from server.sandbox.world import WORLD, Row, World

_PATH: Final = "/api/v4/leads/pipelines"
_MOST_PIPELINES, _MOST_STATUSES = 50, 100
_LEVELS: Final = ("newbie", "candidate", "master")
_STATUS: Final = (Member("name", "text", required=True), Member("sort", "int", 0), Member("color", "text", "#fffeb2"))


def _check(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    """A new pipeline gets amoCRM's three statuses; those the request names beside them, in their order."""
    world = request.app[WORLD]
    if "statuses" in row:
        return
    row |= {"is_archive": False, "statuses": _system_statuses(world)}
    embedded = item.get("_embedded")
    given = embedded.get("statuses") if isinstance(embedded, dict) else None
    for position, one in enumerate(given if isinstance(given, list) else []):
        path = f"_embedded.statuses.{position}"
        if not isinstance(one, dict) or not one.get("name"):
            refuse("FieldMissing", f"{path}.name", "This field is missing.")
        elif whole(one.get("id")) in (WON, LOST):  # only their names may be one's own
            closed = next(status for status in row["statuses"] if status["id"] == whole(one["id"]))
            closed["name"] = str(one["name"])
        else:
            row["statuses"].append(_new_status(world, one, _under(path, refuse)))
    if not any(status["is_editable"] for status in row["statuses"]):
        row["statuses"].append(_new_status(world, {"name": "Первичный контакт"}, refuse))
    row["statuses"].sort(key=lambda status: (status["type"] != 1, status["sort"]))


def _under(path: str, refuse: Refuse) -> Refuse:
    return lambda code, tail, detail: refuse(code, f"{path}.{tail}", detail)


def _system_statuses(world: World) -> list[Row]:
    one = {"is_editable": False, "descriptions": []}
    return [
        {"id": world.next_id("statuses"), "name": "Неразобранное", "sort": 10, "color": "#c1c1c1", "type": 1, **one},
        {"id": WON, "name": "Успешно реализовано", "sort": 10_000, "color": "#CCFF66", "type": 0, **one},
        {"id": LOST, "name": "Закрыто и не реализовано", "sort": 11_000, "color": "#D5D8DB", "type": 0, **one},
    ]


def _new_status(world: World, item: Row, refuse: Refuse) -> Row:
    status: Row = {"id": world.next_id("statuses"), "name": "", "sort": 20, "color": "#fffeb2", "type": 0}
    read_members(world, _STATUS, status, item=item, refuse=refuse)
    return status | {"is_editable": True, "descriptions": []}


def _stored(request: web.Request, row: Row) -> None:
    """There is one main pipeline."""
    pipelines = request.app[WORLD].pipelines
    for other in pipelines:
        if row["is_main"] and other["is_main"] and other["id"] != row["id"]:
            pipelines.put({**other, "is_main": False})


def _removed(request: web.Request, row: Row) -> None:
    world = request.app[WORLD]
    if len(world.pipelines) == 1:
        raise Problem(400, "The last pipeline cannot be deleted")
    if any(lead["pipeline_id"] == row["id"] and not lead["is_deleted"] for lead in world.leads):
        raise Problem(400, "A pipeline with leads cannot be deleted")
    if row["is_main"]:
        heir = min((p for p in world.pipelines if p["id"] != row["id"]), key=lambda pipeline: pipeline["sort"])
        world.pipelines.put({**heir, "is_main": True})


def _show(request: web.Request, row: Row) -> Row:
    shown = {name: row[name] for name in ("id", "name", "sort", "is_main", "is_unsorted_on", "is_archive")}
    statuses = [_show_status(request, row, status) for status in _visible(row)]
    return {**shown, "_embedded": {"statuses": statuses}}


def _visible(row: Row) -> list[Row]:
    return [status for status in row["statuses"] if row["is_unsorted_on"] or status["type"] != 1]


def _show_status(request: web.Request, row: Row, status: Row) -> Row:
    shown = {name: status[name] for name in ("id", "name", "sort", "is_editable", "color", "type")}
    if read_query(request).wants("descriptions"):
        place = {"pipeline_id": row["id"], "status_id": status["id"], "account_id": request.app[WORLD].account["id"]}
        shown["descriptions"] = [{**one, **place} for one in status.get("descriptions", [])]
    return {
        **shown,
        "pipeline_id": row["id"],
        "account_id": request.app[WORLD].account["id"],
        "_links": link(request, f"{_PATH}/{row['id']}/statuses/{status['id']}"),
    }


async def _statuses(request: web.Request) -> web.StreamResponse:
    row = request.app[WORLD].pipelines.get(int(request.match_info["id"]))
    if row is None:
        return nothing()
    return _answer(request, row, [_show_status(request, row, status) for status in _visible(row)])


def _answer(request: web.Request, row: Row, statuses: list[Row]) -> web.Response:
    links = link(request, f"{_PATH}/{row['id']}/statuses")
    return hal({"_total_items": len(statuses), "_links": links, "_embedded": {"statuses": statuses}})


async def _status(request: web.Request) -> web.StreamResponse:
    row, status = _find(request)
    return hal(_show_status(request, row, status)) if row and status else nothing()


def _find(request: web.Request) -> tuple[Row | None, Row | None]:
    row = request.app[WORLD].pipelines.get(int(request.match_info["id"]))
    wanted = int(request.match_info["status_id"])
    return row, next((status for status in (row or {}).get("statuses", []) if status["id"] == wanted), None)


async def _add_statuses(request: web.Request) -> web.StreamResponse:
    admin(request)
    world = request.app[WORLD]
    row = _pipeline(request)
    items, refusals, fresh = await read_items(request), Refusals(), []
    if len(row["statuses"]) + len(items) > _MOST_STATUSES:
        raise Problem(400, f"A pipeline has at most {_MOST_STATUSES} statuses")
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        if not item.get("name"):
            refuse("FieldMissing", "name", "This field is missing.")
        status = _new_status(world, item, refuse)
        _describe(request, status, item, refuse)
        fresh.append(status)
    refusals.settle()
    row["statuses"] = sorted([*row["statuses"], *fresh], key=lambda status: (status["type"] != 1, status["sort"]))
    world.pipelines.put(row)
    made = [
        {**_show_status(request, row, status), "request_id": request_id_of(item, position)}
        for position, (status, item) in enumerate(zip(fresh, items, strict=True))
    ]
    return _answer(request, row, made)


async def _change_status(request: web.Request) -> web.StreamResponse:
    admin(request)
    item, refusals = await read_object(request), Refusals()
    row, status = _own_status(request)
    refuse = refusals.of(request_id_of(item, 0))
    read_members(request.app[WORLD], _STATUS, status, item=item, refuse=refuse)
    _describe(request, status, item, refuse)
    refusals.settle()
    row["statuses"].sort(key=lambda one: (one["type"] != 1, one["sort"]))
    request.app[WORLD].pipelines.put(row)
    return hal({**_show_status(request, row, status), "request_id": request_id_of(item, 0)})


async def _delete_status(request: web.Request) -> web.StreamResponse:
    """Its leads go to the pipeline's first status."""
    user = admin(request).user
    world, (row, status) = request.app[WORLD], _own_status(request)
    left = [one for one in row["statuses"] if one["id"] != status["id"]]
    first = next((one["id"] for one in left if one["is_editable"]), None)
    if first is None:
        raise Problem(400, "The last status of a pipeline cannot be deleted")
    world.pipelines.put({**row, "statuses": left})
    for lead in world.leads.where(pipeline_id=row["id"], status_id=status["id"]):
        after = {**lead, "status_id": first, "updated_at": world.now(), "updated_by": user["id"]}
        announce_update(world, "leads", before=lead, row=world.leads.put(after), user_id=user["id"])
    return nothing()


def _pipeline(request: web.Request) -> Row:
    row = request.app[WORLD].pipelines.get(int(request.match_info["id"]))
    if row is None:
        raise Problem(404, "Pipeline not found")
    return copy.deepcopy(row)


def _own_status(request: web.Request) -> tuple[Row, Row]:
    """A copy of the pipeline and in it the status to change. Raises `Problem` 404 or 400."""
    row, wanted = _pipeline(request), int(request.match_info["status_id"])
    status = next((one for one in row["statuses"] if one["id"] == wanted), None)
    if status is None:
        raise Problem(404, "Status not found")
    if not status["is_editable"]:
        raise Problem(400, "A system status cannot be changed")
    return row, status


def _describe(request: web.Request, status: Row, item: Row, refuse: Refuse) -> None:
    """At most one description per level of users; one without a text is removed."""
    given = item.get("descriptions")
    kept = {one["level"]: one for one in status.get("descriptions", [])}
    for position, one in enumerate(given if isinstance(given, list) else []):
        level = one.get("level") if isinstance(one, dict) else None
        if level not in _LEVELS or len(str(one.get("description") or "")) > 1000:
            refuse("NotSupportedChoice", f"descriptions.{position}.level", "The value is not a valid choice.")
        elif not one.get("description"):
            kept.pop(level, None)
        else:
            kept[level] = _description(request, kept.get(level), level, str(one["description"]))
    status["descriptions"] = list(kept.values())


def _description(request: web.Request, before: Row | None, level: Any, text: str) -> Row:
    world, user_id = request.app[WORLD], asker(request).user["id"]
    now = datetime.fromtimestamp(world.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
    fresh = {"id": world.next_id("descriptions"), "created_at": now, "created_by": user_id, "updated_by": None}
    stamp = {**before, "updated_by": user_id} if before else fresh
    return {**stamp, "level": level, "description": text, "updated_at": now}


_SHELF: Final = Shelf(
    "pipelines",
    "pipelines",
    _PATH,
    (
        Member("name", "text", required=True),
        Member("sort", "int", 0),
        Member("is_main", "bool", default=False),
        Member("is_unsorted_on", "bool", default=True),
    ),
    "pipeline",
    show=_show,
    check=_check,
    stored=_stored,
    removed=_removed,
    order="sort",
    most_kept=_MOST_PIPELINES,
)
_STATUSES: Final = f"{_PATH}/{ID}/statuses"
_STATUS_ID: Final = r"{status_id:\d{1,15}}"
_route = partial(Route, query=("with",))
ROUTES: Final = [
    *routes(_SHELF, *ALL),
    _route("GET", _STATUSES, _statuses, "statuses of a pipeline"),
    Route("POST", _STATUSES, _add_statuses, "add statuses to a pipeline", body="array"),
    _route("GET", f"{_STATUSES}/{_STATUS_ID}", _status, "one status"),
    Route("PATCH", f"{_STATUSES}/{_STATUS_ID}", _change_status, "change one status", body="object"),
    Route("DELETE", f"{_STATUSES}/{_STATUS_ID}", _delete_status, "delete a status"),
]
