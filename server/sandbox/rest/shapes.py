"""How a stored entity looks in an answer."""

from typing import Any

from aiohttp import web

from server.sandbox.rest.answers import link
from server.sandbox.rest.custom_fields import show_values
from server.sandbox.rest.linking import linked, rows_linked
from server.sandbox.rest.nouns import Noun
from server.sandbox.rest.query import ListQuery
from server.sandbox.world import WORLD, Row, World


def show_entity(request: web.Request, noun: Noun, row: Row, query: ListQuery) -> Row:
    """A contact, company, lead or customer with the parts `with=` asks for."""
    world = request.app[WORLD]
    shown: Row = {"id": row["id"]} | {member.name: row.get(member.name) for member in noun.members}
    shown["custom_fields_values"] = show_values(world, row)
    shown["account_id"] = world.account["id"]
    shown["_links"] = link(request, f"/api/v4/{noun.name}/{row['id']}")
    shown["_embedded"] = _embedded(request, noun, row, query)
    return shown


def show_made(request: web.Request, noun_name: str, row: Row, request_id: Any) -> Row:
    """The short form in the answer to a write."""
    made: Row = {"id": row["id"]}
    if "updated_at" in row and request.method == "PATCH":
        made["updated_at"] = row["updated_at"]
    if request_id is not None:
        made["request_id"] = request_id
    return {**made, "_links": link(request, f"/api/v4/{noun_name}/{row['id']}")}


def show_tags(world: World, row: Row) -> list[Row]:
    """The entity's tags with their names."""
    tags = (world.tags.get(known) for known in row.get("tags", []))
    return [{"id": tag["id"], "name": tag["name"], "color": None} for tag in tags if tag is not None]


def _embedded(request: web.Request, noun: Noun, row: Row, query: ListQuery) -> Row:
    world = request.app[WORLD]
    embedded: Row = {"tags": show_tags(world, row)}
    for other in (*noun.always, *(name for name in noun.embeds if query.wants(name))):
        embedded[other] = [_reference(request, row, other, known["id"]) for known in rows_linked(world, row, other)]
    if query.wants("catalog_elements"):
        embedded["catalog_elements"] = []
    if query.wants("loss_reason"):
        embedded["loss_reason"] = []
    return embedded


def _reference(request: web.Request, row: Row, other: str, other_id: int) -> Row:
    shown: Row = {"id": other_id}
    if other == "contacts" and "main_contact_id" in row:
        shown["is_main"] = linked(row, "contacts")[0] == other_id
    return {**shown, "_links": link(request, f"/api/v4/{other}/{other_id}")}
