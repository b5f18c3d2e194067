"""`POST /api/v4/leads/complex`: a lead with one contact and one company in one request; answers with a bare array.

With metadata the lead goes into Unsorted, as if it had come by a call or a form.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.sandbox.rest.access import asker, require
from server.sandbox.rest.answers import Problem, hal
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.changes import announce
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.linking import link
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.rest.query import whole
from server.sandbox.rest.unsorted_intake import Arrival, as_object, read, store
from server.sandbox.rest.writing import Refusals, attach, draft, request_id_of
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_MOST, _MOST_VALUES = 50, 40
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
    parts = []
    for position, item in enumerate(items):
        request_id = request_id_of(item, position)
        parts.append(_read(world, item, user_id=user_id, refuse=refusals.of(request_id)))
    refusals.settle()
    answer = []
    for position, one in enumerate(parts):
        with world.batch():
            ids = _store_arrival(world, one, user_id) if isinstance(one, _Waiting) else _store(world, one)
        if not isinstance(one, _Waiting):
            _announce(world, one, ids, user_id)
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


def _announce(world: World, parts: _Parts, ids: dict[str, int | None], user_id: int) -> None:
    for name, row_id in ids.items():
        if row_id is not None and not isinstance(parts[name], int):
            announce(world, "add", name, row=world.entities(name)[row_id], user_id=user_id)


def _read(world: World, item: Row, *, user_id: int, refuse: Refuse) -> "_Parts | _Waiting":
    embedded = as_object(item.get("_embedded"))
    first = {name: _first(embedded, name) for name in _INSIDE}
    for name, one in (("leads", item), *first.items()):
        values = one.get("custom_fields_values") if one else None
        if isinstance(values, list) and len(values) > _MOST_VALUES:
            refuse("TooManyValues", f"{name}.custom_fields_values", f"At most {_MOST_VALUES} fields.")
    known = {name: whole(one.get("id")) if one else None for name, one in first.items()}
    for name, row_id in known.items():
        if row_id is not None and row_id not in world.entities(name):
            refuse("NotSupportedChoice", f"_embedded.{name}.0.id", "The value you selected is not a valid choice.")
    own = {**item, "_embedded": {name: embedded[name] for name in ("tags", "source") if name in embedded}}
    fresh = {name: one for name, one in first.items() if one and known[name] is None}
    if isinstance(embedded.get("metadata"), dict):
        record = _record(own, fresh, dict(embedded["metadata"]), refuse=refuse)
        return _Waiting(read(world, record.pop("category"), record, user_id=user_id, refuse=refuse), known)
    parts: _Parts = {"leads": (draft(world, NOUNS["leads"], own, user_id=user_id, refuse=refuse), own)}
    for name in _INSIDE:
        one = fresh.get(name)
        made = draft(world, NOUNS[name], one, user_id=user_id, refuse=refuse) if one else None
        parts[name] = (made, one) if made and one else known[name]
    return parts


def _first(embedded: Row, name: str) -> Row | None:
    given = embedded.get(name)
    return given[0] if isinstance(given, list) and given and isinstance(given[0], dict) else None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A lead for Unsorted, and the entities of the account that it is linked with."""

    arrival: Arrival
    known: dict[str, int | None]


def _record(own: Row, fresh: dict[str, Row], metadata: Row, *, refuse: Refuse) -> Row:
    """The lead as a record for Unsorted, with its category."""
    category = metadata.pop("category", None)
    if category not in ("sip", "forms"):
        refuse("NotSupportedChoice", "_embedded.metadata.category", "The value you selected is not a valid choice.")
        category = "forms"
    source = str(metadata.get("service_code") or metadata.get("form_id") or "api")
    return {
        "category": category,
        "pipeline_id": own.get("pipeline_id"),
        "created_at": own.get("created_at"),
        "source_uid": source,
        "source_name": source,
        "metadata": metadata,
        "_embedded": {"leads": [own], **{name: [one] for name, one in fresh.items()}},
    }


def _store_arrival(world: World, waiting: _Waiting, user_id: int) -> dict[str, int | None]:
    inside = store(world, waiting.arrival, user_id=user_id)["inside"]
    ids: dict[str, int | None] = {name: next(iter(inside[name]), None) for name in ("leads", *_INSIDE)}
    for name, row_id in waiting.known.items():
        if row_id is not None and ids["leads"] is not None:
            link(world, ("leads", ids["leads"]), (name, row_id), is_main=name == "contacts")
            ids[name] = row_id
    return ids


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
