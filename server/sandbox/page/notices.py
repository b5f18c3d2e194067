"""The notification centre: what is kept for a user and pushed to every page the user has open."""

import html
from typing import Any, Final

from aiohttp import web

from server.sandbox import notifications
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_any, read_object
from server.sandbox.rest.query import whole
from server.sandbox.world import WORLD, Row, World

_ICONS: Final = "/frontend/images/interface/inbox"
_PATHS: Final = {"contact": "contacts", "lead": "leads", "company": "companies", "customer": "customers"}
_LISTED: Final = 50
_CALL_MEMBERS: Final = ("from", "to", "duration", "link", "element")
_METHODS: Final = ("add_call", "add_error")


def _keep(world: World, user_id: int, notification: Row) -> None:
    """Keep a notification in the user's feed and show it on the user's open pages; the page has logged it already."""
    kept = {"id": notification["id"], "user_id": user_id, "created_at": notification["created_at"], "is_read": False}
    world.notifications.add({**kept, "body": notification})
    world.signals.emit(f"notifications:{world.account['id']}:{user_id}", notification)


async def added(request: web.Request) -> web.StreamResponse:
    """`APP.notifications.add_call` and `add_error` of the page. 400 without a text."""
    body = await read_object(request)
    method, data = body.get("method"), body.get("data")
    if method not in _METHODS or not isinstance(data, dict) or not data.get("text"):
        raise Problem(400, "method (add_call, add_error) and data.text are required")
    world = request.app[WORLD]
    notification = _call(world, data) if method == "add_call" else _error(world, data)
    _keep(world, asker(request).user["id"], notification)
    return plain({"notification": notification})


async def listed(request: web.Request) -> web.StreamResponse:
    """The user's feed, the latest first."""
    found = notifications.of_user(request.app[WORLD], asker(request).user["id"])
    return plain({"notifications": found[:_LISTED]})


async def deleted(request: web.Request) -> web.StreamResponse:
    """`POST /v3/inbox/delete` `{"id": […], "all": bool}`: closed by the user."""
    body, world = await read_any(request), request.app[WORLD]
    asked = body.get("id") if isinstance(body, dict) else None
    every = isinstance(body, dict) and body.get("all") in (True, "true", "1")
    ids = [str(one) for one in asked] if isinstance(asked, list) else []
    notifications.delete(world, asker(request).user["id"], None if every else ids)
    return plain({"status": "ok"})


def _call(world: World, data: Row) -> Row:
    """The documented shape of a call in the feed, made from what `add_call` was given."""
    texts = [str(data["text"])]
    direction = " → ".join(str(data[side]) for side in ("from", "to") if data.get(side))
    if direction:
        texts.append(html.escape(direction))
    if isinstance(data.get("duration"), int | float):
        texts.append(_clock(int(data["duration"])))
    made = _notification(world, data, title=data.get("header") or "Звонок", icon="call", texts=texts)
    made["body"]["call"] = {name: data[name] for name in _CALL_MEMBERS if data.get(name)}
    return made


def _error(world: World, data: Row) -> Row:
    link = {"click_link": data.get("link")}
    return _notification(
        world, {**data, **link}, title=data.get("header") or "Ошибка", icon="error", texts=[data["text"]]
    )


def _notification(world: World, data: Row, *, title: Any, icon: str, texts: list[Any]) -> Row:
    """The feed's shape with the icon, the time and the target of `data`."""
    url = _target(data)
    button = (_button(data, url), url) if url else None
    pictured = {icon: True, "value": f"{_ICONS}/notifications_{icon}.svg"}
    made = notifications.payload(world, header=str(title), rows=list(map(str, texts)), button=button, icon=pictured)
    at = whole(data.get("date")) or world.now()
    element = data.get("element")
    return made | {"created_at": at, "updated_at": at, "linked_entity": element if isinstance(element, dict) else None}


def _target(data: Row) -> str | None:
    element = data.get("element")
    if isinstance(element, dict) and element.get("id"):
        entity = _PATHS.get(str(element.get("type")), "contacts")
        return f"/{entity}/detail/{element['id']}"
    link = data.get("click_link")
    return str(link) if link else None


def _button(data: Row, url: str | None) -> str:
    element = data.get("element")
    name = element.get("name") if isinstance(element, dict) else None
    return str(name or data.get("from") or url)


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
