"""The built widget in a real browser against the fake backend: what needs tabs, a keyboard or a sound card.

Whole journeys belong to tests/browser and its sandbox; here stands what the fake can provoke and the sandbox cannot.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from server.core import messages as m
from server.core.vocabulary import CardState, DialState, DialWay
from tests.fakes.backend import Backend
from tests.widget import scenes, shots

pytestmark = pytest.mark.browser

COUNT_RINGS = """
window.ringing = 0;
for (const [verb, step] of [["start", 1], ["stop", -1]]) {
  const own = AudioBufferSourceNode.prototype[verb];
  AudioBufferSourceNode.prototype[verb] = function (...given) {
    window.ringing += step;
    return own.apply(this, given);
  };
}
"""
WITHOUT_LOCKS = 'Object.defineProperty(navigator, "locks", { value: undefined });'
CARD = '[data-kmt="card"]'


class Stage:
    """The harness page and the fake backend, and a browser to open tabs in."""

    def __init__(self, backend: Backend, browser: Browser, hosts: tuple[str, str]) -> None:
        self.backend = backend
        self.browser = browser
        self.hosts = hosts

    async def tabs(self, count: int, *, script: str = COUNT_RINGS, more: str = "") -> list[Page]:
        """So many tabs of one agent, the last one opened on top."""
        context = await self.browser.new_context()
        await context.add_init_script(script)
        pages = [await context.new_page() for _ in range(count)]
        for page in pages:
            await page.goto(f"{self.hosts[0]}/?backend={self.hosts[1]}{more}")
            await page.locator('html[data-harness="ready"]').wait_for()
        await pages[-1].mouse.click(300, 300)
        await shots.connected(self.backend)
        return pages

    def dialled(self) -> list[Any]:
        """The orders that reached the backend."""
        return [body for path, body in self.backend.requests if path == "/api/dial"]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage with nothing on it."""
    backend = Backend()
    scenes.reset(backend)
    async with (
        shots.serving(backend.app()) as own,
        shots.serving(shots.host_page()) as page,
        async_playwright() as driver,
    ):
        browser = await driver.chromium.launch(executable_path=shots.CHROMIUM, args=list(shots.FLAGS))
        yield Stage(backend, browser, (page, own))
        await browser.close()


async def ringing(pages: list[Page]) -> int:
    """How many tabs ring."""
    return sum([await page.evaluate("window.ringing") for page in pages])


@pytest.mark.parametrize("script", [COUNT_RINGS, COUNT_RINGS + WITHOUT_LOCKS], ids=["locks", "lease"])
async def test_five_tabs_are_one(stage: Stage, script: str) -> None:
    """Five tabs have one connection, one card and one ring, and the card follows the agent."""
    pages = await stage.tabs(5, script=script)

    await stage.backend.show(scenes.call("c1", CardState.RINGING))
    await expect(pages[4].locator(CARD)).to_be_visible()
    await pages[1].mouse.click(300, 300)
    await expect(pages[1].locator(CARD)).to_be_visible()

    assert [await page.locator(CARD).count() for page in pages] == [0, 1, 0, 0, 0]
    assert await ringing(pages) == 1
    assert len(stage.backend.sockets) == 1


@pytest.mark.parametrize("script", [COUNT_RINGS, COUNT_RINGS + WITHOUT_LOCKS], ids=["locks", "lease"])
async def test_next_tab_takes_over(stage: Stage, script: str) -> None:
    """When the leading tab is closed in mid-ring, another one hears what comes next, and no ring is left behind."""
    pages = await stage.tabs(3, script=script)
    await stage.backend.show(scenes.call("c1", CardState.RINGING))
    await expect(pages[2].locator(CARD)).to_be_visible()

    await pages[0].close()
    await pages[2].wait_for_function("document.querySelector('[data-kmt=card]')")
    await shots.connected(stage.backend)
    await stage.backend.show(scenes.call("c1", CardState.TALKING))

    await expect(pages[2].locator(f'{CARD}[data-kmt-state="talking"]')).to_be_visible()
    assert await ringing(pages[1:]) == 0


async def test_double_click_is_one_call(stage: Stage) -> None:
    """Two quick clicks on one number, however it is written, are one order."""
    (page,) = await stage.tabs(1)

    await page.evaluate("click('phone', '89123456789'); click('phone', '+7 912 345-67-89')")
    await page.locator('[data-kmt="dial"][data-kmt-state="accepted"]').wait_for()

    assert len(stage.dialled()) == 1


async def test_another_way_takes_the_place_of_the_first(stage: Stage) -> None:
    """Choosing another way withdraws the running order; what was typed survives the line's changes; the way is kept."""
    (page,) = await stage.tabs(1)
    await page.evaluate("click('phone', '+79123456789')")
    await page.locator('[data-kmt="dial"][data-kmt-state="accepted"]').wait_for()
    dial = stage.backend.dial
    assert dial
    await stage.backend.dialling(msgspec.structs.replace(dial, can=("cancel",), state=DialState.AGENT_RINGING))

    await page.locator('[data-kmt="otherwise"]').press("Enter")
    await page.locator('[data-kmt="from-phone"]').fill("+79990000000")
    await stage.backend.dialling(msgspec.structs.replace(dial, can=("cancel",), state=DialState.CLIENT_RINGING))
    await page.locator('[data-kmt="dial"][data-kmt-state="client_ringing"]').wait_for()
    await expect(page.locator('[data-kmt="from-phone"]')).to_have_value("+79990000000")
    await page.locator('[data-kmt="from-phone"]').press("Enter")
    await page.locator('[data-kmt="dial"][data-kmt-state="accepted"]').wait_for()

    assert f"/api/dial/{dial.id}/cancel" in [path for path, _ in stage.backend.requests]
    assert (stage.dialled()[1].way, stage.dialled()[1].from_phone) == (DialWay.EXTERNAL, "+79990000000")


async def test_notice_is_made_once_for_all_tabs(stage: Stage) -> None:
    """One ringing call is one notice in amoCRM's centre; an unknown caller's has no name and leads to a new contact."""
    pages = await stage.tabs(3)

    await stage.backend.show(
        scenes.call("c1", CardState.RINGING, scenes.of(scenes.CallerKind.UNKNOWN, phone="+74950000000"))
    )
    await expect(pages[2].locator(CARD)).to_be_visible()
    await pages[0].wait_for_function("seen.some(([name]) => name === 'add_call')")

    seen = [entry for page in pages for entry in await page.evaluate("seen") if entry[0] == "add_call"]
    assert len(seen) == 1
    assert (seen[0][1]["from"], seen[0][1]["click_link"]) == ("", "/contacts/add/?phone=%2B74950000000")


async def test_progress_moves_while_the_window_is_open(stage: Stage) -> None:
    """The copy of the phone book goes on in the open settings window."""
    stage.backend.settings = scenes.settings_of(directory=scenes.CRAWLING)
    stage.backend.directory = m.DirectoryView(is_complete=False, contacts=431, companies=2)
    (page,) = await stage.tabs(1, more="&settings")
    await page.locator('[data-kmt="directory"][data-kmt-ok="false"]').wait_for()

    await stage.backend.copied(m.DirectoryView(is_complete=True, contacts=1204))

    await page.locator('[data-kmt="directory"][data-kmt-ok="true"]').wait_for()


async def test_farewell_for_ever_is_told_where_errors_are_kept(stage: Stage) -> None:
    """A terminal farewell ends in one error with its cure, and no new connection."""
    (page,) = await stage.tabs(1)

    await stage.backend.bye(m.ByeMessage(kind=m.Bye.TERMINAL, problem=m.Problem(slug="account-unknown")), 4003)
    await page.wait_for_function("seen.some(([name]) => name === 'add_error')")

    assert not stage.backend.sockets


async def test_destroyed_widget_leaves_nothing(stage: Stage) -> None:
    """After destroy() the page has no element, style or connection of ours."""
    (page,) = await stage.tabs(1)
    await stage.backend.show(scenes.call("c1", CardState.RINGING))
    await page.locator(CARD).wait_for()

    await page.evaluate("widget.callbacks.destroy()")

    assert await page.locator(".kmt, link[id^=kmt]").count() == 0
    assert await ringing([page]) == 0
