"""The documentation names everything that people set, type, send or meet, and its links lead somewhere."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from checkout import DOCS, ROOT, files

from server.__main__ import main
from server.core import messages
from server.core.legs import TARGETS
from server.core.vocabulary import BrowserWord, Bye, Close, ServerWord
from server.providers.registry import CODECS
from server.settings import PREFIX, Settings
from server.web.app import ROOMS

REFERENCE = DOCS / "reference"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
ARROW = re.compile(r"^ *any --> (\w+): (\w+)$", re.MULTILINE)


def _page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def _markdown() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_every_setting_has_its_line(name: str) -> None:
    """What can be set is found under its name and under its environment variable."""
    page = _page("settings.md")

    assert f"`{name}`" in page or f"`{name.replace('_', '.', 1)}`" in page
    assert f"{PREFIX}{name.upper()}" in page


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")


@pytest.mark.parametrize(("name", "command"), [pytest.param(*one, id=one[0]) for one in _commands(main)])
def test_every_command_and_flag_has_its_line(name: str, command: click.Command) -> None:
    """What can be typed is described: the command by its name, every option by its flag."""
    page = _page("cli.md")
    flags = [flag for one in command.params for flag in one.opts if flag.startswith("--")]

    assert re.search(rf"server {name}\b", page)
    assert [flag for flag in flags if not re.search(rf"{flag}\b", page)] == []


@pytest.mark.parametrize("word", [*ServerWord, *BrowserWord, *Bye])
def test_every_message_of_the_socket_has_its_line(word: str) -> None:
    """What may come over the socket, either way, is told."""
    assert f"`{word}`" in _page("socket.md")


@pytest.mark.parametrize("code", [value for name, value in vars(Close).items() if name.isupper()])
def test_every_close_code_is_told(code: int) -> None:
    """Somebody who sees a close code in the browser's tools can look it up."""
    assert re.search(rf"\b{code}\b", _page("socket.md"))


@pytest.mark.parametrize("shape", [messages.SessionAnswer, messages.DialRequest])
def test_every_field_of_the_apis_shapes_is_named(shape: type) -> None:
    """The answer of a session and the request of a call are described whole."""
    page = _page("api.md")

    assert [name for name in shape.__struct_fields__ if not re.search(rf"\b{name}\b", page)] == []


def _routes() -> set[tuple[str, str]]:
    """(method, path) of every door, its places blanked; a PBX's door once for each vendor."""
    found = {(one.method, re.sub(r"\{[^}]*\}", "{}", one.path)) for room in ROOMS for one in room.routes}
    hooks = {one for one in found if one[1].startswith("/hooks/")}
    return (found - hooks) | {("*", f"/hooks/{vendor}/{{}}") for vendor in CODECS}


def _documented() -> set[tuple[str, str]]:
    """The same, as docs/reference/api.md tells it."""
    told = re.findall(r"`((?:[A-Z]+(?:, )?)+) (/[^`\s?]*)", _page("api.md"))
    blank = {(method, re.sub(r"\{[^}]*\}", "{}", path)) for methods, path in told for method in methods.split(", ")}
    hooks = {one for one in blank if one[1].startswith("/hooks/")}
    return (blank - hooks) | {("*", "/".join(path.split("/")[:4])) for _, path in hooks}


def test_every_door_is_told_and_every_told_door_exists() -> None:
    """docs/reference/api.md and the router know the same requests."""
    assert _documented() == _routes()


def test_the_drawing_of_a_leg_is_its_table() -> None:
    """docs/why/calls.md draws the machine that runs."""
    drawn = {(event, state) for state, event in ARROW.findall((DOCS / "why" / "calls.md").read_text("utf-8"))}

    assert drawn == {(event.__name__, state.value) for event, state in TARGETS.items()}


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link within the checkout names a file that is there, and a heading that it has."""
    lost = []
    for link in LINK.findall(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if "://" in link or link.startswith("mailto:"):
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)

    assert lost == []


def test_every_page_is_found_from_the_index() -> None:
    """docs/README.md leads to all pages, over at most one other."""
    index = DOCS / "README.md"
    near = _targets(index)
    reached = {index} | near | {far for page in near if page.suffix == ".md" for far in _targets(page)}

    assert {path for path in _markdown() if path.is_relative_to(DOCS)} - reached == set()


def _targets(page: Path) -> set[Path]:
    links = [link.partition("#")[0] for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    return {(page.parent / link).resolve() for link in links if link}
