"""Generates widget/src/vocabulary.js from the server's words and messages, so that no word is typed twice."""

import ast
import importlib
import inspect
import json
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from . import jsdoc
from .pages import render

TARGET = Path("widget/src/vocabulary.js")


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or a text that both sides must agree on, as JavaScript writes it."""

    name: str
    value: str
    doc: str


@dataclass(frozen=True, slots=True)
class WordList:
    """A closed list of words: constant name → word."""

    name: str
    doc: str
    words: dict[str, str]


def generate(vocabulary: ModuleType, messages: ModuleType) -> str:
    """The JavaScript of the names that the vocabulary lists in BROWSER, and of the messages' types."""
    docs = _constant_docs(vocabulary)
    constants, lists = [], []
    used = set(vocabulary.BROWSER)
    for name in vocabulary.BROWSER:
        value = getattr(vocabulary, name)
        if isinstance(value, type) and issubclass(value, StrEnum):
            lists.append(WordList(name, _one_line(value.__doc__), {word.name: word.value for word in value}))
        else:
            constants.append(Constant(name, json.dumps(value, ensure_ascii=False), docs.get(name, "")))
    types = jsdoc.typedefs(messages)
    _refuse_unknown_words(types, vocabulary, used)
    return render("vocabulary.js.jinja", constants=constants, lists=lists, types=types)


def current() -> str:
    """What the generated file must hold, by the server's modules of this checkout."""
    return generate(importlib.import_module("server.core.vocabulary"), importlib.import_module("server.core.messages"))


def refresh(root: Path) -> bool:
    """Rewrite the file when the server's words changed; true when it did. An unchanged file keeps its time stamp."""
    target, text = root / TARGET, current()
    if target.exists() and target.read_text("utf-8") == text:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    return True


def _refuse_unknown_words(types: list[jsdoc.Typedef], vocabulary: ModuleType, used: set[str]) -> None:
    """A message may not speak in a word list that the browser is not given."""
    lists = {name for name, value in vars(vocabulary).items() if isinstance(value, type) and issubclass(value, StrEnum)}
    spoken = {word for each in types for field in each.properties for word in field.type.split(" | ")}
    if missing := sorted((spoken & lists) - used):
        raise ValueError(f"messages use {', '.join(missing)}: add to BROWSER in {vocabulary.__name__}")


def _constant_docs(module: ModuleType) -> dict[str, str]:
    """The sentence that stands directly below a constant, by the constant's name."""
    body = ast.parse(inspect.getsource(module)).body
    docs = {}
    for node, below in pairwise(body):
        match node, below:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = _one_line(text)
    return docs


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
