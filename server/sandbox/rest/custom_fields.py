"""Custom fields: how their values are written by clients and shown to them.

Stored are only ids and values; names, codes and types are added when a value is shown, so a renamed field is renamed
everywhere.
"""

from collections.abc import Callable
from typing import Any, Final

from server.sandbox.rest.field_types import TYPES, as_text, enums_of
from server.sandbox.rest.query import whole
from server.sandbox.world import Row, World

Refuse = Callable[[str, str, str], None]  # code, path, detail

_ENUM_KEYS: Final = {"both": ("enum_code", "enum"), "enum_code": ("enum_code",), "enum": ("enum",)}


def fields_of(world: World, entity_type: str) -> list[Row]:
    """The custom fields of one kind of entity, in their order."""
    return sorted(world.custom_fields.where(entity_type=entity_type), key=lambda field: field["sort"])


def values_by_code(world: World, row: Row, entity_type: str, code: str) -> list[str]:
    """The values of one field of an entity, by the field's code (`PHONE`, `EMAIL`)."""
    ids = {field["id"] for field in world.custom_fields.where(entity_type=entity_type, code=code)}
    entries = row.get("custom_fields_values") or []
    return [str(value["value"]) for entry in entries if entry["field_id"] in ids for value in entry["values"]]


def show_values(world: World, row: Row) -> list[Row] | None:
    """`custom_fields_values` as the API shows it: null when nothing is filled in."""
    shown = []
    for entry in row.get("custom_fields_values") or []:
        field = world.custom_fields.get(entry["field_id"])
        if field is not None:
            shown.append(_show(world, field, entry["values"]))
    return shown or None


def _show(world: World, field: Row, values: list[Row]) -> Row:
    codes = {enum["id"]: enum.get("code") for enum in enums_of(field)}
    keys = _ENUM_KEYS[world.switches["enum_key"]]
    shown = []
    for value in values:
        item: Row = {"value": value["value"]}
        if value.get("enum_id") is not None:
            item["enum_id"] = value["enum_id"]
            item |= dict.fromkeys(keys, codes.get(value["enum_id"]))
        shown.append(item)
    return {
        "field_id": field["id"],
        "field_name": field["name"],
        "field_code": field["code"],
        "field_type": field["type"],
        "values": shown,
    }


def texts_of(row: Row) -> list[str]:
    """Every filled value as text, for whoever searches."""
    entries = row.get("custom_fields_values") or []
    values = [value["value"] for entry in entries for value in entry["values"]]
    return [" ".join(map(str, value.values())) if isinstance(value, dict) else str(value) for value in values]


def write_values(world: World, row: Row, entity_type: str, *, given: Any, refuse: Refuse) -> None:
    """Put the values a client sent into `row`; fields it did not name stay as they are."""
    if not isinstance(given, list):
        refuse("InvalidType", "custom_fields_values", "This value should be of type array.")
        return
    stored = {entry["field_id"]: entry for entry in row.get("custom_fields_values") or []}
    for position, entry in enumerate(given):
        path = f"custom_fields_values.{position}"
        field = _field(world, entity_type, entry)
        if field is None:
            refuse("NotSupportedChoice", f"{path}.field_id", "The value you selected is not a valid choice.")
            continue
        values = _values(field, entry.get("values"), refuse=_under(path, refuse))
        stored.pop(field["id"], None)
        if values:
            stored[field["id"]] = {"field_id": field["id"], "values": values}
    row["custom_fields_values"] = list(stored.values())


def _under(path: str, refuse: Refuse) -> Refuse:
    return lambda code, tail, detail: refuse(code, path + tail, detail)


def _field(world: World, entity_type: str, entry: Any) -> Row | None:
    """The field an entry names by id, else by code; a null beside the other name means absent."""
    if not isinstance(entry, dict):
        return None
    fields = world.custom_fields.where(entity_type=entity_type)
    if entry.get("field_id") is not None:
        wanted = whole(entry["field_id"])
        return next((field for field in fields if field["id"] == wanted), None)
    code = entry.get("field_code")
    return next((field for field in fields if code and field["code"] == code), None)


def _values(field: Row, given: Any, *, refuse: Refuse) -> list[Row]:
    if given is None:
        return []
    if not isinstance(given, list):
        refuse("InvalidType", ".values", "This value should be of type array.")
        return []
    read = []
    for position, item in enumerate(given):
        value = _value(field, item)
        if value is None:
            refuse("NotSupportedChoice", f".values.{position}", "The value you selected is not a valid choice.")
        elif value["value"] != "":
            read.append(value)
    return read


def _value(field: Row, item: Any) -> Row | None:
    if not isinstance(item, dict):
        return None
    enums = enums_of(field)
    if enums or TYPES[field["type"]].has_enums:
        return _chosen(field["type"], enums, item)
    plain = TYPES[field["type"]].read(item.get("value"))
    return None if plain is None else {"value": plain}


def _chosen(kind: str, enums: list[Row], item: Row) -> Row | None:
    asked_id, asked_code = whole(item.get("enum_id")), item.get("enum_code") or item.get("enum")
    if kind in ("multitext", "smart_address"):  # the value is free, the enum says what it is
        text = as_text(item.get("value"))
        enum = _enum(enums, asked_id, asked_code) if asked_id is not None or asked_code else next(iter(enums), None)
        return None if text is None or enum is None else {"value": text, "enum_id": enum["id"]}
    enum = _enum(enums, asked_id, asked_code) or next((e for e in enums if e["value"] == item.get("value")), None)
    if enum is None:
        is_empty = asked_id is None and not asked_code and item.get("value") in (None, "")
        return {"value": ""} if is_empty else None
    return {"value": enum["value"], "enum_id": enum["id"]}


def _enum(enums: list[Row], asked_id: int | None, asked_code: Any) -> Row | None:
    if asked_id is None and not asked_code:
        return None
    return next(
        (e for e in enums if (e["id"] == asked_id if asked_id is not None else e.get("code") == asked_code)), None
    )
