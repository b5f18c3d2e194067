"""`POST /api/v4/leads/complex`: a lead with one contact and one company in one request; answers with a bare array."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker, require
from server.sandbox.rest.answers import Problem, hal
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.changes import announce
from server.sandbox.rest.linking import link
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.writing import Refusals, attach, draft, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_MOST: Final = 50
_INSIDE: Final = ("contacts", "companies")

# What one item brings along: new rows with their items, or the id of an entity that exists.
_Parts = dict[str, tuple[Row, Row] | int | None]


async def _create(request: web.Request) -> web.StreamResponse:
    world, user_id = request.app[WORLD], asker(request).user["id"]
    for name in ("leads", *_INSIDE):
        require(request, "add", name)
    items = await read_items(request)
    if len(items) > _MOST:
        raise Problem(400, f"A request carries at most {_MOST} leads")
    refusals = Refusals()
    parts = [
        _read(world, item, user_id=user_id, refusals=refusals, request_id=request_id_of(item, position))
        for position, item in enumerate(items)
    ]
    refusals.settle()
    answer = []
    for position, one in enumerate(parts):
        with world.batch():
            ids = _store(world, one)
        for name, row_id in ids.items():
            if row_id is not None and not isinstance(one[name], int):
                announce(world, "add", name, row=world.entities(name)[row_id], user_id=user_id)
        answer.append(
            {
                "id": ids["leads"],
                "contact_id": ids["contacts"],
                "company_id": ids["companies"],
                "request_id": [request_id_of(items[position], position)],
                "merged": False,
            }
        )
    return hal(answer)


def _read(world: World, item: Row, *, user_id: int, refusals: Refusals, request_id: Any) -> _Parts:
    embedded = item.get("_embedded") if isinstance(item.get("_embedded"), dict) else {}
    own = {**item, "_embedded": {"tags": (embedded or {}).get("tags")}}
    refuse = refusals.of(request_id)
    parts: _Parts = {"leads": (draft(world, NOUNS["leads"], own, user_id=user_id, refuse=refuse), own)}
    for name in _INSIDE:
        given = (embedded or {}).get(name)
        first = given[0] if isinstance(given, list) and given and isinstance(given[0], dict) else None
        known = whole(first.get("id")) if first else None
        if first is None:
            parts[name] = None
        elif known is None:
            parts[name] = (draft(world, NOUNS[name], first, user_id=user_id, refuse=refuse), first)
        elif known in world.entities(name):
            parts[name] = known
        else:
            refuse("NotSupportedChoice", f"_embedded.{name}.0.id", "The value you selected is not a valid choice.")
    return parts


def _store(world: World, parts: _Parts) -> dict[str, int | None]:
    ids: dict[str, int | None] = {}
    for name, part in parts.items():
        if isinstance(part, tuple):
            row = world.entities(name).add(part[0])
            attach(world, NOUNS[name], row, part[1])
            ids[name] = row["id"]
        else:
            ids[name] = part
    pairs = (("leads", "contacts"), ("leads", "companies"), ("contacts", "companies"))
    for one, other in pairs:
        one_id, other_id = ids[one], ids[other]
        if one_id is not None and other_id is not None:
            link(world, (one, one_id), (other, other_id), is_main=other == "contacts")
    return ids


ROUTES: Final = [
    Route("POST", "/api/v4/leads/complex", _create, "leads with contact and company in one request", body="array"),
]
