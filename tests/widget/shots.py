"""Takes a picture of every state of the widget: `python -m tests.widget.shots [NAME...]` fills /shots.

The built widget (`python build.py` first) runs in Chromium on the harness page against `tests/fakes/backend.py`.
For each language and theme there is one sheet per group as well, to look at all states of it together.
"""

import asyncio
import io
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zipfile import ZipFile

from aiohttp import web
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from tests.fakes.backend import Backend
from tests.widget.scenes import SCENES, Scene, reset

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "shots"
WIDTHS = (390, 1280, 1920)
HEIGHT = 860
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
PANEL_PX = 410
"""The part of the right edge where the panel is."""


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The application on a free port; yields its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def host_page() -> web.Application:
    """The harness with the built widget's files."""
    with ZipFile(ROOT / "dist" / "widget.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}

    async def widget_file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kinds = {"js": "text/javascript", "css": "text/css", "json": "application/json"}
        return web.Response(body=files[name], content_type=kinds.get(name.rsplit(".")[-1], "text/plain"))

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(Path(__file__).parent / "harness" / "index.html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/widget/{name:.+}", widget_file)
    app.router.add_static("/harness", Path(__file__).parent / "harness")
    app.router.add_static("/vendor", ROOT / "node_modules" / "jquery" / "dist")
    return app


async def shoot(page: Page, backend: Backend, scene: Scene) -> bytes:
    """Play one scene on an open page and take its picture; the page is as before afterwards."""
    reset(backend)
    await backend.forget()
    await scene(backend, page)
    await page.wait_for_timeout(60)  # a frame or two, for the browser to paint
    return await page.screenshot(full_page=True)


def sheet(pictures: list[bytes], *, is_panel: bool) -> Image.Image:
    """All pictures of a group beside each other; of the panel only the corner where it is."""
    images = [Image.open(io.BytesIO(picture)) for picture in pictures]
    if is_panel:
        images = [_corner(image) for image in images]
    else:
        images = [image.crop((64, 0, 840, image.height)) for image in images]
    columns = 5 if is_panel else 4
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    width = max(sum(image.width for image in row) for row in rows)
    whole = Image.new("RGB", (width, sum(max(image.height for image in row) for row in rows)), "#888")
    top = 0
    for row in rows:
        left = 0
        for image in row:
            whole.paste(image, (left, top))
            left += image.width + 2
        top += max(image.height for image in row)
    return whole


def _corner(image: Image.Image) -> Image.Image:
    return image.crop((image.width - PANEL_PX, max(0, image.height - 420), image.width, image.height))


async def take(browser: Browser, hosts: tuple[str, str], look: tuple[str, str, int], wanted: set[str]) -> None:
    """All pictures in one language, theme and width."""
    lang, theme, width = look
    for group, scenes in SCENES.items():
        if wanted and group not in wanted:
            continue
        pictures = []
        for name, scene in scenes.items():
            backend: Backend = BACKEND[0]
            reset(backend)
            await backend.forget()
            context = await browser.new_context(viewport={"width": width, "height": HEIGHT}, reduced_motion="reduce")
            page = await context.new_page()
            page.on("pageerror", lambda error: print("page error:", error, file=sys.stderr))  # noqa: T201
            extra = "&settings" if group == "settings" else ""
            await page.goto(f"{hosts[0]}/?lang={lang}&theme={theme}&backend={hosts[1]}{extra}")
            await page.locator('html[data-harness="ready"]').wait_for()
            await page.wait_for_function("window.widget")
            await connected(backend)
            pictures.append(await shoot(page, backend, scene))
            (SHOTS / f"{group}_{name}_{lang}_{theme}_{width}.png").write_bytes(pictures[-1])
            await context.close()
        sheet(pictures, is_panel=group != "settings").save(SHOTS / f"sheet_{group}_{lang}_{theme}_{width}.png")


async def connected(backend: Backend) -> None:
    """The page's socket is there."""
    while not backend.sockets:  # noqa: ASYNC110  the fake keeps its sockets in a plain dict, and this is no test
        await asyncio.sleep(0.02)


BACKEND: list[Backend] = []


async def main(wanted: set[str]) -> None:
    """Take what is asked for: names of groups, languages, themes or widths; everything without any."""
    SHOTS.mkdir(exist_ok=True)
    BACKEND[:] = [Backend()]
    looks = [
        look
        for look in itertools.product(("ru", "en"), ("light", "dark"), WIDTHS)
        if all(not (wanted & set(names)) or str(part) in wanted for part, names in zip(look, NAMES, strict=True))
    ]
    async with serving(BACKEND[0].app()) as backend_url, serving(host_page()) as page_url, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for look in looks:
            await take(browser, (page_url, backend_url), look, wanted & set(SCENES))
        await browser.close()


NAMES = (("ru", "en"), ("light", "dark"), tuple(map(str, WIDTHS)))

if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
