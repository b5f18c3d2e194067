"""`/ajax/merge/*`: the merging of duplicates, which widgets drive as amoCRM's own page does.

`info` shows the values of every record side by side; `save` says what the surviving one is to hold. The others are
deleted, their notes and links move over.
"""

import copy
import json
from typing import Any, Final

from aiohttp import web

from server.sandbox.page.multiactions import delete, remember, set_answer
from server.sandbox.rest.access import asker, require
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.changes import announce_update
from server.sandbox.rest.custom_fields import fields_of, write_values
from server.sandbox.rest.linking import link, linked
from server.sandbox.rest.query import whole
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PLAIN: Final = {"NAME": "name", "MAIN_USER_ID": "responsible_user_id", "PRICE": "price", "DATE_CREATE": "created_at"}
_NUMBERS: Final = ("MAIN_USER_ID", "PRICE", "DATE_CREATE")
_LINKS: Final = {"CONTACTS": "contacts", "LEADS": "leads"}


async def info(request: web.Request) -> web.StreamResponse:
    """The fields and, per field and record, the values to choose from."""
    world, entity_type = request.app[WORLD], request.match_info["entity"]
    rows = _rows(request, await read_object(request))
    names = {**dict.fromkeys(_PLAIN), "TAGS": None, **dict.fromkeys(_LINKS)}
    fields: Row = {name: {"id": name, "name": name} for name in names}
    fields |= {f"cfv_{one['id']}": {"id": one["id"], "name": one["name"]} for one in fields_of(world, entity_type)}
    values = {name: {str(row["id"]): {"values": _values(world, row, name)} for row in rows} for name in fields}
    return plain({"status": "success", "response": {"compare_fields": fields, "compare_values": values}})


def _rows(request: web.Request, body: Row) -> list[Row]:
    """The living records of `id[]`, all of which the user may edit. Raises `Problem` 400 for fewer than two."""
    world, entity_type = request.app[WORLD], request.match_info["entity"]
    asked = body.get("id")
    found = [world.entities(entity_type).get(whole(one)) for one in asked] if isinstance(asked, list) else []
    rows = [row for row in found if row is not None and not row["is_deleted"]]
    if len(rows) < 2:
        raise Problem(400, "id[] must name at least two records")
    for row in rows:
        require(request, "edit", entity_type, row)
    return rows


def _values(world: World, row: Row, name: str) -> list[Row]:
    if name in _PLAIN:
        found = [row.get(_PLAIN[name])]
    elif name == "TAGS":
        found = list(row.get("tags", []))
    elif name in _LINKS:
        others = {str(known): {"id": known} for known in linked(row, _LINKS[name])}
        found = [others] if others else []
    else:
        found = _field_values(world, row, int(name.removeprefix("cfv_")))
    return [{"value": value, "selected": False} for value in found if value is not None]


def _field_values(world: World, row: Row, field_id: int) -> list[Any]:
    """Phones and addresses as JSON texts, everything else as it is."""
    field = world.custom_fields[field_id]
    codes = {enum["id"]: enum.get("code") for enum in field.get("enums") or []}
    entries = [entry for entry in row.get("custom_fields_values") or [] if entry["field_id"] == field_id]
    values = [value for entry in entries for value in entry["values"]]
    if field["type"] != "multitext":
        return [value["value"] for value in values]
    return [json.dumps({"DESCRIPTION": codes.get(one.get("enum_id")), "VALUE": one["value"]}) for one in values]


async def save(request: web.Request) -> web.StreamResponse:
    """Write `result_element` into the record it names and delete the others; the answer is a finished job."""
    world, user, body = request.app[WORLD], asker(request).user, await read_object(request)
    entity_type, rows = request.match_info["entity"], _rows(request, body)
    result = body.get("result_element")
    main = next((row for row in rows if isinstance(result, dict) and row["id"] == whole(result.get("ID"))), None)
    if main is None or not isinstance(result, dict):
        raise Problem(400, "result_element[ID] must be one of id[]")
    kept = copy.deepcopy(main)
    _write(world, entity_type, kept, result)  # refuses before anything is changed
    others = [row for row in rows if row["id"] != main["id"]]
    with world.batch():
        world.entities(entity_type).put(kept | {"updated_at": world.now(), "updated_by": user["id"]})
        for other in others:
            _move(world, entity_type, other, main["id"])
        gone = [other["id"] for other in others if delete(world, user, entity_type, other["id"])]
    row = world.entities(entity_type)[main["id"]]
    announce_update(world, entity_type, before=main, row=row, user_id=user["id"])
    return plain(set_answer([remember(request.app, [main["id"], *gone])]))


def _write(world: World, entity_type: str, main: Row, result: Row) -> None:
    """Put the chosen values into the survivor. Raises `Problem` 400 for what its fields cannot hold."""
    if isinstance(result.get("NAME"), str):
        main["name"] = result["NAME"]
    for name in _NUMBERS:
        number = whole(result.get(name))
        if number is not None and _PLAIN[name] in main and (name != "MAIN_USER_ID" or number in world.users):
            main[_PLAIN[name]] = number
    if isinstance(result.get("TAGS"), list):
        main["tags"] = [number for number in map(whole, result["TAGS"]) if number in world.tags]
    given = result.get("cfv")
    chosen = given.items() if isinstance(given, dict) else ()
    entries = [{"field_id": key, "values": _chosen(world, key, value)} for key, value in chosen]
    write_values(world, main, entity_type, given=entries, refuse=_refuse)


def _chosen(world: World, key: str, value: Any) -> list[Row]:
    """The values of one field as the API takes them; phones and addresses came as JSON texts."""
    field = world.custom_fields.get(whole(key)) or {}
    codes = {enum.get("code") for enum in field.get("enums") or []}
    values = [_told(one) if field.get("type") == "multitext" else (one, None) for one in _listed(value)]
    return [{"value": text, "enum_code": code if code in codes else None} for text, code in values]


def _told(text: Any) -> tuple[Any, Any]:
    try:
        told = json.loads(text)
    except (TypeError, ValueError):
        told = None
    code = told.get("DESCRIPTION") if isinstance(told, dict) else None
    return (told.get("VALUE"), code if isinstance(code, str) else None) if isinstance(told, dict) else (text, None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _refuse(code: str, path: str, detail: str) -> None:
    raise Problem(400, f"{code}: {path}: {detail}")


def _move(world: World, entity_type: str, other: Row, main_id: int) -> None:
    """Notes and links of a record that goes become the survivor's."""
    for note in world.notes.where(entity_type=entity_type, entity_id=other["id"]):
        world.notes.put(note | {"entity_id": main_id})
    for kind in ENTITIES:
        for known in linked(other, kind):
            link(world, (entity_type, main_id), (kind, known))
