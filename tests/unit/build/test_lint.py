"""The lint as a whole: its table, its report, and what it does with files that are no archive at all."""

import io
import re
import zipfile
from pathlib import Path

import pytest
import test_rules_archive
import test_rules_code
import test_rules_manifest
from widget_plants import clean, rules_broken

from widget.build.lint import docs
from widget.build.lint.archive import Archive
from widget.build.lint.table import RULES, check, check_zip
from widget.build.pack import pack

PLANTED = {
    rule
    for module in (test_rules_archive, test_rules_code, test_rules_manifest)
    for rule, *_ in module.PLANTS
} | {"zip-duplicate-name"}  # fmt: skip


def test_clean_archive_has_no_defects() -> None:
    """An archive in the shapes of published widgets is clean."""
    assert rules_broken(clean()) == set()


def test_every_rule_is_planted_once_at_least() -> None:
    """A rule without a planted defect would be a rule that nobody has seen at work."""
    assert {rule.slug for rule in RULES} == PLANTED


def test_rules_have_slugs_of_their_own() -> None:
    """A slug names one rule."""
    assert len({rule.slug for rule in RULES}) == len(RULES)


def test_report_has_file_rule_message_and_cure_in_one_line() -> None:
    """A line says where, what is wrong and what to do."""
    files = clean()
    files["lib/journal.js"] += b"alert(1);\n"

    (defect,) = check(Archive(files))

    assert re.fullmatch(r"lib/journal\.js: script-dialog: line \d+: alert .+\. Cure: .+\.", str(defect))


def test_same_name_twice_is_found() -> None:
    """Two entries of one name are a defect of the zip itself."""
    data = io.BytesIO(pack(clean()))
    with zipfile.ZipFile(data, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("style.css", clean()["style.css"])

    assert {defect.rule for defect in check_zip(data.getvalue())} == {"zip-duplicate-name"}


def test_files_inside_a_wrapping_folder_are_judged_too() -> None:
    """The wrapping folder is one defect; it does not hide the others."""
    files = {f"widget/{name}": data for name, data in clean().items()}
    files["widget/style.css"] += b"* { margin: 0 }\n"

    assert rules_broken(files) == {"zip-wrapping-folder", "style-global-selector"}


@pytest.mark.parametrize("data", [b"", b"hello", pack(clean())[:5000]], ids=["empty", "text", "cut off"])
def test_file_that_is_no_zip_has_exactly_that_defect(data: bytes) -> None:
    """What cannot be read is one clear line, not a traceback."""
    assert [defect.rule for defect in check_zip(data)] == ["zip-unreadable"]


def test_damaged_entry_is_unreadable() -> None:
    """A wrong checksum is found before anything is judged."""
    data = pack(clean())
    damaged = data.replace(b"CustomWidget = function", b"CustomWidget = fun(tion", 1)

    assert [defect.rule for defect in check_zip(damaged)] == ["zip-unreadable"]


@pytest.mark.parametrize(
    "manifest",
    [
        b"null",
        b'{"widget": [], "locations": {}, "settings": [], "tour": [], "dp": 5, "left_menu": "x"}',
        b'{"widget": {"locale": [1, null], "support": 5, "name": {}}, "locations": [7], "settings": {"a": 1}}',
        b'{"widget": {"support": {"link": "https://["}}, "tour": {"tour_images": {"ru": "x"}}}',
        b"[" * 100_000,
    ],
)
def test_nonsense_in_the_manifest_is_reported_and_never_raises(manifest: bytes) -> None:
    """Whatever a manifest holds, the answer is a report."""
    assert rules_broken(clean() | {"manifest.json": manifest})


@pytest.mark.parametrize(
    "source",
    ["", "(((", "define(", "}" * 500, "((" * 5000, "a.b" * 2000, "`${", "\ud800".encode("utf-8", "replace").decode()],
)
def test_nonsense_in_a_script_never_raises(source: str) -> None:
    """Whatever a script holds, the answer is a report."""
    assert isinstance(rules_broken(clean() | {"lib/journal.js": source.encode()}), set)


@pytest.mark.parametrize(
    "source", ["{{", "{{ | }}", "{{ ? : }}", "{{ ) }}", "{%", "{% %}", "{{ a || b }}", "{{}}", "{#", "{{ 'a }}"]
)
def test_nonsense_in_a_template_never_raises(source: str) -> None:
    """Whatever a template holds, the answer is a report."""
    assert isinstance(rules_broken(clean() | {"templates/panel.twig": source.encode()}), set)


def test_reference_page_is_current(root: Path) -> None:
    """docs/reference/widget-lint.md is what the table says; `build.py --docs` writes it."""
    assert (root / docs.PAGE).read_text("utf-8") == docs.page()
