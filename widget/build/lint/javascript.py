"""JavaScript as a syntax tree with the few questions that the rules ask of it. Knows nothing of amoCRM."""

from collections.abc import Iterator
from functools import cached_property

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

PARSER = Parser(Language(tree_sitter_javascript.language()))

FUNCTIONS = frozenset({
    "function_declaration", "function_expression", "arrow_function", "method_definition",
    "generator_function", "generator_function_declaration",
})  # fmt: skip

WINDOW = frozenset({"window", "globalThis", "top", "parent"})


class Script:
    """One parsed file."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.root = PARSER.parse(text.encode("utf-8", "replace")).root_node

    @cached_property
    def nodes(self) -> dict[str, list[Node]]:
        """All nodes by type, each list in the order of the source."""
        found: dict[str, list[Node]] = {}
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            found.setdefault(node.type, []).append(node)
            waiting.extend(reversed(node.children))
        return found

    def of(self, *types: str) -> Iterator[Node]:
        """The nodes of these types."""
        for kind in types:
            yield from self.nodes.get(kind, ())

    @property
    def calls(self) -> Iterator[Node]:
        """Every call, `new` not included."""
        return self.of("call_expression")

    @cached_property
    def declared(self) -> frozenset[str]:
        """Names that the file itself declares anywhere: a coarse scope, wrong only in favour of the author."""
        names = {text(node) for parameters in self.of("formal_parameters") for node in _identifiers(parameters)}
        for node in self.of("variable_declarator", "function_declaration", "class_declaration"):
            name = node.child_by_field_name("name")
            if name is not None:
                names.update(text(each) for each in _identifiers(name))
        for node in self.of("arrow_function"):
            parameter = node.child_by_field_name("parameter")
            if parameter is not None:
                names.add(text(parameter))
        return frozenset(names)

    @cached_property
    def strings(self) -> list[tuple[Node, str]]:
        """Every text literal with its value; a template's substitutions are left out."""
        return [(node, "".join(_fragments(node))) for node in self.of("string", "template_string")]


def text(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def line(node: Node) -> int:
    """The node's line, counted from 1."""
    return int(node.start_point[0]) + 1


def path(node: Node | None) -> tuple[str, ...]:
    """`window.APP.data` as its names; "()" stands for whatever is not a name. A leading window is left out."""
    names: list[str] = []
    while node is not None and node.type in {"member_expression", "subscript_expression"}:
        key = node.child_by_field_name("property") or node.child_by_field_name("index")
        names.append(_key(key))
        node = node.child_by_field_name("object")
    is_name = node is not None and node.type in {"identifier", "this"}
    names.append(text(node) if node is not None and is_name else "()")
    names.reverse()
    return tuple(names[1:]) if len(names) > 1 and names[0] in WINDOW else tuple(names)


def callee(call: Node) -> tuple[str, ...]:
    """The path of what is called; `(0, eval)(x)` calls `eval`."""
    function = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    while function is not None and function.type == "parenthesized_expression":
        function = function.named_children[-1] if function.named_children else None
        if function is not None and function.type == "sequence_expression":
            function = function.named_children[-1]
    return path(function)


def arguments(call: Node) -> list[Node]:
    """A call's arguments without comments."""
    given = call.child_by_field_name("arguments")
    return [node for node in given.named_children if node.type != "comment"] if given is not None else []


def literal(node: Node | None) -> str | None:
    """The value of a text literal, of the first part of `"a" + b`, of a template's beginning; None for all else."""
    while node is not None and node.type == "binary_expression":
        node = node.child_by_field_name("left")
    if node is None or node.type not in {"string", "template_string"}:
        return None
    fragments = _fragments(node)
    return next(fragments, "") if node.type == "template_string" else "".join(fragments)


def pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The entries of an object literal: key → value (a method is its own value)."""
    for child in node.named_children:
        if child.type == "pair":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if value is not None:
                yield _key(key), value
        elif child.type == "method_definition":
            yield _key(child.child_by_field_name("name")), child
        elif child.type == "shorthand_property_identifier":
            yield text(child), child


def ancestors(node: Node) -> Iterator[Node]:
    """The node's parent, its parent, and so on to the root."""
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def _key(node: Node | None) -> str:
    if node is None:
        return "()"
    if node.type in {"property_identifier", "private_property_identifier", "number"}:
        return text(node)
    return "".join(_fragments(node)) if node.type == "string" else "()"


def _fragments(node: Node) -> Iterator[str]:
    for child in node.children:
        if child.type in {"string_fragment", "escape_sequence"}:
            yield text(child)


def _identifiers(node: Node) -> Iterator[Node]:
    if node.type in {"identifier", "shorthand_property_identifier_pattern"}:
        yield node
    for child in node.named_children:
        yield from _identifiers(child)
