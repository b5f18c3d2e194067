"""The host's list of widgets: what to start in an area, with which settings, and the settings window's buttons."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.sandbox.page import manifests
from server.sandbox.page.entries import entry
from server.sandbox.rest.access import admin, asker
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_any, read_object
from server.sandbox.widgets import installed
from server.sandbox.widgets.archive import Archive, ArchiveError
from server.sandbox.world import WORLD, Row, World

_KINDS: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".twig": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
}
_PER_USER: Final = ("users", "users_lp")
# install: first time; edit: save; disable: disconnect
_ACTIVE_AFTER: Final = {"install": True, "edit": None, "disable": False}


async def listed(request: web.Request) -> web.StreamResponse:
    """`POST /ajax/widgets/list`: the widgets of an area; `all` adds those not installed, for the shop."""
    form = await read_any(request)
    asked = form if isinstance(form, dict) else {}
    world, user = request.app[WORLD], asker(request).user
    area, everything = str(asked.get("area") or ""), bool(asked.get("all"))
    widgets = {}
    for row, manifest in _readable(world):
        runs = not area or manifests.runs_in(manifest, row["id"], area)  # widgets ask without an area for all of them
        if everything or (row["active"] and runs):
            widgets[row["id"]] = entry(world, row, manifest, user)
    return plain({"widgets": widgets, "system": system(request, user)})


def _readable(world: World) -> list[tuple[Row, manifests.Manifest]]:
    found = []
    for row in world.widgets:
        try:
            found.append((row, installed.archive_of(row).manifest()))
        except ArchiveError as exc:
            world.log.note("error", widget=row["id"], name="manifest", message=str(exc))
    return found


def system(request: web.Request, user: Row) -> Row:
    """What `self.system()` shows, and the counts for the right column."""
    world = request.app[WORLD]
    active = [manifest for row, manifest in _readable(world) if row["active"]]
    counts = Counter(area for manifest in active for area in manifests.column_areas(manifest))
    return {
        "amouser": user["login"],
        "amouser_id": str(user["id"]),  # a string in amoCRM too
        "amohash": user.get("api_key", ""),
        "subdomain": world.account["subdomain"],
        "domain": "kommo.com" if world.switches["brand"] == "kommo" else "amocrm.ru",
        "server": request.host,
        "displayed_count_by_area": {**counts, "everywhere": 0},
    }


async def edited(request: web.Request) -> web.StreamResponse:
    """`POST /ajax/widgets/edit` `{"action": "install | edit | disable", "code" or "id", "settings", "widget_active"}`.

    JSON or a form, as the settings window and as widgets send it; administrators only.
    """
    user, body = admin(request).user, await read_object(request)
    row, action = _named(request.app[WORLD], body), body.get("action")
    if row is None or action not in _ACTIVE_AFTER:
        raise Problem(400, "code of a known widget and action (install, edit, disable) are required")
    given, kept = _decoded(body.get("settings")), None
    if action != "disable" and isinstance(given, dict):
        kept = _storable(installed.archive_of(row).manifest(), given)
    active = _ACTIVE_AFTER[str(action)]
    if action == "edit" and "widget_active" in body:
        active = body["widget_active"] not in ("N", "false", "0", "", False, 0, None)
    row = await installed.save(request.app, row["id"], settings=kept, active=active, user_id=user["id"])
    return plain({"status": "ok", "response": {"status": "ok"}, "settings": row["settings"]})


def _named(world: World, body: Row) -> Row | None:
    found = world.widgets.get(str(body.get("code")))
    if found is None and body.get("code") is None:
        wanted = str(body.get("id"))
        return next((row for row in world.widgets if str(installed.number_of(world, row)) == wanted), None)
    return found


def _decoded(given: Any) -> Any:
    """A value that may have come as JSON in a text."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _storable(manifest: manifests.Manifest, given: dict[str, Any]) -> dict[str, Any]:
    """The declared fields only; a `custom` field is kept when it is JSON or a number, nothing else persists."""
    fields = manifests.settings(manifest)
    return {
        code: _decoded(given[code]) if field.get("type") in _PER_USER else given[code]
        for code, field in fields.items()
        if code in given and (field.get("type") != "custom" or _is_json(given[code]))
    }


def _is_json(value: Any) -> bool:
    if isinstance(value, int | float) or value == "":
        return True
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return False
    return True


async def file(request: web.Request) -> web.StreamResponse:
    """`/upl/<code>/widget/…`, and the historical `/widgets/<code>/…`: a file of the widget."""
    row = request.app[WORLD].widgets.get(request.match_info["code"])
    name = request.match_info["name"]
    raw = _read(installed.archive_of(row), name) if row is not None else None
    if raw is None:
        raise web.HTTPNotFound
    kind = _KINDS.get(Path(name).suffix.lower(), "application/octet-stream")
    # Never cached: `v=` changes only with the version, and a developer saves a file more often than that.
    return web.Response(body=raw, headers={"Content-Type": kind, "Cache-Control": "no-cache"})


def _read(archive: Archive, name: str) -> bytes | None:
    try:
        return archive.read(name)
    except ArchiveError:
        return None
