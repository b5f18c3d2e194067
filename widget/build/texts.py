"""Holds our own sources and their texts together: every key used exists in all languages, none is left over."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .lint.archive import leaves
from .lint.javascript import Script, arguments, callee, line, literal

FUNCTIONS = frozenset({"t", "text"})
"""`t("card.open")` gives a text. A key may end open, `t("errors." + slug)`: then all texts below are in use."""

PLACE = re.compile(r"\{\w+\}")
TEMPLATE_KEY = re.compile(r"\b(?:t|text)\(\s*(['\"])([\w.]+)\1")

HOST_KEYS = ("widget.call_action",)
"""Texts that amoCRM itself takes out of the files, by a fixed key."""


def problems(root: Path) -> list[str]:
    """One line per defect in the texts of this checkout; empty when all is well."""
    locales = {
        path.stem: dict(leaves(json.loads(path.read_text("utf-8")))) for path in sorted((root / "i18n").glob("*.json"))
    }
    used = [*_script_keys(root), *_template_keys(root), *_manifest_keys(root)]
    literals = _literals(root)
    return [*_unequal(locales), *_missing(locales, used), *_orphaned(locales, {key for _, key in used} | literals)]


def _unequal(locales: dict[str, dict[str, Any]]) -> Iterator[str]:
    every = sorted({key for texts in locales.values() for key in texts})
    for key in every:
        lacking = [language for language, texts in locales.items() if key not in texts]
        if lacking:
            yield f"i18n/{', '.join(lacking)}: {key} is missing, another language has it"
            continue
        if len({frozenset(PLACE.findall(str(texts[key]))) for texts in locales.values()}) > 1:
            yield f"i18n: {key} has different places in different languages"
        for language, texts in locales.items():
            if not isinstance(texts[key], str) or not texts[key].strip():
                yield f"i18n/{language}: {key} is empty or not a text"


def _missing(locales: dict[str, dict[str, Any]], used: list[tuple[str, str]]) -> Iterator[str]:
    for where, key in used:
        for language, texts in locales.items():
            found = any(known.startswith(key) for known in texts) if key.endswith(".") else key in texts
            if not found:
                yield f"{where}: {key} is not in i18n/{language}.json"


def _orphaned(locales: dict[str, dict[str, Any]], used: set[str]) -> Iterator[str]:
    open_ended = tuple(key for key in used if key.endswith("."))
    for key in sorted({key for texts in locales.values() for key in texts}):
        if key not in used and not key.startswith(open_ended):
            yield f"i18n: {key} is used nowhere"


def _scripts(root: Path) -> Iterator[Script]:
    for path in sorted((root / "widget" / "src").rglob("*.js")):
        yield Script(str(path.relative_to(root)), path.read_text("utf-8"))


def _script_keys(root: Path) -> Iterator[tuple[str, str]]:
    for script in _scripts(root):
        for call in script.calls:
            given = arguments(call)
            key = literal(given[0]) if given and callee(call)[-1] in FUNCTIONS else None
            if key and re.fullmatch(r"[\w.]+", key):
                yield f"{script.name}:{line(call)}", key


def _literals(root: Path) -> set[str]:
    """Whatever is written as a text in the sources: a key may wait in a table before it reaches `t`."""
    return {value for script in _scripts(root) for _, value in script.strings}


def _template_keys(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "templates").rglob("*.twig")):
        for found in TEMPLATE_KEY.finditer(path.read_text("utf-8")):
            yield str(path.relative_to(root)), found[2]


def _manifest_keys(root: Path) -> Iterator[tuple[str, str]]:
    manifest = json.loads((root / "manifest.json").read_text("utf-8"))
    for value in (value for _, value in leaves(manifest) if isinstance(value, str)):
        if re.fullmatch(r"(widget|settings|advanced|dp)\.\w+", value):
            yield "manifest.json", value
    yield from (("amoCRM", key) for key in HOST_KEYS)
