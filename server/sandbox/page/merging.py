"""`/ajax/merge/*`: the merging of duplicates, which widgets drive as amoCRM's own page does.

`info` shows the values of every record side by side; `save` says what the surviving one is to hold. The others are
deleted, their notes and links move over.
"""

import json
from typing import Any, Final

from aiohttp import web

from server.sandbox.page.multiactions import delete, remember, set_answer
from server.sandbox.rest.access import asker, require
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.changes import announce_update
from server.sandbox.rest.custom_fields import fields_of
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
    before = dict(main)
    with world.batch():
        others = [row for row in rows if row["id"] != main["id"]]
        _write(world, main, result)
        for other in others:
            _move(world, entity_type, other, main)
        world.entities(entity_type).put(main | {"updated_at": world.now(), "updated_by": user["id"]})
        gone = [other["id"] for other in others if delete(world, user, entity_type, other["id"])]
    announce_update(world, entity_type, before=before, row=main, user_id=user["id"])
    return plain(set_answer([remember(request.app, [main["id"], *gone])]))


def _write(world: World, main: Row, result: Row) -> None:
    for name, member in _PLAIN.items():
        value = whole(result[name]) if name in _NUMBERS and name in result else result.get(name)
        if value is not None and member in main:
            main[member] = value
    if isinstance(result.get("TAGS"), list):
        main["tags"] = [number for number in map(whole, result["TAGS"]) if number is not None and number in world.tags]
    given = result.get("cfv")
    stored = {entry["field_id"]: entry for entry in main.get("custom_fields_values") or []}
    for key, value in given.items() if isinstance(given, dict) else ():
        field = world.custom_fields.get(whole(key))
        if field is not None:
            values = [_value(field, one) for one in (value if isinstance(value, list) else [value])]
            stored[field["id"]] = {"field_id": field["id"], "values": values}
    main["custom_fields_values"] = list(stored.values())


def _value(field: Row, text: Any) -> Row:
    enums = field.get("enums") or []
    if field["type"] != "multitext":
        chosen = next((enum["id"] for enum in enums if enum["value"] == text), None)
        return {"value": text} if chosen is None else {"value": text, "enum_id": chosen}
    try:
        told = json.loads(text)
    except (TypeError, ValueError):
        told = None
    told = told if isinstance(told, dict) else {"VALUE": text}
    enum = next((one for one in enums if one.get("code") == told.get("DESCRIPTION")), enums[0])
    return {"value": str(told.get("VALUE") or ""), "enum_id": enum["id"]}


def _move(world: World, entity_type: str, other: Row, main: Row) -> None:
    """Notes and links of a record that goes become the survivor's."""
    for note in world.notes.where(entity_type=entity_type, entity_id=other["id"]):
        world.notes.put(note | {"entity_id": main["id"]})
    for kind in ENTITIES:
        for known in linked(other, kind):
            link(world, (entity_type, main["id"]), (kind, known))
