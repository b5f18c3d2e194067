"""What leads and other entities refer to by id: tags, reasons of loss, sources."""

from functools import partial
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import Asker, admin, asker
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import keep, page_answer, read_query
from server.sandbox.rest.shapes import show_tag
from server.sandbox.rest.shelves import ALL, NOT_A_CHOICE, Shelf, routes
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row

_COLORS: Final = frozenset(
    (
        *("EBEBEB", "D0D0D0", "F2DDF7", "D1A4DC", "FF8F92", "FFC8C8", "C7DB8C", "DDEBB5", "8699DA", "AABDFF", "FFCE5A"),
        *("FFE193", "90CDB0", "C6F4DE", "A9A5D7", "D8D5FF", "86C0FC", "832161", "6A0F49", "0C7C59", "10599D", "9D2B32"),
        "247BA0",
    )
)


async def _tags(entity_type: str, request: web.Request) -> web.StreamResponse:
    query = read_query(request)
    rows = keep(request.app[WORLD].tags.where(entity_type=entity_type), query.filters, ("id", "name"))
    rows = [row for row in rows if query.search.casefold() in row["name"].casefold()]
    return page_answer(request, query, rows=rows, name="tags", view=show_tag)


async def _add_tags(entity_type: str, request: web.Request) -> web.StreamResponse:
    """A name that is known already gives the tag that has it."""
    tags, made, refusals = request.app[WORLD].tags, [], Refusals()
    items = await read_items(request)
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        if not isinstance(item.get("name"), str) or not item["name"].strip():
            refuse("FieldMissing", "name", "This field is missing.")
        if item.get("color") is not None and (entity_type != "leads" or str(item["color"]) not in _COLORS):
            refuse("NotSupportedChoice", "color", NOT_A_CHOICE)
    refusals.settle()
    for position, item in enumerate(items):
        same = tags.where(entity_type=entity_type, name=item["name"])
        row = same[0] if same else tags.add({"entity_type": entity_type, "name": item["name"], "color": None})
        if item.get("color") is not None:
            row = tags.put({**row, "color": item["color"]})
        made.append({**show_tag(row), "request_id": request_id_of(item, position)})
    links = link(request, f"/api/v4/{entity_type}/tags")
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"tags": made}})


def _leads_tags(_: web.Request) -> Row:
    return {"entity_type": "leads"}


def _check_tag(request: web.Request, row: Row, _: Row, refuse: Refuse) -> None:
    same = request.app[WORLD].tags.where(entity_type="leads", name=row["name"])
    if not row["name"].strip():
        refuse("FieldMissing", "name", "This field is missing.")
    if any(other["id"] != row["id"] for other in same):
        refuse("NotUnique", "name", "This value is already used.")
    if row["color"] is not None and row["color"] not in _COLORS:
        refuse("NotSupportedChoice", "color", NOT_A_CHOICE)


def _show_tag(_: web.Request, row: Row) -> Row:
    return show_tag(row)


# Only tags of leads can be changed, for only they have colours.
TAGS: Final = Shelf(
    "tags",
    "tags",
    "/api/v4/leads/tags",
    (Member("name", "text", required=True), Member("color", "text")),
    "tag of leads",
    scope=_leads_tags,
    show=_show_tag,
    check=_check_tag,
    writers=asker,
)


def _stamp(request: web.Request, row: Row, _: Row, __: Refuse) -> None:
    now = request.app[WORLD].now()
    row.setdefault("created_at", now)
    row["updated_at"] = now


def _forget_reason(request: web.Request, row: Row) -> None:
    leads = request.app[WORLD].leads
    for lead in leads.where(loss_reason_id=row["id"]):
        leads.put({**lead, "loss_reason_id": None})


LOSS_REASONS: Final = Shelf(
    "loss_reasons",
    "loss_reasons",
    "/api/v4/leads/loss_reasons",
    (Member("name", "text", required=True), Member("sort", "int", 100_000)),
    "reason of loss",
    check=_stamp,
    removed=_forget_reason,
)


def _integration(request: web.Request) -> Asker:
    """Sources belong to the integration whose token asks. Raises `Problem` 403 for the page and for non-admins."""
    found = admin(request)
    if found.client_id is None:
        raise Problem(403, "Sources are an integration's own")
    return found


def _own(request: web.Request) -> Row:
    return {"client_id": asker(request).client_id}


def _check_source(request: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    world = request.app[WORLD]
    others = [other for other in world.sources.where(client_id=row["client_id"]) if other["id"] != row.get("id")]
    known = world.sources.get(row.get("id"))
    if known is not None:
        row["external_id"] = known["external_id"]  # never changes
    elif len(str(row["external_id"])) > 36 or not str(row["external_id"]).isprintable():
        refuse("InvalidFormat", "external_id", "This value is not valid.")
    elif any(other["external_id"] == row["external_id"] for other in others):
        refuse("NotUnique", "external_id", "This value is already used.")
    row["pipeline_id"] = row["pipeline_id"] or next(p["id"] for p in world.pipelines if p["is_main"])
    if row["pipeline_id"] not in world.pipelines:
        refuse("NotSupportedChoice", "pipeline_id", NOT_A_CHOICE)
    if isinstance(item.get("services"), list):
        row["services"] = [service for service in item["services"] if isinstance(service, dict)]


def _one_default(request: web.Request, row: Row) -> None:
    sources = request.app[WORLD].sources
    for other in sources.where(client_id=row["client_id"], default=True):
        if row["default"] and other["id"] != row["id"]:
            sources.put({**other, "default": False})


def _show_source(_: web.Request, row: Row) -> Row:
    names = ("id", "name", "pipeline_id", "external_id", "default", "origin_code", "services")
    return {name: row.get(name, []) for name in names}


SOURCES: Final = Shelf(
    "sources",
    "sources",
    "/api/v4/sources",
    (
        Member("name", "text", required=True),
        Member("external_id", "text", required=True),
        Member("pipeline_id", "int"),
        Member("default", "bool", default=False),
        Member("origin_code", "text"),
    ),
    "source",
    scope=_own,
    show=_show_source,
    check=_check_source,
    stored=_one_default,
    readers=_integration,
    writers=_integration,
    filters=("id", "external_id"),
    most=50,
    most_kept=100,
)


def _tag_routes(entity_type: str) -> list[Route]:
    path = f"/api/v4/{entity_type}/tags"
    query = ("page", "limit", "query", "filter")
    return [
        Route("GET", path, partial(_tags, entity_type), f"tags of {entity_type}", query=query),
        Route("POST", path, partial(_add_tags, entity_type), f"create tags of {entity_type}", body="array"),
    ]


ROUTES: Final = [
    *routes(LOSS_REASONS, *ALL),
    *routes(TAGS, "update_many", "update_one"),
    *routes(SOURCES, *ALL, "delete_many"),
    *[route for entity_type in ENTITIES for route in _tag_routes(entity_type)],
]
