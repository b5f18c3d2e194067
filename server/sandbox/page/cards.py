"""What a card shows: the entity's own fields, what is linked with it, and its notes."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.custom_fields import fields_of, values_by_code
from server.sandbox.rest.linking import rows_linked
from server.sandbox.rest.nouns import LOST, NOUNS, WON
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.shapes import show_tags
from server.sandbox.world import ENTITIES, WORLD, Row, World

_TEXT_TYPES: Final = ("text", "textarea", "url", "numeric")
_ALWAYS_SHOWN: Final = ("PHONE", "EMAIL")
_NOTES: Final = 100


async def card(request: web.Request) -> web.StreamResponse:
    """One card; id 0 is the form of a new one with the phone of the address filled in. 404, 403 by rights."""
    world, entity_type = request.app[WORLD], request.match_info["entity"]
    user, row_id = asker(request).user, int(request.match_info["id"])
    if row_id == 0:
        return plain(_new(world, entity_type, user, request))
    row = world.entities(entity_type).get(row_id)
    if row is None or not is_visible(row):
        raise Problem(404, "Not found")
    if not may(user, "view", entity_type, row):
        raise Problem(403, "Forbidden")
    return plain(_show(world, entity_type, row, user))


def _show(world: World, entity_type: str, row: Row, user: Row) -> Row:
    shown = _head(world, entity_type, row) | {
        "tags": show_tags(world, row),
        "notes": _notes(world, entity_type, row),
        "price": row.get("price", row.get("next_price")),
        "company": None,
    }
    for other in ENTITIES:
        visible = [one for one in rows_linked(world, row, other) if may(user, "view", other, one)]
        shown[other] = [_head(world, other, one) | {"note": _line(world, other, one)} for one in visible]
    if shown["companies"]:
        shown["company"] = {"id": shown["companies"][0]["id"], "name": shown["companies"][0]["name"]}
    return shown | (_stage(world, row) if entity_type == "leads" else {})


def _head(world: World, entity_type: str, row: Row) -> Row:
    """The part that a card and a linked form have in common."""
    responsible = world.users.get(row.get("responsible_user_id")) or {"id": None, "name": ""}
    return {
        "id": row["id"],
        "entity": entity_type,
        "element_type": NOUNS[entity_type].type_id,
        "name": row.get("name") or "",
        "first_name": row.get("first_name") or "",
        "last_name": row.get("last_name") or "",
        "responsible": {"id": responsible["id"], "name": responsible["name"]},
        "fields": _fields(world, entity_type, row),
    }


def _fields(world: World, entity_type: str, row: Row) -> list[Row]:
    given = {entry["field_id"]: entry["values"] for entry in row.get("custom_fields_values") or []}
    return [
        {
            "id": field["id"],
            "code": field["code"],
            "name": field["name"],
            "type": field["type"],
            "is_text": field["type"] in _TEXT_TYPES,
            "values": [_value(field, value) for value in given.get(field["id"], [])],
        }
        for field in fields_of(world, entity_type)
    ]


def _value(field: Row, value: Row) -> Row:
    codes = {enum["id"]: enum.get("code") for enum in field.get("enums") or []}
    return {"value": value["value"], "enum_code": codes.get(value.get("enum_id")) or value.get("enum_code")}


def _line(world: World, entity_type: str, row: Row) -> str:
    """The words beside a linked deal or customer."""
    if entity_type == "leads":
        return f"{_money(row.get('price'))} · {_stage(world, row)['status']['name']}"
    return _money(row.get("next_price")) if entity_type == "customers" else ""


def _money(amount: int | None) -> str:
    return f"{amount or 0:,} ₽".replace(",", "\N{NO-BREAK SPACE}")


def _stage(world: World, row: Row) -> dict[str, Any]:
    pipeline = world.pipelines.get(row.get("pipeline_id")) or next(iter(world.pipelines))
    statuses = pipeline["statuses"]
    here = next((status for status in statuses if status["id"] == row.get("status_id")), statuses[0])
    steps = [
        {"name": status["name"], "is_passed": status["sort"] <= here["sort"]}
        for status in statuses
        if status["id"] not in (WON, LOST) and status.get("type") != 1
    ]
    status = {"id": here["id"], "name": here["name"], "color": here["color"]}
    return {"pipeline": pipeline["name"], "pipeline_id": pipeline["id"], "status": status, "statuses": steps}


def _notes(world: World, entity_type: str, row: Row) -> list[Row]:
    notes = world.notes.where(entity_type=entity_type, entity_id=row["id"])
    latest = sorted(notes, key=lambda note: note["created_at"])[-_NOTES:]
    return [
        {
            **{name: note[name] for name in ("id", "note_type", "created_at")},
            "params": note.get("params") or {},
            "author": (world.users.get(note.get("created_by")) or {"name": ""})["name"],
        }
        for note in latest
    ]


def _new(world: World, entity_type: str, user: Row, request: web.Request) -> Row:
    """An empty form: only the phone and the name the address brings."""
    blank = {"id": 0, "name": request.query.get("name", ""), "responsible_user_id": user["id"]}
    shown = _head(world, entity_type, blank)
    phone = request.query.get("phone", "").strip()
    # An unencoded plus of `?phone=+7…` arrives as a space; amoCRM's own links write it that way.
    number = f"+{phone}" if phone and request.query["phone"].startswith(" ") else phone
    for field in shown["fields"]:
        if field["code"] == "PHONE" and number:
            field["values"] = [{"value": number, "enum_code": "WORK"}]
    empty: Row = {other: [] for other in ENTITIES} | {"tags": [], "notes": [], "price": 0, "company": None}
    return shown | empty


def phones_and_emails(world: World, entity_type: str, row: Row) -> Row:
    """What lists and `list_selected` offer of a row; of deals and customers those of their contacts."""
    owners = [("contacts", one) for one in rows_linked(world, row, "contacts")]
    sources = owners if entity_type in ("leads", "customers") else [(entity_type, row)]

    def gather(code: str) -> list[str]:
        return list(dict.fromkeys(value for kind, one in sources for value in values_by_code(world, one, kind, code)))

    return {"phones": gather(_ALWAYS_SHOWN[0]), "emails": gather(_ALWAYS_SHOWN[1])}
