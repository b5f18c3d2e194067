"""Tests of widget/build/texts.py."""

import json
from pathlib import Path

import pytest

from widget.build import texts

TEXTS = {
    "widget": {"name": "N", "call_action": "C"},
    "card": {"open": "Open {name}"},
    "errors": {"busy": "B", "down": "D"},
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose texts and sources agree."""
    (tmp_path / "manifest.json").write_text('{"widget": {"name": "widget.name"}}')
    (tmp_path / "widget" / "src").mkdir(parents=True)
    (tmp_path / "i18n").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "card.twig").write_text('<a>{{ t("card.open")|e }}</a>\n')
    (tmp_path / "widget" / "src" / "main.js").write_text('export const show = (slug) => t("errors." + slug);\n')
    for language in ("ru", "en"):
        write(tmp_path, language, TEXTS)
    return tmp_path


def write(root: Path, language: str, content: object) -> None:
    """Write a locale file."""
    (root / "i18n" / f"{language}.json").write_text(json.dumps(content))


def test_sources_and_texts_that_agree_have_no_problems(checkout: Path) -> None:
    """Keys of the manifest, of templates, of scripts and those that end open all count as used."""
    assert texts.problems(checkout) == []


@pytest.mark.parametrize("line", ['t("card.close");', "text('card.close');", "t(`card.close`);"])
def test_used_key_without_a_text_is_named_with_its_place(checkout: Path, line: str) -> None:
    """A key that is in no file is told with file and line."""
    (checkout / "widget" / "src" / "view.js").write_text(line)

    found = texts.problems(checkout)

    assert found == [f"widget/src/view.js:1: card.close is not in i18n/{language}.json" for language in ("en", "ru")]


def test_text_that_nobody_uses_is_named(checkout: Path) -> None:
    """An orphan costs every translator time."""
    for language in ("ru", "en"):
        write(checkout, language, TEXTS | {"old": {"title": "T"}})

    assert texts.problems(checkout) == ["i18n: old.title is used nowhere"]


def test_key_that_waits_in_a_table_is_in_use(checkout: Path) -> None:
    """A literal that is a key counts, wherever it stands."""
    for language in ("ru", "en"):
        write(checkout, language, TEXTS | {"old": {"title": "T"}})
    (checkout / "widget" / "src" / "table.js").write_text('export const TITLES = { a: "old.title" };\n')

    assert texts.problems(checkout) == []


def test_key_that_one_language_lacks_is_named(checkout: Path) -> None:
    """All languages have the same keys."""
    write(checkout, "en", TEXTS | {"card": {}})

    assert any(line.startswith("i18n/en: card.open is missing") for line in texts.problems(checkout))


def test_places_must_agree(checkout: Path) -> None:
    """A translation keeps the places that are filled in."""
    write(checkout, "en", TEXTS | {"card": {"open": "Open {title}"}})

    assert texts.problems(checkout) == ["i18n: card.open has different places in different languages"]


def test_empty_text_is_named(checkout: Path) -> None:
    """A text that was forgotten is not a text."""
    for language in ("ru", "en"):
        write(checkout, language, TEXTS | {"errors": {"busy": "B", "down": ""}})

    assert texts.problems(checkout) == [
        f"i18n/{language}: errors.down is empty or not a text" for language in ("en", "ru")
    ]


def test_our_own_texts_are_in_order(root: Path) -> None:
    """The checkout's texts and sources agree."""
    assert texts.problems(root) == []
