"""What a webhook says: the second API generation's names, flattened into PHP's brackets, every value a string.

Companies arrive under `contacts` with type=company; tasks under the singular `task`.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, Final

from server.sandbox.rest.custom_fields import show_values
from server.sandbox.rest.field_types import TIMES
from server.sandbox.rest.linking import linked
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.shapes import show_tags
from server.sandbox.world import Row, World

_MOSCOW: Final = timezone(timedelta(hours=3))  # the sample account lives there
_ROOTS: Final = {
    "contacts": "contacts",
    "companies": "contacts",
    "leads": "leads",
    "customers": "customers",
    "tasks": "task",
    "unsorted": "unsorted",
}


def body_of(world: World, change: Row) -> list[tuple[str, str]]:
    """The form fields of one delivery."""
    entity_type, action = change["entity_type"], change["action"]
    extra = {name: value for name, value in change.items() if name.startswith("old_")}
    account = {
        "subdomain": world.account["subdomain"],
        "id": world.account["id"],
        "_links": {"self": world.origin},
    }
    return flatten({_ROOTS[entity_type]: {action: [{**_item(world, change), **extra}]}, "account": account})


def _item(world: World, change: Row) -> Row:
    action, entity_type, row = change["action"], change["entity_type"], change["row"]
    if action == "note":
        return _note(world, change)
    if entity_type == "unsorted":
        return _sorted(row, change["sorting"]) if action == "delete" else _unsorted(world, row)
    if entity_type == "tasks":
        return _task(world, change)
    return _gone(entity_type, row) if action == "delete" else _ITEMS[entity_type](world, row)


def _gone(entity_type: str, row: Row) -> Row:
    """Of what is deleted little is told."""
    if entity_type == "leads":
        return {name: row[name] for name in ("id", "status_id", "pipeline_id")}
    kinds = {"contacts": "contact", "companies": "company"}
    return {"id": row["id"], **({"type": kinds[entity_type]} if entity_type in kinds else {})}


def flatten(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """PHP's http_build_query: nested names in brackets, nulls left out, booleans as 0 and 1."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [field for key, child in pairs for field in flatten(child, f"{prefix}[{key}]" if prefix else str(key))]
    if value is None:
        return []
    return [(prefix, str(int(value)) if isinstance(value, bool) else str(value))]


def _common(world: World, row: Row) -> Row:
    return {
        "id": row["id"],
        "name": row["name"],
        "responsible_user_id": row["responsible_user_id"],
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": row["created_by"],
        "modified_user_id": row["updated_by"],
        "account_id": world.account["id"],
        "custom_fields": _fields(world, row),
        "tags": [{"id": tag["id"], "name": tag["name"]} for tag in show_tags(world, row)],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _fields(world: World, row: Row) -> list[Row]:
    return [
        {
            "id": field["field_id"],
            "name": field["field_name"],
            "values": [_value(field["field_type"], value) for value in field["values"]],
            "code": field["field_code"],
        }
        for field in show_values(world, row) or []
    ]


def _value(kind: str, value: Row) -> Any:
    """Times stand alone, everything else under `value`, a chosen one with its enum."""
    return value["value"] if kind in TIMES else {"value": value["value"], "enum": value.get("enum_id")}


def _contact(world: World, row: Row) -> Row:
    item = _common(world, row)
    company = world.companies.get(next(iter(linked(row, "companies")), None))
    if company is not None:
        item |= {"company_name": company["name"], "linked_company_id": company["id"]}
    leads = {lead_id: {"ID": lead_id} for lead_id in linked(row, "leads")}
    return {**item, "linked_leads_id": leads, "type": "contact"}


def _company(world: World, row: Row) -> Row:
    leads = {lead_id: {"ID": lead_id} for lead_id in linked(row, "leads")}
    return {**_common(world, row), "linked_leads_id": leads, "type": "company"}


def _lead(world: World, row: Row) -> Row:
    names = ("status_id", "price", "pipeline_id")
    return {**_common(world, row), **{name: row[name] for name in names}}


def _customer(world: World, row: Row) -> Row:
    names = ("status_id", "next_price", "next_date", "periodicity", "ltv", "purchases_count", "average_check")
    return {**_common(world, row), **{name: row.get(name) for name in names}}


def _task(world: World, change: Row) -> Row:
    """Tasks are told as the oldest API had them: times as text, the entity by its number."""
    row: Row = change["row"]
    before: Row = change.get("before", row)
    noun = NOUNS.get(row["entity_type"])
    item: Row = {
        "id": row["id"],
        "element_id": row["entity_id"],
        "element_type": noun.type_id if noun else 0,
        "task_type": row["task_type_id"],
        "date_create": _local(row["created_at"]),
        "text": row["text"],
        "status": int(row["is_completed"]),
        "account_id": world.account["id"],
        "created_user_id": row["created_by"],
        "last_modified": _local(row["updated_at"]),
        "responsible_user_id": row["responsible_user_id"],
        "complete_till": _local(row["complete_till"]),
        "result": row["result"] or None,
    }
    if change["action"] == "update":
        item["action_close"] = int(row["is_completed"] and not before["is_completed"])
    return item


def _local(seconds: int) -> str:
    """In the account's time zone."""
    return datetime.fromtimestamp(seconds, _MOSCOW).strftime("%Y-%m-%d %H:%M:%S")


def _unsorted(world: World, record: Row) -> Row:
    inside = {
        kind: [_inside(world, kind, row) for known in ids if (row := world.entities(kind).get(known)) is not None]
        for kind, ids in record["inside"].items()
    }
    return {
        "uid": record["uid"],
        "category": record["category"],
        "account_id": world.account["id"],
        "user_id": record["user_id"],
        "source": record["source_name"],
        "source_uid": record["source_uid"],
        "pipeline_id": record["pipeline_id"],
        "created_at": record["created_at"],
        "source_data": record["metadata"],
        "data": inside,
    }


def _inside(world: World, kind: str, row: Row) -> Row:
    names = ("status_id", "pipeline_id") if kind == "leads" else ()
    stamp = {"date_create": row["created_at"], "created_user_id": row["created_by"]}
    fields = _fields(world, row)
    return {
        "id": row["id"],
        "name": row["name"],
        **{name: row[name] for name in names},
        **stamp,
        "custom_fields": fields,
    }


def _sorted(record: Row, sorting: str) -> Row:
    shown = {name: record[name] for name in ("uid", "category", "created_at")}
    result = {kind: ids for kind, ids in record["inside"].items() if ids}
    return {"action": sorting, **shown, f"{sorting}_result": result}


def _note(world: World, change: Row) -> Row:
    note = change["note"]
    names = ("id", "note_type", "created_by", "created_at", "updated_at", "responsible_user_id")
    shown = {name: note[name] for name in names}
    text = note["params"].get("text", "")
    return {"note": {**shown, "element_id": note["entity_id"], "text": text, "account_id": world.account["id"]}}


_ITEMS: Final = {
    "contacts": _contact,
    "companies": _company,
    "leads": _lead,
    "customers": _customer,
}
