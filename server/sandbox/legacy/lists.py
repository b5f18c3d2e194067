"""The lists of entities: who is in them, by the filters of the earlier APIs."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import Asked, moment, numbers
from server.sandbox.rest.access import asker, may
from server.sandbox.rest.entities import check_switched_on
from server.sandbox.rest.nouns import LOST, WON, Noun
from server.sandbox.rest.search import FINDER, is_visible
from server.sandbox.world import WORLD, Row, World

_SPANS: Final = {"date_create": "created_at", "date_modify": "updated_at", "next_date": "next_date"}
_SAME: Final = {"id": "id", "main_user": "responsible_user_id", "status": "status_id", "task_type": "task_type_id",
                "responsible_user_id": "responsible_user_id"}  # fmt: skip


def found(request: web.Request, noun: Noun, asked: Asked) -> list[Row]:
    """The entities a list shows, all pages together. Raises `Problem` 402 without customers."""
    check_switched_on(noun, request)
    world, user = request.app[WORLD], asker(request).user
    searched = request.app[FINDER].search(noun.name, asked.search) if asked.search else world.entities(noun.name)
    rows = [row for row in searched if is_visible(row) and may(user, "view", noun.name, row)]
    if "status" in asked.values:
        rows = [row for row in rows if row.get("status_id") in numbers(asked.values["status"])]
    if noun.name == "leads":
        rows = [row for row in rows if _is_lead_wanted(row, asked.filters)]
    return narrowed(world, rows, asked)


def narrowed(world: World, rows: list[Row], asked: Asked) -> list[Row]:
    """What all lists have in common: ids, the responsible user, the time of the last change, and spans of time."""
    tests: list[tuple[str, Any]] = [("id", asked.ids)] if asked.ids is not None else []
    if "responsible_user_id" in asked.values:
        tests.append(("responsible_user_id", numbers(asked.values["responsible_user_id"])))
    tests += [(member, numbers(asked.filters[name])) for name, member in _SAME.items() if name in asked.filters]
    rows = [row for row in rows if all(row.get(member) in wanted for member, wanted in tests)]
    if asked.since is not None:
        rows = [row for row in rows if row["updated_at"] >= asked.since]
    for name, member in _SPANS.items():
        span = asked.filters.get(name)
        if isinstance(span, dict):
            first, last = moment(world, span.get("from")), moment(world, span.get("to"))
            rows = [row for row in rows if _within(row.get(member), first, last)]
    return rows


def _within(value: Any, first: int | None, last: int | None) -> bool:
    return value is not None and (first is None or value >= first) and (last is None or value <= last)


def _is_lead_wanted(row: Row, filters: Row) -> bool:
    """`filter[active]=1`: neither won nor lost; `filter[pipe][<pipeline>][]=<status>`: any of these places."""
    if numbers(filters.get("active")) == [1] and row["status_id"] in (WON, LOST):
        return False
    places = filters.get("pipe")
    if not isinstance(places, dict):
        return True
    return row["status_id"] in numbers(places.get(str(row["pipeline_id"])))
