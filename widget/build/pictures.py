"""Draws the logos from widget/logo.svg and the tour pictures from pages/tour.svg.jinja.

Drawn text depends on the machine's fonts, so the PNGs are committed and drawn again only by `build.py --images`.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import resvg_py
from PIL import Image

from .pages import render

GROUND = "#12343b"
TOUR_SIZE = (1188, 616)


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of the logo's drawing: the frame around it and what is left out."""

    frame: str
    style: str


MARK = Cut("120 26 160 160", "#below, #beside { display: none }")
STACKED = Cut("60 12 280 240", "#beside { display: none }")
IN_LINE = Cut("112 26 580 160", "#below { display: none }")

LOGOS = {
    "logo_main.png": (400, 272, STACKED),
    "logo_small.png": (108, 108, MARK),
    "logo.png": (130, 100, STACKED),
    "logo_medium.png": (240, 84, IN_LINE),
    "logo_min.png": (84, 84, MARK),
}


def draw_all(root: Path) -> list[Path]:
    """Write every picture into widget/images and return the paths."""
    folder = root / "widget" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, png in (*_logos(root), *_tours()):
        (folder / name).write_bytes(png)
        drawn.append(folder / name)
    return drawn


def _logos(root: Path) -> Iterator[tuple[str, bytes]]:
    drawing = (root / "widget" / "logo.svg").read_text("utf-8")
    for name, (width, height, cut) in LOGOS.items():
        framed = drawing.replace('viewBox="0 0 400 272"', f'viewBox="{cut.frame}"', 1)
        yield name, _png(framed, (width, height), cut.style)


def _tours() -> Iterator[tuple[str, bytes]]:
    scenes = json.loads((Path(__file__).parent / "pages" / "tour.json").read_text("utf-8"))
    for scene, languages in scenes.items():
        for language, text in languages.items():
            drawing = render("tour.svg.jinja", scene=scene, text=text)
            yield f"tour_{scene}_{language}.png", _png(drawing, TOUR_SIZE)


def _png(drawing: str, size: tuple[int, int], style: str = "") -> bytes:
    """The drawing as large as it fits, in the middle of a canvas of exactly this size (resvg keeps the proportions)."""
    width, height = size
    rendered = resvg_py.svg_to_bytes(svg_string=drawing, width=width, height=height, style_sheet=style or None)
    picture = Image.open(io.BytesIO(bytes(rendered))).convert("RGBA")
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", size, GROUND)
    canvas.alpha_composite(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    buffer = io.BytesIO()
    canvas.convert("RGB").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
