"""`/api/v4/widgets`: integrations read their own widget's settings here, administrators install by it."""

from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import admin, asker
from server.sandbox.rest.answers import Problem, hal, link, nothing
from server.sandbox.rest.bodies import read_object
from server.sandbox.rest.query import page_answer, read_query
from server.sandbox.routes import Route
from server.sandbox.widgets import installed
from server.sandbox.widgets.archive import Archive, ArchiveError
from server.sandbox.world import WORLD, Row

_PATH: Final = "/api/v4/widgets"
_CODE: Final = "{code:[A-Za-z0-9_-]{1,64}}"


async def _list(request: web.Request) -> web.StreamResponse:
    rows, query = list(request.app[WORLD].widgets), read_query(request)
    return page_answer(request, query, rows=rows, name="widgets", view=partial(_show, request), totals=True)


async def _one(request: web.Request) -> web.StreamResponse:
    return hal(_show(request, _widget(request)))


async def _install(request: web.Request) -> web.StreamResponse:
    user, row = admin(request).user, _widget(request)
    settings = await read_object(request)
    for field in settings_template(installed.archive_of(row)):
        value = {**row["settings"], **settings}.get(field["key"])
        if field["is_required"] and field["type"] != "custom" and value in (None, "", [], {}):
            raise Problem(400, f"{field['key']} is required")
    row = await installed.save(request.app, row["id"], settings=settings, active=True, user_id=user["id"])
    return hal({**_show(request, row), "settings": row["settings"]})  # whoever has sent them may see them


async def _remove(request: web.Request) -> web.StreamResponse:
    admin(request)
    await installed.remove(request.app, _widget(request)["id"])
    return nothing()


def _widget(request: web.Request) -> Row:
    row = request.app[WORLD].widgets.get(request.match_info["code"])
    if row is None:
        raise Problem(404, "Widget not found")
    return row


def _show(request: web.Request, row: Row) -> Row:
    archive = installed.archive_of(row)
    shown: Row = {
        "id": installed.number_of(request.app[WORLD], row),
        "code": row["id"],
        "version": row["version"],
        "rating": "0",
        "settings_template": settings_template(archive),
        "is_lead_source": False,
        "is_work_with_dp": False,
        "is_crm_template": False,
        "client_uuid": row["client_uuid"],
        "is_active_in_account": row["active"],
        "pipeline_id": None,
        "_links": link(request, f"{_PATH}/{row['id']}"),
    }
    if asker(request).client_id == row["client_uuid"]:  # a widget's settings are its own integration's business
        shown["settings"] = row["settings"]
    return shown


def settings_template(archive: Archive, language: str = "ru") -> list[dict[str, Any]]:
    """The settings fields of a widget's manifest, with their names in one language."""
    try:
        fields, texts = archive.manifest().get("settings"), archive.json(f"i18n/{language}.json")
    except ArchiveError:
        return []
    template = []
    for key, field in fields.items() if isinstance(fields, dict) else []:
        if isinstance(field, dict):
            name, kind = _text(texts, str(field.get("name", key))), str(field.get("type", "text"))
            template.append({"key": key, "name": name, "type": kind, "is_required": bool(field.get("required"))})
    return template


def _text(texts: dict[str, Any], path: str) -> str:
    value: Any = texts
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else path


ROUTES: Final = [
    Route("GET", _PATH, _list, "widgets of the account", query=("page", "limit")),
    Route("GET", f"{_PATH}/{_CODE}", _one, "one widget; settings only for its own integration"),
    Route("POST", f"{_PATH}/{_CODE}", _install, "install a widget with these settings", body="object"),
    Route("DELETE", f"{_PATH}/{_CODE}", _remove, "disconnect a widget"),
]
