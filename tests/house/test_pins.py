"""What is installed today is installed tomorrow: every package has one version."""

import importlib.metadata
import json
import re
import tomllib

import pytest
from checkout import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LINES = [line.partition("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()]
PINS = {canonicalize_name(name): version for name, _, version in LINES}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _named() -> list[Requirement]:
    """What the project asks for, its build and all extras included."""
    project = PROJECT["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    every = [*PROJECT["build-system"]["requires"], *project["dependencies"], *extras]
    return [one for one in map(Requirement, every) if one.name != project["name"]]


def test_every_package_that_the_project_names_is_pinned_within_its_bounds() -> None:
    """pyproject.toml says what would do, constraints.txt which one is taken."""
    loose = [str(one) for one in _named() if PINS.get(canonicalize_name(one.name), "") not in one.specifier]

    assert loose == []


def test_what_the_packages_ask_for_is_pinned_too() -> None:
    """A new release of somebody's dependency does not reach us unasked."""
    waiting, seen = [canonicalize_name(one.name) for one in _named()], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in {canonicalize_name(one) for one in ("setuptools", "pip")}:
            continue
        seen.add(name)
        asked = [Requirement(text) for text in importlib.metadata.requires(name) or ()]
        waiting += [canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate()]

    assert sorted(seen - PINS.keys()) == []


def test_every_pin_is_one_version() -> None:
    """No range, no blank, no comment that pip reads as a package."""
    assert [name for name, version in PINS.items() if not re.fullmatch(r"[\w.!+]+", version)] == []


@pytest.mark.parametrize("folder", [".", "tests/clients"])
def test_npms_parts_are_pinned_and_locked(folder: str) -> None:
    """package.json names exact versions, the lock file the same ones, and no registry."""
    package = json.loads((ROOT / folder / "package.json").read_text("utf-8"))
    lock = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))
    wanted = {**package["dependencies"], **package.get("devDependencies", {})}

    locked = {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted}

    assert wanted == locked
    assert [name for name, part in lock["packages"].items() if "resolved" in part] == []


def test_published_clients_are_pinned_with_what_they_ask_for() -> None:
    """tests/clients/requirements.txt names exact versions: a client's new release is tested when we say so."""
    lines = (ROOT / "tests" / "clients" / "requirements.txt").read_text("utf-8").splitlines()

    loose = [line for line in lines if line and not re.fullmatch(r"#.*|[\w.-]+==[\w.!+]+", line)]

    assert loose == []


def test_every_package_has_its_reason() -> None:
    """docs/why/dependencies.md says of each package that the project names what it is for."""
    page = (ROOT / "docs" / "why" / "dependencies.md").read_text("utf-8")
    tools = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]

    named = [*(one.name for one in _named()), *tools]

    assert [name for name in named if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)] == []
