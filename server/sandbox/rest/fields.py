"""Custom fields and their groups: what an administrator may define for each kind of entity.

Their values are another matter: `custom_fields.py`.
"""

import re
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.answers import Problem
from server.sandbox.rest.custom_fields import Refuse, fields_of
from server.sandbox.rest.field_types import TYPES, kind_of
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import whole
from server.sandbox.rest.shelves import ALL, NOT_A_CHOICE, Shelf, routes
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row

# Where fields live: the four entities, segments of customers, and each catalog.
PLACES: Final = (*ENTITIES, "customers/segments", r"catalogs/{catalog_id:\d{1,15}}")
_REMINDERS: Final = ("never", "day", "week", "month")
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,255}")
_MEMBERS: Final = (
    Member("name", "text", required=True),
    Member("type", "text", required=True),
    Member("code", "text"),
    Member("sort", "int", 500),
    Member("group_id", "text"),
    Member("is_api_only", "bool", default=False),
    Member("is_visible", "bool", default=True),
    Member("is_required", "bool", default=False),
    Member("remind", "text"),
    Member("tracking_callback", "text"),
    Member("search_in", "text"),
    Member("currency", "text"),
)


def place_of(request: web.Request, place: str) -> str:
    """The place with the catalog's number in it. Raises `Problem` 404 for an unknown catalog."""
    if not place.startswith("catalogs/"):
        return place
    catalog_id = int(request.match_info["catalog_id"])
    if catalog_id not in request.app[WORLD].catalogs:
        raise Problem(404, "Catalog not found")
    return f"catalogs/{catalog_id}"


def _scope(place: str, request: web.Request) -> Row:
    return {"entity_type": place_of(request, place)}


def _check(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    world, kind = request.app[WORLD], kind_of(row["entity_type"])
    known = world.custom_fields.get(row.get("id"))
    if known is not None:
        row["type"] = known["type"]  # a field never changes its type
    elif row["type"] not in TYPES or kind not in TYPES[row["type"]].where:
        refuse("NotSupportedChoice", "type", NOT_A_CHOICE)
        return
    row["is_predefined"] = known is not None and _is_predefined(known)
    if known is not None and row["is_predefined"]:
        row["code"] = known["code"]
    _check_code(request, row, refuse)
    if row["remind"] is not None and (row["type"] != "birthday" or row["remind"] not in _REMINDERS):
        refuse("NotSupportedChoice", "remind", NOT_A_CHOICE)
    groups = {group["id"] for group in _groups_of(request, row["entity_type"])}
    if row["group_id"] is not None and row["group_id"] not in groups:
        refuse("NotSupportedChoice", "group_id", NOT_A_CHOICE)
    _read_statuses(row, item)
    _read_enums(request, row, item, refuse)


def _is_predefined(row: Row) -> bool:
    """Whether amoCRM itself made the field; those of the sample account that have a code are of this kind."""
    return bool(row.get("is_predefined", row["code"] is not None))


def _check_code(request: web.Request, row: Row, refuse: Refuse) -> None:
    code = row["code"]
    if code is None:
        return
    if not _CODE.fullmatch(code):
        refuse("InvalidFormat", "code", "This value is not valid.")
    others = request.app[WORLD].custom_fields.where(entity_type=row["entity_type"], code=code)
    if any(other["id"] != row.get("id") for other in others):
        refuse("NotUnique", "code", "This value is already used.")


def _read_statuses(row: Row, item: Row) -> None:
    for name in ("required_statuses", "hidden_statuses"):
        given = item.get(name)
        if isinstance(given, list):
            pairs = [(whole(p.get("status_id")), whole(p.get("pipeline_id"))) for p in given if isinstance(p, dict)]
            row[name] = [{"status_id": status, "pipeline_id": pipeline} for status, pipeline in pairs if status]
    if isinstance(item.get("settings"), dict | list):
        row["settings"] = item["settings"]


def _read_enums(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    """The values to choose from: those with a known id stay, the others are new, what is not named goes."""
    name = "nested" if row["type"] == "category" else "enums"
    if not TYPES[row["type"]].has_enums:
        row["enums"] = None
        return
    given = item.get(name)
    if given is None and row.get("enums"):
        return
    if not isinstance(given, list) or not given:
        refuse("FieldMissing", name, "This field is missing.")
        return
    kept = {enum["id"]: enum for enum in row.get("enums") or []}
    enums: list[Row] = []
    temporary: dict[str, int] = {}  # parents of the same request are named by their request_id
    for position, one in enumerate(given):
        value = one.get("value") if isinstance(one, dict) else None
        if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
            refuse("FieldMissing", f"{name}.{position}.value", "This field is missing.")
            continue
        known = kept.get(whole(one.get("id")) or 0, {})
        enum_id: int = known["id"] if known else request.app[WORLD].next_id("enums")
        sort, code = whole(one.get("sort")), one.get("code")
        enum = {"id": enum_id, "value": str(value), "sort": position if sort is None else sort}
        enum["code"] = code if isinstance(code, str) else known.get("code")
        if name == "nested":
            enum["parent_id"] = (
                temporary.get(str(one.get("parent_request_id")), whole(one.get("parent_id")) or 0) or None
            )
            temporary[str(one.get("request_id"))] = enum_id
        enums.append(enum)
    row["enums"] = enums


def _show(_: web.Request, row: Row) -> Row:
    kind, predefined = kind_of(row["entity_type"]), _is_predefined(row)
    enums = None if row["type"] == "category" else _shown_enums(row)
    shown: Row = {name: row.get(name) for name in ("id", "name", "type", "code", "sort")}
    shown |= {"is_deletable": not predefined, "enums": enums, "entity_type": kind}
    if kind == "catalogs":
        nested = [{name: e.get(name) for name in ("id", "parent_id", "value", "sort")} for e in row.get("enums") or []]
        return {
            **shown,
            "settings": row.get("settings"),
            "is_visible": row.get("is_visible", True),
            "is_required": row.get("is_required", False),
            "search_in": row.get("search_in"),
            "catalog_id": int(row["entity_type"].partition("/")[2]),
            "nested": nested if row["type"] == "category" else None,
        }
    if kind == "leads":
        callback = {"tracking_callback": row.get("tracking_callback")} if row["type"] == "tracking_data" else {}
        shown |= {"is_computed": False, "hidden_statuses": row.get("hidden_statuses", []), **callback}
    return {
        **shown,
        "is_predefined": predefined,
        "is_api_only": row.get("is_api_only", False),
        "group_id": row.get("group_id"),
        "required_statuses": row.get("required_statuses", []),
        "settings": row.get("settings"),
        "remind": row.get("remind"),
        "currency": row.get("currency"),
        "chained_lists": None,
    }


def _shown_enums(row: Row) -> list[Row] | None:
    enums = row.get("enums") or []
    return [
        {"id": e["id"], "value": e["value"], "sort": e.get("sort", i), "code": e.get("code")}
        for i, e in enumerate(enums)
    ] or None


def _removed(request: web.Request, row: Row) -> None:
    """A field's values go with it."""
    world, kind = request.app[WORLD], kind_of(row["entity_type"])
    if _is_predefined(row):
        raise Problem(400, "A predefined field cannot be deleted")
    small = {"catalogs": world.catalog_elements, "segments": world.segments}
    collection = small[kind] if kind in small else world.entities(kind)
    for owner in collection:
        entries = owner.get("custom_fields_values") or []
        left = [entry for entry in entries if entry["field_id"] != row["id"]]
        if len(left) < len(entries):
            collection.put({**owner, "custom_fields_values": left})


def _predefined_groups(place: str, request: web.Request) -> list[Row]:
    kind = place_of(request, place)
    rows = [{"id": "default", "name": "Основное", "type": "custom_field_group", "sort": 0}]
    if kind == "leads":
        rows.append({"id": "statistic", "name": "Статистика", "type": "linked_group", "sort": 1})
    return [{**row, "entity_type": kind, "is_predefined": True} for row in rows]


def _groups_of(request: web.Request, place: str) -> list[Row]:
    own = request.app[WORLD].field_groups.where(entity_type=place)
    return [*_predefined_groups(place, request), *own]


def _check_group(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    world = request.app[WORLD]
    row.setdefault("id", f"{row['entity_type'].replace('/', '_')}_{world.next_id('field_groups')}")
    row |= {"is_predefined": False, "type": "custom_field_group", "moved": []}
    given = item.get("fields")
    known = {field["id"] for field in fields_of(world, row["entity_type"])}
    for position, field_id in enumerate(given if isinstance(given, list) else []):
        if whole(field_id) in known:
            row["moved"].append(whole(field_id))
        else:
            refuse("NotSupportedChoice", f"fields.{position}", NOT_A_CHOICE)


def _move(group_id: str | None, request: web.Request, row: Row) -> None:
    """Put the fields a change names into its group, or all of a group that goes into none."""
    fields = request.app[WORLD].custom_fields
    for field in fields:
        if field["id"] in row["moved"] if group_id else field.get("group_id") == row["id"]:
            fields.put({**field, "group_id": group_id})


def _show_group(request: web.Request, row: Row) -> Row:
    fields = request.app[WORLD].custom_fields.where(entity_type=row["entity_type"], group_id=row["id"])
    shown = {name: row[name] for name in ("id", "name", "is_predefined", "type", "sort")}
    return {**shown, "entity_type": kind_of(row["entity_type"]), "fields": [field["id"] for field in fields]}


def _shelves(place: str) -> list[Route]:
    path = f"/api/v4/{place}/custom_fields"
    groups = Shelf(
        "custom_field_groups",
        "field_groups",
        f"{path}/groups",
        (Member("name", "text", required=True), Member("sort", "int", 0)),
        "group of fields",
        scope=partial(_scope, place),
        fixed=partial(_predefined_groups, place),
        check=_check_group,
        show=_show_group,
        stored=lambda request, row: _move(row["id"], request, row),
        removed=partial(_move, None),
        id_pattern="{id:[A-Za-z0-9_]{1,60}}",
        created=201,
        unknown=404,
    )
    fields = Shelf(
        "custom_fields",
        "custom_fields",
        path,
        _MEMBERS,
        "custom field",
        scope=partial(_scope, place),
        check=_check,
        show=_show,
        removed=_removed,
        filters=("id", "type", "code"),
        created=201,
        updated=201,
    )
    one_by_one = (
        routes(groups, "list", "one", "create", "update_one", "delete") if place != "customers/segments" else []
    )
    return [*one_by_one, *routes(fields, *ALL)]


ROUTES: Final[list[Route]] = [route for place in PLACES for route in _shelves(place)]
