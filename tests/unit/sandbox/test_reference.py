"""The reference page and the code say the same."""

import re
from pathlib import Path

import pytest

from server.sandbox.app import make_app
from server.sandbox.expectations import EXPECTATIONS
from server.sandbox.page import shell
from server.sandbox.page.sdk import SDK
from server.sandbox.reference import PAGE, text
from server.sandbox.routes import ROUTES_SEEN
from server.sandbox.rules import RULES
from server.sandbox.switches import TABLE
from server.sandbox.world import World

ROOT = Path(__file__).parents[3]
EVERY_RULE = (*RULES, *(rule for rules in EXPECTATIONS.values() for rule in rules))


def test_the_page_is_current() -> None:
    """Run `python -m server.sandbox.reference` after changing a route, a rule or a switch."""
    assert (ROOT / PAGE).read_text("utf-8") == text()


def test_every_rule_is_pinned_by_a_test_that_exists() -> None:
    """By name."""
    files = [*(ROOT / "tests/contract").glob("sandbox_*/test_*.py"), *(ROOT / "tests/clients").glob("test_*.py")]
    sources = "".join(path.read_text("utf-8") for path in files)

    missing = [rule.test for rule in EVERY_RULE if f"def {rule.test}(" not in sources]

    assert missing == []


def test_every_member_of_the_sdk_is_pinned_by_a_test_that_exists() -> None:
    """By name; what is not yet there may have none."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "tests/browser/sandbox").glob("test_*.py"))

    missing = {row.test for row in SDK if row.test and f"def {row.test}(" not in sources}
    unpinned = [row.name for row in SDK if not row.test and row.fidelity != "not yet"]

    assert missing == set()
    assert unpinned == []


@pytest.mark.parametrize("kind", ["callback", "event"])
def test_every_callback_and_event_of_the_sdk_is_in_the_page(kind: str) -> None:
    """The page's scripts name each of them; what is not yet there they do not."""
    scripts = "".join(path.read_text("utf-8") for path in (shell.HERE / "static/js").rglob("*.js"))
    names = {row.name: row.fidelity for row in SDK if row.kind == kind}
    named = {name: all(part in scripts for part in re.split(r"<code>|\.", name)) for name in names}

    assert {name: is_there for name, is_there in named.items() if is_there is (names[name] == "not yet")} == {}


def test_the_sdks_controls_and_host_modules_are_the_files_that_are_there() -> None:
    """In both directions."""
    controls = {row.name for row in SDK if row.kind == "control"}
    modules = {row.name for row in SDK if row.kind == "module" and row.name.startswith("lib/")}
    scripts = shell.HERE / "static/js"

    assert {f"{shell.CONTROLS}{name}.twig" for name in controls} == set(shell.controls())
    assert {f"{name}.js" for name in modules} == {
        str(path.relative_to(scripts)) for path in scripts.glob("lib/**/*.js")
    }


def test_the_sdk_names_every_variable_of_a_control() -> None:
    """What a template reads is in its row, and the other way round."""
    for name, told in ((row.name, row.what) for row in SDK if row.kind == "control"):
        source = shell.controls()[f"{shell.CONTROLS}{name}.twig"]
        read = set(
            re.findall(r"(?:\{\{ |\{% if |for \w+ in |items\|first|not )(?:item\.|ajax\.)?([a-z_]+)", source)
        ) - {"key", "current"}
        listed = set(re.findall(r"[a-z_]+", told))

        assert read - listed - {"value", "chosen", "item"} == set(), name
        assert [one for one in listed if one not in source] == [], name


def test_every_named_switch_exists_and_every_switch_is_named_and_read() -> None:
    """In rules and routes; and somewhere in the code."""
    known = {switch.name for switch in TABLE}
    routes = make_app(World())[ROUTES_SEEN]
    told = [entry.fidelity for entry in (*EVERY_RULE, *routes, *SDK) if entry.fidelity.startswith("switch: ")]
    named = {name for fidelity in told for name in fidelity.removeprefix("switch: ").split(", ")}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "server/sandbox").rglob("*.py"))
    read = set(re.findall(r"""switches\[["'](\w+)["']\]""", code))

    assert named <= known
    assert known - read == set()
