"""Installing, changing and switching off widgets, the way an administrator does it in the settings window."""

from pathlib import Path
from typing import Any

from aiohttp import web

from server.sandbox import integrations
from server.sandbox.deliveries import CLIENT
from server.sandbox.oauth.hooks import call_disable_hook, call_install_hook
from server.sandbox.widgets.archive import Archive, ArchiveError
from server.sandbox.world import WORLD, Row, World


async def save(
    app: web.Application,
    code: str,
    *,
    path: str | None = None,
    settings: dict[str, Any] | None = None,
    active: bool | None = None,
    user_id: int | None = None,
) -> Row:
    """Install or change a widget; what is None stays. Switching it on or off calls its integration's hook.

    `settings` are merged into the stored ones; to replace them, `forget_settings` first.
    `user_id` is the administrator who does it (default: the first one). Raises `ArchiveError` for a path without a
    widget, or for a new widget without a path.
    """
    world = app[WORLD]
    before = world.widgets.get(code)
    row = _changed(world, before, code=code, path=path)
    if settings is not None:
        row["settings"] = {**row["settings"], **settings}
    if active is not None:
        row["active"] = active
    world.widgets.put(row)
    world.signals.emit("sandbox:widgets", {"code": code, "active": row["active"]})
    was_active = bool(before and before["active"])
    integration = integrations.ensure(world, code)
    if row["active"] and not was_active:
        row["installed_at"] = world.now()
        world.widgets.put(row)
        world.integrations.put({**integration, "enabled": True})
        if integration["redirect_uri"]:
            admin_id = first_admin(world)["id"] if user_id is None else user_id
            await call_install_hook(world, app[CLIENT], integration, user_id=admin_id)
    elif was_active and not row["active"]:
        world.integrations.put({**integration, "enabled": False})
        await call_disable_hook(world, app[CLIENT], integration)
    return row


def forget_settings(world: World, code: str) -> None:
    """Clear a widget's settings; one that is not installed is no error."""
    row = world.widgets.get(code)
    if row is not None:
        world.widgets.put({**row, "settings": {}})


async def remove(app: web.Application, code: str) -> None:
    """Disconnect a widget: switched off, its settings forgotten."""
    await save(app, code, active=False)
    forget_settings(app[WORLD], code)


def archive_of(row: Row) -> Archive:
    """The files of an installed widget."""
    return Archive(Path(row["path"]))


def number_of(world: World, row: Row) -> int:
    """The number amoCRM knows an installed widget by."""
    return int(world.account["id"]) % 100_000 + sum(map(ord, row["id"]))


def first_admin(world: World) -> Row:
    """The account's first administrator."""
    return next(user for user in world.users if user["rights"]["is_admin"])


def _changed(world: World, before: Row | None, *, code: str, path: str | None) -> Row:
    if before is None and path is None:
        raise ArchiveError(f"no widget {code} is installed, and no path says where it is")
    row: Row = dict(before) if before else {"id": code, "settings": {}, "active": False, "installed_at": None}
    if path is not None:
        manifest = Archive(Path(path)).check()
        row["path"] = str(Path(path).resolve())
        row["version"] = str(manifest["widget"].get("version", "1"))
    row["client_uuid"] = integrations.ensure(world, code)["id"]
    return row
