"""Finding entities by the digits of a number: at once, and as the entities are now."""

import pytest

from server.sandbox.rest.search import Finder
from server.sandbox.seed import seed
from server.sandbox.world import Row, World


@pytest.fixture
def world() -> World:
    world = World()
    seed(world)
    return world


def contact(world: World, *phones: str) -> Row:
    """A contact with exactly these numbers."""
    like = next(iter(world.contacts))
    (field,) = world.custom_fields.where(entity_type="contacts", code="PHONE")
    values = [{"field_id": field["id"], "values": [{"value": phone} for phone in phones]}]
    row = {**like, "name": "Ия", "custom_fields_values": values, "links": {}}
    return world.contacts.add({name: value for name, value in row.items() if name != "id"})


def found(finder: Finder, text: str) -> list[int]:
    return [row["id"] for row in finder.search("contacts", text)]


def test_a_changed_number_is_found_and_the_old_one_is_not(world: World) -> None:
    """Also after numbers of this length have been asked for before."""
    finder = Finder(world)
    row = contact(world, "+7 (999) 111-22-33")
    assert found(finder, "89991112233") == [row["id"]]

    row["custom_fields_values"][0]["values"][0]["value"] = "+7 (999) 444-55-66"
    world.contacts.put(row)

    assert found(finder, "89991112233") == []
    assert found(finder, "89994445566") == [row["id"]]


def test_a_removed_contact_is_not_found(world: World) -> None:
    """Neither by the search nor for a call."""
    finder = Finder(world)
    row = contact(world, "+79991112233")
    assert finder.by_phone("contacts", "+79991112233", 10)

    world.contacts.remove(row["id"])

    assert found(finder, "+79991112233") == []
    assert finder.by_phone("contacts", "+79991112233", 10) == []


def test_one_of_two_numbers_with_one_ending_may_go(world: World) -> None:
    """The other still leads to the contact."""
    finder = Finder(world)
    row = contact(world, "+74951112233", "+78121112233")
    assert finder.by_phone("contacts", "1112233", 7) == [row]

    del row["custom_fields_values"][0]["values"][0]
    world.contacts.put(row)

    assert finder.by_phone("contacts", "1112233", 7) == [row]


def test_a_short_number_matches_only_itself(world: World) -> None:
    """An extension is no ending of somebody's number."""
    finder = Finder(world)
    contact(world, "+79991110203")
    row = contact(world, "203")

    assert finder.by_phone("contacts", "203", 10) == [row]
