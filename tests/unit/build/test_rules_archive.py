"""Planted defects: zip structure, left-over files, encodings, secrets, pictures."""

import io

import pytest
from PIL import Image
from widget_plants import Files, Plant, added, cases, clean, picture, removed, rules_broken

from widget.build.lint.archive import BOM


def _wrap(files: Files) -> None:
    for name in list(files):
        files[f"widget/{name}"] = files.pop(name)


def _animated() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (130, 100), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


def _swap_for_gif(files: Files) -> None:
    del files["images/logo.png"]
    files["images/logo.gif"] = _animated()


def _prefix_bom(files: Files) -> None:
    files["i18n/ru.json"] = BOM + files["i18n/ru.json"]


def _windows_lines(files: Files) -> None:
    files["style.css"] = files["style.css"].replace(b"\n", b"\r\n")


def _cyrillic_of_windows(files: Files) -> None:
    files["style.css"] += "/* Привет */\n".encode("cp1251")


def _without_code(files: Files) -> None:
    for name in ("script.js", "lib/journal.js", "templates/panel.twig"):
        del files[name]


def _heavy(files: Files) -> None:
    files["images/logo_main.png"] += b"\0" * 300 * 1024


PLANTS = (
    ("zip-wrapping-folder", "everything in widget/", _wrap),
    ("manifest-missing", "no manifest", removed("manifest.json")),
    ("script-missing", "no script", _without_code),
    ("zip-junk-file", "a Mac's folder data", added("images/.DS_Store", b"\0")),
    ("zip-junk-file", "a source map", added("script.js.map", "{}")),
    ("zip-junk-file", "the Windows picture cache", added("images/Thumbs.db", b"\0")),
    ("zip-junk-file", "a Mac's resource fork", added("__MACOSX/._script.js", b"\0")),
    ("zip-junk-file", "the repository", added(".git/HEAD", "ref: refs/heads/main\n")),
    ("zip-unsafe-name", "a way out", added("../outside.txt", "x")),
    ("zip-unused-file", "a template nobody names", added("templates/forgotten.twig", "<b>hello</b>")),
    ("text-bom", "a byte order mark", _prefix_bom),
    ("text-crlf", "Windows line ends", _windows_lines),
    ("text-encoding", "cp1251", _cyrillic_of_windows),
    ("secret-in-archive", "a private key", added("note.txt", "-----BEGIN RSA PRIVATE KEY-----\n")),
    ("secret-in-archive", "a client secret", added("note.txt", 'client_secret: "' + "k" * 64 + '"\n')),
    ("logo-missing", "one logo less", removed("images/logo_medium.png")),
    ("logo-size", "a square logo", added("images/logo.png", picture((100, 100)))),
    ("tour-image-missing", "no tour picture", removed("images/tour.png")),
    ("tour-image-size", "a small tour picture", added("images/tour.png", picture((594, 308)))),
    ("image-weight", "more than 300 KB", _heavy),
    ("image-format", "a JPEG called png", added("images/logo.png", picture((130, 100), "JPEG"))),
    ("image-format", "not a picture", added("images/logo.png", b"hello")),
    ("image-animated", "a moving logo", _swap_for_gif),
)


@pytest.mark.parametrize(("rule", "plant"), cases(PLANTS))
def test_planted_defect_of_the_archive_is_found_alone(rule: str, plant: Plant) -> None:
    """One defect in an otherwise clean archive is found, and nothing else is reported."""
    files = clean()

    plant(files)

    assert rules_broken(files) == {rule}
