"""How a stored entity looks in an answer."""

import copy
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
    if noun.name == "leads":
        shown |= _lead_extras(row, query)
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
    return [show_tag(tag) for tag in tags if tag is not None]


def show_tag(row: Row) -> Row:
    """One tag."""
    return {"id": row["id"], "name": row["name"], "color": row.get("color")}


def show_deleted(request: web.Request, noun: Noun, row: Row) -> Row:
    """What `with=only_deleted` tells of a lead in the bin."""
    shown = {name: row[name] for name in ("id", "updated_at", "updated_by", "is_deleted")}
    account_id = request.app[WORLD].account["id"]
    return {**shown, "account_id": account_id, "_links": link(request, f"/api/v4/{noun.name}/{row['id']}")}


def _lead_extras(row: Row, query: ListQuery) -> Row:
    wants_source = query.wants("source_id") or query.wants("source")
    shown: Row = {"source_id": row.get("source_id") if wants_source else None}
    if query.wants("is_price_modified_by_robot"):
        shown["is_price_modified_by_robot"] = bool(row.get("is_price_modified_by_robot"))
    return shown


def _embedded(request: web.Request, noun: Noun, row: Row, query: ListQuery) -> Row:
    world = request.app[WORLD]
    embedded: Row = {"tags": show_tags(world, row)}
    for other in (*noun.always, *(name for name in noun.embeds if query.wants(name))):
        embedded[other] = [_reference(request, row, other, known["id"]) for known in rows_linked(world, row, other)]
    if query.wants("catalog_elements"):
        embedded["catalog_elements"] = copy.deepcopy(row.get("catalog_links", []))
    if noun.name == "customers":
        ids = row.get("segments", [])
        embedded["segments"] = [{"id": i, "_links": link(request, f"/api/v4/customers/segments/{i}")} for i in ids]
    if noun.name == "leads":
        embedded |= _lead_references(request, row, query)
    return embedded


def _lead_references(request: web.Request, row: Row, query: ListQuery) -> Row:
    world, embedded = request.app[WORLD], Row()
    if query.wants("loss_reason"):
        reason = world.loss_reasons.get(row.get("loss_reason_id"))
        path = f"/api/v4/leads/loss_reasons/{row.get('loss_reason_id')}"
        embedded["loss_reason"] = [{**reason, "_links": link(request, path)}] if reason else []
    if query.wants("source"):
        source = world.sources.get(row.get("source_id"))
        embedded["source"] = {"id": source["id"], "name": source["name"]} if source else None
    return embedded


def _reference(request: web.Request, row: Row, other: str, other_id: int) -> Row:
    shown: Row = {"id": other_id}
    if other == "contacts" and "main_contact_id" in row:
        shown["is_main"] = linked(row, "contacts")[0] == other_id
    return {**shown, "_links": link(request, f"/api/v4/{other}/{other_id}")}
