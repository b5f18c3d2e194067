"""Linking entities over HTTP: list, link, unlink."""

from typing import Final

from aiohttp import web

from server.sandbox.rest.answers import Invalid, hal, link, nothing
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.entities import entity_in_path
from server.sandbox.rest.linking import can_link, linked, unlink
from server.sandbox.rest.linking import link as join
from server.sandbox.rest.query import keep, read_query, whole
from server.sandbox.routes import ID, Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

_PATH: Final = "/api/v4/{entity:leads|contacts|companies|customers}/" + ID


async def _links(request: web.Request) -> web.StreamResponse:
    noun, row = entity_in_path(request)
    shown = [_show(row, entity_type, other_id) for entity_type in ENTITIES for other_id in linked(row, entity_type)]
    shown = keep(shown, read_query(request).filters, ("to_entity_id", "to_entity_type"))
    if not shown:
        return nothing()
    path = f"/api/v4/{noun.name}/{row['id']}/links"
    return hal({"_total_items": len(shown), "_links": link(request, path), "_embedded": {"links": shown}})


async def _link(request: web.Request) -> web.StreamResponse:
    noun, row = entity_in_path(request, "edit")
    world = request.app[WORLD]
    asked = _read(world, noun.name, await read_items(request))
    with world.batch():
        for other_type, other_id, is_main in asked:
            join(world, (noun.name, row["id"]), (other_type, other_id), is_main=is_main)
    shown = [{"entity_id": row["id"], "entity_type": noun.name, **_show(row, kind, known)} for kind, known, _ in asked]
    path = f"/api/v4/{noun.name}/{row['id']}/links"
    return hal({"_total_items": len(shown), "_links": link(request, path), "_embedded": {"links": shown}})


async def _unlink(request: web.Request) -> web.StreamResponse:
    noun, row = entity_in_path(request, "edit")
    world = request.app[WORLD]
    for other_type, other_id, _ in _read(world, noun.name, await read_items(request)):
        unlink(world, (noun.name, row["id"]), (other_type, other_id))
    return nothing()


def _read(world: World, entity_type: str, items: list[Row]) -> list[tuple[str, int, bool]]:
    """The links a body asks for. Raises `Invalid` when one end does not exist."""
    asked, wrong = [], []
    for position, item in enumerate(items):
        other_type, other_id = str(item.get("to_entity_type")), whole(item.get("to_entity_id"))
        metadata = item.get("metadata")
        is_main = isinstance(metadata, dict) and bool(metadata.get("main_contact") or metadata.get("is_main"))
        if other_id is None or not can_link(entity_type, other_type) or other_id not in world.entities(other_type):
            wrong.append((str(position), "NotSupportedChoice", "to_entity_id", "The value is not a valid choice."))
        else:
            asked.append((other_type, other_id, is_main))
    if wrong:
        raise Invalid(wrong)
    return asked


def _show(row: Row, entity_type: str, other_id: int) -> Row:
    is_contact = entity_type == "contacts"
    metadata = {"main_contact": linked(row, entity_type)[:1] == [other_id]} if is_contact else None
    return {"to_entity_id": other_id, "to_entity_type": entity_type, "metadata": metadata}


ROUTES: Final = [
    Route("GET", f"{_PATH}/links", _links, "links of an entity", query=("filter",)),
    Route("POST", f"{_PATH}/link", _link, "link entities", body="array"),
    Route("POST", f"{_PATH}/unlink", _unlink, "unlink entities; 204", body="array"),
]
