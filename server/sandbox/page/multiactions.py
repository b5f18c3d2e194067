"""`/ajax/v1/multiactions/*`: the tool bar of a list and widgets delete many entities at once; a job tells of the end.

The bodies are those that widgets and clients send: `request[multiactions][add][0][entity_type]=1` and so on, JSON or
form.
"""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest import removal
from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import nested, read_object
from server.sandbox.rest.query import whole
from server.sandbox.world import WORLD, Row, World

_ENTITIES: Final = {
    1: ("contacts",),
    2: ("leads",),
    3: ("companies",),
    12: ("customers",),
    17: ("contacts", "companies"),
}
_TASKS: Final = 4
_DONE: Final = 2  # amoCRM's number for a finished job; here every job is finished when it is answered
JOBS: Final = web.AppKey("multiaction_jobs", dict[int, Row])


async def act(request: web.Request) -> web.StreamResponse:
    """`set`: delete what is named, as far as the user may; answers with a job per action."""
    asked = _at(await read_object(request), "request", "multiactions", "add")
    actions = list(asked.values()) if isinstance(asked, dict) else asked
    if not isinstance(actions, list) or not actions:
        raise Problem(400, "request[multiactions][add] with at least one action is required")
    checked = [_checked(action) for action in actions]
    user = asker(request).user
    return plain(_answer("set", [remember(request.app, _delete(request.app[WORLD], user, *one)) for one in checked]))


def _checked(action: Any) -> tuple[int, list[int]]:
    """The kind of element and the ids of one action. Raises `Problem` 400 for what the sandbox cannot do."""
    kind, ids = (whole(_at(action, "entity_type")), _at(action, "ids"))
    listed = list(ids.values()) if isinstance(ids, dict) else ids
    known = kind == _TASKS or kind in _ENTITIES
    if _at(action, "data", "data", "ACTION") != "DELETE" or not known or not isinstance(listed, list):
        raise Problem(400, "a multiaction needs entity_type, ids and data[data][ACTION]=DELETE")
    return kind or 0, [number for number in map(whole, listed) if number is not None]


def _delete(world: World, user: Row, kind: int, ids: list[int]) -> list[int]:
    if kind == _TASKS:
        return [number for number in ids if _delete_task(world, user, number)]
    return [number for number in ids if any(delete(world, user, name, number) for name in _ENTITIES[kind])]


def delete(world: World, user: Row, entity_type: str, number: int) -> bool:
    """Mark an entity deleted, if it is there and the user may."""
    row = world.entities(entity_type).get(number)
    if row is None or row["is_deleted"] or not may(user, "delete", entity_type, row):
        return False
    removal.delete(world, entity_type, row, user_id=user["id"])
    return True


def _delete_task(world: World, user: Row, number: int) -> bool:
    task = world.tasks.get(number)
    if task is None or not may(user, "delete", "tasks", task):
        return False
    removal.delete(world, "tasks", task, user_id=user["id"])
    return True


def remember(app: web.Application, ids: list[int]) -> Row:
    """A finished job over these entities, as `set` tells of it."""
    job_id = app[WORLD].next_id("multiaction_jobs")
    app[JOBS][job_id] = {"job_id": job_id, "status": _DONE, "ids": ids}
    return app[JOBS][job_id]


async def status(request: web.Request) -> web.StreamResponse:
    """`status` of the jobs whose numbers the query names; unknown ones are left out."""
    asked = _at(nested(request.query.items()), "request", "multiactions", "status")
    entries = list(asked.values()) if isinstance(asked, dict) else asked if isinstance(asked, list) else []
    numbers = [whole(_at(one, "job_id")) for one in entries]
    return plain(_answer("status", [request.app[JOBS][number] for number in numbers if number in request.app[JOBS]]))


def _answer(name: str, jobs: list[Row]) -> Row:
    return set_answer(jobs) if name == "set" else {"response": {"multiactions": {"status": {"data": jobs}}}}


def set_answer(jobs: list[Row]) -> Row:
    """The answer to an order of jobs."""
    return {"status": "success", "response": {"multiactions": {"set": {"data": jobs}}}}


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
