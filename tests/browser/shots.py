"""Takes a picture of every state that an agent meets in the sandbox: `python tests/browser/shots.py [NAME...]`.

/shots/sandbox gets one picture per state, language, theme and width, and for each look one sheet per group that shows
its states together. A name is a group, a language, a theme or a width; without any, everything is taken. States that
only a fake backend can provoke are in tests/widget/shots.py.
"""

import asyncio
import io
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "support"))

from browsers import at_desk, launched  # noqa: E402
from clients import Clients, all_clients  # noqa: E402
from phones import Pbx  # noqa: E402
from sandboxes import Sandbox, running, until  # noqa: E402
from scenes import AT, GROUPS, Scene, Stage  # noqa: E402

SHOTS = TESTS.parent / "shots" / "sandbox"
LOOKS = (("ru", "en"), ("light", "dark"), ("1280", "1920"))
HEIGHTS = {"1280": 800, "1920": 1080}
COLUMNS = 3
SHEET_WIDTH = 660
"""Of one picture on a sheet: small, but its words can still be read."""

Look = tuple[str, ...]


def looks(wanted: set[str]) -> Iterator[Look]:
    """The looks that were asked for: language, theme, width."""
    chosen = [[name for name in names if name in wanted] or names for names in LOOKS]
    yield from itertools.product(*chosen)


def sheet(pictures: list[bytes], *, is_panel: bool) -> Image.Image:
    """All pictures beside each other; of a page with our panel only the corner where it is."""
    images = [Image.open(io.BytesIO(picture)) for picture in pictures]
    if is_panel:
        images = [image.crop((image.width - SHEET_WIDTH, image.height - 560, *image.size)) for image in images]
    width, height = max(image.width for image in images), max(image.height for image in images)
    whole = Image.new("RGB", (COLUMNS * (width + 4), -(-len(images) // COLUMNS) * (height + 4)), "#888")
    for index, image in enumerate(images):
        row, column = divmod(index, COLUMNS)
        whole.paste(image, (column * (width + 4), row * (height + 4)))
    return whole


async def shoot(stand: tuple[Sandbox, Clients, Browser], scene: Scene, look: Look) -> bytes:
    """Play one state to an agent who has just sat down, and take its picture."""
    sandbox, clients, browser = stand
    lang, theme, width = look
    extension = AT.get(scene, "203")
    await sandbox.ask("DELETE", f"{sandbox.amocrm}/sandbox/faults")
    await sandbox.switch_backend("start")
    for vendor in sandbox.info["pbx"]:
        await Pbx(sandbox, vendor).rest()
    await sandbox.close_cards(extension)
    size = {"width": int(width), "height": HEIGHTS[width]}
    async with at_desk(sandbox, browser, extension, lang=lang, theme=theme, **size) as agent:
        page = await scene(Stage(sandbox, clients, agent))
        await page.wait_for_timeout(150)  # a frame or two, for the browser to paint
        return await page.screenshot()


async def take(stand: tuple[Sandbox, Clients, Browser], look: Look, groups: set[str]) -> None:
    """All pictures of one look."""
    name = "_".join(look)
    for group in groups or GROUPS:
        pictures = []
        for scene in GROUPS[group]:
            pictures.append(await shoot(stand, scene, look))
            (SHOTS / f"{group}_{scene.__name__}_{name}.png").write_bytes(pictures[-1])
        sheet(pictures, is_panel=group != "settings").save(SHOTS / f"sheet_{group}_{name}.png")


async def main(wanted: set[str]) -> None:
    """Take what is asked for."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shots-") as state:
        async with running(Path(state)) as sandbox, launched() as browser:
            await until(sandbox.is_copied, timeout_s=60)
            stand = sandbox, await all_clients(sandbox), browser
            for look in looks(wanted):
                await take(stand, look, wanted & GROUPS.keys())


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
