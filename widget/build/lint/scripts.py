"""Rules about the scripts as a whole: AMD form, callbacks, dependencies, readability."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from tree_sitter import Node

from .archive import Archive
from .javascript import PARSER, Script, arguments, callee, line, literal, pairs, path, text
from .rules import Finding, Subject

SUBJECT = Subject("Script")

CALLBACKS = ("render", "init", "bind_actions")
"""amoCRM silently drops a widget that lacks one of these."""

LONG_LINE = 80
"""Tokens in a line; hand-written lines of 120 columns have up to 50, minified ones hundreds."""

OBFUSCATED = re.compile(r"\b_0x[0-9a-f]{3,}\b")


@SUBJECT.rule("script-syntax", claim="every script is valid JavaScript", cure="correct the syntax")
def syntax(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        if script.root.has_error:
            wrong = next(
                (node for kind in script.nodes.values() for node in kind if node.is_error or node.is_missing),
                script.root,
            )
            yield Finding(script.name, f"line {line(wrong)}: this is not JavaScript")


@SUBJECT.rule(
    "script-amd", claim="script.js is an AMD module", cure="wrap the script in define([…], function (…) { … })"
)
def amd(archive: Archive) -> Iterator[Finding]:
    script = archive.main_script
    if script and not any(callee(call)[-1:] == ("define",) for call in script.calls):
        yield Finding(script.name, "there is no define(…), the loader gets nothing")


@SUBJECT.rule(
    "script-callbacks",
    claim="the widget has the callbacks render, init and bind_actions",
    cure="add the callback and let it return true",
)
def callbacks(archive: Archive) -> Iterator[Finding]:
    if archive.main_script is None:
        return
    known = callback_names(archive)
    for name in CALLBACKS:
        if name not in known:
            yield Finding("script.js", f"there is no callback {name}, amoCRM would drop the widget without a word")


@SUBJECT.rule(
    "script-on-save",
    claim="a widget that can be installed has the callback onSave",
    cure="add onSave and let it return true",
)
def on_save(archive: Archive) -> Iterator[Finding]:
    can_install = archive.section("widget").get("installation") is True
    if archive.main_script and can_install and "onSave" not in callback_names(archive):
        yield Finding("script.js", "there is no callback onSave, the widget cannot be installed")


@SUBJECT.rule(
    "script-dependency-missing",
    claim="files that the script asks for are in the archive",
    cure="add the file, or correct its path",
)
def dependency_missing(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node, module in dependencies(script):
            name = module.split("?")[0].rpartition("!")[2]
            if name.startswith(("./", "../")) and not _resolves(archive, script, name):
                yield Finding(script.name, f"line {line(node)}: {module} is not in the archive")


@SUBJECT.rule(
    "script-remote-code",
    claim="all code comes out of the archive",
    cure="put the library into the archive and name it in define",
)
def remote_code(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node, module in dependencies(script):
            if module.rpartition("!")[2].startswith(("http://", "https://", "//")):
                yield Finding(script.name, f"line {line(node)}: code is loaded from {module}")


@SUBJECT.rule("script-minified", claim="scripts are readable", cure="put the readable source into the archive")
def minified(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        rows = Counter(_code_rows(script))
        dense = sum(tokens for tokens in rows.values() if tokens > LONG_LINE)
        if dense > 0.3 * sum(rows.values()):
            yield Finding(script.name, "most of the code stands in very long lines, it looks minified")
        elif len(set(OBFUSCATED.findall(script.text))) >= 3:
            yield Finding(script.name, "names like _0x1a2b: it looks obfuscated")


@SUBJECT.rule(
    "script-commented-code", claim="no code is commented out", cure="delete it, the version control remembers it"
)
def commented_code(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for first, comment in _comments(script):
            if _is_code(comment):
                yield Finding(script.name, f"line {first}: this comment is code")


def dependencies(script: Script) -> Iterator[tuple[Node, str]]:
    """Modules named as literals in define([…]), require([…]), require("…") and import("…")."""
    for call in script.calls:
        name = callee(call)[-1:]
        dynamic = call.child_by_field_name("function")
        given = arguments(call)
        if not given or (
            name not in {("define",), ("require",), ("requirejs",), ("importScripts",)}
            and not (dynamic and dynamic.type == "import")
        ):
            continue
        lists = [each for each in given if each.type == "array"]
        for node in lists[0].named_children if lists else given[:1]:
            # a name that is put together at run time ("./x.js?cache=" + …) is only known up to there
            module = literal(node)
            if module is not None and (lists or name != ("define",)):
                yield node, module


def callback_names(archive: Archive) -> frozenset[str]:
    """Keys of the object that becomes `callbacks`; where it is not written out, every key of every script."""
    names: set[str] = set()
    for script in archive.scripts:
        for value in _assigned(script, "callbacks"):
            if value.type != "object" or any(child.type == "spread_element" for child in value.named_children):
                return property_names(archive)
            names.update(key for key, _ in pairs(value))
        for node in script.of("member_expression"):
            whole = path(node)
            if len(whole) > 1 and whole[-2] == "callbacks":
                names.add(whole[-1])
    return frozenset(names) or property_names(archive)


def property_names(archive: Archive) -> frozenset[str]:
    """Every name that stands as a key, a method or a member anywhere in the scripts."""
    kinds = ("property_identifier", "shorthand_property_identifier")
    names = {text(node) for script in archive.scripts for node in script.of(*kinds)}
    return frozenset(names | {value for script in archive.scripts for node, value in script.strings if _is_key(node)})


def _is_key(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "pair" and node.parent.child_by_field_name("key") == node


def _assigned(script: Script, name: str) -> Iterator[Node]:
    """What `….name = value`, `{name: value}` and a class field `name = value` give."""
    for node in script.of("assignment_expression"):
        target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        if value is not None and path(target)[-1:] == (name,):
            yield value
    for node in script.of("object"):
        yield from (value for key, value in pairs(node) if key == name)
    for node in script.of("field_definition"):
        key, value = node.child_by_field_name("property"), node.child_by_field_name("value")
        if key is not None and value is not None and text(key) == name:
            yield value


def _resolves(archive: Archive, script: Script, name: str) -> bool:
    """RequireJS resolves against the folder of script.js, or of the asking file when that is a named module."""
    for folder in (PurePosixPath(), PurePosixPath(script.name).parent):
        parts: list[str] = []
        for part in (folder / name).parts:
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        whole = "/".join(parts)
        if whole in archive.files or f"{whole}.js" in archive.files:
            return True
    return False


def _code_rows(script: Script) -> Iterator[int]:
    """The row of every token, tables of data left out."""
    data = {"string_fragment", "number", ",", '"', "'", "escape_sequence", "comment"}
    for kind, nodes in script.nodes.items():
        if kind not in data:
            yield from (node.start_point[0] for node in nodes if node.child_count == 0)


def _comments(script: Script) -> Iterator[tuple[int, str]]:
    """Comments without their marks, with their first line; neighbouring ones are one, documentation is left out."""
    run: list[Node] = []
    for node in script.of("comment"):
        source = text(node)
        if source.startswith("//"):
            if run and (line(node) != line(run[-1]) + 1 or node.start_point[1] != run[-1].start_point[1]):
                yield line(run[0]), _joined(run)
                run = []
            run.append(node)
        elif not source.startswith(("/**", "/*!")):
            yield line(node), re.sub(r"^\s*\* ?", "", source[2:-2], flags=re.MULTILINE)
    if run:
        yield line(run[0]), _joined(run)


def _joined(run: list[Node]) -> str:
    return "\n".join(text(node)[2:] for node in run)


STATEMENTS = frozenset({
    "lexical_declaration", "variable_declaration", "function_declaration", "class_declaration", "if_statement",
    "for_statement", "for_in_statement", "while_statement", "return_statement", "try_statement",
    "switch_statement", "throw_statement",
})  # fmt: skip
EXPRESSIONS = frozenset(
    {"call_expression", "assignment_expression", "await_expression", "augmented_assignment_expression"}
)


def _is_code(comment: str) -> bool:
    """Whether it, or a line of it that ends like a statement, parses as code that does something."""
    lines = [each.strip() for each in comment.splitlines()]
    return _does_something(comment) or any(each.endswith(";") and _does_something(each) for each in lines)


def _does_something(source: str) -> bool:
    stripped = source.strip()
    if not stripped.endswith((";", "}", ")")):
        return False
    root = PARSER.parse(stripped.encode("utf-8", "replace")).root_node
    if root.has_error:
        return False
    for node in root.named_children:
        inner = node.named_children[0].type if node.type == "expression_statement" and node.named_children else ""
        if node.type in STATEMENTS or (inner in EXPRESSIONS and text(node).endswith(";")):
            return True
    return False
