"""A sandbox amoCRM of its own for every test, with the sample widgets of this folder, and a browser to look at it."""

import json
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright

from server.sandbox.app import make_app
from server.sandbox.seed import seed
from server.sandbox.world import World

WIDGETS = Path(__file__).parent / "widgets"
TIMEOUT_MS = 8000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's Chromium; the suite never downloads a browser."""
    path = Path("/usr/bin/chromium")
    if not path.exists():
        pytest.skip("Chromium is not installed")
    return str(path)


# One browser for the whole run: it and every test of this folder share the session's loop.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        await started.close()


@dataclass
class Host:
    """The sandbox under test and the browser page that looks at it."""

    world: World
    server: TestServer
    page: Page
    folder: Path  # for widgets that a test writes itself

    @property
    def users(self) -> list[dict[str, Any]]:
        return list(self.world.users)

    def url(self, path: str) -> str:
        return str(self.server.make_url("/")).rstrip("/") + path

    def install(self, *codes: str, active: bool = True, **settings: Any) -> None:
        """Put sample widgets into the account, as an administrator did before the test began."""
        for code in codes:
            self._put(code, WIDGETS / code, active=active, settings=settings)

    def write(
        self, code: str, script: str, *, files: dict[str, str] | None = None, active: bool = True, **manifest: Any
    ) -> None:
        """Put a widget into the account that is only this script, these files and these members of the manifest."""
        widget = {"name": "widget.name", "version": "1.0.0", "init_once": False, "locale": ["ru"], "installation": True}
        whole = {"locations": ["everywhere", "settings"], "settings": {}, **manifest}
        whole["widget"] = {**widget, **manifest.get("widget", {})}
        texts = {"widget": {"name": code}}
        contents = {"script.js": script, "manifest.json": json.dumps(whole), "i18n/ru.json": json.dumps(texts)}
        for name, content in {**contents, **(files or {})}.items():
            file = self.folder / code / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        self._put(code, self.folder / code, active=active, settings={})

    def _put(self, code: str, path: Path, *, active: bool, settings: dict[str, Any]) -> None:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        self.world.widgets.put(
            {
                "id": code,
                "path": str(path),
                "version": manifest["widget"]["version"],
                "settings": settings,
                "active": active,
                "client_uuid": f"00000000-0000-4000-8000-{abs(hash(code)) % 10**12:012d}",
                "installed_at": 1,
            }
        )

    async def open(self, path: str) -> Page:
        """Load a page and wait until its widgets have been through their callbacks."""
        await self.page.goto(self.url(path))
        await self.ready()
        return self.page

    async def go(self, path: str) -> None:
        """Navigate inside the page, as a click on a link does."""
        await self.page.evaluate("path => APP.router.navigate(path, {trigger: true})", path)
        await self.ready()

    async def ready(self) -> None:
        await self.page.wait_for_selector("html[data-sandbox=ready]", state="attached")

    def callbacks(self, widget: str) -> list[str]:
        """The names of the callbacks that ran, in their order."""
        entries = [one for one in self.world.log.entries("callback") if one["widget"] == widget]
        return [one["name"] for one in entries if one["name"] != "constructor"]

    def payloads(self, method: str) -> list[dict[str, Any]]:
        return [one["payload"] for one in self.world.log.entries("notification") if one.get("method") == method]

    async def seen(self) -> list[Any]:
        """What the sample widgets wrote down in the page."""
        found: list[Any] = await self.page.evaluate("window.seen || []")
        return found

    def errors(self, widget: str | None = None) -> list[str]:
        return [one["message"] for one in self.world.log.entries("error") if one.get("widget") == widget]


@asynccontextmanager
async def opened(browser: Browser, folder: Path) -> AsyncIterator[Host]:
    """A seeded account without widgets, and a page of its first administrator."""
    world = World()
    seed(world)
    server = TestServer(make_app(world))
    await server.start_server()
    world.origin = str(server.make_url("/")).rstrip("/")
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(TIMEOUT_MS)
    yield Host(world, server, await context.new_page(), folder)
    await context.close()
    await server.close()
    world.close()


@pytest_asyncio.fixture(loop_scope="session")
async def host(browser: Browser, tmp_path: Path) -> AsyncIterator[Host]:
    """An account and a page for one test."""
    async with opened(browser, tmp_path) as made:
        yield made


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[str], Path]:
    """One of the sample widgets as an archive."""

    def pack(code: str) -> Path:
        archive = tmp_path / f"{code}.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            for file in sorted((WIDGETS / code).rglob("*")):
                if file.is_file():
                    opened.write(file, str(file.relative_to(WIDGETS / code)))
        return archive

    return pack
