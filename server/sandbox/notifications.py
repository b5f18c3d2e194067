"""amoCRM's notification centre: what is shown to a user, kept until the user deletes it.

Payloads are those that `APP.addNotificationCallback` hands to widgets.
"""

import uuid
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from server.sandbox.world import Row, World

_CALL_ICON: Final = {"call": True, "value": "/frontend/images/interface/inbox/notifications_call.svg"}
_CARDS: Final = {"contacts": "contacts", "companies": "companies", "leads": "leads", "customers": "customers"}


def push(world: World, user_id: int, payload: Row, *, source: str) -> Row:
    """Keep a notification for this user, show it on every open page of theirs, and log it.

    `source` says who asked for it: `api`, or the name of the page's method (`add_call`).
    """
    stored = world.notifications.add({"id": payload["id"], "user_id": user_id, "is_read": False, "body": payload})
    world.signals.emit(f"notifications:{world.account['id']}:{user_id}", payload)
    world.log.note("notification", source=source, user_id=user_id, payload=payload)
    return stored


def of_user(world: World, user_id: int) -> list[Row]:
    """A user's notifications, the latest first."""
    return [row["body"] for row in reversed(world.notifications.where(user_id=user_id))]


def delete(world: World, user_id: int, ids: Iterable[str] | None) -> int:
    """Delete the user's notifications with these ids, all of them for None; returns how many there were."""
    wanted = None if ids is None else set(ids)
    gone = [row for row in world.notifications.where(user_id=user_id) if wanted is None or row["id"] in wanted]
    for row in gone:
        world.notifications.remove(row["id"])
    return len(gone)


def call_payload(world: World, *, phone: str, entity: tuple[str, Row] | None) -> Row:
    """The notice of an incoming call: a link to the card, or to a new contact with the number filled in."""
    if entity is None:
        title, url = phone, f"/contacts/add/?phone={quote(phone, safe='+')}"
    else:
        title, url = str(entity[1]["name"]), f"/{_CARDS[entity[0]]}/detail/{entity[1]['id']}"
    return payload(world, header="Звонок", rows=[phone], button=(title, url), icon=_CALL_ICON)


def payload(
    world: World, *, header: str, rows: list[str], button: tuple[str, str] | None = None, icon: Row | None = None
) -> Row:
    """A notification in the shape of the feed; `button` is its caption and the address a click leads to."""
    notice_id, now = str(uuid.uuid4()), world.now()
    title, url = button or ("", "")
    buttons: list[dict[str, Any]] = (
        [{"url": url, "title": title, "web_link": url, "absolute_link": False}] if button else []
    )
    body: Row = {
        "title": header,
        "icon": icon,
        "rows": [{"style": "default", "text": text, "class_height": "h3"} for text in rows],
        "actions": {"click": {"url": url}, "buttons": buttons, "read_on_show": True},
    }
    return {
        "id": notice_id,
        "uuid": notice_id,
        "notification_id": notice_id,
        "entity": None,
        "linked_entity": None,
        "created_at": now,
        "updated_at": now,
        "is_read": False,
        "silent": False,
        "notification": True,
        "body": body,
        "click": {"type": "url", "value": url},
        "web_link": url,
        "absolute_link": False,
        "buttons": buttons,
    }
