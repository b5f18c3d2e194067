"""Entities, notes and tasks as /api/v2 shows them; what is empty is an empty object, as PHP wrote it."""

import json
from typing import Any, Final

from server.sandbox.legacy.fields import show_fields
from server.sandbox.rest.linking import linked, rows_linked
from server.sandbox.rest.nouns import NOUNS, Noun
from server.sandbox.rest.shapes import show_tags
from server.sandbox.world import Row, World

NOTE_TYPES: Final = {
    "common": 4, "attachment": 5, "call_in": 10, "call_out": 11, "service_message": 25, "sms_in": 102, "sms_out": 103,
}  # fmt: skip
_LATER: Final = 99  # MAX_SYSTEM; what came after the numbers ended
CALL_WORDS: Final = {"uniq": "UNIQ", "phone": "PHONE", "duration": "DURATION", "source": "SRC", "link": "LINK"}
_STAMP: Final = ("responsible_user_id", "created_by", "created_at", "updated_at")


def link(path: str, method: str = "get") -> Row:
    """`{"self": {"href", "method"}}`; links of this generation have no host."""
    return {"self": {"href": path, "method": method}}


def show_entity(world: World, noun: Noun, row: Row) -> Row:
    """One entity with everything it is linked with."""
    shown: Row = {"id": row["id"], "name": row["name"]}
    if noun.name == "contacts":
        shown |= {name: row[name] for name in ("first_name", "last_name")}
    shown |= {name: row[name] for name in _STAMP}
    shown |= {"account_id": world.account["id"], "updated_by": row["updated_by"], "group_id": row["group_id"]}
    if noun.name in ("leads", "customers"):
        shown |= {"is_deleted": row["is_deleted"], "main_contact": _main_contact(row)}
    if noun.name != "companies":
        shown["company"] = _company(world, row)
    shown |= {"closest_task_at": row["closest_task_at"] or 0, "tags": show_tag_names(world, row) or {}}
    shown["custom_fields"] = show_fields(world, row)
    others = {"contacts": ("leads", "customers"), "companies": ("leads", "contacts", "customers")}
    for other in others.get(noun.name, ("contacts",)):
        shown[other] = _others(world, row, other)
    shown |= _MORE.get(noun.name, lambda _: {})(row)
    return {**shown, "_links": link(f"/api/v2/{noun.name}?id={row['id']}")}


def show_tag_names(world: World, row: Row) -> list[Row]:
    """Tags without their colours."""
    return [{"id": tag["id"], "name": tag["name"]} for tag in show_tags(world, row)]


def _main_contact(row: Row) -> Row:
    main = next(iter(linked(row, "contacts")), None)
    return {"id": main, "_links": link(f"/api/v2/contacts?id={main}")} if main else {}


def _company(world: World, row: Row) -> Row:
    company = next(iter(rows_linked(world, row, "companies")), None)
    if company is None:
        return {}
    return {"id": company["id"], "name": company["name"], "_links": link(f"/api/v2/companies?id={company['id']}")}


def _others(world: World, row: Row, other: str) -> Row:
    ids = [known["id"] for known in rows_linked(world, row, other)]
    return {"id": ids, "_links": link(f"/api/v2/{other}?id={','.join(map(str, ids))}")} if ids else {}


def _lead(row: Row) -> Row:
    pipeline = {"id": row["pipeline_id"], "_links": link(f"/api/v2/pipelines?id={row['pipeline_id']}")}
    return {
        "closed_at": row["closed_at"] or 0,
        "status_id": row["status_id"],
        "pipeline_id": row["pipeline_id"],
        "sale": row["price"] or 0,
        "loss_reason_id": row["loss_reason_id"] or 0,
        "pipeline": pipeline,
    }


def _customer(row: Row) -> Row:
    names = ("next_date", "next_price", "periodicity", "status_id", "ltv", "purchases_count", "average_check")
    return {**{name: row[name] for name in names}, "period_id": row["status_id"]}


_MORE: Final[dict[str, Any]] = {"leads": _lead, "customers": _customer}


def show_note(world: World, note: Row) -> Row:
    """A note; calls tell their params twice, as an object and as the text they were before."""
    params = note_params(note)
    text = params.get("text") or (json.dumps(params, ensure_ascii=False) if params else "")
    shown: Row = {"id": note["id"], **{name: note[name] for name in _STAMP}, "account_id": world.account["id"]}
    noun = NOUNS[note["entity_type"]]
    return {
        **shown,
        "group_id": note["group_id"],
        "is_editable": note["note_type"] == "common",
        "element_id": note["entity_id"],
        "element_type": noun.type_id,
        "attachment": "",
        "note_type": note_type(note),
        "text": text,
        "params": params,
        "_links": link(f"/api/v2/notes?id={note['id']}&type={noun.singular}"),
    }


def note_type(note: Row) -> int:
    """The number of a note's type."""
    return NOTE_TYPES.get(note["note_type"], _LATER)


def note_params(note: Row) -> Row:
    """A note's params; those of calls in capitals."""
    words = CALL_WORDS if note["note_type"] in ("call_in", "call_out") else {}
    return {words.get(name, name): value for name, value in note["params"].items() if value is not None}


def show_task(world: World, task: Row) -> Row:
    """A task; its result is one object."""
    result = task["result"] if isinstance(task["result"], dict) else None
    noun = NOUNS.get(task["entity_type"] or "")
    return {
        "id": task["id"],
        "element_id": task["entity_id"] or 0,
        "element_type": noun.type_id if noun else 0,
        "complete_till_at": task["complete_till"],
        "task_type": task["task_type_id"],
        "text": task["text"],
        "created_at": task["created_at"],
        "updated_at": task["updated_at"],
        "responsible_user_id": task["responsible_user_id"],
        "is_completed": task["is_completed"],
        "created_by": task["created_by"],
        "account_id": world.account["id"],
        "group_id": task["group_id"],
        "duration": task["duration"],
        "result": {"id": task["id"], "text": result["text"]} if result else {},
        "_links": link(f"/api/v2/tasks?id={task['id']}"),
    }
