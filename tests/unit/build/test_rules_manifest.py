"""Planted defects: manifest.json, its locations, and the texts it leads to."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from widget_plants import (
    Plant,
    added,
    appended,
    cases,
    clean,
    content,
    manifest,
    picture,
    removed,
    replaced,
    rules_broken,
    several,
    texts,
)

DP = {"settings": {}, "action_multiple": True, "webhook_url": "https://voip.example/hook", "title": "widget.name"}


def pipeline(**changes: object) -> Plant:
    """The location digital_pipeline with all it needs, some of it changed."""
    logo = added("images/logo_dp.png", picture((174, 109)))
    return several(logo, manifest(lambda m: (m["locations"].append("digital_pipeline"), m.update(dp=DP | changes))))


def place(code: str, **blocks: object) -> Plant:
    """One more location, with blocks of the manifest."""
    return manifest(lambda m: (m["locations"].append(code), m.update(blocks)))


def both(edit: Callable[[dict[str, Any]], object]) -> Plant:
    """The same edit in both languages."""
    return several(content("i18n/ru.json", edit), content("i18n/en.json", edit))


MANIFEST = (
    ("manifest-json", "a comment", replaced("manifest.json", '"tour": {', '/* shown once */ "tour": {')),
    ("manifest-json", "a trailing comma", replaced("manifest.json", '"en"]', '"en",]')),
    ("manifest-json", "a list", added("manifest.json", "[]")),
    ("json-duplicate-key", "two versions", replaced("manifest.json", '"version"', '"version": "1.0.0", "version"')),
    ("manifest-required", "no description", manifest(lambda m: m["widget"].pop("description"))),
    ("manifest-required", "no settings", manifest(lambda m: m.pop("settings"))),
    ("manifest-required", "no locations", manifest(lambda m: (m.pop("locations"), m["settings"].pop("conf")))),
    ("manifest-type", "installation as a text", manifest(lambda m: m["widget"].update(installation="true"))),
    ("manifest-type", "init_once as a number", manifest(lambda m: m["widget"].update(init_once=1))),
    ("manifest-version", "a word", manifest(lambda m: m["widget"].update(version="latest"))),
    ("manifest-version", "a number", manifest(lambda m: m["widget"].update(version=1.2))),
    ("manifest-interface", "the old interface", manifest(lambda m: m["widget"].update(interface_version=1))),
    (
        "manifest-locale",
        "a language amoCRM lacks",
        several(
            manifest(
                lambda m: (m["widget"]["locale"].append("de"), m["tour"]["tour_images"].update(de=["/images/tour.png"]))
            ),
            added("i18n/de.json", json.dumps(texts("Anruf"))),
        ),
    ),
    ("manifest-support", "no contact", manifest(lambda m: m["widget"].pop("support"))),
    ("manifest-support", "a bare host", manifest(lambda m: m["widget"].update(support={"link": "voip.example"}))),
    ("manifest-legacy-key", "a code", manifest(lambda m: m["widget"].update(code="acme"))),
    ("manifest-legacy-key", "a secret key", manifest(lambda m: m["widget"].update(secret_key="x"))),
    ("manifest-tour", "tour false", manifest(lambda m: m.update(tour=False))),
    ("manifest-tour", "no pictures for en", manifest(lambda m: m["tour"]["tour_images"].pop("en"))),
    ("settings-type", "a type of nobody", manifest(lambda m: m["settings"]["server"].update(type="number"))),
    ("settings-shape", "no name", manifest(lambda m: m["settings"]["server"].pop("name"))),
    ("settings-custom-once", "two custom fields", manifest(lambda m: m["settings"]["server"].update(type="custom"))),
    ("settings-custom-location", "custom without settings", manifest(lambda m: m["locations"].remove("settings"))),
)

LOCATIONS = (
    ("location-unknown", "a place of nobody", place("footer")),
    ("location-suffix", "everywhere-1", manifest(lambda m: m["locations"].__setitem__(0, "everywhere-1"))),
    ("location-suffix", "a suffix 2", place("lcard-2")),
    ("location-twice", "a card twice", place("ccard-0")),
    ("location-block", "a pipeline without dp", several(pipeline(), manifest(lambda m: m.pop("dp")))),
    (
        "location-block",
        "own settings page without a title",
        several(
            place("advanced_settings"), replaced("script.js", "destroy:", "advancedSettings: journal.note, destroy:")
        ),
    ),
    (
        "location-block",
        "own page without a menu",
        several(place("widget_page"), replaced("script.js", "destroy:", "initMenuPage: journal.note, destroy:")),
    ),
    ("location-unused", "own page that nobody draws", place("advanced_settings", advanced={"title": "widget.name"})),
    (
        "location-card-sdk",
        "a tab without a card",
        several(
            manifest(lambda m: m.update(locations=["settings", "card_sdk"])),
            replaced("script.js", "destroy:", "loadPreloadedData: journal.note, destroy:"),
        ),
    ),
    ("dp-action-multiple", "not said", pipeline(action_multiple=None)),
    ("dp-webhook", "plain http", pipeline(webhook_url="http://voip.example/hook")),
    ("logo-missing", "a pipeline without its logo", several(pipeline(), removed("images/logo_dp.png"))),
    (
        "left-menu",
        "an icon that is not there",
        several(
            place("widget_page", left_menu={"acme": {"title": "widget.name", "icon": "images/acme.svg"}}),
            replaced("script.js", "destroy:", "initMenuPage: journal.note, destroy:"),
        ),
    ),
)

TEXTS = (
    (
        "i18n-missing",
        "a language without its file",
        several(
            manifest(
                lambda m: (m["widget"]["locale"].append("es"), m["tour"]["tour_images"].update(es=["/images/tour.png"]))
            )
        ),
    ),
    ("i18n-undeclared", "a file without its language", added("i18n/es.json", json.dumps(texts("Llamada")))),
    ("i18n-json", "a comment", appended("i18n/en.json", "// the end")),
    ("i18n-parity", "one key less", content("i18n/en.json", lambda t: t["widget"].pop("call_action"))),
    ("i18n-parity", "one key more", content("i18n/en.json", lambda t: t.update(extra="More"))),
    ("i18n-path", "a path to nowhere", manifest(lambda m: m["settings"]["server"].update(name="settings.host"))),
    ("i18n-path", "a section instead of a text", manifest(lambda m: m["widget"].update(description="widget"))),
    ("i18n-empty", "an empty name", content("i18n/en.json", lambda t: t["widget"].update(name=" "))),
    ("i18n-foreign-text", "Russian in en", content("i18n/en.json", lambda t: t["widget"].update(description="Звонки"))),
    (
        "i18n-foreign-link",
        "a Russian link in en",
        content("i18n/en.json", lambda t: t["widget"].update(description="See https://acme.ru/help")),
    ),
    ("i18n-ai-agent", "no description for the agent", place("ai_agent")),
    ("name-brand", "somebody else's name", both(lambda t: t["widget"].update(name="Phone for amoCRM"))),
)

PLANTS = (*MANIFEST, *LOCATIONS, *TEXTS)


@pytest.mark.parametrize(("rule", "plant"), cases(PLANTS))
def test_planted_defect_of_manifest_or_texts_is_found_alone(rule: str, plant: Plant) -> None:
    """One defect in an otherwise clean archive is found, and nothing else is reported."""
    files = clean()

    plant(files)

    assert rules_broken(files) == {rule}
