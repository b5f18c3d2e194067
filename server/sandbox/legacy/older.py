"""Entities, notes and tasks as /private/api/v2/json shows them: times called date_create and last_modified, flags Y
and N, and most numbers as text.
"""

import json
from typing import Any, Final

from server.sandbox.legacy.fields import show_fields
from server.sandbox.legacy.shapes import note_params, note_type, show_tag_names
from server.sandbox.rest.linking import linked, rows_linked
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.world import Row, World


def _common(world: World, row: Row) -> Row:
    """What contacts, companies and leads have in common."""
    company = next(iter(rows_linked(world, row, "companies")), None)
    return {
        "id": row["id"],
        "name": row["name"],
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": row["created_by"],
        "modified_user_id": row["updated_by"],
        "responsible_user_id": row["responsible_user_id"],
        "account_id": world.account["id"],
        "group_id": row["group_id"],
        "closest_task": row["closest_task_at"] or False,
        "linked_company_id": str(company["id"]) if company else None,
        "company_name": company["name"] if company else "",
        "tags": show_tag_names(world, row),
        "custom_fields": [_field(field) for field in show_fields(world, row)],
    }


def _field(field: Row) -> Row:
    values = [{name: str(one) if name == "enum" else one for name, one in value.items()} for value in field["values"]]
    named = {"id": str(field["id"]), "name": field["name"]} | ({"code": field["code"]} if "code" in field else {})
    return {**named, "values": values}


def show_contact(world: World, row: Row) -> Row:
    """A contact."""
    leads = [str(known["id"]) for known in rows_linked(world, row, "leads")]
    return {**_common(world, row), "type": "contact", "linked_leads_id": leads}


def show_company(world: World, row: Row) -> Row:
    """A company: a contact of another type, here as well."""
    return {**show_contact(world, row), "type": "company"}


def show_lead(world: World, row: Row) -> Row:
    """A lead."""
    names = ("id", "status_id", "price", "responsible_user_id")
    main = next(iter(linked(row, "contacts")), None)
    return {
        **_common(world, row),
        **{name: str(row[name] or 0) for name in names},
        "created_user_id": str(row["created_by"]),
        "account_id": str(world.account["id"]),
        "pipeline_id": row["pipeline_id"],
        "date_close": row["closed_at"] or 0,
        "loss_reason_id": row["loss_reason_id"] or 0,
        "deleted": 0,
        "main_contact_id": main or 0,
    }


def show_customer(world: World, row: Row) -> Row:
    """A customer."""
    names = ("next_price", "next_date", "periodicity", "status_id")
    common = {name: value for name, value in _common(world, row).items() if name != "responsible_user_id"}
    main = next(iter(linked(row, "contacts")), None)
    return {
        **common,
        **{name: row[name] for name in names},
        "main_user_id": row["responsible_user_id"],
        "created_by": row["created_by"],
        "modified_by": row["updated_by"],
        "date_modify": row["updated_at"],
        "main_contact_id": main or 0,
        "deleted": False,
    }


def show_note(world: World, note: Row) -> Row:
    """A note; a call's params are its text."""
    params = note_params(note)
    return {
        **_of_element(world, note),
        "note_type": str(note_type(note)),
        "text": params.get("text") or (json.dumps(params, ensure_ascii=False) if params else ""),
        "ATTACHEMENT": "",
        "editable": "Y" if note["note_type"] == "common" else "N",
    }


def show_task(world: World, task: Row) -> Row:
    """A task."""
    return {
        **_of_element(world, task),
        "text": task["text"],
        "task_type": str(task["task_type_id"]),
        "complete_till": task["complete_till"],
        "status": str(int(task["is_completed"])),
        "result": [task["result"]] if isinstance(task["result"], dict) else [],
    }


def _of_element(world: World, row: Row) -> Row:
    noun = NOUNS.get(row["entity_type"] or "")
    return {
        "id": str(row["id"]),
        "element_id": str(row["entity_id"] or 0),
        "element_type": str(noun.type_id if noun else 0),
        "date_create": row["created_at"],
        "last_modified": row["updated_at"],
        "created_user_id": str(row["created_by"]),
        "responsible_user_id": str(row["responsible_user_id"]),
        "group_id": row["group_id"],
        "account_id": str(world.account["id"]),
    }


SHOWN: Final[dict[str, Any]] = {
    "contacts": show_contact,
    "companies": show_company,
    "leads": show_lead,
    "customers": show_customer,
    "notes": show_note,
    "tasks": show_task,
}
