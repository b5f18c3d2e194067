"""What has changed, told once: whoever changes an entity announces it here and need not know who listens.

It is kept in the events list; the sender of webhooks and the page's socket listen.
"""

import copy
from typing import Any, Final, Literal

from server.sandbox.rest.history import record
from server.sandbox.world import Row, World

Action = Literal["add", "update", "delete", "restore", "status", "responsible", "note", "link", "unlink"]

CHANNEL: Final = "sandbox:changes"


def announce(world: World, action: Action, entity_type: str, *, row: Row, user_id: int, **extra: Any) -> None:
    """Tell that `row` (a contact, lead, task …) was changed by the user; `extra` belongs to the action."""
    change = {"action": action, "entity_type": entity_type, "row": copy.deepcopy(row), "user_id": user_id, **extra}
    record(world, change)
    world.signals.emit(CHANNEL, change)
    world.signals.emit(f"{entity_type}:events", {"action": action, "id": row["id"]})
    world.signals.emit(f"{entity_type}:card:{row['id']}", {"action": action, "id": row["id"]})
    world.signals.emit("dashboard:events", {"action": action, "entity": entity_type, "id": row["id"]})
    if row.get("pipeline_id") is not None:
        world.signals.emit(f"{entity_type}:pipeline:{row['pipeline_id']}", {"action": action, "id": row["id"]})


def announce_update(world: World, entity_type: str, *, before: Row, row: Row, user_id: int) -> None:
    """Tell of an update, and of what it means: a new status, a new responsible user."""
    announce(world, "update", entity_type, row=row, user_id=user_id, before=copy.deepcopy(before))
    if before.get("status_id") != row.get("status_id"):
        old = {f"old_{name}": before[name] for name in ("status_id", "pipeline_id") if name in before}
        announce(world, "status", entity_type, row=row, user_id=user_id, **old)
    if before.get("responsible_user_id") != row.get("responsible_user_id"):
        old = {"old_responsible_user_id": before["responsible_user_id"]}
        announce(world, "responsible", entity_type, row=row, user_id=user_id, **old)
