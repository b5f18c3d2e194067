"""Subscriptions to webhooks. The sending is in `server/sandbox/deliveries.py`."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from server.sandbox.rest.access import admin
from server.sandbox.rest.answers import Problem, hal, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.query import keep, page_answer, read_query, whole
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row

_MOST: Final = 100
_ACTIONS: Final = {
    "add": ("lead", "contact", "company", "customer", "task", "unsorted"),
    "update": ("lead", "contact", "company", "customer", "task", "unsorted"),
    "delete": ("lead", "contact", "company", "customer", "task", "unsorted"),
    "responsible": ("lead", "contact", "company", "customer", "task"),
    "restore": ("lead", "contact", "company"),
    "status": ("lead",),
    "note": ("lead", "contact", "company", "customer"),
}
# Chats are not served: their events can be subscribed to, and never happen.
_NEVER: Final = frozenset({"add_talk", "update_talk", "add_message", "add_chat_template_review"})
EVENTS: Final = _NEVER | {f"{action}_{noun}" for action, nouns in _ACTIONS.items() for noun in nouns}


async def _list(request: web.Request) -> web.StreamResponse:
    _enter(request)
    query = read_query(request)
    rows = keep(request.app[WORLD].webhooks, query.filters, ("destination",))
    return page_answer(request, query, rows=rows, name="webhooks", view=partial(_show, request), totals=True)


async def _subscribe(request: web.Request) -> web.StreamResponse:
    user = _enter(request)
    world, body = request.app[WORLD], await read_object(request)
    destination, events = _destination(body), _events(body.get("settings"))
    now = world.now()
    known = world.webhooks.where(destination=destination)
    if not known and len(world.webhooks) >= _MOST:
        raise Problem(400, f"An account has at most {_MOST} webhooks")
    row = known[0] if known else {"destination": destination, "created_by": user["id"], "created_at": now}
    row = {
        **row,
        "settings": sorted(events),
        "updated_at": now,
        "sort": whole(body.get("sort")) or 1,
        "disabled": False,
    }
    stored = world.webhooks.put({**row, "failures": []}) if known else world.webhooks.add({**row, "failures": []})
    return hal(_show(request, stored), status=201)


async def _unsubscribe(request: web.Request) -> web.StreamResponse:
    _enter(request)
    world, destination = request.app[WORLD], _destination(await read_object(request))
    found = world.webhooks.where(destination=destination)
    if not found:
        raise Problem(404, "Webhook not found")
    world.webhooks.remove(found[0]["id"])
    return nothing()


def _enter(request: web.Request) -> Row:
    if not request.app[WORLD].switches["webhooks_enabled"]:
        raise Problem(402, "Webhooks are not part of the tariff")
    return admin(request).user


def _destination(body: Row) -> str:
    destination = body.get("destination")
    try:
        parts = urlsplit(destination if isinstance(destination, str) else "")
        host = parts.hostname or ""
    except ValueError as exc:
        raise Problem(422, "destination is not a valid URL") from exc
    if parts.scheme not in ("http", "https") or not host or not host.isascii():
        raise Problem(422, "destination is not a valid URL")
    return str(destination)


def _events(given: Any) -> set[str]:
    names: Iterable[Any] = given if isinstance(given, list) else []
    events = {name for name in names if isinstance(name, str)}
    if not events or not events <= EVENTS:
        raise Problem(422, "settings must name events")
    return events


def _show(request: web.Request, row: Row) -> Row:
    names = ("id", "destination", "settings", "created_by", "created_at", "updated_at", "sort", "disabled")
    return {**{name: row[name] for name in names}, "account_id": request.app[WORLD].account["id"]}


_PATH: Final = "/api/v4/webhooks"
_FIDELITY: Final = "switch: webhooks_enabled"
ROUTES: Final = [
    Route("GET", _PATH, _list, "webhooks", fidelity=_FIDELITY, query=("page", "limit", "filter")),
    Route("POST", _PATH, _subscribe, "subscribe a webhook, or change it", fidelity=_FIDELITY, body="object"),
    Route("DELETE", _PATH, _unsubscribe, "unsubscribe a webhook", fidelity=_FIDELITY, body="object"),
]
