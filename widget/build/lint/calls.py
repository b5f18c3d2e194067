"""Rules about what the scripts do: calls and assignments that amoCRM's moderation refuses."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from .archive import Archive
from .javascript import FUNCTIONS, Script, ancestors, arguments, callee, line, literal, pairs, path, text
from .rules import Finding, Subject

SUBJECT = Subject("Calls")

LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
ITERATORS = frozenset({"forEach", "map", "each", "filter", "reduce", "some", "every", "flatMap", "times"})
DEFERRED = frozenset({"setTimeout", "setInterval", "requestAnimationFrame", "then", "Promise"})
"""Calls that run their function later, but still once for every turn of the loop around them."""

HOST_CALLS = frozenset({"crm_post", "$authorizedAjax"})
PAGE_CALLS = frozenset({"ajax", "get", "post", "getJSON", "fetch"})
API = re.compile(r"/(api/v\d|private/api|ajax)/")
GLOBALS = frozenset({"APP", "AMOCRM"})
INSTALL_BUTTONS = re.compile(r"js-widget-(un)?install\b")


@SUBJECT.rule("script-eval", claim="no text is run by eval", cure="write the code out, or parse data with JSON.parse")
def evaluate(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node in script.of("identifier"):
            if text(node) == "eval":
                yield _found(script, node, "eval runs a text as code")
        for node in script.of("member_expression", "subscript_expression"):
            if path(node) == ("eval",):
                yield _found(script, node, "eval runs a text as code")


@SUBJECT.rule("script-new-function", claim="no function is made from a text", cure="write the function out")
def new_function(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node in script.of("new_expression", "call_expression"):
            if callee(node) == ("Function",):
                yield _found(script, node, "Function(…) runs a text as code")


@SUBJECT.rule("script-timer-string", claim="timers get a function, not a text", cure="pass a function")
def timer_string(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for call in script.calls:
            given = arguments(call)
            if callee(call) in {("setTimeout",), ("setInterval",)} and given and literal(given[0]) is not None:
                yield _found(script, call, f"{callee(call)[0]} runs a text as code")


@SUBJECT.rule(
    "script-dialog", claim="no alert, confirm or prompt", cure="use lib/components/base/modal or APP.notifications"
)
def dialog(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for call in script.calls:
            name = callee(call)
            if name in {("alert",), ("confirm",), ("prompt",)} and not (_is_bare(call) and name[0] in script.declared):
                yield _found(script, call, f"{name[0]} stops the whole page")


@SUBJECT.rule(
    "script-console",
    claim="of the console only console.debug is used (console.trace also in catch and rejection handlers)",
    cure="use console.debug, or delete the line",
)
def console(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node in script.of("member_expression", "subscript_expression"):
            name = path(node)
            is_console = len(name) == 2 and name[0] == "console" and "console" not in script.declared
            if is_console and name[1] != "debug" and not (name[1] == "trace" and _handles_failure(node)):
                yield _found(script, node, f"{'.'.join(name)} is left in")


@SUBJECT.rule("script-debugger", claim="no debugger statement", cure="delete the statement")
def debugger(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node in script.of("debugger_statement"):
            yield _found(script, node, "debugger is left in")


@SUBJECT.rule("script-sync-request", claim="no request blocks the page", cure="make the request asynchronous")
def sync_request(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for call in script.calls:
            given = arguments(call)
            if callee(call)[-1:] == ("open",) and len(given) > 2 and _is_false(given[2]):
                yield _found(script, call, "open(…, false) blocks the page")
        for node in script.of("object"):
            inside = node.parent is not None and node.parent.type == "arguments"
            entries = dict(pairs(node))
            if "async" in entries and _is_false(entries["async"]) and (inside or "url" in entries):
                yield _found(script, entries["async"], "async: false blocks the page")


@SUBJECT.rule(
    "script-element",
    claim="no script element is made by hand",
    cure="put the file into the archive and name it in define",
)
def script_element(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for call in script.calls:
            name, given = callee(call)[-1:], arguments(call)
            if name == ("getScript",):
                yield _found(script, call, "getScript loads code past the loader")
            elif name == ("createElement",) and given and (literal(given[0]) or "").lower() == "script":
                yield _found(script, call, "a script element is made by hand")
        for node, value in script.strings:
            if re.search(r"<script\b", value, re.IGNORECASE):
                yield _found(script, node, "a script element is written as text")


@SUBJECT.rule(
    "script-global-write", claim="nothing is written into APP or AMOCRM", cure="keep the value in your own module"
)
def global_write(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        owners = GLOBALS | _aliases(script)
        for node in script.of("assignment_expression", "augmented_assignment_expression", "update_expression"):
            target = path(node.child_by_field_name("left") or node.child_by_field_name("argument"))
            if target[0] in owners and (len(target) > 1 or target[0] in GLOBALS - script.declared):
                yield _found(script, node, f"{'.'.join(target)} is written")
        for node in script.of("unary_expression"):
            target = path(node.child_by_field_name("argument"))
            if text(node).startswith("delete") and target[0] in owners:
                yield _found(script, node, f"{'.'.join(target)} is deleted")
        for call in script.calls:
            given = arguments(call)
            if (
                callee(call)[-1:] in {("assign",), ("extend",), ("defineProperty",)}
                and given
                and path(given[0])[0] in owners
            ):
                yield _found(script, call, f"{'.'.join(path(given[0]))} is extended")


@SUBJECT.rule(
    "script-request-in-loop",
    claim="requests to amoCRM, crm_post and $authorizedAjax are not made in loops",
    cure="collect the items and send one request",
)
def request_in_loop(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for call in script.calls:
            if _is_request(call) and _is_in_loop(call):
                yield _found(script, call, f"{callee(call)[-1]} is called in a loop")


@SUBJECT.rule(
    "script-virtual-click",
    claim="the buttons Install and Disconnect are pressed by people only",
    cure="let the person press the button",
)
def virtual_click(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        buttons = _install_buttons(script)
        for call in script.calls:
            name, given = callee(call)[-1:], arguments(call)
            is_click = (name == ("click",) and not given) or name == ("dispatchEvent",)
            is_click = is_click or (
                name in {("trigger",), ("triggerHandler",)}
                and bool(given)
                and (literal(given[0]) or "").startswith("click")
            )
            function = call.child_by_field_name("function")
            if (
                is_click
                and function is not None
                and (INSTALL_BUTTONS.search(text(function)) or path(function)[0] in buttons)
            ):
                yield _found(script, call, "the install or disconnect button is pressed by code")


@SUBJECT.rule(
    "script-switcher-state",
    claim="the state of a switcher is read by .val(), not from its classes",
    cure="read the switcher's input with .val()",
)
def switcher_state(archive: Archive) -> Iterator[Finding]:
    for script in archive.scripts:
        for node, value in script.strings:
            if re.search(r"\bswitcher__(on|off)\b", value):
                yield _found(script, node, "the classes of amoCRM's switcher are relied on")


def _found(script: Script, node: Node, message: str) -> Finding:
    return Finding(script.name, f"line {line(node)}: {message}")


def _is_bare(call: Node) -> bool:
    function = call.child_by_field_name("function")
    return function is not None and function.type == "identifier"


def _is_false(node: Node) -> bool:
    return text(node).replace(" ", "") in {"false", "!1", "0"}


def _handles_failure(node: Node) -> bool:
    """Inside a catch clause, or inside the function given to .catch, .fail, or as the second of .then."""
    below = node
    for above in ancestors(node):
        if above.type == "catch_clause":
            return True
        if above.type == "arguments" and above.parent is not None and above.parent.type == "call_expression":
            name, given = callee(above.parent)[-1:], arguments(above.parent)
            if name in {("catch",), ("fail",)} or (name == ("then",) and below in given[1:]):
                return True
        below = above
    return False


def _aliases(script: Script) -> frozenset[str]:
    """Names that stand for the host's global object: `var app = window.APP || AMOCRM`."""
    names = set()
    for node in script.of("variable_declarator"):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        while value is not None and value.type == "binary_expression":
            value = value.child_by_field_name("left")
        if name is not None and value is not None and path(value) in {("APP",), ("AMOCRM",)}:
            names.add(text(name))
    return frozenset(names)


def _is_request(call: Node) -> bool:
    name = callee(call)[-1]
    if name in HOST_CALLS:
        return True
    if name not in PAGE_CALLS:
        return False
    return any(API.search(text(given)) for given in arguments(call)[:1])


def _is_in_loop(node: Node) -> bool:
    """Whether the node runs once per turn of a loop; a function that is only made there (a listener) does not count."""
    below = node
    for above in ancestors(node):
        if above.type in LOOPS and above.child_by_field_name("body") == below:
            return True
        if above.type in FUNCTIONS:
            caller = _caller(above)
            name = callee(caller)[-1] if caller is not None else ""
            if name in ITERATORS:
                return True
            is_called_at_once = caller is not None and caller.child_by_field_name("arguments") != above.parent
            if name not in DEFERRED and not is_called_at_once:
                return False
        below = above
    return False


def _caller(function: Node) -> Node | None:
    """The call that gets this function as an argument, directly or through bind, or calls it where it stands."""
    above = function.parent
    while above is not None and above.type in {"arguments", "parenthesized_expression", "member_expression"}:
        above = above.parent
        if above is not None and above.type == "call_expression" and callee(above)[-1:] == ("bind",):
            above = above.parent
    return above if above is not None and above.type in {"call_expression", "new_expression"} else None


def _install_buttons(script: Script) -> frozenset[str]:
    names = set()
    for node in script.of("variable_declarator"):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if (
            name is not None
            and value is not None
            and value.type == "call_expression"
            and INSTALL_BUTTONS.search(text(value))
        ):
            names.add(text(name))
    return frozenset(names)
