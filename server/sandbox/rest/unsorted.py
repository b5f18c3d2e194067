"""Unsorted ("Неразобранное"): calls from numbers nobody knows, waiting for a person to accept or decline them.

The contacts and companies inside are invisible elsewhere until then; the lead stands in the pipeline's first status.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.phones import tail
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.bodies import read_any, read_items
from server.sandbox.rest.changes import announce
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.rest.linking import link as join
from server.sandbox.rest.linking import unlink_all
from server.sandbox.rest.notes import write_note
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import keep, page_answer, read_query, whole
from server.sandbox.rest.writing import Refusals, attach, draft, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Key, Row, World

_KINDS: Final = ("leads", "contacts", "companies")
_CATEGORIES: Final = ("sip", "mail", "forms", "chats")
_REQUIRED: Final = ("phone", "called_at", "duration", "service_code", "uniq")
_PATH: Final = "/api/v4/leads/unsorted"
_SHOWN: Final = ("uid", "source_uid", "source_name", "category", "pipeline_id", "created_at", "metadata")


async def _create(request: web.Request) -> web.StreamResponse:
    items = await read_items(request)
    made = [
        {**_show_made(request, record), "request_id": request_id_of(item, position)}
        for position, (record, item) in enumerate(zip(create(request, items), items, strict=True))
    ]
    return hal({"_total_items": len(made), "_links": link(request, f"{_PATH}/sip"), "_embedded": {"unsorted": made}})


def create(request: web.Request, items: Sequence[Row]) -> list[Row]:
    """Put calls into Unsorted, all or none. Raises `Invalid`."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals, drafts = Refusals(), []
    for position, item in enumerate(items):
        request_id = request_id_of(item, position)
        _check(world, item, refusals, request_id)
        drafts.append(_drafts(world, item, user_id=user_id, refusals=refusals, request_id=request_id))
    refusals.settle()
    with world.batch():
        return [_store(world, item, inside, user_id=user_id) for item, inside in zip(items, drafts, strict=True)]


def _check(world: World, item: Row, refusals: Refusals, request_id: Any) -> None:
    refuse = refusals.of(request_id)
    metadata = item.get("metadata")
    for name in ("source_name", "source_uid"):
        if not isinstance(item.get(name), str) or not item[name]:
            refuse("FieldMissing", name, "This field is missing.")
    if not isinstance(metadata, dict):
        refuse("FieldMissing", "metadata", "This field is missing.")
        return
    for name in _REQUIRED:
        if metadata.get(name) in (None, ""):
            refuse("FieldMissing", f"metadata.{name}", "This field is missing.")
    pipeline_id = item.get("pipeline_id")
    if pipeline_id is not None and whole(pipeline_id) not in world.pipelines:
        refuse("NotSupportedChoice", "pipeline_id", "The value you selected is not a valid choice.")
    if world.switches["unsorted_exact_duplicates"] == "refuse" and _uid(item) in world.unsorted:
        refuse("NotUnique", "metadata.uniq", "This call is in Unsorted already.")


def _drafts(world: World, item: Row, *, user_id: int, refusals: Refusals, request_id: Any) -> dict[str, list[Row]]:
    """The lead, contact and company inside, with amoCRM's names where the caller gave none."""
    embedded, metadata = _object(item.get("_embedded")), _object(item.get("metadata"))
    phone = str(metadata.get("phone") or "")
    given = {kind: _objects(embedded.get(kind)) for kind in _KINDS}
    given["leads"] = given["leads"] or [{"name": f"Звонок от {phone}"}]
    if not given["contacts"] and not given["companies"]:
        number = {"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}
        given["contacts"] = [{"name": f"Автоконтакт {phone}", "custom_fields_values": [number]}]
    refuse = refusals.of(request_id)
    return {
        kind: [draft(world, NOUNS[kind], entity, user_id=user_id, refuse=refuse) for entity in given[kind]]
        for kind in _KINDS
    }


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Row]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _store(world: World, item: Row, inside: dict[str, list[Row]], *, user_id: int) -> Row:
    pipeline = world.pipelines.get(whole(item.get("pipeline_id"))) or next(p for p in world.pipelines if p["is_main"])
    for lead in inside["leads"]:
        lead |= {"pipeline_id": pipeline["id"], "status_id": pipeline["statuses"][0]["id"], "in_unsorted": True}
    for hidden in (*inside["contacts"], *inside["companies"]):
        hidden["is_unsorted"] = True
    ids: dict[str, list[int]] = {}
    for kind in _KINDS:
        rows = [world.entities(kind).add(row) for row in inside[kind]]
        for row in rows:
            attach(world, NOUNS[kind], row, {})
        ids[kind] = [row["id"] for row in rows]
    _join(world, ids)
    return world.unsorted.put(
        {
            "id": _uid(item),
            "uid": _uid(item),
            "source_uid": item["source_uid"],
            "source_name": item["source_name"],
            "category": "sip",
            "pipeline_id": pipeline["id"],
            "created_at": whole(item.get("created_at")) or world.now(),
            "metadata": {"from": None, **item["metadata"]},
            "state": "open",
            "user_id": user_id,
            "inside": ids,
        }
    )


def _join(world: World, ids: dict[str, list[int]]) -> None:
    for lead_id in ids["leads"]:
        for kind in ("contacts", "companies"):
            for other_id in ids[kind]:
                join(world, ("leads", lead_id), (kind, other_id))


def _uid(item: Row) -> str:
    """Exact copies have the same uid: the same call, told twice."""
    metadata = _object(item.get("metadata"))
    names = ("phone", "from", "call_responsible", "duration", "called_at", "service_code", "uniq")
    told = "|".join(str(metadata.get(name)) for name in names)
    return hashlib.sha1(told.encode("utf-8", "replace"), usedforsecurity=False).hexdigest() + "0" * 18


async def _list(request: web.Request) -> web.StreamResponse:
    query, world = read_query(request), request.app[WORLD]
    rows = keep(world.unsorted.where(state="open"), query.filters, ("uid", "category", "pipeline_id"))
    rows = sorted(rows, key=lambda row: row["created_at"], reverse=query.order == ("created_at", True))
    return page_answer(request, query, rows=rows, name="unsorted", view=partial(_show, request))


async def _one(request: web.Request) -> web.StreamResponse:
    return hal(_show(request, _open(request)))


async def _accept(request: web.Request) -> web.StreamResponse:
    record = _open(request)
    accept(request, record, _object(await read_any(request)))
    return hal(_show_sorted(request, record))


def accept(request: web.Request, record: Row, asked: Row) -> None:
    """Make what waits inside real, for `asked["user_id"]` in `asked["status_id"]`. Raises `Problem` 400."""
    world, user_id = request.app[WORLD], _user(request, asked)
    pipeline = world.pipelines.get(record["pipeline_id"])
    statuses = [status["id"] for status in pipeline["statuses"] if status["type"] == 0] if pipeline else []
    status_id = whole(asked.get("status_id")) or statuses[0]
    if status_id not in statuses:
        raise Problem(400, "status_id is no status of the record's pipeline")
    world.unsorted.put({**record, "state": "accepted", "sorted_at": world.now()})
    with world.batch():
        for kind, entity in _inside(world, record):
            entity |= {"is_unsorted": False, "in_unsorted": False, "responsible_user_id": user_id}
            if kind == "leads":
                entity["status_id"] = status_id
            world.entities(kind).put(entity)
            announce(world, "add", kind, row=entity, user_id=user_id)
        _write_call(world, record, user_id)


def _write_call(world: World, record: Row, user_id: int) -> None:
    """The call shows in the accepted lead's feed when the caller asked for it."""
    metadata = record["metadata"]
    if not metadata.get("is_call_event_needed") or not record["inside"]["leads"]:
        return
    names = ("uniq", "duration", "link", "phone", "call_responsible")
    note = {
        "entity_id": record["inside"]["leads"][0],
        "note_type": "call_in",
        "params": {**{name: metadata.get(name) for name in names}, "source": record["source_name"]},
        "visible_from": 0,
    }
    stamp = {"created_by": user_id, "updated_by": user_id, "responsible_user_id": user_id, "group_id": 0}
    times = {"created_at": whole(metadata.get("called_at")) or world.now(), "updated_at": world.now()}
    write_note(world, "leads", {**note, **stamp, **times}, user_id=user_id)


async def _decline(request: web.Request) -> web.StreamResponse:
    record = _open(request)
    shown = _show_sorted(request, record)
    decline(request, record, _object(await read_any(request)))
    return hal(shown)


def decline(request: web.Request, record: Row, asked: Row) -> None:
    """Throw away a record with all that is inside. Raises `Problem` 400 for an unknown `asked["user_id"]`."""
    _user(request, asked)
    _discard(request.app[WORLD], record, "declined")


async def _summary(request: web.Request) -> web.StreamResponse:
    return hal({**summary(request.app[WORLD]), "_links": link(request, f"{_PATH}/summary")})


def summary(world: World) -> Row:
    """How many wait, were accepted and declined."""
    waiting, accepted = world.unsorted.where(state="open"), world.unsorted.where(state="accepted")
    waits = [row["sorted_at"] - row["created_at"] for row in accepted]
    return {
        "total": len(waiting),
        "accepted": len(accepted),
        "declined": len(world.unsorted.where(state="declined")),
        "average_sort_time": sum(waits) // len(waits) if waits else 0,
        "categories": {name: {"total": len([r for r in waiting if r["category"] == name])} for name in _CATEGORIES},
    }


def forget_known_callers(world: World, entity_type: str, key: Key) -> None:
    """A waiting call disappears when its number becomes a contact or company of the account."""
    waiting = world.unsorted.where(state="open")
    row = world.entities(entity_type).get(key)
    if not waiting or row is None or row.get("is_unsorted") or not world.switches["unsorted_gone_with_contact"]:
        return
    endings = {tail(phone, 10) for phone in values_by_code(world, row, entity_type, "PHONE")} - {None}
    for record in waiting:
        if tail(record["metadata"].get("phone"), 10) in endings:
            _discard(world, record, "gone")


def _discard(world: World, record: Row, state: str) -> None:
    world.unsorted.put({**record, "state": state})
    for kind, entity in _inside(world, record):
        unlink_all(world, kind, entity)
        world.entities(kind).remove(entity["id"])


def _inside(world: World, record: Row) -> list[tuple[str, Row]]:
    pairs = [(kind, world.entities(kind).get(known)) for kind in _KINDS for known in record["inside"][kind]]
    return [(kind, row) for kind, row in pairs if row is not None]


def _open(request: web.Request) -> Row:
    record = request.app[WORLD].unsorted.get(request.match_info["uid"])
    if record is None or record["state"] != "open":
        raise Problem(404, "Unsorted not found")
    return record


def _user(request: web.Request, asked: Row) -> int:
    user_id = whole(asked.get("user_id"))
    if user_id is None:
        return int(asker(request).user["id"])
    if user_id not in request.app[WORLD].users:
        raise Problem(400, "user_id is unknown")
    return user_id


def _show(request: web.Request, record: Row) -> Row:
    shown = {name: record[name] for name in _SHOWN}
    return {**shown, "account_id": request.app[WORLD].account["id"], **_parts(request, record)}


def _show_made(request: web.Request, record: Row) -> Row:
    return {"uid": record["uid"], "account_id": request.app[WORLD].account["id"], **_parts(request, record)}


def _show_sorted(request: web.Request, record: Row) -> Row:
    shown = {name: record[name] for name in ("uid", "pipeline_id", "category", "created_at")}
    return {**shown, **_parts(request, record)}


def _parts(request: web.Request, record: Row) -> Row:
    inside = {
        kind: [{"id": known, "_links": link(request, f"/api/v4/{kind}/{known}")} for known in record["inside"][kind]]
        for kind in _KINDS
    }
    return {"_links": link(request, f"{_PATH}/{record['uid']}"), "_embedded": inside}


_UID: Final = "{uid:[0-9a-f]{40,64}}"
ROUTES: Final = [
    Route("GET", _PATH, _list, "waiting records", query=("page", "limit", "filter", "order")),
    Route("GET", f"{_PATH}/summary", _summary, "how many wait, were accepted and declined"),
    Route(
        "POST",
        f"{_PATH}/sip",
        _create,
        "put a call into Unsorted",
        fidelity="switch: unsorted_exact_duplicates",
        body="array",
    ),
    Route("GET", f"{_PATH}/{_UID}", _one, "one waiting record"),
    Route("POST", f"{_PATH}/{_UID}/accept", _accept, "accept a record", body="object"),
    Route("DELETE", f"{_PATH}/{_UID}/decline", _decline, "decline a record", body="object"),
]
