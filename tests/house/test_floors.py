"""Imports run downward, in no circle, and the core stays pure."""

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import FUNCTIONS, ROOT, Source, functions, javascript, parameters, python

PURE_FOREIGN = {"msgspec", "phonenumbers"}
IMPURE = {"asyncio", "datetime", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
IMPORT = re.compile(r"""(?:^|\n)(?:import|export)\s[^;]*?from\s+["'](\.[^"']+)["']""")

OWNERS = {
    "host.js": r"\bwindow\.(?:APP|AMOCRM)\b|\bAMOCRM\.",
    "link.js": r"\bnew WebSocket\b",
}
"""What one file of the widget alone may touch."""


def test_the_floors_hold() -> None:
    """Every room stands on its floor and imports only what lies below; pyproject.toml draws the floors."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_itself_in_a_circle() -> None:
    """Of two modules at most one needs the other to be there first, however long the way."""
    graph = {_module(source): set(_imported(source)) for source in python("server")}

    assert graph["server.wiring"] > {"server.web.app", "server.services.calls"}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def _module(source: Source) -> str:
    parts = source.path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(source: Source) -> Iterator[str]:
    """The modules of the house that must be loaded before this one: imports inside functions come later."""
    here = source.path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.Module([node for node in source.tree.body if _runs(node)], [])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*here[: len(here) - node.level + 1 if node.level else 0], node.module or ""]).strip(".")
            for alias in node.names:
                is_module = (ROOT / base.replace(".", "/") / f"{alias.name}.py").exists()
                yield f"{base}.{alias.name}" if is_module else base


def _runs(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" not in ast.unparse(node.test)
    return not isinstance(node, (*FUNCTIONS, ast.ClassDef))


def test_no_script_of_the_widget_imports_itself_in_a_circle() -> None:
    """The same for the browser's modules."""
    graph = {
        script: {(script.parent / name).resolve() for name in IMPORT.findall(script.read_text("utf-8"))}
        for script in javascript()
    }

    assert any(graph.values())
    assert {target for targets in graph.values() for target in targets} <= graph.keys()
    graphlib.TopologicalSorter(graph).prepare()


def test_the_core_has_no_clock_no_chance_and_no_wire() -> None:
    """The core is given time, ids and messages as values."""
    foreign = {}
    for source in python("server/core"):
        for node in ast.walk(source.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            roots = {name.partition(".")[0] for name in names}
            if bad := {root for root in roots if root in IMPURE or not _is_known(root)}:
                foreign[source.name] = bad

    assert foreign == {}


def _is_known(root: str) -> bool:
    return root in sys.stdlib_module_names or root in PURE_FOREIGN or root == "server"


@pytest.mark.parametrize("owner", OWNERS)
def test_what_one_script_owns_no_other_touches(owner: str) -> None:
    """Only the host file speaks with amoCRM's page, only the link opens sockets."""
    users = {script.name for script in javascript() if re.search(OWNERS[owner], script.read_text("utf-8"))}

    assert users == {owner}


@pytest.mark.parametrize("folder", ["server", "widget/build"])
def test_every_argument_has_a_type(folder: str) -> None:
    """Nobody has to guess what goes into a function."""
    untyped = [
        f"{source.name}:{function.lineno} {function.name}({one.arg})"
        for source in python(folder)
        for function in functions(source.tree)
        for one in parameters(function)
        if one.annotation is None
    ]

    assert untyped == []
