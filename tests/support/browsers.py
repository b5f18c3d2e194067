"""Agents at their browsers: signing in, opening tabs, finding what the widget shows, counting what it does.

Elements are found by the hooks of docs/reference/widget.md (`data-kmt`), by their roles and by their words.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect
from sandboxes import ROOT, Json, Sandbox

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
TIMEOUT_MS = 10_000
"""For everything that has no promise of its own: generous, because the machine may be busy."""

CALL_BY_WIDGET = {"ru": "Позвонить через Коммутатор", "en": "Call via Kommutator"}

COUNT_RINGS = """
window.rings = { started: 0, sounding: 0 };
for (const [verb, step] of [["start", 1], ["stop", -1]]) {
  const own = AudioBufferSourceNode.prototype[verb];
  AudioBufferSourceNode.prototype[verb] = function (...given) {
    window.rings.sounding += step;
    if (step > 0) window.rings.started += 1;
    return own.apply(this, given);
  };
}
"""
"""The ring is a buffer source that is started once per ringing and stopped with it."""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Debian's Chromium; no browser is ever downloaded."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        await browser.close()


class Agent:
    """One amoCRM user at one browser with any number of tabs."""

    def __init__(self, sandbox: Sandbox, context: BrowserContext, user: Json, *, lang: str = "ru") -> None:
        self.sandbox = sandbox
        self.context = context
        self.user = user
        self.lang = lang
        self.sockets: list[str] = []
        self.trouble: list[str] = []

    @property
    def extension(self) -> str:
        """The agent's extension."""
        return str(self.user["extension"])

    async def open(self, path: str = "/dashboard/") -> Page:
        """One more tab at this page, in front of the others; it returns when the widget has started."""
        page = await self.context.new_page()
        page.on("websocket", lambda socket: self._note_socket(socket.url))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        query = f"user={self.user['id']}&lang={self.lang}&next={path}"
        await page.goto(f"{self.sandbox.amocrm}/sandbox/login?{query}")
        await ready(page)
        return page

    async def rings(self) -> Json:
        """What the widget's ring has done in all tabs: how often it `started`, in how many it is `sounding`."""
        counted = [await page.evaluate("window.rings") for page in self.context.pages]
        return {key: sum(one[key] for one in counted) for key in ("started", "sounding")}

    def _note_socket(self, url: str) -> None:
        if url.endswith("/api/socket"):
            self.sockets.append(url)


AtDesk = Callable[..., Awaitable[Agent]]
"""The fixture `at`: `agent = await at("203", lang="en", theme="dark")`."""


@asynccontextmanager
async def at_desk(  # a browser has that many sides
    sandbox: Sandbox, browser: Browser, extension: str, *, lang: str = "ru", theme: str = "light",
    width: int = 1280, height: int = 800, **options: Any,
) -> AsyncIterator[Agent]:  # fmt: skip
    """The agent of an extension at a browser of his own, without a tab yet."""
    viewport = {"width": width, "height": height}
    context = await browser.new_context(viewport=viewport, reduced_motion="reduce", **options)  # type: ignore[arg-type]
    context.set_default_timeout(TIMEOUT_MS)
    await context.add_init_script(COUNT_RINGS)
    await context.add_cookies([{"name": "sandbox_theme", "value": theme, "url": sandbox.amocrm}])
    yield Agent(sandbox, context, sandbox.user(extension), lang=lang)
    await context.close()


async def ready(page: Page) -> None:
    """The page is there and the widget's callbacks have run."""
    await page.locator('html[data-sandbox="ready"]').wait_for(state="attached")


async def navigate(page: Page, link: Locator) -> None:
    """Click a link of amoCRM's and wait until the next page is there, in the same document."""
    address = await link.get_attribute("href")
    await link.click()
    await page.wait_for_url(f"**{address}*")
    await ready(page)


def card(page: Page, words: str = "", *, state: str = "") -> Locator:
    """The cards on the page with these words in them (a name or a number), in this state."""
    found = page.locator('[data-kmt="card"]' + (f'[data-kmt-state="{state}"]' if state else ""))
    return found.filter(has_text=words) if words else found


def line(page: Page, phone: str, *, state: str = "") -> Locator:
    """The state line of a click on this number."""
    found = page.locator('[data-kmt="dial"]' + (f'[data-kmt-state="{state}"]' if state else ""))
    return found.filter(has_text=phone)


def part(within: Page | Locator, name: str) -> Locator:
    """A part of the widget by its hook."""
    return within.locator(f'[data-kmt="{name}"]')


def problem(within: Page | Locator, slug: str) -> Locator:
    """An error with its cure, wherever it stands."""
    return within.locator(f'[data-kmt="problem"][data-kmt-slug="{slug}"]')


async def click_number(page: Page, *, lang: str = "ru", times: int = 1) -> None:
    """In an open card: the number, then the widget's item in its menu; twice for an impatient agent."""
    for _ in range(times):
        await page.locator(".js-card-fields .js-control-phone .control-phone__formatted").first.click()
        await page.get_by_role("menuitem", name=CALL_BY_WIDGET[lang]).click()


async def click_number_in_list(page: Page, name: str, *, lang: str = "ru") -> None:
    """In a list: the number in this row, then the widget's item in its menu."""
    row = page.locator(".js-list-row").filter(has_text=name)
    await row.locator('[data-pei-code="phone"] .js-pei-open').click()
    await page.get_by_role("menuitem", name=CALL_BY_WIDGET[lang]).click()


async def open_settings(page: Page) -> Locator:
    """Click the widget's tile; our panel in the window that opens."""
    await page.locator(".js-widget-tile").click()
    panel = part(page, "settings")
    await expect(panel).to_be_visible()
    return panel


async def flaws(page: Page, selector: str) -> list[str]:
    """What axe-core finds wrong within this part of the page: serious and critical findings, one line each."""
    if not await page.evaluate("Boolean(window.axe)"):
        # Not as a script of the page: the console lets none run.
        await page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))  # once
    found = await page.evaluate(f"axe.run({json.dumps(selector)})")
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
