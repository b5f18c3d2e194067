"""What a webhook says: the second API generation's names, flattened into PHP's brackets, every value a string.

Companies arrive under `contacts` with type=company; tasks under the singular `task`.
"""

from typing import Any, Final

from server.sandbox.rest.custom_fields import show_values
from server.sandbox.rest.linking import linked
from server.sandbox.rest.shapes import show_tags
from server.sandbox.world import Row, World

_ROOTS: Final = {
    "contacts": "contacts",
    "companies": "contacts",
    "leads": "leads",
    "customers": "customers",
    "tasks": "task",
}


def body_of(world: World, change: Row) -> list[tuple[str, str]]:
    """The form fields of one delivery."""
    entity_type, action = change["entity_type"], change["action"]
    item = _note(world, change) if action == "note" else _ITEMS[entity_type](world, change["row"])
    extra = {name: value for name, value in change.items() if name.startswith("old_")}
    account = {
        "subdomain": world.account["subdomain"],
        "id": world.account["id"],
        "_links": {"self": world.origin},
    }
    return flatten({_ROOTS[entity_type]: {action: [{**item, **extra}]}, "account": account})


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
            "values": [{"value": v["value"], "enum": v.get("enum_id")} for v in field["values"]],
            "code": field["field_code"],
        }
        for field in show_values(world, row) or []
    ]


def _contact(world: World, row: Row) -> Row:
    item = _common(world, row)
    company = world.companies.get(next(iter(linked(row, "companies")), None))
    if company is not None:
        item |= {"company_name": company["name"], "linked_company_id": company["id"]}
    leads = {lead_id: {"ID": lead_id} for lead_id in linked(row, "leads")}
    return {**item, "linked_leads_id": leads, "type": "contact"}


def _company(world: World, row: Row) -> Row:
    return {**_common(world, row), "type": "company"}


def _lead(world: World, row: Row) -> Row:
    names = ("status_id", "price", "pipeline_id")
    return {**_common(world, row), **{name: row[name] for name in names}}


def _task(world: World, row: Row) -> Row:
    names = ("id", "text", "responsible_user_id", "created_at", "updated_at", "complete_till", "entity_id")
    item = {name: row[name] for name in names}
    done = {"task_type": row["task_type_id"], "status": int(row["is_completed"])}
    return {**item, **done, "element_id": row["entity_id"], "account_id": world.account["id"]}


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
    "customers": _common,
    "tasks": _task,
}
