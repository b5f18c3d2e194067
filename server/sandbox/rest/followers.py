"""Who follows a card, and short links that tell when a client has followed them.

The responsible user follows a card; nobody else can be made to by the API. A short link belongs to one contact.
"""

import secrets
from typing import Any, Final

from aiohttp import web
from yarl import URL

from server.sandbox.rest.access import asker, may
from server.sandbox.rest.answers import hal, link
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.entities import entity_in_path
from server.sandbox.rest.history import record
from server.sandbox.rest.query import page_answer, read_query, whole
from server.sandbox.rest.search import is_visible
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import ID, Route
from server.sandbox.world import WORLD, Row

_ENTITY: Final = "/api/v4/{entity:leads|contacts|companies|customers}"
_LINKS: Final = "/api/v4/short_links"
_FOLLOWED: Final = "/s"  # amoCRM has a host of its own for it, amo.sh


async def _subscriptions(request: web.Request) -> web.StreamResponse:
    _, row = entity_in_path(request)
    rows = [{"subscriber_id": row["responsible_user_id"], "type": "user"}]
    return page_answer(request, read_query(request), rows=rows, name="subscriptions", view=dict, totals=True)


async def _shorten(request: web.Request) -> web.StreamResponse:
    world, items, refusals = request.app[WORLD], await read_items(request), Refusals()
    read = [_read(request, item, refusals.of(request_id_of(item, at))) for at, item in enumerate(items)]
    refusals.settle()
    rows = [world.short_links.add({"id": secrets.token_hex(6), **row}) for row in read]
    shown = [
        {
            "url": f"{world.origin}{_FOLLOWED}/{row['id']}",
            "account_id": world.account["id"],
            "metadata": {"entity_type": "contacts", "entity_id": row["contact_id"]},
        }
        for row in rows
    ]
    return hal({"_total_items": len(shown), "_links": link(request, _LINKS), "_embedded": {"short_links": shown}})


def _read(request: web.Request, item: Row, refuse: Refuse) -> Row:
    metadata = item.get("metadata")
    given: Row = metadata if isinstance(metadata, dict) else {}
    contact = request.app[WORLD].contacts.get(whole(given.get("entity_id")))
    if not _is_address(item.get("url")):
        refuse("InvalidFormat", "url", "This value is not a valid URL.")
    if given.get("entity_type", "contacts") != "contacts":
        refuse("NotSupportedChoice", "metadata.entity_type", "The value you selected is not a valid choice.")
    if contact is None or not is_visible(contact) or not may(asker(request).user, "view", "contacts", contact):
        refuse("NotFound", "metadata.entity_id", "Entity not found")
    return {"url": item.get("url"), "contact_id": contact and contact["id"]}


def _is_address(value: Any) -> bool:
    try:
        url = URL(value) if isinstance(value, str) and value.isprintable() else None
    except ValueError:
        return False
    return url is not None and url.scheme in ("http", "https") and bool(url.host)


async def _follow(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    row = world.short_links.get(request.match_info["code"])
    if row is None:
        raise web.HTTPNotFound
    contact = world.contacts.get(row["contact_id"])
    if contact is not None:
        record(world, {"action": "follow", "entity_type": "contacts", "row": contact, "user_id": 0})
    raise web.HTTPFound(row["url"])


ROUTES: Final = [
    Route(
        "GET",
        f"{_ENTITY}/{ID}/subscriptions",
        _subscriptions,
        "who follows an entity: its responsible user",
        query=("page", "limit"),
    ),
    Route("POST", _LINKS, _shorten, "short links, each for a contact", body="array"),
    Route("GET", f"{_FOLLOWED}/{{code}}", _follow, "follow a short link; an event of its contact", door="open"),
]
