"""Integrations: what amoCRM knows of a program that asks for access, and of the widget that belongs to it."""

import hashlib
import uuid
from typing import Final

from server.sandbox.world import Row, World

_NAMESPACE: Final = uuid.UUID("5f0f2d3c-6f0e-4c54-9f3e-1c4f3a6b7d10")


def ensure(world: World, widget_code: str, *, redirect_uri: str = "", disable_hook: str = "") -> Row:
    """The integration of this widget, made when it does not exist; addresses given replace the stored ones."""
    found = world.integrations.where(widget_code=widget_code)
    row = found[0] if found else _new(world, widget_code)
    given = {"redirect_uri": redirect_uri, "disable_hook": disable_hook}
    return world.integrations.put(row | {name: value for name, value in given.items() if value})


def main(world: World) -> Row:
    """The integration that the sandbox's own answers speak of: the first one made."""
    return world.integrations[world.account["main_client_id"]]


def of_widget(world: World, widget_code: str | None) -> Row | None:
    """The integration of a widget, the main one when no widget is named; None for an unknown code."""
    if widget_code is None:
        return main(world)
    return next(iter(world.integrations.where(widget_code=widget_code)), None)


def _new(world: World, widget_code: str) -> Row:
    seed = f"{world.account['id']}:{widget_code}"
    return {
        "id": str(uuid.uuid5(_NAMESPACE, seed)),
        "secret": hashlib.sha512(f"{seed}:{world.account['seed']}".encode()).hexdigest()[:64],
        "widget_code": widget_code,
        "name": widget_code,
        "redirect_uri": "",
        "disable_hook": "",
        "enabled": True,
    }
