"""Custom fields as the earlier APIs have them: `[{id, name, code, values: [{value, enum}], is_system}]`."""

from datetime import datetime
from typing import Any, Final

from server.sandbox.legacy.asked import moment, zone_of
from server.sandbox.rest.query import whole
from server.sandbox.world import Row, World

_TYPE_IDS: Final = {
    "text": 1, "numeric": 2, "checkbox": 3, "select": 4, "multiselect": 5, "date": 6, "url": 7, "multitext": 8,
    "textarea": 9, "radiobutton": 10, "streetaddress": 11, "smart_address": 13, "birthday": 14, "legal_entity": 15,
    "items": 16, "org_legal_name": 17, "linked_entity": 18, "date_time": 19, "price": 20,
}  # fmt: skip
_CHOICES: Final = ("select", "multiselect", "radiobutton")
_TIMES: Final = ("date", "date_time", "birthday")
_DAY: Final = "00:00:00"


def type_id(field: Row) -> int:
    """The number of a field's type."""
    return _TYPE_IDS.get(field["type"], 1)


def enums_of(field: Row) -> dict[str, str]:
    """A field's choices by their ids: codes where they have any, as PHONE and EMAIL do, else their texts."""
    return {str(enum["id"]): enum.get("code") or enum["value"] for enum in field.get("enums") or []}


def show_fields(world: World, row: Row) -> list[Row]:
    """The filled fields of an entity."""
    shown = []
    for entry in row.get("custom_fields_values") or []:
        field = world.custom_fields.get(entry["field_id"])
        if field is None:
            continue
        named: Row = {"id": field["id"], "name": field["name"]}
        if field["code"]:
            named["code"] = field["code"]
        values = [_show(world, field, value) for value in entry["values"]]
        shown.append({**named, "values": values, "is_system": bool(field["code"])})
    return shown


def _show(world: World, field: Row, value: Row) -> Row:
    if value.get("enum_id") is not None:
        return {"value": value["value"], "enum": value["enum_id"]}
    if field["type"] == "checkbox":
        return {"value": str(int(bool(value["value"])))}
    if field["type"] in _TIMES:
        return {
            "value": _written(
                world, value["value"], "%Y-%m-%d " + ("%H:%M:%S" if field["type"] == "date_time" else _DAY)
            )
        }
    return {"value": value["value"]}


def _written(world: World, seconds: int, form: str) -> str:
    """A time of the account's zone; what no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(seconds, zone_of(world)).strftime(form)
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def read_fields(world: World, given: Any) -> list[Row]:
    """What a client sent, as `custom_fields_values`; what is no field is passed on to be refused by name."""
    entries = list(given.values()) if isinstance(given, dict) else given
    if not isinstance(entries, list):
        return [{"field_id": 0}]
    return [_entry(world, entry) if isinstance(entry, dict) else {"field_id": 0} for entry in entries]


def _entry(world: World, entry: Row) -> Row:
    field = world.custom_fields.get(whole(entry.get("id")))
    named = {"field_id": entry["id"]} if entry.get("id") is not None else {"field_code": entry.get("code")}
    values = entry.get("values")
    values = list(values.values()) if isinstance(values, dict) else values
    if not isinstance(values, list):
        return {**named, "values": values}
    read = [_read(world, field or {"type": "text"}, value) for value in values]
    return {**named, "values": [value for value in read if value is not None]}


def _read(world: World, field: Row, given: Any) -> Row | None:
    """One value: `{"value", "enum"}`, or bare as multiselects take it; a choice may be named by its id."""
    item = given if isinstance(given, dict) else {"value": given}
    value, enum = item.get("value"), item.get("enum")
    kind = field["type"]
    if kind in _CHOICES:
        ids = {choice["id"] for choice in field.get("enums") or []}
        named = next((number for one in (enum, value) if (number := whole(one)) in ids), None)
        empty = value in (None, "") and enum in (None, "")
        return None if empty else {"value": value, "enum_id": named}
    if kind == "checkbox":
        return {"value": value in (True, 1, "1", "Y", "true")}
    if kind in _TIMES and value not in (None, ""):
        return {"value": moment(world, value)}
    read: Row = {"value": value}
    if enum not in (None, ""):
        read["enum_code" if whole(enum) is None else "enum_id"] = enum
    return read
