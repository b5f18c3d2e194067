"""docs/how-to/widget-without-an-account.md does what it says: its widget, its findings, its script for CI."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import Host

from server.sandbox.widgets.archive import Archive

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "widget-without-an-account.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def block(language: str, words: str) -> str:
    """The block of the page with these words in it."""
    found = BLOCK.findall(PAGE.read_text("utf-8"))
    return next(text for name, text in found if name == language and words in text)


@pytest.fixture
def hello(host: Host, tmp_path: Path) -> Host:
    """The page's own widget, made and installed as it tells."""
    subprocess.run(["/bin/bash", "-ec", block("sh", "hello/script.js")], cwd=tmp_path, check=True, timeout=10)
    manifest = Archive(tmp_path / "hello").check()
    row = {"path": str(tmp_path / "hello"), "version": manifest["widget"]["version"], "settings": {}, "active": True}
    host.world.widgets.put({"id": "hello", "client_uuid": None, "installed_at": 1, **row})
    return host


async def test_the_first_widget_shows_itself(hello: Host) -> None:
    """In the right column of a contact, with the name of the user."""
    contact = next(iter(hello.world.contacts))["id"]

    page = await hello.open(f"/contacts/detail/{contact}")

    login = hello.users[0]["login"]
    assert await page.locator(".hello-text").text_content() == f"Hello, {login}"


async def test_its_first_finding_comes_from_more(hello: Host) -> None:
    """A row ticked, More, Hello: the console.log that the page promises, and no error."""
    page = await hello.open("/contacts/list/")

    await page.locator(".js-item-checkbox").first.check(force=True)
    await page.click(".js-list-more")
    await page.get_by_role("menuitem", name="Hello").click()
    entry = await hello.world.log.wait("callback", name="rule")

    assert (entry["rule"], entry["widget"]) == ("console", "hello")
    assert hello.errors("hello") == []


async def test_the_script_for_ci_reads_what_is_there() -> None:
    """Its text is Python, and what it clicks and asks for are names of the sandbox."""
    script = block("python", "sync_playwright")

    compile(script, str(PAGE), "exec")
    for name in ("--json", "--no-reload", ":memory:", "data-sandbox=ready", "/sandbox/log", '"rule", "leak"'):
        assert name in script
