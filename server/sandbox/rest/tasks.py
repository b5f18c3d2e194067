"""Tasks: of an entity or of nobody."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import Action, asker, may
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items, read_object
from server.sandbox.rest.changes import announce, announce_update
from server.sandbox.rest.query import keep, ordered, page_answer, read_query, whole
from server.sandbox.rest.shapes import show_made
from server.sandbox.rest.writing import LATEST, Refusals, request_id_of
from server.sandbox.routes import ID, Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_FILTERS: Final = (
    "id",
    "responsible_user_id",
    "is_completed",
    "task_type_id",
    "entity_type",
    "entity_id",
    "updated_at",
)
_NUMBERS: Final = ("complete_till", "task_type_id", "entity_id", "responsible_user_id", "duration", "created_by",
                   "updated_by", "created_at", "updated_at")  # fmt: skip
_TIMES: Final = ("complete_till", "created_at", "updated_at")
_SHOWN: Final = (
    "id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "responsible_user_id",
    "group_id",
    "entity_id",
    "entity_type",
    "duration",
    "is_completed",
    "task_type_id",
    "text",
    "result",
    "complete_till",
)


async def _list(request: web.Request) -> web.StreamResponse:
    query = read_query(request)
    filters = dict(query.filters)
    if "task_type" in filters:  # the documented name of the filter differs from the member's
        filters["task_type_id"] = filters.pop("task_type")
    rows = keep(visible(request), filters, _FILTERS)
    rows = ordered(rows, query.order, ("id", "created_at", "complete_till"))
    return page_answer(request, query, rows=rows, name="tasks", view=partial(_show, request))


async def _one(request: web.Request) -> web.StreamResponse:
    found = [task for task in visible(request) if task["id"] == int(request.match_info["id"])]
    return hal(_show(request, found[0])) if found else nothing()


async def _create(request: web.Request) -> web.StreamResponse:
    items = await read_items(request)
    made = [
        show_made(request, "tasks", stored, request_id_of(item, position))
        for position, (stored, item) in enumerate(zip(create(request, items), items, strict=True))
    ]
    return hal({"_links": link(request, "/api/v4/tasks"), "_embedded": {"tasks": made}})


def create(request: web.Request, items: Sequence[Row]) -> list[Row]:
    """Store new tasks, all or none. Raises `Invalid`."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals, drafts = Refusals(), []
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        for name in ("text", "complete_till"):
            if item.get(name) in (None, ""):
                refuse("FieldMissing", name, "This field is missing.")
        drafts.append(_apply(world, _blank(world, user_id), item, refuse=refuse))
    refusals.settle()
    made = [world.tasks.add(task) for task in drafts]
    for stored in made:
        note_closest(world, stored)
        announce(world, "add", "tasks", row=stored, user_id=user_id)
    return made


async def _update(request: web.Request) -> web.StreamResponse:
    single = "id" in request.match_info
    items = [await read_object(request)] if single else await read_items(request)
    ids = [whole(request.match_info.get("id") or item.get("id")) for item in items]
    made = [
        show_made(request, "tasks", task, None if single else request_id_of(item, position))
        for position, (task, item) in enumerate(zip(update(request, items, ids=ids), items, strict=True))
    ]
    return hal(made[0] if single else {"_links": link(request, "/api/v4/tasks"), "_embedded": {"tasks": made}})


def update(request: web.Request, items: Sequence[Row], *, ids: Sequence[int | None]) -> list[Row]:
    """Change stored tasks, all or none. Raises `Invalid`."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals, changed = Refusals(), []
    for position, (item, task_id) in enumerate(zip(items, ids, strict=True)):
        refuse = refusals.of(request_id_of(item, position))
        task = world.tasks.get(task_id)
        if task is None:
            refuse("NotFound", "id", "Entity not found")
            continue
        if not _may(request, "edit", task):
            raise Problem(403, "Forbidden")
        fresh = copy.deepcopy(task) | {"updated_at": world.now(), "updated_by": user_id}
        changed.append((task, _apply(world, fresh, item, refuse=refuse)))
    refusals.settle()
    for before, task in changed:
        world.tasks.put(task)
        note_closest(world, before)
        note_closest(world, task)
        announce_update(world, "tasks", before=before, row=task, user_id=user_id)
    return [task for _, task in changed]


def note_closest(world: World, task: Row) -> None:
    """The entity of a task knows when its next open task is due."""
    if task["entity_type"] not in ENTITIES or not task["entity_id"]:
        return
    entities = world.entities(task["entity_type"])
    row = entities.get(task["entity_id"])
    if row is None:
        return
    same = world.tasks.where(entity_type=task["entity_type"], entity_id=task["entity_id"], is_completed=False)
    closest = min((other["complete_till"] for other in same), default=None)
    if row["closest_task_at"] != closest:
        entities.put({**row, "closest_task_at": closest})


def _blank(world: World, user_id: int) -> Row:
    now = world.now()
    return {
        "created_by": user_id,
        "updated_by": user_id,
        "created_at": now,
        "updated_at": now,
        "responsible_user_id": user_id,
        "group_id": 0,
        "entity_id": None,
        "entity_type": None,
        "duration": 0,
        "is_completed": False,
        "task_type_id": 1,
        "text": "",
        "result": [],
        "complete_till": now,
    }


def _apply(world: World, task: Row, item: Row, *, refuse: Callable[[str, str, str], None]) -> Row:
    for name in _NUMBERS:
        if item.get(name) is not None:
            number = whole(item[name])
            if number is None or not 0 <= number < (LATEST if name in _TIMES else 2**53):
                refuse("InvalidType", name, "This value should be of type int.")
            else:
                task[name] = number
    if isinstance(item.get("text"), str):
        task["text"] = item["text"]
    if isinstance(item.get("is_completed"), bool | int):
        task["is_completed"] = bool(item["is_completed"])
    if isinstance(item.get("result"), dict):
        task["result"] = {"text": str(item["result"].get("text") or "")}
    if item.get("entity_type") is not None:
        task["entity_type"] = item["entity_type"]
    _check(world, task, refuse)
    owner = world.users.get(task["responsible_user_id"])
    task["group_id"] = owner["group_id"] if owner else 0
    return task


def _check(world: World, task: Row, refuse: Callable[[str, str, str], None]) -> None:
    not_a_choice = "The value you selected is not a valid choice."
    if task["responsible_user_id"] not in world.users:
        refuse("NotSupportedChoice", "responsible_user_id", not_a_choice)
    if task["entity_type"] is not None and task["entity_type"] not in ENTITIES:
        refuse("NotSupportedChoice", "entity_type", not_a_choice)
    elif task["entity_id"] and (
        not task["entity_type"] or task["entity_id"] not in world.entities(task["entity_type"])
    ):
        refuse("NotSupportedChoice", "entity_id", not_a_choice)


def visible(request: web.Request) -> list[Row]:
    """The tasks that the asker may see."""
    return [task for task in request.app[WORLD].tasks if _may(request, "edit", task)]


def _may(request: web.Request, action: Action, task: Row) -> bool:
    """Tasks know no right to view: who may edit a task sees it, and whose it is sees it always."""
    user = asker(request).user
    return task["responsible_user_id"] == user["id"] or may(user, action, "tasks", task)


def _show(request: web.Request, task: Row) -> Row:
    account_id = request.app[WORLD].account["id"]
    links = link(request, f"/api/v4/tasks/{task['id']}")
    return {**{name: task[name] for name in _SHOWN}, "account_id": account_id, "_links": links}


_PATH: Final = "/api/v4/tasks"
ROUTES: Final = [
    Route("GET", _PATH, _list, "list tasks", query=("page", "limit", "filter", "order")),
    Route("POST", _PATH, _create, "create tasks", body="array"),
    Route("PATCH", _PATH, _update, "change several tasks", body="array"),
    Route("GET", f"{_PATH}/{ID}", _one, "one task"),
    Route("PATCH", f"{_PATH}/{ID}", _update, "change one task", body="object"),
]
