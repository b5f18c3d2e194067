"""Rules about Twig templates. amoCRM's Twig does not escape by itself: a caller's name could bring a script along."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from . import twig
from .archive import Archive
from .rules import Finding, Subject

SUBJECT = Subject("Templates")

BLOCKS = frozenset(
    {
        "if",
        "for",
        "block",
        "set",
        "macro",
        "filter",
        "spaceless",
        "verbatim",
        "raw",
        "embed",
        "autoescape",
        "apply",
        "with",
    }
)
MIDDLES = {"else": {"if", "for"}, "elseif": {"if"}}

UNPAIRED = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
OPTIONAL_END = frozenset({
    "li", "dt", "dd", "p", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup",
    "html", "head", "body",
})  # fmt: skip


@SUBJECT.rule(
    "twig-unescaped",
    claim="every output is escaped, a number by a number filter, or a text of the template itself",
    cure="write {{ value|escape }}",
)
def unescaped(archive: Archive) -> Iterator[Finding]:
    for name, part, macros in _outputs(archive):
        words = twig.tokens(part.inside)
        if "raw" not in twig.filters(words) and not twig.is_safe(words, macros):
            yield Finding(name, f"line {part.line}: {{{{ {part.inside} }}}} is printed as it comes")


@SUBJECT.rule("twig-raw", claim="no output is marked raw", cure="escape the value; put markup into the template itself")
def raw(archive: Archive) -> Iterator[Finding]:
    for name, part, _ in _outputs(archive):
        if "raw" in twig.filters(twig.tokens(part.inside)):
            yield Finding(name, f"line {part.line}: {{{{ {part.inside} }}}} switches escaping off")


@SUBJECT.rule("twig-tags", claim="every Twig tag and block is closed", cure="close it, or remove what closes nothing")
def tags(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".twig"):
        yield from (Finding(name, message) for message in _unbalanced(archive.text(name)))


@SUBJECT.rule(
    "twig-html",
    claim="every HTML element that is opened is closed",
    cure="close the element, or remove what closes nothing",
)
def elements(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".twig"):
        pieces = list(twig.parts(archive.text(name)))
        # the two branches of a condition may open one element in two ways: nothing certain can be said then
        if not any(part.kind == "{%" and part.inside.startswith("else") for part in pieces):
            balance = _Balance()
            balance.feed("".join(part.inside if part.kind == "" else "\n" * part.inside.count("\n") for part in pieces))
            balance.close()
            yield from (Finding(name, message) for message in balance.problems())


@SUBJECT.rule("twig-script", claim="templates hold no script", cure="move the code into a module; bind listeners there")
def script(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".twig", ".html"):
        if found := re.search(r"<script\b|<[^>]+\son\w+\s*=", archive.text(name), re.IGNORECASE):
            where = archive.text(name).count("\n", 0, found.start()) + 1
            yield Finding(name, f"line {where}: there is code in the template")


def _outputs(archive: Archive) -> Iterator[tuple[str, twig.Part, frozenset[str]]]:
    """Every output outside `{% filter escape %}`, with the names under which macros are known in its file."""
    for name in archive.named(".twig"):
        escaped = 0
        macros = {"_self"}
        for part in twig.parts(archive.text(name)):
            if part.kind == "{%":
                escaped += bool(re.match(r"(filter|apply)\s+(e|escape)\b", part.inside))
                escaped -= bool(escaped and re.match(r"end(filter|apply)\b", part.inside))
                macros.update(re.findall(r"^import\s.*\sas\s+(\w+)", part.inside))
                macros.update(
                    re.findall(r"\w+", part.inside.partition(" import ")[2]) if part.inside.startswith("from ") else ()
                )
            elif part.kind == "{{" and not part.is_open and not escaped:
                yield name, part, frozenset(macros)


def _unbalanced(source: str) -> Iterator[str]:
    opened: list[tuple[str, int]] = []
    for part in twig.parts(source):
        if part.is_open:
            yield f"line {part.line}: {part.kind} is never closed"
        if part.kind != "{%" or part.is_open:
            continue
        word = (re.match(r"\w*", part.inside) or [""])[0]
        if word in BLOCKS and not _is_short(word, part.inside):
            opened.append((word, part.line))
        elif word in MIDDLES and (not opened or opened[-1][0] not in MIDDLES[word]):
            yield f"line {part.line}: {word} stands in no block of its own"
        elif word.startswith("end"):
            if opened and opened[-1][0] == word[3:]:
                opened.pop()
            else:
                yield f"line {part.line}: {word} closes nothing"
    for word, line in opened:
        yield f"line {line}: {word} is never closed"


def _is_short(word: str, inside: str) -> bool:
    """`{% set a = 1 %}` and `{% block title "x" %}` have no end."""
    return (word == "set" and "=" in inside) or (word == "block" and len(twig.tokens(inside)) > 2)


class _Balance(HTMLParser):
    """Counts opened and closed elements by name; their order may cross Twig conditions."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: dict[str, list[int]] = {}
        self.lost: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  HTMLParser's
        if tag not in UNPAIRED | OPTIONAL_END:
            self.opened.setdefault(tag, []).append(self.getpos()[0])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<path/>` closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if tag in UNPAIRED | OPTIONAL_END:
            return
        if not self.opened.get(tag):
            self.lost.append(f"line {self.getpos()[0]}: </{tag}> closes nothing")
        else:
            self.opened[tag].pop()

    def problems(self) -> list[str]:
        never = [f"line {line}: <{tag}> is never closed" for tag, lines in self.opened.items() for line in lines]
        return self.lost + never
