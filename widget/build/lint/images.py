"""Rules about the logos and the tour's pictures."""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

from PIL import Image

from .archive import Archive
from .rules import Finding, Subject

SUBJECT = Subject("Images")

LOGOS = {
    "logo_main": (400, 272),
    "logo_small": (108, 108),
    "logo": (130, 100),
    "logo_medium": (240, 84),
    "logo_min": (84, 84),
}
PIPELINE_LOGO = {"logo_dp": (174, 109)}
TOUR_SIZE = (1188, 616)
LIMIT_BYTES = 300 * 1024
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF"}


@SUBJECT.rule(
    "logo-missing",
    claim="all logos that amoCRM shows are in images/",
    cure="add the picture as images/<name>.png in the size named",
)
def logo_missing(archive: Archive) -> Iterator[Finding]:
    for name, (width, height) in _logos(archive).items():
        if archive.manifest is not None and _logo_file(archive, name) is None:
            yield Finding(f"images/{name}.png", f"there is no {width}x{height} logo of this name")


@SUBJECT.rule("logo-size", claim="every logo has exactly its size", cure="draw the logo in the size named")
def logo_size(archive: Archive) -> Iterator[Finding]:
    for name, size in _logos(archive).items():
        file = _logo_file(archive, name)
        if file is not None:
            yield from _other_size(archive, file, size)


@SUBJECT.rule(
    "tour-image-missing",
    claim="every picture of the tour is in the archive",
    cure="add the picture, or correct its path in tour.tour_images",
)
def tour_missing(archive: Archive) -> Iterator[Finding]:
    for path, file in _tour(archive).items():
        if file is None:
            yield Finding(path.lstrip("/"), "tour.tour_images lists it and it is not there")


@SUBJECT.rule("tour-image-size", claim="pictures of the tour are 1188x616", cure="draw the picture in 1188x616")
def tour_size(archive: Archive) -> Iterator[Finding]:
    for file in sorted({file for file in _tour(archive).values() if file is not None}):
        yield from _other_size(archive, file, TOUR_SIZE)


@SUBJECT.rule("image-weight", claim="no picture weighs more than 300 KB", cure="save the picture smaller")
def weight(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*FORMATS, ".webp", ".bmp", ".svg"):
        size = len(archive.files[name])
        if size > LIMIT_BYTES:
            yield Finding(name, f"it weighs {size // 1024} KB")


@SUBJECT.rule(
    "image-format",
    claim="a picture is what its name says: png, jpg, jpeg or gif, and readable",
    cure="save it again in the format of its name",
)
def image_format(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*FORMATS):
        picture = _open(archive, name)
        if picture is None or not _is_whole(picture):
            yield Finding(name, "it cannot be read as a picture")
        elif picture.format != FORMATS[PurePosixPath(name).suffix.lower()]:
            yield Finding(name, f"inside it is {picture.format}")


@SUBJECT.rule("image-animated", claim="pictures do not move", cure="save a single frame")
def animated(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*FORMATS):
        picture = _open(archive, name)
        if picture is not None and getattr(picture, "is_animated", False):
            yield Finding(name, "it is animated")


def _logos(archive: Archive) -> dict[str, tuple[int, int]]:
    return LOGOS | PIPELINE_LOGO if "digital_pipeline" in archive.places else LOGOS


def _logo_file(archive: Archive, name: str) -> str | None:
    return next((file for ending in FORMATS if (file := f"images/{name}{ending}") in archive.files), None)


def _tour(archive: Archive) -> dict[str, str | None]:
    """Every path in tour_images with the file it means."""
    found: dict[str, str | None] = {}
    for language in archive.section("tour", "tour_images"):
        for path in archive.strings("tour", "tour_images", language):
            plain = path.lstrip("/").removeprefix("./")
            found[path] = next((file for file in (plain, f"images/{plain}") if file in archive.files), None)
    return found


def _other_size(archive: Archive, file: str, size: tuple[int, int]) -> Iterator[Finding]:
    picture = _open(archive, file)
    if picture is not None and picture.size != size:
        yield Finding(file, f"it is {picture.width}x{picture.height} and must be {size[0]}x{size[1]}")


def _open(archive: Archive, name: str) -> Image.Image | None:
    """The picture with only its head read; None when it is none (or far too large to be one)."""
    try:
        return Image.open(io.BytesIO(archive.files[name]))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _is_whole(picture: Image.Image) -> bool:
    try:
        picture.verify()
    except (OSError, ValueError, SyntaxError):
        return False
    return True
