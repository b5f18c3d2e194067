"""Unsorted ("Неразобранное"): what nobody knows yet waits here for a person who accepts, declines or links it.

How records come in is the matter of `unsorted_intake.py`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.phones import tail
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.bodies import read_any, read_items, read_object
from server.sandbox.rest.changes import announce
from server.sandbox.rest.custom_fields import values_by_code
from server.sandbox.rest.linking import link as join
from server.sandbox.rest.linking import unlink_all
from server.sandbox.rest.notes import write_note
from server.sandbox.rest.nouns import LOST, WON
from server.sandbox.rest.query import keep, page_answer, read_query, whole
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.unsorted_intake import CATEGORIES, KINDS, as_object, read, store
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Key, Row, World

_PATH: Final = "/api/v4/leads/unsorted"
_SHOWN: Final = ("uid", "source_uid", "source_name", "category", "pipeline_id", "created_at")
_ORDERS: Final = ("created_at", "updated_at")
_HIDDEN: Final = "is_call_event_needed"  # may be sent, is never shown


async def _create(category: str, request: web.Request) -> web.StreamResponse:
    items = await read_items(request)
    made = [
        {**_show_made(request, record), "request_id": request_id_of(item, position)}
        for position, (record, item) in enumerate(zip(create(request, items, category), items, strict=True))
    ]
    links = link(request, f"{_PATH}/{category}")
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"unsorted": made}})


def create(request: web.Request, items: Sequence[Row], category: str = "sip") -> list[Row]:
    """Put calls, or forms, into Unsorted, all or none. Raises `Invalid`."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals, arrivals = Refusals(), []
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        arrivals.append(read(world, category, item, user_id=user_id, refuse=refuse))
    refusals.settle()
    with world.batch():
        return [store(world, arrival, user_id=user_id) for arrival in arrivals]


async def _list(request: web.Request) -> web.StreamResponse:
    query, world = read_query(request), request.app[WORLD]
    rows = keep(world.unsorted.where(state="open"), query.filters, ("uid", "category", "pipeline_id"))
    order = query.order or ("created_at", False)
    rows = sorted(rows, key=lambda row: row.get(order[0]) or 0 if order[0] in _ORDERS else 0, reverse=order[1])
    return page_answer(request, query, rows=rows, name="unsorted", view=partial(_show, request))


async def _one(request: web.Request) -> web.StreamResponse:
    return hal(_show(request, _open(request)))


async def _accept(request: web.Request) -> web.StreamResponse:
    record = _open(request)
    accept(request, record, as_object(await read_any(request)))
    return hal(_show_sorted(request, record))


def accept(request: web.Request, record: Row, asked: Row) -> None:
    """Make what waits inside real, for `asked["user_id"]` in `asked["status_id"]`. Raises `Problem` 400."""
    world, user_id = request.app[WORLD], _user(request, asked)
    pipeline = world.pipelines.get(record["pipeline_id"])
    statuses = [status["id"] for status in pipeline["statuses"] if status["type"] == 0] if pipeline else []
    status_id = whole(asked.get("status_id")) or next(iter(statuses), None)
    if status_id not in statuses:
        raise Problem(400, "status_id is no status of the record's pipeline")
    record = _sorted(world, record, "accepted")
    with world.batch():
        for kind, entity in _inside(world, record):
            entity |= {"is_unsorted": False, "in_unsorted": False, "responsible_user_id": user_id}
            entity["group_id"] = world.users[user_id]["group_id"]
            if kind == "leads":
                entity |= {"status_id": status_id, "closed_at": world.now() if status_id in (WON, LOST) else None}
            world.entities(kind).put(entity)
            announce(world, "add", kind, row=entity, user_id=user_id)
        _write_call(world, record, user_id)
    _tell(world, record, "accept", user_id)


def _sorted(world: World, record: Row, state: str) -> Row:
    return world.unsorted.put({**record, "state": state, "sorted_at": world.now()})


def _tell(world: World, record: Row, action: str, user_id: int) -> None:
    """To those who listen, accepting and declining are deletions that say which they were."""
    announce(world, "delete", "unsorted", row=record, user_id=user_id, sorting=action)


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
    decline(request, record, as_object(await read_any(request)))
    return hal(shown)


def decline(request: web.Request, record: Row, asked: Row) -> None:
    """Throw away a record with all that is inside. Raises `Problem` 400 for an unknown `asked["user_id"]`."""
    world, user_id = request.app[WORLD], _user(request, asked)
    _discard(world, record, "declined")
    _tell(world, record, "decline", user_id)


async def _link(request: web.Request) -> web.StreamResponse:
    """A chat is linked with a lead or customer that exists: its contact goes there, its own lead goes away."""
    world, record, body = request.app[WORLD], _open(request), await read_object(request)
    if record["category"] != "chats":
        raise Problem(400, "Only chats can be linked")
    wish, user_id = as_object(body.get("link")), _user(request, body)
    kind, target_id = str(wish.get("entity_type")), whole(wish.get("entity_id"))
    target = world.entities(kind).get(target_id) if kind in ("leads", "customers") else None
    if target is None or not is_visible(target):
        raise Problem(400, "link must name a lead or a customer")
    contact_id = whole(as_object(wish.get("metadata")).get("contact_id"))
    if contact_id is not None and contact_id not in world.contacts:
        raise Problem(400, "metadata.contact_id is unknown")
    with world.batch():
        for inside_kind, entity in _inside(world, record):
            if inside_kind == "leads" or contact_id is not None:
                unlink_all(world, inside_kind, entity)
                world.entities(inside_kind).remove(entity["id"])
            else:
                world.entities(inside_kind).put({**entity, "is_unsorted": False})
                join(world, (kind, target["id"]), (inside_kind, entity["id"]))
        if contact_id is not None:
            join(world, (kind, target["id"]), ("contacts", contact_id))
    _tell(world, _sorted(world, record, "linked"), "link", user_id)
    shown = {"id": target["id"], "_links": link(request, f"/api/v4/{kind}/{target['id']}")}
    return hal({"uid": record["uid"], "_embedded": {kind: [shown]}})


async def _summary(request: web.Request) -> web.StreamResponse:
    filters = read_query(request).filters
    return hal({**summary(request.app[WORLD], filters), "_links": link(request, f"{_PATH}/summary")})


def summary(world: World, filters: Row | None = None) -> Row:
    """How many wait, were accepted and declined, of the records that the filters leave."""
    rows = keep(world.unsorted, filters or {}, ("uid", "pipeline_id", "created_at"))
    states = {state: [row for row in rows if row["state"] == state] for state in ("open", "accepted", "declined")}
    waits = [row["sorted_at"] - row["created_at"] for row in states["accepted"]]
    counts = {name: len([row for row in states["open"] if row["category"] == name]) for name in CATEGORIES}
    return {
        "total": len(states["open"]),
        "accepted": len(states["accepted"]),
        "declined": len(states["declined"]),
        "average_sort_time": sum(waits) // len(waits) if waits else 0,
        "categories": {name: {"total": count} for name, count in counts.items()},
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
    pairs = [(kind, world.entities(kind).get(known)) for kind in KINDS for known in record["inside"][kind]]
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
    shown["metadata"] = {name: value for name, value in record["metadata"].items() if name != _HIDDEN}
    return {**shown, "account_id": request.app[WORLD].account["id"], **_parts(request, record)}


def _show_made(request: web.Request, record: Row) -> Row:
    return {"uid": record["uid"], "account_id": request.app[WORLD].account["id"], **_parts(request, record)}


def _show_sorted(request: web.Request, record: Row) -> Row:
    shown = {name: record[name] for name in ("uid", "pipeline_id", "category", "created_at")}
    return {**shown, **_parts(request, record)}


def _parts(request: web.Request, record: Row) -> Row:
    inside = {
        kind: [{"id": known, "_links": link(request, f"/api/v4/{kind}/{known}")} for known in record["inside"][kind]]
        for kind in KINDS
    }
    return {"_links": link(request, f"{_PATH}/{record['uid']}"), "_embedded": inside}


_UID: Final = "{uid:[0-9a-f]{40,64}}"
_FIDELITY: Final = "switch: unsorted_exact_duplicates"
_ADDED: Final = partial(Route, "POST", fidelity=_FIDELITY, body="array")
ROUTES: Final = [
    Route("GET", _PATH, _list, "waiting records", query=("page", "limit", "filter", "order")),
    Route("GET", f"{_PATH}/summary", _summary, "how many wait, were accepted and declined", query=("filter",)),
    _ADDED(f"{_PATH}/sip", partial(_create, "sip"), "put a call into Unsorted"),
    _ADDED(f"{_PATH}/forms", partial(_create, "forms"), "put a form into Unsorted"),
    Route("GET", f"{_PATH}/{_UID}", _one, "one waiting record"),
    Route("POST", f"{_PATH}/{_UID}/accept", _accept, "accept a record", body="object"),
    Route("DELETE", f"{_PATH}/{_UID}/decline", _decline, "decline a record", body="object"),
    Route("POST", f"{_PATH}/{_UID}/link", _link, "link a chat with a lead or customer", body="object"),
]
