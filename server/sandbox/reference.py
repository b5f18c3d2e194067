"""Writes `docs/reference/sandbox.md` from the tables that the sandbox runs on: `python -m server.sandbox.reference`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from server.sandbox.app import make_app
from server.sandbox.expectations import EXPECTATIONS
from server.sandbox.faults import __doc__ as faults_text
from server.sandbox.log import KINDS, MEANING
from server.sandbox.openapi import plain_path
from server.sandbox.page import shell
from server.sandbox.page.sdk import SDK
from server.sandbox.page.vendor import ABSENT, NEAREST
from server.sandbox.pbx.habits import HABITS, ROWS
from server.sandbox.routes import ROUTES_SEEN, Route
from server.sandbox.rules import NOT_YET, RULES, Rule
from server.sandbox.switches import TABLE
from server.sandbox.world import World

PAGE: Final = Path("docs/reference/sandbox.md")

_INTRO: Final = """# The sandbox

Made from the code by `python -m server.sandbox.reference`; a test compares.

A local amoCRM, two local PBXs and, beside them, our backend. amoCRM answers at the root of its own origin, as
`https://<subdomain>.amocrm.ru` does, so API clients and widgets need only another host name. *as amoCRM* means: as
documented or as published clients and widgets rely on; *switch*: nobody documented it, and `PUT /sandbox/switches`
chooses; *not yet* stands at the end with its reason.

The door of a route: **api** a Bearer token, the page's session or a user's API key, **page** the page's session only,
**open** anybody. `POST /sandbox/api-key` tells a user's key.
"""

_SDK_INTRO: Final = """What a widget can see on the page. Tests walk this table on a real page: no member is missing
there, and there is none that is not listed.

"""
_KINDS: Final = (
    ("self", "`self`"),
    ("APP", "`APP`, also `AMOCRM`"),
    ("global", "`window`"),
    ("callback", "Callbacks"),
    ("event", "Events"),
    ("rule", "Rules of a widget's life"),
    ("module", "Modules for `define`"),
    ("control", "Controls: `/tmpl/controls/<name>.twig` and `include_control`"),
    ("DOM", "Markup"),
)
_FINDINGS: Final = """Breaches of moderation's rules that can be seen while a widget runs, and what it leaves behind in
`destroy`. Each is an entry of `GET /sandbox/log` of kind `callback` with `name` (`rule` or `leak`), the kind under that
name, `widget`, `where` (file:line:column), `message` and `cure`; each place is told once per page.

"""
_ROWS_INTRO: Final = """Each unpleasantness, the faults that plant it, and the test of `tests/contract/test_knobs.py`
that says what our backend makes of it.

"""


def text() -> str:
    """The whole page."""
    routes = make_app(World())[ROUTES_SEEN]
    amocrm = [route for route in routes if not route.path.startswith("/sandbox/") and not _is_page(route)]
    parts = [
        _INTRO,
        "## The API\n\n" + _routes(amocrm),
        "## What API clients expect\n\nClause by clause, from the code of published clients.\n\n" + _expectations(),
        "## Rules\n\n" + _rules(RULES),
        "## Switches\n\nSections are those of the platform reference.\n\n" + _switches(),
        "## The host page\n\n" + _routes([route for route in routes if _is_page(route)]),
        "### Vendor modules\n\n" + _modules(),
        "## The widget SDK\n\n" + _SDK_INTRO + "\n".join(f"### {title}\n\n" + _members(kind) for kind, title in _KINDS),
        "## The sandbox's own\n\n" + _routes([route for route in routes if route.path.startswith("/sandbox/")]),
        "### The log\n\n`GET /sandbox/log`, the oldest first; `?kind=` chooses.\n\n" + _table(("kind", "what"), _log()),
        "## What the developer bar finds\n\n" + _findings(),
        "## Faults\n\n```text\n" + (faults_text or "").strip() + "\n```\n",
        "### Habits of PBXs\n\n" + _habits(),
        "### What real PBXs do to a backend\n\n" + _ROWS_INTRO + _rows(),
        "## Not yet\n\n" + _table(("what", "why"), NOT_YET),
    ]
    return "\n".join(parts)


def _habits() -> str:
    rows = [
        (f"`{one.kind}`", one.what, ", ".join(one.vendors), f"`{one.value}`".lower(), one.hits or "– (lasts)")
        for one in HABITS.values()
    ]
    return _table(("kind", "what", "target", "value", "n and rate count each"), rows)


def _rows() -> str:
    rows = [
        (str(row.number), row.what, ", ".join(f"`{kind}`" for kind in row.kinds), ", ".join(row.vendors),
         f"`{row.test}`", row.not_yet)
        for row in ROWS
    ]  # fmt: skip
    return _table(("row", "what", "kinds", "target", "pinned by", "not here"), rows)


def _log() -> list[tuple[str, str]]:
    return [(f"`{kind}`", MEANING[kind]) for kind in KINDS]


def _findings() -> str:
    """What `host/watch` tells of widgets, in the page's own words."""
    words = shell.texts("en")
    found = [key.split(".") for key in words if key.startswith(("rule.", "leak.")) and not key.endswith(".cure")]
    rows = [
        (name, kind, words[f"{name}.{kind}"].format(more="…"), words[f"{name}.{kind}.cure"]) for name, kind in found
    ]
    return _FINDINGS + _table(("name", "kind", "what", "cure"), rows)


def _is_page(route: Route) -> bool:
    return route.handler.__module__.startswith("server.sandbox.page") if hasattr(route.handler, "__module__") else False


def _routes(routes: list[Route]) -> str:
    rows = [
        (route.method, f"`{plain_path(route.path)}`", route.summary, route.door, _plain(route.fidelity))
        for route in sorted(routes, key=lambda route: (plain_path(route.path), route.method))
    ]
    return _table(("method", "path", "what", "door", "fidelity"), rows)


def _expectations() -> str:
    return "\n".join(f"### {section}\n\n{_rules(rules)}" for section, rules in EXPECTATIONS.items())


def _rules(rules: Sequence[Rule]) -> str:
    return _table(("rule", "fidelity", "pinned by"), [(r.text, _plain(r.fidelity), f"`{r.test}`") for r in rules])


def _switches() -> str:
    rows = [
        (f"`{switch.name}`", f"`{_value(switch.default)}`", _choices(switch.choices), switch.meaning, switch.source)
        for switch in TABLE
    ]
    return _table(("switch", "default", "choices", "meaning", "section"), rows)


def _members(kind: str) -> str:
    rows = [
        (
            row.name if kind == "rule" else f"`{row.name}`",
            row.what,
            _plain(row.fidelity),
            f"`{row.test}`" if row.test else "",
        )
        for row in SDK
        if row.kind == kind
    ]
    return _table(("member", "what", "fidelity", "pinned by"), rows)


def _modules() -> str:
    rows = [(f"`{name}`", f"{wanted} is not on npm; {used} is served") for name, (wanted, used) in NEAREST.items()]
    rows += [(f"`{name}`", "not on npm at all; a stub says so in the developer bar") for name in ABSENT]
    return "All others are of amoCRM's own versions.\n\n" + _table(("module", "difference"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _plain(fidelity: str) -> str:
    kind, colon, names = fidelity.partition(": ")
    return f"{kind}: " + ", ".join(f"`{name}`" for name in names.split(", ")) if colon else fidelity


def _choices(choices: tuple[object, ...] | None) -> str:
    return ", ".join(f"`{_value(choice)}`" for choice in choices) if choices else "any"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
