"""`/api/v2/{contacts, companies, leads, customers, notes, tasks}`: lists, and `add` / `update` in one request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.legacy import lists, notes, shapes, writes
from server.sandbox.legacy.asked import Asked, items_of, read_list
from server.sandbox.legacy.envelope import code_of, message_of
from server.sandbox.legacy.writes import Done
from server.sandbox.rest.answers import Problem, hal, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_Work = Callable[[web.Request, list[Row]], Done]


@dataclass(frozen=True, slots=True)
class Kind:
    """One noun of the earlier APIs: how it is found, shown, added and changed."""

    name: str
    found: Callable[[web.Request, Asked], list[Row]]
    show: Callable[[World, Row], Row]
    add: _Work
    change: _Work
    fidelity: str = "as amoCRM"


def _of_noun(name: str) -> Kind:
    noun = NOUNS[name]
    return Kind(
        name,
        found=lambda request, asked: lists.found(request, noun, asked),
        show=lambda world, row: shapes.show_entity(world, noun, row),
        add=lambda request, items: writes.add(request, noun, items),
        change=lambda request, items: writes.change(request, noun, items),
        fidelity="switch: customers" if name == "customers" else "as amoCRM",
    )


KINDS: Final = {
    **{name: _of_noun(name) for name in NOUNS},
    "notes": Kind("notes", notes.found_notes, shapes.show_note, notes.add_notes, notes.change_notes),
    "tasks": Kind("tasks", notes.found_tasks, shapes.show_task, notes.add_tasks, notes.change_tasks),
}


async def _list(kind: Kind, request: web.Request) -> web.StreamResponse:
    asked = read_list(request)
    rows = asked.page(kind.found(request, asked))
    if not rows:
        return nothing()
    items = [kind.show(request.app[WORLD], row) for row in rows]
    return hal({"_links": shapes.link(request.raw_path), "_embedded": {"items": items}})


async def _write(kind: Kind, request: web.Request) -> web.StreamResponse:
    body = await read_object(request)
    if not body.keys() & {"add", "update"}:
        raise Problem(400, "add or update is required")
    fresh, known = items_of(body, "add"), items_of(body, "update")
    added, changed = kind.add(request, fresh), kind.change(request, known)
    items = [
        {"id": row["id"], "request_id": request_id, "_links": _link(kind, row)} for row, request_id in added.rows
    ] + [{"id": row["id"], "updated_at": row["updated_at"], "_links": _link(kind, row)} for row, _ in changed.rows]
    embedded: Row = {"items": items}
    if errors := _errors(added, changed):  # clients take even an empty list for a failure
        embedded["errors"] = errors
    return hal({"_links": shapes.link(request.path, "post"), "_embedded": embedded})


def _link(kind: Kind, row: Row) -> Row:
    return shapes.link(f"/api/v2/{kind.name}?id={row['id']}")


def _errors(added: Done, changed: Done) -> Row:
    errors: Row = {}
    if added.errors:
        errors["add"] = [
            {"request_id": request_id, "code": code_of(error), "message": message_of(error)}
            for request_id, error in added.errors
        ]
    if changed.errors:
        errors["update"] = {str(row_id): message_of(error) for row_id, error in changed.errors}
    return errors


_QUERY: Final = ("id", "query", "responsible_user_id", "limit_rows", "limit_offset", "filter")
_MORE: Final = {"leads": ("status",), "notes": ("type", "element_id", "note_type"), "tasks": ("type", "element_id")}


def _routes(kind: Kind) -> list[Route]:
    path, query = f"/api/v2/{kind.name}", (*_QUERY, *_MORE.get(kind.name, ()))
    listed, written = partial(_list, kind), partial(_write, kind)
    told = f"list {kind.name}, the earlier way", f"add and update {kind.name}"
    return [
        Route("GET", path, listed, told[0], fidelity=kind.fidelity, query=query, or_slash=True),
        Route("POST", path, written, told[1], fidelity=kind.fidelity, body="object", or_slash=True),
    ]


ROUTES: Final = [route for kind in KINDS.values() for route in _routes(kind)]
