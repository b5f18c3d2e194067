"""The bin. amoCRM's API cannot delete entities, people on the page can; what they do is told like any other change."""

from server.sandbox.rest.changes import announce
from server.sandbox.rest.tasks import note_closest
from server.sandbox.world import Row, World


def delete(world: World, entity_type: str, row: Row, *, user_id: int) -> None:
    """Put a contact, company, lead or customer into the bin; a task is gone at once."""
    if entity_type == "tasks":
        world.tasks.remove(row["id"])
        note_closest(world, row)
    else:
        row = {**row, "is_deleted": True, "updated_at": world.now(), "updated_by": user_id}
        world.entities(entity_type).put(row)
    announce(world, "delete", entity_type, row=row, user_id=user_id)


def restore(world: World, entity_type: str, row: Row, *, user_id: int) -> None:
    """Take it out again, with everything it was linked with."""
    row = {**row, "is_deleted": False, "updated_at": world.now(), "updated_by": user_id}
    world.entities(entity_type).put(row)
    announce(world, "restore", entity_type, row=row, user_id=user_id)
