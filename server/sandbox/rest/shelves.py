"""Small things that an account keeps lists of: loss reasons, roles, catalogs. Each is a `Shelf`; the methods are alike.

A shelf says what its things consist of and who may write them; what is peculiar to it, it brings as functions.
"""

import copy
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import Asker, admin, asker
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items, read_json, read_object
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import keep, ordered, page_answer, read_query, whole
from server.sandbox.rest.writing import Refusals, read_members, request_id_of
from server.sandbox.routes import ID, Handler, Route
from server.sandbox.world import WORLD, Collection, Key, Row

_PARAMETER: Final = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})+)?\}")
NOT_A_CHOICE: Final = "The value you selected is not a valid choice."


def _no_scope(_: web.Request) -> Row:
    return {}


def _all(_: web.Request, rows: Iterable[Row]) -> Iterable[Row]:
    return rows


def _none_fixed(_: web.Request) -> list[Row]:
    return []


def _as_stored(_: web.Request, row: Row) -> Row:
    return dict(row)


def _no_check(_: web.Request, __: Row, ___: Row, ____: Refuse) -> None:
    return None


def _no_sequel(_: web.Request, __: Row) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of small thing."""

    name: str  # as in `_embedded`
    collection: str  # of the world
    path: str
    members: tuple[Member, ...]
    one: str  # in English, for the docs
    scope: Callable[[web.Request], Row] = _no_scope  # members that the path decides; things of other scopes are unseen
    fixed: Callable[[web.Request], list[Row]] = _none_fixed  # things that are always there and never change
    show: Callable[[web.Request, Row], Row] = _as_stored
    check: Callable[[web.Request, Row, Row, Refuse], None] = _no_check  # row, item: reads what is no plain member
    stored: Callable[[web.Request, Row], None] = _no_sequel
    removed: Callable[[web.Request, Row], None] = _no_sequel  # may refuse by raising `Problem`
    writers: Callable[[web.Request], Asker] = admin
    narrowed: Callable[[web.Request, Iterable[Row]], Iterable[Row]] = _all  # a list's filter beyond plain members
    readers: Callable[[web.Request], Asker] = asker
    filters: tuple[str, ...] = ("id",)
    orders: tuple[str, ...] = ("id", "sort")
    order: str = "id"  # where the request asks for none
    id_pattern: str = ID
    most: int = 250  # in one request
    most_kept: int = 10_000
    created: int = 200
    updated: int = 200
    unknown: int = 204  # GET of an unknown id


def of(request: web.Request, shelf: Shelf) -> list[Row]:
    """The things of this shelf that the request may see."""
    return [*shelf.fixed(request), *_collection(request, shelf).where(**shelf.scope(request))]


def found(request: web.Request, shelf: Shelf) -> Row | None:
    """The thing the path names, None when there is none."""
    key = _key(shelf, request.match_info["id"])
    return next((row for row in of(request, shelf) if row["id"] == key), None)


def present(request: web.Request, shelf: Shelf, row: Row) -> Row:
    """A thing as the API shows it."""
    return {
        **shelf.show(request, row),
        "account_id": request.app[WORLD].account["id"],
        "_links": link(request, f"{path_of(request, shelf)}/{row['id']}"),
    }


def path_of(request: web.Request, shelf: Shelf) -> str:
    """The shelf's path with the values of this request in place of its patterns."""
    return _PARAMETER.sub(lambda part: request.match_info[part[1]], shelf.path)


async def listed(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """GET of all."""
    shelf.readers(request)
    query = read_query(request)
    rows = ordered(
        keep(shelf.narrowed(request, of(request, shelf)), query.filters, shelf.filters),
        query.order or (shelf.order, False),
        shelf.orders,
    )
    view = partial(present, request, shelf)
    return page_answer(request, query, rows=rows, name=shelf.name, view=view, totals=True)


async def shown(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """GET of one."""
    shelf.readers(request)
    row = found(request, shelf)
    if row is not None:
        return hal(present(request, shelf, row))
    if shelf.unknown == 204:
        return nothing()
    raise Problem(shelf.unknown, "Not found")


async def create(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """POST of an array, or of one object; answers with an array."""
    items = await read_items(request)
    return _answer(shelf, request, _made(shelf, request, items), items, status=shelf.created)


async def create_one(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """POST of one object; answers with the thing itself. An array is taken as well."""
    if isinstance(await read_json(request), list):
        return await create(shelf, request)
    rows = _made(shelf, request, await read_items(request))
    return hal(present(request, shelf, rows[0]), status=shelf.created)


def _made(shelf: Shelf, request: web.Request, items: Sequence[Row]) -> list[Row]:
    shelf.writers(request)
    if len(items) > shelf.most:
        raise Problem(400, f"A request carries at most {shelf.most} {shelf.name}")
    if len(of(request, shelf)) + len(items) > shelf.most_kept:
        raise Problem(400, f"There are at most {shelf.most_kept} {shelf.name}")
    refusals, fresh = Refusals(), []
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        fresh.append(_written(shelf, request, shelf.scope(request), item=item, refuse=refuse))
    refusals.settle()
    return [_store(shelf, request, row) for row in fresh]


async def update_many(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """PATCH of an array."""
    shelf.writers(request)
    items, refusals, changed = await read_items(request), Refusals(), []
    known = {row["id"]: row for row in of(request, shelf)}
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        row = known.get(_key(shelf, item.get("id")))
        if row is None:
            refuse("NotFound", "id", "Entity not found")
        else:
            changed.append(_written(shelf, request, copy.deepcopy(row), item=item, refuse=refuse))
    refusals.settle()
    return _answer(shelf, request, [_store(shelf, request, row) for row in changed], items, status=shelf.updated)


async def update_one(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """PATCH of one."""
    shelf.writers(request)
    row, item, refusals = _named(shelf, request), await read_object(request), Refusals()
    after = _written(shelf, request, copy.deepcopy(row), item=item, refuse=refusals.of(request_id_of(item, 0)))
    refusals.settle()
    stored = present(request, shelf, _store(shelf, request, after))
    return hal({**stored, "request_id": request_id_of(item, 0)}, status=shelf.updated)


async def delete(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """DELETE of one: 204."""
    shelf.writers(request)
    row = _named(shelf, request)
    shelf.removed(request, row)
    _collection(request, shelf).remove(row["id"])
    return nothing()


async def delete_many(shelf: Shelf, request: web.Request) -> web.StreamResponse:
    """DELETE with an array of ids: 204, or none of them."""
    shelf.writers(request)
    known, refusals, rows = {row["id"]: row for row in of(request, shelf)}, Refusals(), []
    for position, item in enumerate(await read_items(request)):
        row = known.get(_key(shelf, item.get("id")))
        if row is None:
            refusals.of(request_id_of(item, position))("NotFound", "id", "Entity not found")
        else:
            rows.append(row)
    refusals.settle()
    for row in rows:
        shelf.removed(request, row)
        _collection(request, shelf).remove(row["id"])
    return nothing()


def routes(shelf: Shelf, *methods: str, query: tuple[str, ...] = ("page", "limit", "filter", "order")) -> list[Route]:
    """The rows of these methods: list, one, create (or create_one), update_many, update_one, delete, delete_many."""
    item = f"{shelf.path}/{shelf.id_pattern}"
    name = shelf.name.replace("_", " ")

    def served(handler: Callable[[Shelf, web.Request], Awaitable[web.StreamResponse]]) -> Handler:
        return partial(handler, shelf)

    rows = {
        "list": Route("GET", shelf.path, served(listed), f"{name} of the account", query=query),
        "one": Route("GET", item, served(shown), f"one {shelf.one}"),
        "create": Route("POST", shelf.path, served(create), f"create {name}", body="array"),
        "create_one": Route("POST", shelf.path, served(create_one), f"create a {shelf.one}", body="object"),
        "update_many": Route("PATCH", shelf.path, served(update_many), f"change several {name}", body="array"),
        "update_one": Route("PATCH", item, served(update_one), f"change one {shelf.one}", body="object"),
        "delete": Route("DELETE", item, served(delete), f"delete one {shelf.one}"),
        "delete_many": Route("DELETE", shelf.path, served(delete_many), f"delete several {name}", body="array"),
    }
    return [rows[method] for method in methods]


ALL: Final = ("list", "one", "create", "update_many", "update_one", "delete")


def _collection(request: web.Request, shelf: Shelf) -> Collection:
    collection: Collection = getattr(request.app[WORLD], shelf.collection)
    return collection


def _key(shelf: Shelf, given: Any) -> Key | None:
    return whole(given) if shelf.id_pattern == ID else str(given)


def _named(shelf: Shelf, request: web.Request) -> Row:
    row = found(request, shelf)
    if row is None:
        raise Problem(404, "Not found")
    if row in shelf.fixed(request):
        raise Problem(400, "This one is part of amoCRM and cannot be changed")
    return row


def _written(shelf: Shelf, request: web.Request, row: Row, *, item: Row, refuse: Refuse) -> Row:
    row = {member.name: copy.copy(member.default) for member in shelf.members} | row
    for member in shelf.members:
        value = row[member.name] if item.get(member.name) is None else item[member.name]
        if member.required and value in (None, ""):
            refuse("FieldMissing", member.name, "This field is missing.")
    read_members(request.app[WORLD], shelf.members, row, item=item, refuse=refuse)
    shelf.check(request, row, item, refuse)
    return row


def _store(shelf: Shelf, request: web.Request, row: Row) -> Row:
    collection = _collection(request, shelf)
    stored = collection.put(row) if "id" in row else collection.add(row)
    shelf.stored(request, stored)
    return stored


def _answer(
    shelf: Shelf, request: web.Request, rows: Sequence[Row], items: Sequence[Row], *, status: int
) -> web.Response:
    made = [
        {**present(request, shelf, row), "request_id": request_id_of(item, position)}
        for position, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    links = link(request, path_of(request, shelf))
    return hal({"_total_items": len(made), "_links": links, "_embedded": {shelf.name: made}}, status=status)
