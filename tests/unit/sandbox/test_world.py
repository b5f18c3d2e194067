"""The state of the sandbox's amoCRM: kept in memory, and on disk when asked."""

import sqlite3
from pathlib import Path

import pytest

from server.sandbox.seed import seed
from server.sandbox.world import Collection, World


def test_rows_get_the_next_id_of_their_kind() -> None:
    """Contacts and companies share one row of numbers, as in amoCRM."""
    world = World()

    ids = [world.contacts.add({})["id"], world.companies.add({})["id"], world.contacts.add({})["id"]]

    assert ids == [501_001, 501_002, 501_003]


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Rows, account, switches and the next ids."""
    first = World(tmp_path)
    seed(first, 1)
    first.switches.set({"calls_uniq": "dedupe"})
    contact = first.contacts.add({"name": "Ия", "created_at": 1})
    first.close()

    again = World(tmp_path)

    assert again.contacts[contact["id"]] == contact
    assert [row["id"] for row in again.users] == [row["id"] for row in first.users]
    assert again.account == first.account
    assert again.switches["calls_uniq"] == "dedupe"
    assert again.leads.add({})["id"] == first.leads.add({"id": 0})["id"] + max(row["id"] for row in again.leads)


def test_what_was_answered_is_on_disk_before_the_world_closes(tmp_path: Path) -> None:
    """A killed sandbox loses nothing: another reader sees the row at once."""
    world = World(tmp_path)

    world.contacts.add({"name": "x"})

    rows = sqlite3.connect(tmp_path / "amocrm.sqlite3").execute("SELECT noun FROM doc").fetchall()
    assert rows == [("contacts",)]


def test_a_failed_batch_leaves_nothing_on_disk(tmp_path: Path) -> None:
    """All or none after a crash."""
    world = World(tmp_path)

    def fail() -> None:
        with world.batch():
            world.contacts.add({"name": "x"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert World(tmp_path).contacts.get(501_001) is None


def test_a_removed_row_is_gone_everywhere(tmp_path: Path) -> None:
    """Removing twice is no error."""
    world = World(tmp_path)
    row = world.leads.add({})

    world.leads.remove(row["id"])
    world.leads.remove(row["id"])

    assert row["id"] not in world.leads
    assert len(World(tmp_path).leads) == 0


def test_listeners_hear_every_change() -> None:
    """Additions, changes and removals."""
    world, heard = World(), []
    world.leads.on_change.append(heard.append)

    row = world.leads.add({})
    world.leads.put(row)
    world.leads.remove(row["id"])

    assert heard == [row["id"]] * 3


def test_only_the_four_entities_are_entities() -> None:
    """Anything else is our own mistake."""
    with pytest.raises(KeyError):
        World().entities("users")


def test_the_sample_is_the_same_for_the_same_number() -> None:
    """Every row of every collection; another number makes another account."""
    worlds = [World(), World(), World()]
    for world, number in zip(worlds, (1, 1, 2), strict=True):
        seed(world, number)

    same, again, other = (
        {name: list(rows) for name, rows in vars(world).items() if isinstance(rows, Collection)} for world in worlds
    )

    assert same == again
    assert same["contacts"] != other["contacts"]
    assert all(same[name] for name in ("loss_reasons", "customer_statuses", "segments", "catalogs", "catalog_elements"))


def test_the_sample_holds_every_case_of_telephony() -> None:
    """Users in groups, one open deal, several, customers, company numbers, a shared number, long names."""
    world = World()
    seed(world, 1)

    admins = [user for user in world.users if user["rights"]["is_admin"]]
    deals = [len(row["links"].get("leads", [])) for row in world.contacts]
    phones = [v["value"] for row in world.contacts for v in row["custom_fields_values"][0]["values"]]
    assert (len(world.users), len(admins)) == (5, 2)
    assert [user["extension"] for user in world.users] == ["201", "202", "203", "204", "205"]
    assert {user["group_id"] for user in world.users if not user["rights"]["is_admin"]} == {0, 1}
    assert (len(world.contacts), len(world.companies), len(world.leads)) == (60, 15, 40)
    assert {0, 1, 2} <= set(deals)
    assert len(world.customers) == 6
    assert len(phones) > len(set(phones))
    assert max(len(row["name"]) for row in world.contacts) > 80


def test_seeding_twice_changes_only_the_address() -> None:
    """A restart on another port."""
    world = World()
    seed(world, 1, redirect_uri="http://localhost:1/amo/oauth")
    before = len(world.contacts)

    seed(world, 1, redirect_uri="http://localhost:2/amo/oauth")

    assert len(world.contacts) == before
    assert [row["redirect_uri"] for row in world.integrations] == ["http://localhost:2/amo/oauth"]
