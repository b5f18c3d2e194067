"""Notes of entities. A call is a note of type call_in or call_out."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker, may, require
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items, read_object
from server.sandbox.rest.changes import announce
from server.sandbox.rest.entities import entity_in_path
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import keep, ordered, page_answer, read_query, whole
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.shapes import show_made
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import ID, Handler, Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_CALL: Final = ("uniq", "duration", "source", "link", "phone", "call_responsible", "call_status", "call_result")
# Note types a client may write, with the members of their params.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "common": ("text",),
    "call_in": _CALL,
    "call_out": _CALL,
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "message_cashier": ("status", "text", "shop"),
    "geolocation": ("text", "address", "longitude", "latitude"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "invoice_paid": ("service", "text", "icon_url"),
    "attachment": ("version_uuid", "file_uuid", "file_name", "original_name"),
}
_REQUIRED: Final = {"common": "text", "service_message": "text", "sms_in": "text", "sms_out": "text"}
_SHOWN: Final = (
    "id",
    "entity_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "responsible_user_id",
    "group_id",
    "note_type",
)
_FILTERS: Final = ("id", "entity_id", "note_type", "updated_at", "created_at")


def write_note(world: World, entity_type: str, note: Row, *, user_id: int) -> Row:
    """Store a note of an entity and tell of it."""
    stored = world.notes.add({"entity_type": entity_type, **note})
    announce(world, "note", entity_type, row=world.entities(entity_type).get(note["entity_id"]) or {"id": 0},
             user_id=user_id, note=stored)  # fmt: skip
    return stored


async def _list(request: web.Request) -> web.StreamResponse:
    entity_type, entity_id = _place(request)
    query = read_query(request)
    rows = [note for note in visible(request, entity_type) if entity_id in (None, note["entity_id"])]
    rows = ordered(keep(rows, query.filters, _FILTERS), query.order, ("id", "created_at", "updated_at"))
    return page_answer(request, query, rows=rows, name="notes", view=partial(_show, request))


def visible(request: web.Request, entity_type: str) -> list[Row]:
    """The notes of one kind of entity that the asker may see by now."""
    world, user = request.app[WORLD], asker(request).user
    owners = world.entities(entity_type)
    return [
        note
        for note in world.notes.where(entity_type=entity_type)
        if _is_shown(world, note) and may(user, "view", entity_type, owners.get(note["entity_id"]))
    ]


async def _one(request: web.Request) -> web.StreamResponse:
    entity_type, entity_id = _place(request)
    note = _note(request, entity_type, entity_id)
    if note is None or not _is_shown(request.app[WORLD], note):
        return nothing()
    require(request, "view", entity_type, request.app[WORLD].entities(entity_type).get(note["entity_id"]))
    return hal(_show(request, note))


async def _create(request: web.Request) -> web.StreamResponse:
    entity_type, entity_id = _place(request)
    items = await read_items(request)
    made = []
    for position, (note, item) in enumerate(zip(create(request, entity_type, items, entity_id), items, strict=True)):
        shown = show_made(request, f"{entity_type}/{note['entity_id']}/notes", note, request_id_of(item, position))
        made.append({**shown, "entity_id": note["entity_id"]})
    return hal({"_links": link(request, f"/api/v4/{entity_type}/notes"), "_embedded": {"notes": made}})


def create(request: web.Request, entity_type: str, items: Sequence[Row], entity_id: int | None = None) -> list[Row]:
    """Store notes of one entity, or of the one each item names; all or none. Raises `Invalid`, or 403."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals, drafts = Refusals(), []
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        owner_id = whole(item.get("entity_id")) if entity_id is None else entity_id
        owner = world.entities(entity_type).get(owner_id)
        if owner is None or not is_visible(owner):
            refuse("NotFound", "entity_id", "Entity not found")
        else:
            require(request, "view", entity_type, owner)
        drafts.append(_draft(world, item, owner_id=owner_id, user_id=user_id, refuse=refuse))
    refusals.settle()
    with world.batch():
        return [write_note(world, entity_type, note, user_id=user_id) for note in drafts]


async def _update(request: web.Request) -> web.StreamResponse:
    entity_type, entity_id = _place(request)
    single = "note_id" in request.match_info
    items: Sequence[Row] = [await read_object(request)] if single else await read_items(request)
    notes = [_note(request, entity_type, entity_id, item) for item in items]
    made = []
    for note in update(request, items, notes=notes):
        shown = show_made(request, f"{entity_type}/{note['entity_id']}/notes", note, None)
        made.append({**shown, "entity_id": note["entity_id"]})
    if single:
        return hal(made[0])
    return hal({"_links": link(request, f"/api/v4/{entity_type}/notes"), "_embedded": {"notes": made}})


def update(request: web.Request, items: Sequence[Row], *, notes: Sequence[Row | None]) -> list[Row]:
    """Change these notes, all or none; None stands for one that is unknown. Raises `Invalid`, or 403."""
    refusals, changed = Refusals(), []
    for position, (item, note) in enumerate(zip(items, notes, strict=True)):
        refuse = refusals.of(request_id_of(item, position))
        if note is None:
            refuse("NotFound", "id", "Entity not found")
            continue
        owners = request.app[WORLD].entities(note["entity_type"])
        require(request, "edit", note["entity_type"], owners.get(note["entity_id"]))
        after = copy.deepcopy(note)
        _apply(after, item, refuse=refuse)
        after |= _owner(request.app[WORLD], item)
        changed.append(after | {"updated_at": request.app[WORLD].now(), "updated_by": asker(request).user["id"]})
    refusals.settle()
    for note in changed:
        request.app[WORLD].notes.put(note)
    return changed


async def _pin(is_pinned: bool, request: web.Request) -> web.StreamResponse:
    """One note of an entity is pinned at most: a second one takes its place."""
    world = request.app[WORLD]
    entity_type, entity_id = _place(request)
    note = _note(request, entity_type, entity_id)
    if note is None:
        raise Problem(404, "Note not found")
    require(request, "edit", entity_type, world.entities(entity_type).get(note["entity_id"]))
    for other in world.notes.where(entity_type=entity_type, entity_id=note["entity_id"], is_pinned=True):
        world.notes.put({**other, "is_pinned": False})
    world.notes.put({**note, "is_pinned": is_pinned})
    return nothing()


def _draft(
    world: World, item: Row, *, owner_id: int | None, user_id: int, refuse: Callable[[str, str, str], None]
) -> Row:
    now = world.now()
    responsible = whole(item.get("responsible_user_id"))
    created_by = whole(item.get("created_by"))
    note: Row = {
        "entity_id": owner_id,
        "created_by": user_id if created_by is None else created_by,
        "updated_by": user_id,
        "created_at": whole(item.get("created_at")) or now,
        "updated_at": whole(item.get("updated_at")) or now,
        "responsible_user_id": user_id if responsible is None else responsible,
        "note_type": item.get("note_type"),
        "params": {},
        "visible_from": 0,
    }
    owner = world.users.get(note["responsible_user_id"])
    note["group_id"] = owner["group_id"] if owner else 0
    if not isinstance(note["note_type"], str) or note["note_type"] not in _TYPES:
        refuse("NotSupportedChoice", "note_type", "The value you selected is not a valid choice.")
        note["note_type"] = "common"
    elif not isinstance(item.get("params"), dict):
        refuse("FieldMissing", "params", "This field is missing.")
    _apply(note, item, refuse=refuse)
    needed = _REQUIRED.get(note["note_type"])
    if needed and not note["params"].get(needed) and isinstance(item.get("params"), dict):
        refuse("FieldMissing", f"params.{needed}", "This field is missing.")
    return note


def _apply(note: Row, item: Row, *, refuse: Callable[[str, str, str], None]) -> None:
    given = item.get("params")
    if given is None:
        return
    if not isinstance(given, dict):
        refuse("InvalidType", "params", "This value should be of type array.")
        return
    known = {name: _param(name, given[name]) for name in _TYPES[note["note_type"]] if given.get(name) is not None}
    note["params"] = {**note["params"], **known}


def _owner(world: World, item: Row) -> Row:
    """Whose a note becomes. The documentation does not list it; amoCRM's own library sends it."""
    given = {name: whole(item.get(name)) for name in ("responsible_user_id", "created_by")}
    known = {name: user_id for name, user_id in given.items() if user_id in world.users}
    return known if world.switches["note_owner_amended"] else {}


def _param(name: str, value: Any) -> Any:
    """Durations and statuses arrive as floats and as text."""
    number = whole(value) if name in ("duration", "call_status") else None
    return value if number is None else number


def _place(request: web.Request) -> tuple[str, int | None]:
    if "id" in request.match_info:
        noun, row = entity_in_path(request)
        return noun.name, row["id"]
    return NOUNS[request.match_info["entity"]].name, None


def _note(request: web.Request, entity_type: str, entity_id: int | None, item: Row | None = None) -> Row | None:
    wanted = request.match_info.get("note_id") or (item or {}).get("id")
    note = request.app[WORLD].notes.get(whole(wanted))
    if note is None or note["entity_type"] != entity_type or entity_id not in (None, note["entity_id"]):
        return None
    return note


def _is_shown(world: World, note: Row) -> bool:
    """Not before its time, and not after its entity is gone (a declined record of Unsorted takes its calls along)."""
    is_owned = note["entity_id"] in world.entities(note["entity_type"])
    return is_owned and bool(note.get("visible_from", 0) <= world.clock())


def _show(request: web.Request, note: Row) -> Row:
    world = request.app[WORLD]
    hidden = () if world.switches["note_uniq"] else ("uniq",)
    params = {name: value for name, value in note["params"].items() if name not in hidden}
    path = f"/api/v4/{note['entity_type']}/{note['entity_id']}/notes/{note['id']}"
    shown = {name: note.get(name) for name in _SHOWN}
    shown["is_pinned"] = note.get("is_pinned", False)
    return {**shown, "params": params, "account_id": world.account["id"], "_links": link(request, path)}


_ENTITY: Final = f"/api/v4/{{entity:{'|'.join(ENTITIES)}}}"
_NOTE_ID: Final = r"{note_id:\d{1,15}}"
_SWITCHES: Final = "switch: note_uniq, note_visible_after_s"
_AMENDED: Final = "switch: note_owner_amended"
_QUERY: Final = ("page", "limit", "filter", "order")


def _both(method: str, tail: str, handler: Handler, **words: Any) -> list[Route]:
    return [Route(method, f"{_ENTITY}{middle}/notes{tail}", handler, **words) for middle in ("", f"/{ID}")]


ROUTES: Final = [
    *_both("GET", "", _list, summary="notes", fidelity=_SWITCHES, query=_QUERY),
    *_both("POST", "", _create, summary="create notes", body="array"),
    *_both("PATCH", "", _update, summary="change several notes", fidelity=_AMENDED, body="array"),
    *_both("GET", f"/{_NOTE_ID}", _one, summary="one note", fidelity=_SWITCHES),
    *_both("PATCH", f"/{_NOTE_ID}", _update, summary="change one note", fidelity=_AMENDED, body="object"),
    *_both("POST", f"/{_NOTE_ID}/pin", partial(_pin, True), summary="pin a note; 204"),
    *_both("POST", f"/{_NOTE_ID}/unpin", partial(_pin, False), summary="unpin a note; 204"),
]
