"""The build as a person runs it: `python build.py` in a copy of the sources, with the checkout's node_modules."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from widget_plants import clean

from widget.build import pictures
from widget.build.assemble import archive_files
from widget.build.bundle import licences
from widget.build.cli import command
from widget.build.errors import BuildError
from widget.build.lint import images
from widget.build.pack import pack

MAIN = """\
import $ from "jquery";
import { greet } from "./greet.js";
export default function Widget() {
  this.callbacks = { render: () => true, init: () => greet($), bind_actions: () => true, onSave: () => true };
}
"""


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A checkout with a small widget of its own."""
    for name in ("manifest.json", "pyproject.toml", "package-lock.json"):
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "i18n", tmp_path / "i18n")
    shutil.copytree(root / "widget" / "images", tmp_path / "widget" / "images")
    (tmp_path / "templates").mkdir()
    (tmp_path / "widget" / "src").mkdir()
    (tmp_path / "widget" / "src" / "main.js").write_text(MAIN)
    (tmp_path / "widget" / "src" / "greet.js").write_text(
        'export const greet = (jq) => jq("body").attr("title", "Привет");\n'
    )
    (tmp_path / "node_modules").symlink_to(root / "node_modules")
    os.utime(tmp_path / "package-lock.json", (0, 0))  # the copy must not install into the checkout's node_modules
    return tmp_path


def test_script_is_one_readable_amd_module(copy: Path) -> None:
    """All modules are in script.js, with their names, their lines and their letters."""
    script = archive_files(copy)["script.js"].decode()

    assert script.startswith('define(["jquery", "lib/components/base/modal"], function ($, Modal) {\n')
    assert script.rstrip().endswith("return Widget;\n});")
    assert '"Привет"' in script
    assert "import" not in script


def test_same_sources_give_the_same_bytes(copy: Path) -> None:
    """A rebuild, at another time, is the same file."""
    first = pack(archive_files(copy))
    for path in copy.rglob("*.js"):
        path.touch()

    assert hashlib.sha256(pack(archive_files(copy))).digest() == hashlib.sha256(first).digest()


def test_archive_does_not_depend_on_the_order_of_files(copy: Path) -> None:
    """Names are sorted, dates and attributes fixed, nothing is compressed."""
    files = archive_files(copy)

    assert pack(dict(reversed(files.items()))) == pack(files)
    (copy / "a.zip").write_bytes(pack(files))
    entries = zipfile.ZipFile(copy / "a.zip").infolist()
    assert [entry.filename for entry in entries] == sorted(files)
    assert {(entry.date_time[0], entry.compress_type, entry.create_system) for entry in entries} == {(1980, 0, 3)}


def test_version_comes_from_the_project_file(copy: Path) -> None:
    """There is one place to raise the version."""
    version = tomllib.loads((copy / "pyproject.toml").read_text())["project"]["version"]

    assert json.loads(archive_files(copy)["manifest.json"])["widget"]["version"] == version


def test_templates_and_style_are_packed(copy: Path) -> None:
    """What the author puts beside the script comes along, in its folders."""
    (copy / "templates" / "cards").mkdir()
    (copy / "templates" / "cards" / "card.twig").write_text("<b>{{ name|e }}</b>\n")
    (copy / "widget" / "src" / "style.css").write_text(".kmt b { margin: 0 }\n")

    assert {"templates/cards/card.twig", "style.css"} <= archive_files(copy).keys()


def test_softphone_becomes_a_file_of_its_own(copy: Path) -> None:
    """Only agents with a browser phone load it."""
    (copy / "widget" / "src" / "softphone.js").write_text("export default function Phone() {}\n")

    files = archive_files(copy)

    assert b"return Phone;" in files["softphone.js"]
    assert b"Phone" not in files["script.js"]


def test_bundled_library_brings_its_licence(copy: Path) -> None:
    """Other people's code travels with its licence text."""
    (copy / "widget" / "src" / "softphone.js").write_text(
        'import balanced from "balanced-match";\nexport default balanced;\n'
    )

    assert archive_files(copy)["LICENSES.txt"].decode().startswith("balanced-match ")


def test_library_without_a_licence_stops_the_build(copy: Path) -> None:
    """Code whose licence nobody can show is not shipped."""
    (copy / "packages" / "node_modules" / "nameless").mkdir(parents=True)

    with pytest.raises(BuildError, match="nameless"):
        licences(copy / "packages", frozenset({"nameless"}))


def test_broken_source_is_quoted(copy: Path) -> None:
    """The bundler's own message says file and line."""
    (copy / "widget" / "src" / "main.js").write_text("export default function ( {\n")

    with pytest.raises(BuildError, match=r"main\.js:\d"):
        archive_files(copy)


def test_missing_entry_is_named(copy: Path) -> None:
    """Without a main module there is no widget."""
    (copy / "widget" / "src" / "main.js").unlink()

    with pytest.raises(BuildError, match=r"main\.js"):
        archive_files(copy)


def test_own_archive_is_built_clean_in_two_seconds(root: Path, tmp_path: Path) -> None:
    """`python build.py` from the checkout ends well within its time."""
    run = [sys.executable, str(root / "build.py"), "--out", str(tmp_path / "widget.zip")]

    done = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "clean" in done.stdout
    assert zipfile.is_zipfile(tmp_path / "widget.zip")


def test_check_of_a_clean_archive_says_so(tmp_path: Path) -> None:
    """No defect: the word clean, exit code 0."""
    (tmp_path / "widget.zip").write_bytes(pack(clean()))

    result = CliRunner().invoke(command, ["--check", str(tmp_path / "widget.zip")])

    assert (result.exit_code, result.output.split(":")[0]) == (0, "clean")


def test_check_prints_one_line_per_defect(tmp_path: Path) -> None:
    """Two defects: two lines, exit code 1."""
    files = clean()
    files["lib/journal.js"] += b"alert(1);\ndebugger;\n"
    (tmp_path / "widget.zip").write_bytes(pack(files))

    result = CliRunner().invoke(command, ["--check", str(tmp_path / "widget.zip")])

    assert (result.exit_code, len(result.output.splitlines())) == (1, 2)


def test_check_of_a_missing_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    """No such archive: a sentence and exit code 2, which is not "has defects"."""
    result = CliRunner().invoke(command, ["--check", str(tmp_path / "none.zip")])

    assert result.exit_code == 2


def test_committed_pictures_have_their_sizes(root: Path) -> None:
    """The PNGs in widget/images are the ones that amoCRM wants."""
    folder = root / "widget" / "images"
    wanted = {f"{name}.png": size for name, size in images.LOGOS.items()}
    wanted |= {path.name: pictures.TOUR_SIZE for path in folder.glob("tour_*.png")}

    assert {path.name: Image.open(path).size for path in folder.iterdir()} == wanted
    assert max(path.stat().st_size for path in folder.iterdir()) < images.LIMIT_BYTES


def test_pictures_are_drawn_with_exact_canvases(root: Path, tmp_path: Path) -> None:
    """`build.py --images` makes every picture that is committed, in its size."""
    (tmp_path / "widget").mkdir()
    shutil.copy(root / "widget" / "logo.svg", tmp_path / "widget" / "logo.svg")

    drawn = pictures.draw_all(tmp_path)

    assert {path.name for path in drawn} == {path.name for path in (root / "widget" / "images").iterdir()}
    assert all(Image.open(path).size == Image.open(root / "widget" / "images" / path.name).size for path in drawn)
