"""The sample account: believable, and the same for the same number."""

import re

from server.sandbox.seed import more_contacts, seed
from server.sandbox.world import Row, World

NOUNS = ("users", "contacts", "companies", "leads", "customers", "notes", "tasks", "pipelines", "custom_fields")


def account(number: int) -> World:
    world = World()
    seed(world, number)
    return world


def rows(world: World) -> dict[str, list[Row]]:
    return {name: list(getattr(world, name)) for name in NOUNS}


def test_the_same_number_makes_the_same_account() -> None:
    """Down to the last note; another number makes another one."""
    assert rows(account(7)) == rows(account(7))
    assert rows(account(7))["contacts"] != rows(account(8))["contacts"]


def test_the_account_has_a_past() -> None:
    """Talks in both directions, recorded when somebody talked, by the account's users, after the contact came."""
    world = account(1)
    calls = [note for note in world.notes if note["note_type"] in ("call_in", "call_out")]

    assert {note["note_type"] for note in calls} == {"call_in", "call_out"}
    assert {bool(note["params"]["duration"]) for note in calls} == {True, False}
    assert all(bool(note["params"]["duration"]) == bool(note["params"]["link"]) for note in calls)
    assert all(note["created_by"] in world.users for note in calls)
    assert all(note["created_at"] > world.contacts[note["entity_id"]]["created_at"] for note in calls)
    assert {note["entity_type"] for note in world.notes} == {"contacts", "leads"}
    assert {task["entity_type"] for task in world.tasks} == {"contacts", "leads"}


def test_the_first_contacts_are_blank() -> None:
    """Whoever tries the API out on the first contact finds nobody else's calls at it."""
    world = account(1)
    first = next(iter(world.contacts))

    assert not [note for note in world.notes if note["entity_id"] == first["id"] and note["note_type"] != "common"]


def test_mail_addresses_belong_to_their_people() -> None:
    """In Latin letters, made of the name."""
    world = account(1)
    fields = [field for row in world.contacts for field in row["custom_fields_values"]]
    mails = [value["value"] for field in fields for value in field["values"] if "@" in str(value["value"])]

    assert mails
    assert all(re.fullmatch(r"[a-z]+\d{4}@mail\.example", mail) for mail in mails)


def test_more_contacts_are_other_people_each_time() -> None:
    """Two portions do not repeat each other, and both are the same in every account of that number."""
    worlds = [account(1), account(1)]
    for world in worlds:
        more_contacts(world, 50)
        more_contacts(world, 50)
    added = list(worlds[0].contacts)[-100:]

    assert [row["name"] for row in added[:50]] != [row["name"] for row in added[50:]]
    assert rows(worlds[0]) == rows(worlds[1])
