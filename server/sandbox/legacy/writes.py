"""Adding and changing, one by one: what is refused is told beside what was done, nothing else is lost with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import moment
from server.sandbox.legacy.dialect import links_of, modernize
from server.sandbox.rest import entities
from server.sandbox.rest.access import require
from server.sandbox.rest.answers import Problem
from server.sandbox.rest.linking import link, unlink
from server.sandbox.rest.nouns import COMPANIES, CONTACTS, NOUNS, Noun
from server.sandbox.rest.query import whole
from server.sandbox.rest.search import is_visible
from server.sandbox.world import WORLD, Row

_TOO_OLD: Final = "Last modified date is older than in database"


@dataclass(slots=True)
class Done:
    """What became of one list of items."""

    rows: list[tuple[Row, Any]] = field(default_factory=list)  # with the request id
    errors: list[tuple[Any, Problem]] = field(default_factory=list)  # by request id, of an update by the row's id


def one_by_one(items: Sequence[Row], do: Callable[[Row], Row], *, by: str = "request_id") -> Done:
    """Do it with every item; `by` is the member whose value names an item in the errors."""
    done = Done()
    for position, item in enumerate(items):
        request_id = item.get("request_id")
        try:
            done.rows.append((do(item), position if request_id is None else request_id))
        except Problem as exc:
            done.errors.append((item.get(by, position), exc))
    return done


def add(request: web.Request, noun: Noun, items: Sequence[Row]) -> Done:
    """New entities. Raises `Problem` 403 without the right, 402 without customers."""
    entities.check_switched_on(noun, request)
    if items:
        require(request, "add", noun.name)
    return one_by_one(items, lambda item: _add(request, noun, item))


def _add(request: web.Request, noun: Noun, item: Row) -> Row:
    world = request.app[WORLD]
    modern = modernize(world, noun, item)
    row = entities.create(request, noun, [modern])[0]
    name = item.get("company_name")
    if noun is CONTACTS and isinstance(name, str) and name and "companies" not in modern["_embedded"]:
        known = [company for company in world.companies.where(name=name) if is_visible(company)]
        company = known[0] if known else entities.create(request, COMPANIES, [{"name": name}])[0]
        link(world, (noun.name, row["id"]), ("companies", company["id"]))
    return row


def change(request: web.Request, noun: Noun, items: Sequence[Row]) -> Done:
    """Changed entities, their links included. Raises `Problem` 402 without customers."""
    entities.check_switched_on(noun, request)
    return one_by_one(items, lambda item: _change(request, noun, item), by="id")


def _change(request: web.Request, noun: Noun, item: Row) -> Row:
    world, row_id = request.app[WORLD], whole(item.get("id"))
    check_age(request, item, world.entities(noun.name).get(row_id))
    modern = modernize(world, noun, item)
    wanted = _known_links(request, noun, item)
    row = entities.update(request, noun, [modern], ids=[row_id])[0]
    main = whole(item.get("main_contact_id"))
    for other in wanted:
        link(world, (noun.name, row["id"]), other, is_main=other == ("contacts", main))
    parted = item.get("unlink")
    for other_type, ids in links_of(noun, parted if isinstance(parted, dict) else {}).items():
        for other_id in ids:
            unlink(world, (noun.name, row["id"]), (other_type, other_id))
    return row


def check_age(request: web.Request, item: Row, before: Row | None) -> None:
    """Refuse a change that is older than what is stored: whoever sends it has not seen the present state."""
    told = moment(request.app[WORLD], item.get("updated_at", item.get("last_modified")))
    if before is not None and told is not None and told < (before["updated_at"] or 0):
        raise Problem(400, _TOO_OLD)


def _known_links(request: web.Request, noun: Noun, item: Row) -> list[tuple[str, int]]:
    """What an update links. Raises `Problem` 400 for an entity that does not exist."""
    wanted = [(other, one) for other, ids in links_of(noun, item).items() for one in ids]
    for other_type, other_id in wanted:
        if other_id not in request.app[WORLD].entities(other_type):
            raise Problem(400, f"There is no {NOUNS[other_type].singular} {other_id}")
    return wanted
