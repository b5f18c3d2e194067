"""Rules about style sheets: the widget shares a page with amoCRM and may paint only itself."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import tinycss2

from .archive import Archive
from .rules import Finding, Subject

SUBJECT = Subject("Style")

GROUPS = frozenset({"media", "supports", "layer", "container", "document"})
"""At-rules that hold ordinary rules."""

HOST_CLASS = re.compile(
    r"(button-input|card-(?!widgets__widget-)|content__|control-|default-overlay|feed-|icon-|js-|left-menu|linked-form|list__|list-row"
    r"|list-top|modal-|modal$|nav__|nav_|note-|notification|pipeline_|switcher|tasks-|text-input|tips|todo-|user_select|users-select"
    r"|widget-settings|widget_settings|widget-state|widgets_|work-area$|checkboxes_|filter-search)"
)
"""Beginnings of the class families of amoCRM's own page; `card-widgets__widget-<code>` is the widget's own block."""


class Selector(NamedTuple):
    """One selector of a comma list: its text, its line, the classes and ids of its first compound."""

    text: str
    line: int
    classes: tuple[str, ...]
    ids: tuple[str, ...]


@SUBJECT.rule("style-syntax", claim="style sheets are valid CSS", cure="correct the syntax")
def syntax(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".css"):
        for node in _nodes(archive.text(name)):
            if node.type == "error":
                yield Finding(name, f"line {node.source_line}: {node.message}")


@SUBJECT.rule(
    "style-global-selector",
    claim="every selector begins with a class or an id",
    cure="begin the selector with the widget's own root class",
)
def global_selector(archive: Archive) -> Iterator[Finding]:
    for name, selector in _selectors(archive):
        if not selector.classes and not selector.ids:
            yield Finding(name, f"line {selector.line}: `{selector.text}` paints amoCRM's whole page")


@SUBJECT.rule(
    "style-host-class",
    claim="no selector begins with a class of amoCRM's page",
    cure="put the widget's own root class before it",
)
def host_class(archive: Archive) -> Iterator[Finding]:
    for name, selector in _selectors(archive):
        if selector.classes and not selector.ids and all(HOST_CLASS.match(each) for each in selector.classes):
            yield Finding(name, f"line {selector.line}: `{selector.text}` paints amoCRM's own blocks")


@SUBJECT.rule(
    "style-unscoped",
    claim="all selectors of a sheet begin under one root class",
    cure="put the widget's own root class before the selector",
)
def unscoped(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".css"):
        own = [each for file, each in _selectors(archive) if file == name and not each.ids and _needs_root(each)]
        families = Counter(family for each in own for family in {_family(one) for one in _own(each)})
        root = families.most_common(1)[0][0] if families else ""
        for selector in own:
            if root not in {_family(one) for one in _own(selector)}:
                yield Finding(name, f"line {selector.line}: `{selector.text}` is not under .{root} like the others")


@SUBJECT.rule(
    "style-remote", claim="a style sheet loads nothing from other hosts", cure="put the file into the archive"
)
def remote(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".css"):
        for found in re.finditer(
            r"@import\s[^;]*?(https?:)?//|url\(\s*['\"]?(https?:)?//", _without_comments(archive.text(name))
        ):
            yield Finding(name, f"`{found[0].strip()}…` loads from another host")


def _needs_root(selector: Selector) -> bool:
    """Whether it begins with a class of the widget's own, the widget's block in the right column left out."""
    return bool(_own(selector)) and not any(each.startswith("card-widgets__widget-") for each in selector.classes)


def _own(selector: Selector) -> tuple[str, ...]:
    return tuple(each for each in selector.classes if not HOST_CLASS.match(each))


def _family(name: str) -> str:
    """`acme__button`, `acme-card` and `acme` are one family."""
    return re.split(r"[-_]", name.lstrip("-_"), maxsplit=1)[0].lower()


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


def _nodes(css: str) -> Iterator[Any]:
    """All rules and errors, those inside @media and the like included."""
    waiting = list(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))
    while waiting:
        node = waiting.pop(0)
        yield node
        if node.type == "at-rule" and node.lower_at_keyword in GROUPS and node.content is not None:
            waiting = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True) + waiting


def _selectors(archive: Archive) -> Iterator[tuple[str, Selector]]:
    for name in archive.named(".css"):
        for node in _nodes(archive.text(name)):
            if node.type == "qualified-rule":
                for tokens in _split(node.prelude):
                    yield name, _selector(tokens, node.source_line)


def _split(prelude: list[Any]) -> Iterator[list[Any]]:
    """The selectors of a comma list."""
    current: list[Any] = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield current
            current = []
        elif token.type != "comment":
            current.append(token)
    yield current


def _selector(tokens: list[Any], line: int) -> Selector:
    text = tinycss2.serialize(tokens).strip()
    classes, ids = [], []
    previous = None
    for token in _first_compound(tokens):
        if token.type == "ident" and previous is not None and previous.type == "literal" and previous.value == ".":
            classes.append(token.value)
        elif token.type == "hash":
            ids.append(token.value)
        previous = token
    return Selector(text, line, tuple(classes), tuple(ids))


def _first_compound(tokens: list[Any]) -> Iterator[Any]:
    started = False
    for token in tokens:
        is_combinator = token.type == "whitespace" or (token.type == "literal" and token.value in {">", "+", "~"})
        if is_combinator and started:
            return
        if not is_combinator:
            started = True
            yield token
