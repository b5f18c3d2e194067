"""Links between entities. Each side keeps the other's id in its row: `row["links"]["contacts"] == [501]`.

A lead or customer has any number of contacts, one of them the main one, and one company; a contact has one company.
"""

from typing import Final

from server.sandbox.world import ENTITIES, Row, World

# (entity, linked entity) of which there is at most one: a new link replaces the old one.
_ONE: Final = {("contacts", "companies"), ("leads", "companies"), ("customers", "companies")}
_LINKABLE: Final = {
    frozenset(pair)
    for pair in (
        ("contacts", "companies"),
        ("contacts", "leads"),
        ("contacts", "customers"),
        ("companies", "leads"),
        ("companies", "customers"),
    )
}


def can_link(one_type: str, other_type: str) -> bool:
    """Whether amoCRM links these two kinds at all."""
    return frozenset((one_type, other_type)) in _LINKABLE


def linked(row: Row, entity_type: str) -> list[int]:
    """Ids of the entities of one kind linked with this row, the main contact first."""
    ids: list[int] = row.get("links", {}).get(entity_type, [])
    main = row.get("main_contact_id")
    if entity_type == "contacts" and main in ids:
        return [main, *(known for known in ids if known != main)]
    return list(ids)


def rows_linked(world: World, row: Row, entity_type: str) -> list[Row]:
    """The living rows of one kind linked with this row."""
    found = (world.entities(entity_type).get(known) for known in linked(row, entity_type))
    return [other for other in found if other is not None and not other["is_deleted"]]


def link(world: World, one: tuple[str, int], other: tuple[str, int], *, is_main: bool = False) -> None:
    """Link two existing entities, both ways; linking twice changes nothing."""
    for (here_type, here_id), (there_type, there_id) in ((one, other), (other, one)):
        row = world.entities(here_type).get(here_id)
        if row is None:
            continue
        ids = row.setdefault("links", {}).setdefault(there_type, [])
        if (here_type, there_type) in _ONE and ids and ids != [there_id]:
            unlink(world, (here_type, here_id), (there_type, ids[0]))
            ids = row["links"][there_type]
        if there_id not in ids:
            ids.append(there_id)
        if there_type == "contacts" and (is_main or row.get("main_contact_id") not in ids):
            row["main_contact_id"] = there_id
        world.entities(here_type).put(row)


def unlink(world: World, one: tuple[str, int], other: tuple[str, int]) -> None:
    """Undo a link, both ways; where there is none nothing happens."""
    for (here_type, here_id), (there_type, there_id) in ((one, other), (other, one)):
        row = world.entities(here_type).get(here_id)
        if row is None:
            continue
        ids = row.setdefault("links", {}).get(there_type, [])
        row["links"][there_type] = [known for known in ids if known != there_id]
        if row.get("main_contact_id") == there_id and there_type == "contacts":
            row["main_contact_id"] = next(iter(row["links"][there_type]), None)
        world.entities(here_type).put(row)


def unlink_all(world: World, entity_type: str, row: Row) -> None:
    """Undo every link of an entity that is about to go."""
    for other_type in ENTITIES:
        for other_id in linked(row, other_type):
            unlink(world, (entity_type, row["id"]), (other_type, other_id))
