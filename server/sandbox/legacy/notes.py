"""Notes and tasks as the earlier APIs write them: element and type by number, a call's params in capitals."""

import json
from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import Asked, moment, numbers, texts
from server.sandbox.legacy.dialect import type_of_element
from server.sandbox.legacy.lists import narrowed
from server.sandbox.legacy.shapes import CALL_WORDS, NOTE_TYPES, note_type
from server.sandbox.legacy.writes import Done, check_age, one_by_one
from server.sandbox.rest import notes, tasks
from server.sandbox.rest.answers import Problem
from server.sandbox.rest.query import whole
from server.sandbox.world import ENTITIES, WORLD, Row, World

_NOTE_NAMES: Final = {number: name for name, number in NOTE_TYPES.items()}
_OLD_WORDS: Final = {old: new for new, old in CALL_WORDS.items()}
_TASK_CODES: Final = {"FOLLOW_UP": 1, "CALL": 1, "MEETING": 2, "LETTER": 3}
_STAMP: Final = ("responsible_user_id", "created_by", "created_at", "updated_at")
_RENAMED: Final = {"date_create": "created_at", "last_modified": "updated_at", "created_user_id": "created_by"}


def add_notes(request: web.Request, items: list[Row]) -> Done:
    """New notes, each of its element."""
    return one_by_one(items, lambda item: _add_note(request, item))


def _add_note(request: web.Request, item: Row) -> Row:
    entity_type = type_of_element(item.get("element_type"))
    if entity_type is None:
        raise Problem(400, "element_type is not a kind of entity")
    return notes.create(request, entity_type, [_note(request.app[WORLD], item, None)], whole(item.get("element_id")))[0]


def change_notes(request: web.Request, items: list[Row]) -> Done:
    """Changed notes: their texts and params."""
    return one_by_one(items, lambda item: _change_note(request, item), by="id")


def _change_note(request: web.Request, item: Row) -> Row:
    before = request.app[WORLD].notes.get(whole(item.get("id")))
    check_age(request, item, before)
    return notes.update(request, [_note(request.app[WORLD], item, before)], notes=[before])[0]


def _note(world: World, item: Row, before: Row | None) -> Row:
    """The note as /api/v4 takes it; a params object wins over a text."""
    kind = before["note_type"] if before else _NOTE_NAMES.get(whole(item.get("note_type")) or 0)
    params = item.get("params") if isinstance(item.get("params"), dict) else _params_in(item.get("text"))
    if kind == "common" or not isinstance(params, dict):
        params = {"text": item.get("text")} if params is None or kind == "common" else {"text": params}
    words = {str(name): value for name, value in params.items()}
    read = {_OLD_WORDS.get(name, name.lower()): value for name, value in words.items()}
    return {**_stamp(world, item), "note_type": kind, "params": read}


def _params_in(text: Any) -> Any:
    """A call's text was JSON before there were params."""
    if not isinstance(text, str) or not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _stamp(world: World, item: Row) -> Row:
    given = {_RENAMED.get(name, name): value for name, value in item.items()}
    return {
        name: moment(world, given[name]) if name.endswith("_at") else given[name] for name in _STAMP if name in given
    }


def found_notes(request: web.Request, asked: Asked) -> list[Row]:
    """The notes of `type=`, of everything when it is missing."""
    kinds = [type_of_element(asked.values["type"])] if "type" in asked.values else list(ENTITIES)
    rows = [note for kind in kinds if kind is not None for note in notes.visible(request, kind)]
    if "note_type" in asked.values:
        rows = [note for note in rows if note_type(note) in numbers(asked.values["note_type"])]
    return _of_element(narrowed(request.app[WORLD], rows, asked), asked)


def add_tasks(request: web.Request, items: list[Row]) -> Done:
    """New tasks."""
    return one_by_one(items, lambda item: tasks.create(request, [_task(request.app[WORLD], item)])[0])


def change_tasks(request: web.Request, items: list[Row]) -> Done:
    """Changed tasks."""
    return one_by_one(items, lambda item: _change_task(request, item), by="id")


def _change_task(request: web.Request, item: Row) -> Row:
    task_id = whole(item.get("id"))
    check_age(request, item, request.app[WORLD].tasks.get(task_id))
    return tasks.update(request, [_task(request.app[WORLD], item)], ids=[task_id])[0]


def _task(world: World, item: Row) -> Row:
    kind = item.get("task_type")
    till = item.get("complete_till_at", item.get("complete_till"))
    task: Row = {name: item[name] for name in ("text", "duration") if name in item} | _stamp(world, item)
    if kind not in (None, ""):
        task["task_type_id"] = _TASK_CODES.get(str(kind), kind)
    if till not in (None, ""):
        task["complete_till"] = moment(world, till) or till
    if item.get("element_id") not in (None, "", 0, "0"):
        task |= {"entity_id": item["element_id"], "entity_type": type_of_element(item.get("element_type")) or ""}
    done = item.get("is_completed", item.get("status"))
    if done is not None:
        task["is_completed"] = done in (True, 1, "1", "true")
    return task


def found_tasks(request: web.Request, asked: Asked) -> list[Row]:
    """The tasks of `type=`, of everything when it is missing; `filter[status]` is 0 or 1."""
    rows = tasks.visible(request)
    if "type" in asked.values:
        rows = [task for task in rows if task["entity_type"] == type_of_element(asked.values["type"])]
    filters = dict(asked.filters)
    status = filters.pop("status", None)
    if status is not None:
        rows = [task for task in rows if str(int(task["is_completed"])) in map(str, texts(status))]
    asked = Asked({**asked.values, "filter": filters}, asked.ids, asked.since)
    return _of_element(narrowed(request.app[WORLD], rows, asked), asked)


def _of_element(rows: list[Row], asked: Asked) -> list[Row]:
    if "element_id" not in asked.values:
        return rows
    wanted = numbers(asked.values["element_id"])
    return [row for row in rows if row["entity_id"] in wanted]
