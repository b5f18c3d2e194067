"""A widget's files: what amoCRM would refuse is refused with its cure, and every change is noticed."""

import json
import zipfile
from pathlib import Path

import pytest

from server.sandbox.widgets.archive import Archive, ArchiveError

MANIFEST = json.dumps({"widget": {"version": "1.0.0", "locale": ["ru", "en"]}})
WHOLE = {"manifest.json": MANIFEST, "i18n/ru.json": "{}", "i18n/en.json": "{}"}


def folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / "widget" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root / "widget"


def packed(root: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(root / "widget.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return root / "widget.zip"


BROKEN = {
    "no manifest": ({"script.js": ""}, "at its root"),
    "wrapped": ({"mine/manifest.json": MANIFEST, "mine/i18n/ru.json": "{}"}, r"in mine/ and not at its root"),
    "mark": (WHOLE | {"manifest.json": "\ufeff" + MANIFEST}, "without BOM"),
    "comment": (WHOLE | {"manifest.json": "{ // mine\n}"}, r"not valid JSON: .*line 1 column 3.*no comments"),
    "list": (WHOLE | {"manifest.json": "[]"}, "not an object"),
    "no widget": (WHOLE | {"manifest.json": "{}"}, 'no object "widget"'),
    "no list": (WHOLE | {"manifest.json": '{"widget": {"locale": "ru"}}'}, "no list of languages"),
    "strange": (WHOLE | {"manifest.json": '{"widget": {"locale": ["../ru"]}}'}, "no list of languages"),
    "deep": (WHOLE | {"manifest.json": '{"a":' * 100_000}, "not valid JSON"),
    "no texts": ({"manifest.json": MANIFEST, "i18n/ru.json": "{}"}, r"no i18n/en\.json.*add the file"),
    "broken texts": (WHOLE | {"i18n/en.json": "{,}"}, r"i18n/en\.json .* not valid JSON"),
}


@pytest.mark.parametrize("make", [folder, packed])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_widget_is_refused_with_its_cure(tmp_path: Path, make: object, fault: str) -> None:
    """Whether it is a folder or a zip, the words say what is wrong, where, and what to do."""
    files, words = BROKEN[fault]

    with pytest.raises(ArchiveError, match=words):
        Archive(make(tmp_path, files)).check()  # type: ignore[operator]


def test_the_cure_of_a_wrapped_widget_depends_on_what_it_is(tmp_path: Path) -> None:
    """A folder is named one step deeper, a zip is packed anew."""
    files = {"mine/manifest.json": MANIFEST}

    with pytest.raises(ArchiveError, match=f"name {tmp_path}/widget/mine"):
        Archive(folder(tmp_path, files)).check()
    with pytest.raises(ArchiveError, match="pack what is in the folder"):
        Archive(packed(tmp_path, files)).check()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    """A file that is no zip, and a path where nothing is."""
    (tmp_path / "x.zip").write_text("no zip")

    with pytest.raises(ArchiveError, match="a folder or a zip"):
        Archive(tmp_path / "x.zip").check()
    with pytest.raises(ArchiveError, match="does not exist"):
        Archive(tmp_path / "nothing").check()
    with pytest.raises(ArchiveError, match="does not exist"):
        Archive(Path("a\0b")).check()


def test_a_whole_widget_is_taken(tmp_path: Path) -> None:
    """Its manifest is what is read."""
    assert Archive(folder(tmp_path, WHOLE)).check() == json.loads(MANIFEST)
    assert Archive(packed(tmp_path, WHOLE)).check() == json.loads(MANIFEST)


def test_writing_adding_and_deleting_change_the_fingerprint(tmp_path: Path) -> None:
    """Also when the size stays or the newest file is not touched; what is no part of a widget changes nothing."""
    path = folder(tmp_path, WHOLE)
    seen = [Archive(path).fingerprint()]

    (path / "manifest.json").write_text(MANIFEST.replace("1.0.0", "2.0.0"))
    seen.append(Archive(path).fingerprint())
    (path / "script.js").write_text("")
    seen.append(Archive(path).fingerprint())
    (path / "i18n/en.json").unlink()
    seen.append(Archive(path).fingerprint())
    for other in (".git", "node_modules"):
        (path / other).mkdir()
        (path / other / "index").write_text("x")

    assert len(set(seen)) == 4
    assert Archive(path).fingerprint() == seen[-1]
