"""Contacts, companies, leads and customers: one collection, four nouns."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import Action, asker, may, require
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items, read_object
from server.sandbox.rest.changes import announce, announce_update
from server.sandbox.rest.nouns import NOUNS, ORDERS, Noun
from server.sandbox.rest.query import ListQuery, keep, ordered, page_answer, read_query, whole, within
from server.sandbox.rest.search import FINDER, is_visible
from server.sandbox.rest.shapes import show_deleted, show_entity, show_made
from server.sandbox.rest.writing import Refusals, attach, changed, draft, request_id_of
from server.sandbox.routes import ID, Handler, Route
from server.sandbox.world import WORLD, Row

_LIST_QUERY: Final = ("page", "limit", "query", "with", "filter", "order")


async def _list(noun: Noun, request: web.Request) -> web.StreamResponse:
    check_switched_on(noun, request)
    query = read_query(request)
    rows = ordered(_found(noun, request, query), query.order, ORDERS)
    return page_answer(request, query, rows=rows, name=noun.name, view=partial(_show, request, noun, query))


def _found(noun: Noun, request: web.Request, query: ListQuery) -> list[Row]:
    user = asker(request).user
    if noun.name == "leads" and query.wants("only_deleted"):
        rows = [row for row in request.app[WORLD].leads if row["is_deleted"]]
    elif query.search:
        rows = request.app[FINDER].search(noun.name, query.search)
    else:
        rows = [row for row in request.app[WORLD].entities(noun.name) if is_visible(row)]
    rows = [row for row in keep(rows, query.filters, noun.filters) if may(user, "view", noun.name, row)]
    fields = query.filters.get("custom_fields_values")
    if isinstance(fields, dict) and request.app[WORLD].switches["alpha_filter"]:
        rows = [row for row in rows if all(_has_value(row, field, wanted) for field, wanted in fields.items())]
    statuses = query.filters.get("statuses")
    if noun.name == "leads" and statuses:
        rows = [row for row in rows if _has_status(row, statuses)]
    return rows


def _has_value(row: Row, field: str, wanted: object) -> bool:
    """`filter[custom_fields_values][<id>][]=…`: any of the values or enums exactly, or a range of numbers."""
    entries = [entry for entry in row.get("custom_fields_values") or [] if str(entry["field_id"]) == field]
    values = [value for entry in entries for value in entry["values"]]
    if isinstance(wanted, dict) and wanted.keys() & {"from", "to"}:
        low, high = whole(wanted.get("from")), whole(wanted.get("to"))
        return any(within(value["value"], low, high) for value in values)
    texts = {str(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
    return any(texts & {str(value.get("enum_id")), _plain(value["value"])} for value in values)


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _has_status(row: Row, statuses: object) -> bool:
    """`filter[statuses][0][pipeline_id]=…&filter[statuses][0][status_id]=…`: any of the pairs."""
    pairs = statuses if isinstance(statuses, list) else [statuses]
    return any(
        whole(pair.get("status_id")) == row["status_id"]
        and whole(pair.get("pipeline_id")) in (None, row["pipeline_id"])
        for pair in pairs
        if isinstance(pair, dict)
    )


async def _one(noun: Noun, request: web.Request) -> web.StreamResponse:
    check_switched_on(noun, request)
    row = request.app[WORLD].entities(noun.name).get(int(request.match_info["id"]))
    if row is None or not is_visible(row):
        return nothing()
    if not may(asker(request).user, "view", noun.name, row):
        return _denied(request)
    return hal(show_entity(request, noun, row, read_query(request)))


def _denied(request: web.Request) -> web.Response:
    if request.app[WORLD].switches["view_denied"] == 403:
        raise Problem(403, "Forbidden")
    return nothing()


async def _create(noun: Noun, request: web.Request) -> web.StreamResponse:
    check_switched_on(noun, request)
    require(request, "add", noun.name)
    items = await read_items(request)
    rows = create(request, noun, items)
    made = [
        show_made(request, noun.name, row, request_id_of(item, position))
        for position, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    return hal({"_links": link(request, f"/api/v4/{noun.name}"), "_embedded": {noun.name: made}})


def create(request: web.Request, noun: Noun, items: Sequence[Row]) -> list[Row]:
    """Store new entities, all or none. Raises `Invalid` naming every member that was refused."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals = Refusals()
    drafts = [
        draft(world, noun, item, user_id=user_id, refuse=refusals.of(request_id_of(item, position)))
        for position, item in enumerate(items)
    ]
    refusals.settle()
    rows = []
    with world.batch():
        for fresh, item in zip(drafts, items, strict=True):
            row = world.entities(noun.name).add(fresh)
            if not row["name"] and noun.name == "leads":
                row["name"] = f"Сделка #{row['id']}"
            attach(world, noun, row, item)
            rows.append(row)
    for row in rows:
        announce(world, "add", noun.name, row=row, user_id=user_id)
    return rows


async def _update_many(noun: Noun, request: web.Request) -> web.StreamResponse:
    check_switched_on(noun, request)
    items = await read_items(request)
    rows = update(request, noun, items, ids=[whole(item.get("id")) for item in items])
    made = [
        show_made(request, noun.name, row, request_id_of(item, position))
        for position, (row, item) in enumerate(zip(rows, items, strict=True))
    ]
    return hal({"_links": link(request, f"/api/v4/{noun.name}"), "_embedded": {noun.name: made}})


async def _update_one(noun: Noun, request: web.Request) -> web.StreamResponse:
    check_switched_on(noun, request)
    item = await read_object(request)
    rows = update(request, noun, [item], ids=[int(request.match_info["id"])])
    return hal(show_made(request, noun.name, rows[0], None))


def update(request: web.Request, noun: Noun, items: Sequence[Row], *, ids: Sequence[int | None]) -> list[Row]:
    """Change stored entities, all or none. Raises `Invalid`, and `Problem` 403 without the right."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    refusals = Refusals()
    pairs = []
    for position, (item, row_id) in enumerate(zip(items, ids, strict=True)):
        refuse = refusals.of(request_id_of(item, position))
        before = world.entities(noun.name).get(row_id)
        if before is None or not is_visible(before):
            refuse("NotFound", "id", "Entity not found")
            continue
        require(request, "edit", noun.name, before)
        pairs.append((before, changed(world, noun, before, item=item, user_id=user_id, refuse=refuse), item))
    refusals.settle()
    with world.batch():
        for _, after, item in pairs:
            world.entities(noun.name).put(after)
            attach(world, noun, after, {**item, "_embedded": _tags_only(item)})
    for before, after, _ in pairs:
        announce_update(world, noun.name, before=before, row=after, user_id=user_id)
    return [after for _, after, _ in pairs]


def _tags_only(item: Row) -> Row:
    """An update changes tags; links have methods of their own, and what comes back from a GET is no wish."""
    embedded = item.get("_embedded")
    return {"tags": embedded["tags"]} if isinstance(embedded, dict) and "tags" in embedded else {}


def _show(request: web.Request, noun: Noun, query: ListQuery, row: Row) -> Row:
    return show_deleted(request, noun, row) if row["is_deleted"] else show_entity(request, noun, row, query)


def check_switched_on(noun: Noun, request: web.Request) -> None:
    """Raise `Problem` 402 for customers where the function is off."""
    if noun.name == "customers" and not request.app[WORLD].switches["customers"]:
        raise Problem(402, "Customers are switched off")


def entity_in_path(request: web.Request, action: Action = "view") -> tuple[Noun, Row]:
    """The entity that `/{entity}/{id}/…` names. Raises `Problem` 404 or 403."""
    noun = NOUNS[request.match_info["entity"]]
    row = request.app[WORLD].entities(noun.name).get(int(request.match_info["id"]))
    if row is None or not is_visible(row):
        raise Problem(404, "Entity not found")
    require(request, action, noun.name, row)
    return noun, row


_NounHandler = Callable[[Noun, web.Request], Awaitable[web.StreamResponse]]


def _routes(noun: Noun) -> list[Route]:
    path = f"/api/v4/{noun.name}"
    fidelity = "switch: customers" if noun.name == "customers" else "as amoCRM"

    def served(handler: _NounHandler) -> Handler:
        return partial(handler, noun)

    return [
        Route("GET", path, served(_list), f"list {noun.name}", fidelity=fidelity, query=_LIST_QUERY),
        Route("POST", path, served(_create), f"create {noun.name}", fidelity=fidelity, body="array"),
        Route("PATCH", path, served(_update_many), f"change several {noun.name}", fidelity=fidelity, body="array"),
        Route(
            "GET", f"{path}/{ID}", served(_one), f"one {noun.singular}", fidelity="switch: view_denied", query=("with",)
        ),
        Route(
            "PATCH",
            f"{path}/{ID}",
            served(_update_one),
            f"change one {noun.singular}",
            fidelity=fidelity,
            body="object",
        ),
    ]


ROUTES: Final = [route for noun in NOUNS.values() for route in _routes(noun)]
