"""Rules about i18n/*.json."""

import json
import re
from collections.abc import Iterator
from typing import Any

from .archive import Archive, leaves
from .rules import Finding, Subject

SUBJECT = Subject("Texts")

NAMED_TEXTS = (
    "widget.name",
    "widget.description",
    "widget.short_description",
    "tour.tour_description",
    "advanced.title",
    "dp.title",
)
"""Keys of the manifest whose values are paths into the texts."""

CYRILLIC = re.compile(r"[А-Яа-яЁё]{2,}")
RUSSIAN_LINK = re.compile(r"\b[\w-]+\.(ru|рф|su)\b", re.IGNORECASE)
BRAND = re.compile(r"amo\s*-?crm|амо\s*-?црм", re.IGNORECASE)


def file_of(language: str) -> str:
    """The locale file of a language."""
    return f"i18n/{language}.json"


@SUBJECT.rule(
    "i18n-missing",
    claim="every language of widget.locale has its file",
    cure="add the file, or take the language out of the manifest",
)
def missing(archive: Archive) -> Iterator[Finding]:
    for language in dict.fromkeys(archive.strings("widget", "locale")):
        if file_of(language) not in archive.files:
            yield Finding(file_of(language), f"the manifest lists {language!r} and there is no such file")


@SUBJECT.rule(
    "i18n-undeclared",
    claim="every locale file is listed in widget.locale",
    cure="add the language to widget.locale, or remove the file",
)
def undeclared(archive: Archive) -> Iterator[Finding]:
    declared = archive.strings("widget", "locale")
    for language in archive.locales:
        if declared and language not in declared:
            yield Finding(file_of(language), f"the manifest does not list {language!r}")


@SUBJECT.rule("i18n-json", claim="locale files are plain JSON objects", cure="make it valid JSON")
def valid_json(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".json"):
        if not name.startswith("i18n/") or isinstance(archive.json(name), dict):
            continue
        try:
            json.loads(archive.text(name))
        except json.JSONDecodeError as wrong:
            yield Finding(name, f"line {wrong.lineno}: {wrong.msg}")
        except RecursionError:
            yield Finding(name, "it is nested too deeply")
        else:
            yield Finding(name, "it is not an object")


@SUBJECT.rule(
    "i18n-parity",
    claim="all locale files have the same keys",
    cure="add the text in this language, or remove it from the others",
)
def parity(archive: Archive) -> Iterator[Finding]:
    keys = {language: dict(leaves(texts)).keys() for language, texts in archive.locales.items()}
    everything = {key for known in keys.values() for key in known}
    for language, known in keys.items():
        for key in sorted(everything - known):
            other = next(other for other in keys if key in keys[other])
            yield Finding(file_of(language), f"{key} is missing, {other} has it")


@SUBJECT.rule(
    "i18n-path",
    claim="every path from the manifest leads to a text",
    cure="add the text, or correct the path in the manifest",
)
def paths(archive: Archive) -> Iterator[Finding]:
    for dotted in _paths(archive):
        lacking = [language for language, texts in archive.locales.items() if not _text(texts, dotted)]
        # a text that only some languages lack is a matter of parity
        if lacking and len(lacking) == len(archive.locales):
            yield Finding("manifest.json", f"{dotted} is not a text of any locale file")


@SUBJECT.rule(
    "i18n-empty",
    claim="a text that amoCRM shows from the manifest is not empty",
    cure="write the text",
)
def empty(archive: Archive) -> Iterator[Finding]:
    for language, texts in archive.locales.items():
        known = dict(leaves(texts))
        for dotted in _paths(archive):
            if isinstance(known.get(dotted), str) and not known[dotted].strip():
                yield Finding(file_of(language), f"{dotted} is empty")


@SUBJECT.rule("i18n-foreign-text", claim="texts for en, es and pt are not Russian", cure="translate the text")
def foreign_text(archive: Archive) -> Iterator[Finding]:
    for language, key, value in _foreign(archive):
        if CYRILLIC.search(value):
            yield Finding(file_of(language), f"{key} has Russian words")


@SUBJECT.rule(
    "i18n-foreign-link", claim="texts for en, es and pt have no Russian links", cure="link to a page in this language"
)
def foreign_link(archive: Archive) -> Iterator[Finding]:
    for language, key, value in _foreign(archive):
        if found := RUSSIAN_LINK.search(value):
            yield Finding(file_of(language), f"{key} links to {found[0]}")


@SUBJECT.rule(
    "i18n-ai-agent",
    claim="`ai_agent` comes with widget.ai_agent_description in every language",
    cure="add the text (about 100 characters)",
)
def ai_agent(archive: Archive) -> Iterator[Finding]:
    for language, texts in archive.locales.items():
        if "ai_agent" in archive.places and not _text(texts, "widget.ai_agent_description"):
            yield Finding(file_of(language), "widget.ai_agent_description is missing")


@SUBJECT.rule(
    "name-brand", claim="the widget's name does not contain amoCRM's", cure="name the widget after your own product"
)
def brand(archive: Archive) -> Iterator[Finding]:
    dotted = archive.section("widget").get("name")
    for language, texts in archive.locales.items():
        name = _text(texts, dotted) if isinstance(dotted, str) else ""
        if BRAND.search(name):
            yield Finding(file_of(language), f"the name is {name!r}")


def _paths(archive: Archive) -> Iterator[str]:
    """Every path into the texts that the manifest holds."""
    for where in NAMED_TEXTS:
        section, _, key = where.partition(".")
        dotted = archive.section(section).get(key)
        if isinstance(dotted, str):
            yield dotted
    for field in (*archive.section("settings").values(), *archive.section("dp", "settings").values()):
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            yield field["name"]


def _text(texts: dict[str, Any], dotted: str) -> str:
    value: Any = texts
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _foreign(archive: Archive) -> Iterator[tuple[str, str, str]]:
    for language in ("en", "es", "pt"):
        for key, value in leaves(archive.locales.get(language, {})):
            if isinstance(value, str):
                yield language, key, value
