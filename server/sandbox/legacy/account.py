"""`/api/v2/account` and `/api/v2/pipelines`: the account's dictionaries as objects keyed by id."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.asked import read_list, texts
from server.sandbox.legacy.fields import enums_of, type_id
from server.sandbox.legacy.shapes import NOTE_TYPES, link
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import hal, nothing
from server.sandbox.rest.custom_fields import fields_of
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row, World

ACTIONS: Final = ("add", "view", "edit", "delete", "export")


async def _account(request: web.Request) -> web.StreamResponse:
    world, wanted = request.app[WORLD], texts(read_list(request).values.get("with"))
    account = world.account
    times = account["datetime_settings"]
    parts = {name: part(world) for name, part in _PARTS.items() if name in wanted}
    body: Row = {
        "_links": link(request.raw_path),
        **{name: account[name] for name in ("id", "name", "subdomain", "currency")},
        "timezone": times["timezone"],
        "timezone_offset": times["timezone_offset"],
        "language": "ru",
        "date_pattern": {
            "date": times["short_date_pattern"],
            "time": times["short_time_pattern"],
            "date_time": times["date_pattern"],
            "time_full": times["time_format"],
        },
        "current_user": asker(request).user["id"],
    }
    return hal(body | ({"_embedded": parts} if parts else {}))


def _users(world: World) -> Row:
    return {str(user["id"]): _user(user) for user in world.users}


def _user(user: Row) -> Row:
    rights = {
        f"{NOUNS[kind].singular}_{action}": letter_of(user, kind, action)
        for kind in ("leads", "contacts", "companies")
        for action in ACTIONS
    }
    rights |= {f"task_{action}": letter_of(user, "tasks", action) for action in ("edit", "delete")}
    return {
        "id": user["id"],
        "name": user["name"],
        "last_name": None,
        "login": user["login"],
        "language": user["lang"],
        "group_id": user["group_id"],
        "is_active": user["rights"]["is_active"],
        "is_free": user["rights"]["is_free"],
        "is_admin": user["rights"]["is_admin"],
        "phone_number": user["phone_number"],
        "rights": {"mail": "D", "incoming_leads": "A", "catalogs": "D", **rights},
    }


def letter_of(user: Row, kind: str, action: str) -> str:
    """A user's right as one letter; administrators have all of them."""
    return "A" if user["rights"]["is_admin"] else str(user["rights"].get(kind, {}).get(action, "A"))


def _fields(world: World) -> Row:
    return {kind: {str(f["id"]): _field(f) for f in fields_of(world, kind)} for kind in ENTITIES} | {"catalogs": {}}


def _field(field: Row) -> Row:
    is_system = bool(field["code"])
    shown: Row = {
        "id": field["id"],
        "name": field["name"],
        "field_type": type_id(field),
        "sort": field["sort"],
        "code": field["code"] or "",
        "is_multiple": field["type"] in ("multitext", "multiselect"),
        "is_system": is_system,
        "is_editable": not is_system,
        "is_required": False,
        "is_deletable": not is_system,
        "is_visible": True,
        "params": {},
    }
    return {**shown, "enums": enums_of(field)} if field.get("enums") else shown


def _note_types(_: World) -> Row:
    return {
        str(number): {"id": number, "name": "", "code": name.upper(), "is_editable": name == "common"}
        for name, number in NOTE_TYPES.items()
    }


def _groups(world: World) -> Row:
    return {str(group["id"]): {"id": group["id"], "name": group["name"]} for group in world.groups}


def _task_types(world: World) -> Row:
    names = ("id", "name", "code", "color", "icon_id")
    return {str(one["id"]): {name: one[name] for name in names} for one in world.account["task_types"]}


def _every_pipeline(world: World) -> Row:
    rows = sorted(world.pipelines, key=lambda pipeline: pipeline["sort"])
    return {str(row["id"]): _pipeline(row) for row in rows}


def _pipeline(row: Row) -> Row:
    names = ("id", "name", "color", "sort", "is_editable")
    return {
        **{name: row[name] for name in ("id", "name", "sort", "is_main")},
        "statuses": {str(status["id"]): {name: status[name] for name in names} for status in row["statuses"]},
        "_links": link(f"/api/v2/pipelines?id={row['id']}"),
    }


_PARTS: Final[dict[str, Callable[[World], Any]]] = {
    "users": _users,
    "custom_fields": _fields,
    "note_types": _note_types,
    "groups": _groups,
    "task_types": _task_types,
    "pipelines": _every_pipeline,
}


async def _pipelines(request: web.Request) -> web.StreamResponse:
    ids = read_list(request).ids
    items = {key: one for key, one in _every_pipeline(request.app[WORLD]).items() if ids is None or one["id"] in ids}
    return hal({"_links": link(request.raw_path), "_embedded": {"items": items}}) if items else nothing()


ROUTES: Final = [
    Route("GET", "/api/v2/account", _account, "the account, the earlier way", query=("with",), or_slash=True),
    Route("GET", "/api/v2/pipelines", _pipelines, "pipelines keyed by id", query=("id",), or_slash=True),
]
