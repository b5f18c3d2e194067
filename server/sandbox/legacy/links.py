"""Links between entities in the second generation: `contacts/links`, `links/list`, `links/set`."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import items_of, numbers, read_list
from server.sandbox.legacy.dialect import type_of_element
from server.sandbox.legacy.envelope import message_of, respond
from server.sandbox.rest.access import asker, may, require
from server.sandbox.rest.answers import Problem, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.linking import can_link, link, rows_linked, unlink
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import is_visible
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row

_End = tuple[str, int]


async def _of_contacts(request: web.Request) -> web.StreamResponse:
    """Pairs of contact and lead: of these contacts, of these leads, else all of them."""
    world, asked, user = request.app[WORLD], read_list(request), asker(request).user
    contacts, leads = (numbers(asked.values.get(name)) for name in ("contacts_link", "deals_link"))
    pairs = [
        {"contact_id": str(contact["id"]), "lead_id": str(lead["id"]), "last_modified": lead["updated_at"]}
        for lead in world.leads
        if (not leads or lead["id"] in leads) and is_visible(lead) and may(user, "view", "leads", lead)
        for contact in rows_linked(world, lead, "contacts")
        if not contacts or contact["id"] in contacts
    ]
    if asked.since is not None:
        pairs = [pair for pair in pairs if pair["last_modified"] >= asked.since]
    shown = asked.page(pairs)
    return respond(request, {"links": shown}) if shown else nothing()


async def _list(request: web.Request) -> web.StreamResponse:
    """`links[0][from]=leads&links[0][from_id]=1&links[0][to]=contacts`: what is linked with each of these."""
    world, asked = request.app[WORLD], read_list(request)
    found = []
    for item in items_of(asked.values, "links"):
        here = _end(item, "from")
        row = world.entities(here[0]).get(here[1])
        if row is None or not is_visible(row) or not may(asker(request).user, "view", here[0], row):
            continue
        kinds = [_kind(item["to"])] if item.get("to") else ENTITIES
        ends = [(kind, other["id"]) for kind in kinds for other in rows_linked(world, row, kind)]
        found += [_show(here, end) for end in ends if whole(item.get("to_id")) in (None, end[1])]
    return respond(request, {"links": found}) if found else nothing()


async def _set(request: web.Request) -> web.StreamResponse:
    body = await read_object(request)
    inner = body.get("request", body)
    asked = inner.get("links") if isinstance(inner, dict) else None
    if not isinstance(asked, dict) or not asked.keys() & _ACTIONS.keys():
        raise Problem(400, "request.links with link or unlink is required")
    told = {action: _do(request, action, items_of(asked, action)) for action in _ACTIONS if action in asked}
    return respond(request, {"links": told})


def _do(request: web.Request, action: str, items: list[Row]) -> Row:
    done, errors = [], []
    for item in items:
        try:
            here, there = _end(item, "from"), _end(item, "to")
            _check(request, here, there)
        except Problem as exc:
            errors.append({**item, "error": message_of(exc)})
        else:
            _ACTIONS[action](request.app[WORLD], here, there)
            done.append(_show(here, there))
    return {"links": done, "errors": errors}


def _check(request: web.Request, here: _End, there: _End) -> None:
    world = request.app[WORLD]
    if not can_link(here[0], there[0]):
        raise Problem(400, f"{here[0]} and {there[0]} cannot be linked")
    for kind, row_id in (here, there):
        row = world.entities(kind).get(row_id)
        if row is None or not is_visible(row):
            raise Problem(404, f"There is no entity {row_id} among {kind}")
    require(request, "edit", here[0], world.entities(here[0]).get(here[1]))


def _end(item: Row, side: str) -> _End:
    row_id = whole(item.get(f"{side}_id"))
    if row_id is None:
        raise Problem(400, f"{side}_id must be a number")
    return _kind(item.get(side)), row_id


def _kind(given: Any) -> str:
    kind = type_of_element(given)
    if kind is None:
        raise Problem(400, "from and to are contacts, companies, leads or customers")
    return kind


def _show(here: _End, there: _End) -> Row:
    return {"from": here[0], "from_id": here[1], "to": there[0], "to_id": there[1], "quantity": 1}


_ACTIONS: Final[dict[str, Any]] = {"link": link, "unlink": unlink}
_PATH: Final = "/private/api/v2/json"
ROUTES: Final = [
    Route(
        "GET",
        f"{_PATH}/contacts/links",
        _of_contacts,
        "pairs of contact and lead",
        query=("contacts_link", "deals_link", "limit_rows", "limit_offset"),
        or_slash=True,
    ),
    Route("GET", f"{_PATH}/links/list", _list, "what is linked with what", query=("links",), or_slash=True),
    Route("POST", f"{_PATH}/links/set", _set, "link and unlink", body="object", or_slash=True),
]
