"""Linking over HTTP: list, link, unlink, for one entity or for many. Elements of catalogs are linked here as well."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import asker, may, require
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.changes import Action, announce
from server.sandbox.rest.entities import entity_in_path
from server.sandbox.rest.linking import can_link, linked, unlink
from server.sandbox.rest.linking import link as join
from server.sandbox.rest.query import keep, read_query, whole
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.writing import Refusals
from server.sandbox.routes import ID, Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_ENTITY: Final = "/api/v4/{entity:leads|contacts|companies|customers}"
_PATH: Final = f"{_ENTITY}/{ID}"
_ELEMENTS: Final = "catalog_elements"


@dataclass(frozen=True, slots=True)
class _Wish:
    """One link that a request asks to make or to undo."""

    owner: Row
    owner_type: str
    other_type: str
    other_id: int
    metadata: Row

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Both ends, as `linking` names them."""
        return (self.owner_type, self.owner["id"]), (self.other_type, self.other_id)


async def _links(request: web.Request) -> web.StreamResponse:
    noun, row = entity_in_path(request)
    shown = _filtered(request, _shown(row))
    if not shown:
        return nothing()
    return _answer(request, f"/api/v4/{noun.name}/{row['id']}/links", shown)


async def _links_of_many(request: web.Request) -> web.StreamResponse:
    """`filter[entity_id][]` says whose links; without it nothing can be asked."""
    entity_type, user = request.match_info["entity"], asker(request).user
    wanted = read_query(request).filters.get("entity_id")
    ids = wanted if isinstance(wanted, list) else [wanted]
    if wanted is None or any(whole(one) is None for one in ids):
        raise Problem(400, "filter[entity_id] must name entities")
    rows = [request.app[WORLD].entities(entity_type).get(whole(one)) for one in ids]
    seen = [row for row in rows if row is not None and is_visible(row) and may(user, "view", entity_type, row)]
    owners = {row["id"]: row for row in seen}
    shown = [
        {"entity_id": row["id"], "entity_type": entity_type, **one} for row in owners.values() for one in _shown(row)
    ]
    shown = _filtered(request, shown)
    return _answer(request, f"/api/v4/{entity_type}/links", shown) if shown else nothing()


def _filtered(request: web.Request, shown: list[Row]) -> list[Row]:
    filters = read_query(request).filters
    kept = keep(shown, filters, ("to_entity_id", "to_entity_type"))
    catalog = whole(filters.get("to_catalog_id"))
    return [one for one in kept if catalog is None or (one["metadata"] or {}).get("catalog_id") == catalog]


async def _link(request: web.Request) -> web.StreamResponse:
    world, wishes = request.app[WORLD], await _read(request, must_exist=True)
    with world.batch():
        for wish in wishes:
            _make(world, wish)
    for wish in wishes:
        _tell(request, wish, "link")
    shown = [
        {"entity_id": wish.owner["id"], "entity_type": wish.owner_type, **one}
        for wish in wishes
        for one in _shown(world.entities(wish.owner_type)[wish.owner["id"]])
        if (one["to_entity_type"], one["to_entity_id"]) == (wish.other_type, wish.other_id)
    ]
    return _answer(request, request.path.rstrip("/").removesuffix("link") + "links", shown)


def _make(world: World, wish: _Wish) -> None:
    metadata = wish.metadata
    if wish.other_type != _ELEMENTS:
        join(world, *wish.ends, is_main=bool(metadata.get("main_contact") or metadata.get("is_main")))
        return
    row, element = world.entities(wish.owner_type)[wish.owner["id"]], world.catalog_elements[wish.other_id]
    known = {
        "quantity": _quantity(metadata.get("quantity")),
        "catalog_id": element["catalog_id"],
        "price_id": whole(metadata.get("price_id")),
    }
    others = [one for one in row.get("catalog_links", []) if one["id"] != element["id"]]
    world.entities(wish.owner_type).put({**row, "catalog_links": [*others, {"id": element["id"], "metadata": known}]})


def _quantity(given: object) -> int | float:
    """As many as said, in parts if need be; one when nothing sensible is said."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
    return given if is_number else 1  # type: ignore[return-value]


async def _unlink(request: web.Request) -> web.StreamResponse:
    world, wishes = request.app[WORLD], await _read(request, must_exist=False)
    with world.batch():
        for wish in wishes:
            if wish.other_type == _ELEMENTS:
                row = world.entities(wish.owner_type)[wish.owner["id"]]
                left = [one for one in row.get("catalog_links", []) if one["id"] != wish.other_id]
                world.entities(wish.owner_type).put({**row, "catalog_links": left})
            else:
                unlink(world, *wish.ends)
    for wish in wishes:
        _tell(request, wish, "unlink")
    return nothing()


def _tell(request: web.Request, wish: _Wish, action: Action) -> None:
    """Both sides have an event of it in the log."""
    world, user_id = request.app[WORLD], asker(request).user["id"]
    if wish.other_type == _ELEMENTS:
        return
    one, other = wish.ends
    for here, there in ((one, other), (other, one)):
        row = world.entities(here[0]).get(here[1])
        if row is not None:
            announce(world, action, here[0], row=row, user_id=user_id, other=there)


async def _read(request: web.Request, *, must_exist: bool) -> list[_Wish]:
    """The links a body asks for, of the entity in the path or of those it names. Raises `Problem` 400, 403, 404."""
    items, refusals, wishes = await read_items(request), Refusals(), []
    single = entity_in_path(request, "edit")[1] if "id" in request.match_info else None
    for position, item in enumerate(items):
        refuse = partial(refusals.of(str(position)), "NotSupportedChoice")
        owner = single or _owner(request, item)
        other_type, other_id = str(item.get("to_entity_type")), whole(item.get("to_entity_id"))
        if owner is None:
            refuse("entity_id", "The value is not a valid choice.")
        elif other_id is None or not _fits(request, other_type, other_id, must_exist=must_exist):
            refuse("to_entity_id", "The value is not a valid choice.")
        else:
            metadata = item["metadata"] if isinstance(item.get("metadata"), dict) else {}
            wishes.append(_Wish(owner, request.match_info["entity"], other_type, other_id, metadata))
    refusals.settle()
    return wishes


def _owner(request: web.Request, item: Row) -> Row | None:
    entity_type = request.match_info["entity"]
    row = request.app[WORLD].entities(entity_type).get(whole(item.get("entity_id")))
    if row is None or not is_visible(row):
        return None
    require(request, "edit", entity_type, row)
    return row


def _fits(request: web.Request, other_type: str, other_id: int, *, must_exist: bool) -> bool:
    world = request.app[WORLD]
    if other_type == _ELEMENTS:
        return not must_exist or other_id in world.catalog_elements
    if not can_link(request.match_info["entity"], other_type):
        return False
    other = world.entities(other_type).get(other_id)
    return not must_exist or (other is not None and is_visible(other))


def _shown(row: Row) -> list[Row]:
    """Every link of one entity as the API shows it."""
    elements = [
        {"to_entity_id": one["id"], "to_entity_type": _ELEMENTS, "metadata": dict(one["metadata"])}
        for one in row.get("catalog_links", [])
    ]
    return elements + [_show(row, kind, other_id) for kind in ENTITIES for other_id in linked(row, kind)]


def _show(row: Row, entity_type: str, other_id: int) -> Row:
    is_contact = entity_type == "contacts"
    metadata = {"main_contact": linked(row, entity_type)[:1] == [other_id]} if is_contact else None
    return {"to_entity_id": other_id, "to_entity_type": entity_type, "metadata": metadata}


def _answer(request: web.Request, path: str, shown: list[Row]) -> web.Response:
    return hal({"_total_items": len(shown), "_links": link(request, path), "_embedded": {"links": shown}})


ROUTES: Final = [
    Route("GET", f"{_ENTITY}/links", _links_of_many, "links of several entities", query=("filter",)),
    Route("POST", f"{_ENTITY}/link", _link, "link several entities", body="array"),
    Route("POST", f"{_ENTITY}/unlink", _unlink, "unlink several entities; 204", body="array"),
    Route("GET", f"{_PATH}/links", _links, "links of an entity", query=("filter",)),
    Route("POST", f"{_PATH}/link", _link, "link entities", body="array"),
    Route("POST", f"{_PATH}/unlink", _unlink, "unlink entities; 204", body="array"),
]
