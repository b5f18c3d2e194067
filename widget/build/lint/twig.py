"""Reads Twig source: its parts, and whether what an output prints can hold markup. Knows no archive."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}

TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\d+(?:\.\d+)?|\w+|\?\?|\?:|\*\*|==|!=|<=|>=|\.\.|\S', re.DOTALL
)

ESCAPES = frozenset({"escape", "e"})
AFTER_ESCAPE = frozenset({"nl2br", "trim"})
"""Filters that may follow the escape without undoing it."""

HARMLESS = frozenset({"number_format", "round", "abs", "length", "date", "url_encode"})
"""Filters whose output has no markup, whatever goes in."""

MARKUP_FUNCTIONS = frozenset({"include_control", "include", "block", "parent"})
"""Functions that return a template's finished markup; escaping it would show the tags."""

LOOP_NUMBERS = frozenset({"index", "index0", "revindex", "revindex0", "length", "first", "last"})
NUMERIC = frozenset({"+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">=", "is", "in", "not", ".."})
EITHER = frozenset({"~", "or", "and", "??", "?:"})


class Part(NamedTuple):
    """A piece of a template: text (kind ""), output ("{{"), tag ("{%") or comment ("{#"); `is_open` without its end."""

    kind: str
    inside: str
    line: int
    is_open: bool = False


def parts(source: str) -> Iterator[Part]:
    """The template from its beginning to its end; what stands in verbatim blocks is text."""
    at = 0
    while at < len(source):
        start = min((found for mark in CLOSERS if (found := source.find(mark, at)) >= 0), default=len(source))
        if start > at:
            yield Part("", source[at:start], source.count("\n", 0, at) + 1)
        if start == len(source):
            return
        kind, end = source[start : start + 2], _end(source, start)
        inside = source[start + 2 : (len(source) if end < 0 else end - 2)].strip("- \t\r\n")
        yield Part(kind, inside, source.count("\n", 0, start) + 1, is_open=end < 0)
        at = len(source) if end < 0 else end
        if kind == "{%" and inside in {"verbatim", "raw"}:
            ending = re.compile(r"\{%-?\s*end" + inside).search(source, at)
            until = ending.start() if ending else len(source)
            if until > at:
                yield Part("", source[at:until], source.count("\n", 0, at) + 1)
            at = until


def _end(source: str, start: int) -> int:
    """Where the part that begins here ends; -1 when it does not. Texts and inner braces may hold the closing mark."""
    closer = CLOSERS[source[start : start + 2]]
    if closer == "#}":
        found = source.find(closer, start)
        return found + 2 if found >= 0 else -1
    depth, quote, at = 0, "", start + 2
    while at < len(source):
        sign = source[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif depth == 0 and source.startswith(closer, at):
            return at + 2
        elif sign in "\"'":
            quote = sign
        elif sign in "{}":
            depth = max(0, depth + (1 if sign == "{" else -1))
        at += 1
    return -1


def tokens(expression: str) -> list[str]:
    """The expression's words and signs."""
    return TOKEN.findall(expression)


def filters(words: list[str]) -> list[str]:
    """All filters named anywhere in the expression."""
    return [name for bar, name in pairwise(words) if bar == "|"]


def is_safe(words: list[str], macros: frozenset[str] = frozenset()) -> bool:
    """Whether the expression prints no markup but what the template's author wrote."""
    if not words:
        return True
    if "?" in (signs := _top(words)):
        question = signs["?"][0]
        colons = [at for at in signs.get(":", ()) if at > question]
        branches = [words[question + 1 : colons[0]], words[colons[0] + 1 :]] if colons else [words[question + 1 :]]
        return all(is_safe(branch, macros) for branch in branches)
    if EITHER & signs.keys():
        return all(is_safe(piece, macros) for piece in _split(words, EITHER))
    if NUMERIC & signs.keys():
        return True
    base, *chain = _split(words, frozenset({"|"}))
    return _is_safe_chain(base, [piece[0] for piece in chain if piece], macros)


def _is_safe_chain(base: list[str], chain: list[str], macros: frozenset[str]) -> bool:
    if not base:
        return False
    if ESCAPES & set(chain):
        last = max(at for at, name in enumerate(chain) if name in ESCAPES)
        return set(chain[last + 1 :]) <= AFTER_ESCAPE
    if chain:
        return chain[-1] in HARMLESS or (_is_literal(base) and "default" not in chain)
    if base[0] == "(" and _closing(base, 0) == len(base) - 1:
        return is_safe(base[1:-1], macros)
    is_macro = base[0] in macros and base[-1] == ")"
    is_markup = base[0] in MARKUP_FUNCTIONS and base[1:2] == ["("]
    is_loop = base[:2] == ["loop", "."] and base[-1] in LOOP_NUMBERS
    return is_macro or is_markup or is_loop or _is_literal(base)


def _is_literal(base: list[str]) -> bool:
    return len(base) == 1 and (
        base[0][0] in "\"'" or base[0][0].isdigit() or base[0] in {"true", "false", "null", "none"}
    )


def _top(words: list[str]) -> dict[str, list[int]]:
    """Where each sign stands outside all brackets."""
    found: dict[str, list[int]] = {}
    depth = 0
    for at, word in enumerate(words):
        depth -= word in {")", "]", "}"}
        if depth == 0 and not (word == "-" and at == 0):
            found.setdefault(word, []).append(at)
        depth += word in {"(", "[", "{"}
    return found


def _split(words: list[str], signs: frozenset[str]) -> list[list[str]]:
    cuts = sorted(at for sign, places in _top(words).items() if sign in signs for at in places)
    bounds = [-1, *cuts, len(words)]
    return [words[left + 1 : right] for left, right in pairwise(bounds)]


def _closing(words: list[str], opening: int) -> int:
    depth = 0
    for at in range(opening, len(words)):
        depth += (words[at] in {"(", "[", "{"}) - (words[at] in {")", "]", "}"})
        if depth == 0:
            return at
    return -1
