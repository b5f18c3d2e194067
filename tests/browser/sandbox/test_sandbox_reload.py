"""Working on a widget while the sandbox runs: a saved file is on screen without a hand on the browser."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WIDGETS, Host

from server.sandbox.widgets.changes import Changes

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCRIPT = "define([], function () { return function () { this.callbacks = { render: function () { window.shown = '%s'; return true; }, init: function () { return true; }, bind_actions: function () { return true; } }; return this; }; });"  # noqa: E501  the widget's whole script


def save(changes: Changes, write: Callable[[], object]) -> None:
    """Write a file and let the sandbox look, as it does twice a second."""
    changes.look()
    write()
    told = [code for _ in range(2) for code in changes.look()]
    for code in told:
        changes.tell(code)


@pytest.fixture
def mine(host: Host, tmp_path: Path) -> Path:
    """A widget in a folder of its own."""
    path = tmp_path / "mine"
    shutil.copytree(WIDGETS / "lasting", path)
    (path / "script.js").write_text(SCRIPT % "before")
    host.install("lasting")
    host.world.widgets.put({**host.world.widgets["lasting"], "path": str(path)})
    return path


async def test_a_saved_script_is_run_at_once(host: Host, mine: Path) -> None:
    """The page reloads itself where it is, the developer bar as it was."""
    page = await host.open("/leads/list/")
    await page.click("#sandbox_bar_toggle")

    save(Changes(host.world), lambda: (mine / "script.js").write_text(SCRIPT % "after"))

    await page.wait_for_function("window.shown === 'after'")
    await host.ready()
    assert page.url.endswith("/leads/list/")
    assert await page.locator("#sandbox_bar.is-open").count() == 1


async def test_a_new_version_is_what_the_widget_says_of_itself(host: Host, mine: Path) -> None:
    """The manifest is read anew."""
    page = await host.open("/dashboard/")
    manifest = json.loads((mine / "manifest.json").read_text())
    manifest["widget"]["version"] = "7.0.0"

    save(Changes(host.world), lambda: (mine / "manifest.json").write_text(json.dumps(manifest)))

    await page.wait_for_function(
        "window.APP && APP.widgets.list.lasting && APP.widgets.list.lasting.get_version() === '7.0.0'"
    )


async def test_a_broken_manifest_is_told_in_the_bar(host: Host, mine: Path) -> None:
    """The page stays as it is and says what is wrong."""
    page = await host.open("/dashboard/")
    await page.evaluate("window.stays = true")

    save(Changes(host.world), lambda: (mine / "manifest.json").write_text("{"))

    await page.wait_for_selector("#sandbox_bar.has-errors", state="attached")
    assert await page.evaluate("window.stays")
    await page.click("#sandbox_bar_toggle")
    await page.click("#sandbox_bar [data-tab=error]")
    line = page.locator(".sandbox-bar__line_error", has_text="manifest.json")
    assert "виджет не читается" in await line.inner_text()
