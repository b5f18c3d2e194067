"""What a manifest means to the host: where a widget starts, what its fields and words are."""

from pathlib import Path

import pytest

from server.sandbox.page import manifests
from server.sandbox.widgets.archive import Archive


@pytest.mark.parametrize(
    ("area", "runs"),
    [
        ("contacts_card", True),
        ("contacts", True),
        ("companies", True),
        ("leads", False),
        ("leads_card", False),
        ("widgetsSettings", False),
        ("dashboard", False),
        ("advanced-settings:mine", False),
    ],
)
def test_locations_choose_the_areas(area: str, runs: bool) -> None:
    """clist covers contacts and companies; a place that is not listed is not served."""
    manifest = {"widget": {}, "locations": ["ccard-1", "clist-0"]}

    assert manifests.runs_in(manifest, "mine", area) is runs


@pytest.mark.parametrize("manifest", [{"widget": {"init_once": True}}, {"widget": {}, "locations": ["everywhere"]}])
def test_everywhere_and_init_once_start_on_every_page(manifest: manifests.Manifest) -> None:
    """Either of them starts a widget whatever the area."""
    assert manifests.runs_in(manifest, "mine", "dashboard")


def test_own_pages_belong_to_their_widget_alone() -> None:
    """advanced_settings starts a widget on its own settings page, not on another one's."""
    manifest = {"widget": {}, "locations": ["advanced_settings"]}

    assert manifests.runs_in(manifest, "mine", "advanced-settings:mine")
    assert not manifests.runs_in(manifest, "mine", "advanced-settings:other")


def test_suffix_tells_who_takes_a_place_in_the_column() -> None:
    """-0 takes none, -1 and no suffix take one, everywhere takes none."""
    manifest = {"widget": {}, "locations": ["ccard-0", "lcard-1", "comcard", "everywhere", "clist-1"]}

    assert manifests.column_areas(manifest) == ["leads_card", "companies_card"]


def test_words_fall_back_to_the_first_locale(tmp_path: Path) -> None:
    """A user whose language the widget does not speak gets its first one; a broken file gives no words."""
    (tmp_path / "i18n").mkdir()
    (tmp_path / "i18n" / "es.json").write_text('{"widget": {"name": "Hola"}}')
    (tmp_path / "i18n" / "en.json").write_text("{broken")
    manifest = {"widget": {"locale": ["es", "en"]}}

    assert manifests.texts(Archive(tmp_path), manifest, "ru") == ("i18n/es.json", {"widget": {"name": "Hola"}})
    assert manifests.texts(Archive(tmp_path), manifest, "en") == ("i18n/en.json", {})


def test_word_without_text_shows_its_path() -> None:
    """A path that leads nowhere is shown as it is, so that the author sees it."""
    assert manifests.word({"settings": {"a": {"deep": 1}}}, "settings.a.deep") == "settings.a.deep"
    assert manifests.word({"settings": {"a": "Name"}}, "settings.a") == "Name"


def test_malformed_settings_are_left_out() -> None:
    """Fields that are no objects do not break the window."""
    assert manifests.settings({"settings": {"a": {"type": "text"}, "b": "text"}}) == {"a": {"type": "text"}}
    assert manifests.settings({"settings": []}) == {}
