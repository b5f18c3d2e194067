"""The reference page and the code say the same."""

import re
from pathlib import Path

from server.sandbox.app import make_app
from server.sandbox.reference import PAGE, text
from server.sandbox.routes import ROUTES_SEEN
from server.sandbox.rules import RULES
from server.sandbox.switches import TABLE
from server.sandbox.world import World

ROOT = Path(__file__).parents[3]


def test_the_page_is_current() -> None:
    """Run `python -m server.sandbox.reference` after changing a route, a rule or a switch."""
    assert (ROOT / PAGE).read_text("utf-8") == text()


def test_every_rule_is_pinned_by_a_test_that_exists() -> None:
    """By name."""
    files = [*(ROOT / "tests/contract").glob("sandbox_*/test_*.py"), *(ROOT / "tests/clients").glob("test_*.py")]
    sources = "".join(path.read_text("utf-8") for path in files)

    missing = [rule.test for rule in RULES if f"def {rule.test}(" not in sources]

    assert missing == []


def test_every_named_switch_exists_and_every_switch_is_named_and_read() -> None:
    """In rules and routes; and somewhere in the code."""
    known = {switch.name for switch in TABLE}
    routes = make_app(World())[ROUTES_SEEN]
    told = [entry.fidelity for entry in (*RULES, *routes) if entry.fidelity.startswith("switch: ")]
    named = {name for fidelity in told for name in fidelity.removeprefix("switch: ").split(", ")}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "server/sandbox").rglob("*.py"))
    read = set(re.findall(r"""switches\[["'](\w+)["']\]""", code))

    assert named <= known
    assert known - read == set()
