"""What comes into Unsorted ("Неразобранное"): calls and forms by the API, chats and letters by amoCRM itself.

The contacts and companies inside are invisible elsewhere until somebody accepts; the lead stands in the pipeline's
first status.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.rest.changes import announce
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.linking import link as join
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.writing import attach, draft
from server.sandbox.world import Row, World

KINDS: Final = ("leads", "contacts", "companies")
CATEGORIES: Final = ("sip", "mail", "forms", "chats")
# What the metadata of a category must tell; chats and letters are told by amoCRM, not by clients.
_REQUIRED: Final = {
    "sip": ("phone", "called_at", "duration", "service_code", "uniq"),
    "forms": ("form_id", "form_name"),
}
_NAMES: Final = {"sip": "Звонок от {}", "forms": "Заявка с формы {}", "chats": "Чат с {}", "mail": "Письмо от {}"}
_SAME_CALL: Final = ("phone", "from", "call_responsible", "duration", "called_at", "service_code", "uniq")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record, checked but not stored: drafts of what is inside, each with the item it was made from."""

    category: str
    item: Row
    inside: dict[str, list[tuple[Row, Row]]]


def read(world: World, category: str, item: Row, *, user_id: int, refuse: Refuse) -> Arrival:
    """Check one record and draft what is inside, with amoCRM's names where the caller gave none."""
    _check(world, category, item, refuse)
    embedded, metadata = as_object(item.get("_embedded")), as_object(item.get("metadata"))
    given = {kind: _objects(embedded.get(kind)) for kind in KINDS}
    who = _caller(category, metadata)
    given["leads"] = given["leads"] or [{"name": _NAMES[category].format(who)}]
    if category in ("sip", "chats") and not given["contacts"] and not given["companies"]:
        given["contacts"] = [_auto_contact(category, who)]
    inside = {
        kind: [(draft(world, NOUNS[kind], one, user_id=user_id, refuse=refuse), one) for one in given[kind]]
        for kind in KINDS
    }
    return Arrival(category, item, inside)


def _check(world: World, category: str, item: Row, refuse: Refuse) -> None:
    metadata = item.get("metadata")
    for name in ("source_name", "source_uid"):
        if not isinstance(item.get(name), str) or not item[name]:
            refuse("FieldMissing", name, "This field is missing.")
    if not isinstance(metadata, dict):
        refuse("FieldMissing", "metadata", "This field is missing.")
        return
    for name in _REQUIRED.get(category, ()):
        if metadata.get(name) in (None, ""):
            refuse("FieldMissing", f"metadata.{name}", "This field is missing.")
    pipeline_id = item.get("pipeline_id")
    if pipeline_id is not None and whole(pipeline_id) not in world.pipelines:
        refuse("NotSupportedChoice", "pipeline_id", "The value you selected is not a valid choice.")
    is_known = _uid(category, item) in world.unsorted
    if is_known and world.switches["unsorted_exact_duplicates"] == "refuse":
        refuse("NotUnique", "metadata", "This record is in Unsorted already.")


def _caller(category: str, metadata: Row) -> str:
    if category == "mail":
        return str(as_object(metadata.get("from")).get("email") or "")
    names = {"sip": "phone", "forms": "form_name", "chats": "from"}
    return str(metadata.get(names[category]) or "")


def _auto_contact(category: str, who: str) -> Row:
    if category == "chats":
        return {"name": who}
    number = {"field_code": "PHONE", "values": [{"value": who, "enum_code": "WORK"}]}
    return {"name": f"Автоконтакт {who}", "custom_fields_values": [number]}


def as_object(value: Any) -> Row:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Row]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def store(world: World, arrival: Arrival, *, user_id: int) -> Row:
    """Keep a record and what is inside."""
    item, inside = arrival.item, arrival.inside
    pipeline = world.pipelines.get(whole(item.get("pipeline_id"))) or next(p for p in world.pipelines if p["is_main"])
    first = next(status["id"] for status in pipeline["statuses"] if status["type"] == 1)
    ids: dict[str, list[int]] = {}
    for kind in KINDS:
        ids[kind] = []
        for row, given in inside[kind]:
            if kind == "leads":
                row |= {"pipeline_id": pipeline["id"], "status_id": first, "in_unsorted": True, "closed_at": None}
            else:
                row["is_unsorted"] = True
            stored = world.entities(kind).add(row)
            attach(world, NOUNS[kind], stored, {"_embedded": {"tags": as_object(given.get("_embedded")).get("tags")}})
            ids[kind].append(stored["id"])
    for lead_id in ids["leads"]:
        for kind in ("contacts", "companies"):
            for other_id in ids[kind]:
                join(world, ("leads", lead_id), (kind, other_id))
    record = world.unsorted.put(_record(world, arrival, pipeline["id"]) | {"user_id": user_id, "inside": ids})
    announce(world, "add", "unsorted", row=record, user_id=user_id)
    return record


def _record(world: World, arrival: Arrival, pipeline_id: int) -> Row:
    item, uid, now = arrival.item, _uid(arrival.category, arrival.item), world.now()
    return {
        "id": uid,
        "uid": uid,
        "source_uid": item["source_uid"],
        "source_name": item["source_name"],
        "category": arrival.category,
        "pipeline_id": pipeline_id,
        "created_at": whole(item.get("created_at")) or now,
        "updated_at": now,
        "metadata": {**({"from": None} if arrival.category == "sip" else {}), **item["metadata"]},
        "state": "open",
    }


def _uid(category: str, item: Row) -> str:
    """Exact copies have the same uid: the same call, told twice."""
    metadata = as_object(item.get("metadata"))
    names = _SAME_CALL if category == "sip" else sorted(metadata)
    told = "|".join(str(metadata.get(name)) for name in names)
    if category != "sip":
        told = f"{category}|{item.get('source_uid')}|{told}|{as_object(item.get('_embedded'))}"
    return hashlib.sha1(told.encode("utf-8", "replace"), usedforsecurity=False).hexdigest() + "0" * 18
