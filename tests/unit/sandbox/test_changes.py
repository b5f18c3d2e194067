"""Noticing that a widget's file was written while the sandbox runs."""

import json
from pathlib import Path

import pytest

from server.sandbox.seed import seed
from server.sandbox.widgets.changes import CHANNEL, Changes
from server.sandbox.world import World


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path, version="1.0.0")
    return tmp_path


def write(path: Path, **widget: str) -> None:
    (path / "manifest.json").write_text(json.dumps({"widget": widget}))


@pytest.fixture
def world(path: Path) -> World:
    world = World()
    seed(world)
    row = {"id": "mine", "path": str(path), "version": "1.0.0", "settings": {"a": "b"}, "active": True}
    world.widgets.put(row)
    return world


def test_a_change_is_told_when_the_files_are_quiet(world: World, path: Path) -> None:
    """A build that goes on writing is one change, told at its end."""
    changes = Changes(world)
    looks = [changes.look()]

    for content in ("a", "ab"):
        (path / "script.js").write_text(content)
        looks.append(changes.look())
    looks += [changes.look(), changes.look()]

    assert looks == [[], [], [], ["mine"], []]


def test_the_new_version_is_taken_over(world: World, path: Path) -> None:
    """Assets are asked for by the version of the new manifest; the settings stay."""
    write(path, version="2.0.0")

    with world.signals.listen(CHANNEL) as queue:
        Changes(world).tell("mine")

    assert queue.get_nowait() == (CHANNEL, {"code": "mine", "version": "2.0.0"})
    assert (world.widgets["mine"]["version"], world.widgets["mine"]["settings"]) == ("2.0.0", {"a": "b"})


def test_a_broken_widget_is_told_and_nothing_reloads(world: World, path: Path) -> None:
    """Half a manifest on disk: the words go to the page's developer bar and to the log."""
    (path / "manifest.json").write_text('{"widget": ')

    with world.signals.listen(CHANNEL) as queue:
        Changes(world).tell("mine")

    assert "not valid JSON" in queue.get_nowait()[1]["problem"]
    assert [one["name"] for one in world.log.entries("error")] == ["manifest"]
    assert world.widgets["mine"]["version"] == "1.0.0"


def test_a_widget_put_elsewhere_is_not_a_change(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Installing from another path is an administrator's act; its files are looked at from then on."""
    changes = Changes(world)
    changes.look()
    other = tmp_path_factory.mktemp("other")
    write(other, version="9")

    world.widgets.put({**world.widgets["mine"], "path": str(other)})

    assert [changes.look(), changes.look()] == [[], []]
