"""Catalogs ("Списки") and their elements: goods, invoices, anything that is linked to leads and customers."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import Asker, asker
from server.sandbox.rest.answers import Problem
from server.sandbox.rest.custom_fields import Refuse, show_values, texts_of, write_values
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import read_query
from server.sandbox.rest.shelves import NOT_A_CHOICE, Shelf, routes
from server.sandbox.world import ENTITIES, WORLD, Row, World

_TYPES: Final = ("regular", "invoices", "products")


def _reader(request: web.Request) -> Asker:
    """Catalogs need a right of their own. Raises `Problem` 403."""
    found = asker(request)
    if not found.is_admin and not found.user["rights"]["catalog_access"]:
        raise Problem(403, "Forbidden")
    return found


def _stamp(request: web.Request, row: Row) -> None:
    now, user_id = request.app[WORLD].now(), asker(request).user["id"]
    row.setdefault("created_by", user_id)
    row.setdefault("created_at", now)
    row |= {"updated_by": user_id, "updated_at": now}


def _check_catalog(request: web.Request, row: Row, _: Row, refuse: Refuse) -> None:
    world = request.app[WORLD]
    known = world.catalogs.get(row.get("id"))
    if known is not None:
        row["type"] = known["type"]
    elif row["type"] not in _TYPES:
        refuse("NotSupportedChoice", "type", NOT_A_CHOICE)
    elif row["type"] != "regular" and world.catalogs.where(type=row["type"]):
        refuse("NotUnique", "type", "An account has one such catalog at most.")
    _stamp(request, row)


def _show_catalog(_: web.Request, row: Row) -> Row:
    names = ("id", "name", "created_by", "updated_by", "created_at", "updated_at", "sort", "type")
    flags = ("can_add_elements", "can_show_in_cards", "can_link_multiple")
    own = {"can_be_deleted": row["type"] != "products", "sdk_widget_code": None}
    return {**{name: row[name] for name in (*names, *flags)}, **own}


def _of_catalog(request: web.Request) -> Row:
    """The catalog in the path. Raises `Problem` 404 for an unknown one."""
    catalog_id = int(request.match_info["catalog_id"])
    if catalog_id not in request.app[WORLD].catalogs:
        raise Problem(404, "Catalog not found")
    return {"catalog_id": catalog_id}


def _found(request: web.Request, rows: Iterable[Row]) -> list[Row]:
    wanted = read_query(request).search.strip().casefold()
    return [row for row in rows if wanted in "\n".join([row["name"], *texts_of(row)]).casefold()]


def _check_element(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    if item.get("custom_fields_values") is not None:
        place = f"catalogs/{row['catalog_id']}"
        write_values(request.app[WORLD], row, place, given=item["custom_fields_values"], refuse=refuse)
    row.setdefault("is_deleted", False)
    _stamp(request, row)


def _show_element(request: web.Request, row: Row) -> Row:
    names = ("id", "name", "created_by", "updated_by", "created_at", "updated_at", "is_deleted", "catalog_id")
    shown = {name: row[name] for name in names}
    shown["custom_fields_values"] = show_values(request.app[WORLD], row)
    return {**shown, **({"invoice_link": None} if read_query(request).wants("invoice_link") else {})}


def _unlink(request: web.Request, row: Row) -> None:
    forget_element(request.app[WORLD], row["id"])


def forget_element(world: World, element_id: int) -> None:
    """Undo every link to an element that is about to go."""
    for entity_type in ENTITIES:
        for row in world.entities(entity_type):
            if any(one["id"] == element_id for one in row.get("catalog_links", ())):
                left = [one for one in row["catalog_links"] if one["id"] != element_id]
                world.entities(entity_type).put({**row, "catalog_links": left})


_CATALOGS: Final = Shelf(
    "catalogs",
    "catalogs",
    "/api/v4/catalogs",
    (
        Member("name", "text", required=True),
        Member("type", "text", "regular"),
        Member("sort", "int", 10),
        Member("can_add_elements", "bool", default=True),
        Member("can_show_in_cards", "bool", default=False),
        Member("can_link_multiple", "bool", default=True),
    ),
    "catalog",
    check=_check_catalog,
    show=_show_catalog,
    readers=_reader,
    writers=_reader,
    filters=("id", "type"),
    most_kept=10,
)
_ELEMENTS: Final = Shelf(
    "elements",
    "catalog_elements",
    r"/api/v4/catalogs/{catalog_id:\d{1,15}}/elements",
    (Member("name", "text", required=True),),
    "element of a catalog",
    scope=_of_catalog,
    check=_check_element,
    show=_show_element,
    removed=_unlink,
    narrowed=_found,
    readers=_reader,
    writers=_reader,
    most_kept=100_000,
)
_CHANGES: Final = ("list", "one", "create", "update_many", "update_one")
ROUTES: Final = [
    *routes(_CATALOGS, *_CHANGES),
    *routes(_ELEMENTS, *_CHANGES, "delete", query=("page", "limit", "query", "with", "filter", "order")),
]
