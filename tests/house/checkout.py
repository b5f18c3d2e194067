"""The checkout as the tests of the house read it: its files, its Python as syntax trees, its packages by name."""

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

MADE = {"node_modules", "dist", "shots", "__pycache__"}
"""Folders that are made and not written; hidden ones and *.egg-info besides."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path from the root, for messages."""
        return str(self.path.relative_to(ROOT))


@functools.cache
def files() -> list[Path]:
    """Every file that somebody wrote."""
    found = []
    for folder, inside, names in os.walk(ROOT):
        inside[:] = sorted(name for name in inside if not _is_made(name))
        found += [Path(folder, name) for name in sorted(names)]
    return found


def _is_made(folder: str) -> bool:
    return folder in MADE or folder.endswith(".egg-info") or (folder.startswith(".") and folder != ".ci")


@functools.cache
def python(folder: str) -> tuple[Source, ...]:
    """The Python files under a folder of the checkout."""
    paths = [path for path in files() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]
    return tuple(Source(path, text, ast.parse(text)) for path in paths if (text := path.read_text("utf-8")).strip())


def javascript() -> list[Path]:
    """The widget's own scripts."""
    return [path for path in files() if path.suffix == ".js" and path.is_relative_to(ROOT / "widget" / "src")]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """What a function takes, without self and cls."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one for one in named if one is not None and one.arg not in ("self", "cls", "_")]
