"""Rules about manifest.json, locations left out."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .archive import Archive
from .rules import Finding, Subject

SUBJECT = Subject("Manifest")

FILE = "manifest.json"
LANGUAGES = ("ru", "en", "es", "pt")
FIELD_TYPES = ("text", "pass", "users", "users_lp", "custom")
COMMENT = re.compile(r'^(?:[^"\n]|"(?:[^"\\\n]|\\.)*")*?(//|/\*)', re.MULTILINE)
VERSION = re.compile(r"\d+(\.\d+){1,3}([-.]?[a-z]+[.\d]*)?", re.IGNORECASE)
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

TYPES: dict[str, tuple[type, str]] = {
    "widget": (dict, "an object"),
    "widget.name": (str, "a text"),
    "widget.description": (str, "a text"),
    "widget.short_description": (str, "a text"),
    "widget.locale": (list, "a list"),
    "widget.installation": (bool, "true or false"),
    "widget.init_once": (bool, "true or false"),
    "widget.is_showcase": (bool, "true or false"),
    "widget.support": (dict, "an object"),
    "locations": (list, "a list"),
    "settings": (dict, "an object"),
    "dp": (dict, "an object"),
    "advanced": (dict, "an object"),
    "left_menu": (dict, "an object"),
}

REQUIRED = ("widget.name", "widget.description", "widget.short_description", "widget.locale", "widget.installation")


def is_url(value: Any, *schemes: str) -> bool:
    """Whether the value is an absolute address with one of these schemes."""
    try:
        return isinstance(value, str) and urlsplit(value).scheme in schemes and bool(urlsplit(value).hostname)
    except ValueError:
        return False


def look_up(archive: Archive, dotted: str) -> Any:
    """A value of the manifest by its path; None when it is not there."""
    *above, key = dotted.split(".")
    holder = archive.section(*above) if above else archive.manifest or {}
    return holder.get(key)


@SUBJECT.rule(
    "manifest-json",
    claim="manifest.json is plain JSON",
    cure="make it valid JSON; comments and trailing commas are not part of JSON",
)
def valid_json(archive: Archive) -> Iterator[Finding]:
    if archive.manifest is not None or FILE not in archive.files:
        return
    text = archive.text(FILE)
    try:
        json.loads(text)
    except RecursionError:
        yield Finding(FILE, "it is nested too deeply")
    except json.JSONDecodeError as wrong:
        comment = " (it has comments)" if COMMENT.search(text) else ""
        yield Finding(FILE, f"line {wrong.lineno}: {wrong.msg}{comment}")
    else:
        yield Finding(FILE, "it is not an object")


@SUBJECT.rule("json-duplicate-key", claim="no JSON object has a key twice", cure="keep one of the two")
def duplicate_key(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".json"):
        doubles: list[str] = []

        def collect(entries: list[tuple[str, Any]], doubles: list[str] = doubles) -> dict[str, Any]:
            keys = [key for key, _ in entries]
            doubles.extend(sorted({key for key in keys if keys.count(key) > 1}))
            return dict(entries)

        try:
            json.loads(archive.text(name), object_pairs_hook=collect)
        except (ValueError, RecursionError):
            continue
        for key in doubles:
            yield Finding(name, f"the key {key!r} stands twice in one object, the first is lost")


@SUBJECT.rule(
    "manifest-required",
    claim="the manifest has name, description, short_description, locale, installation, locations and settings",
    cure="add the key",
)
def required(archive: Archive) -> Iterator[Finding]:
    if archive.manifest is None:
        return
    for dotted in REQUIRED:
        if look_up(archive, dotted) is None:
            yield Finding(FILE, f"{dotted} is missing")
    if "script.js" in archive.files and "locations" not in archive.manifest:
        yield Finding(FILE, "locations is missing")
    if look_up(archive, "widget.installation") is True and "settings" not in archive.manifest:
        yield Finding(FILE, "settings is missing (an empty object will do)")


@SUBJECT.rule("manifest-type", claim="every key of the manifest has its type", cure="write the value in the type named")
def types(archive: Archive) -> Iterator[Finding]:
    for dotted, (wanted, words) in TYPES.items():
        value = look_up(archive, dotted)
        if value is not None and not isinstance(value, wanted):
            yield Finding(FILE, f"{dotted} is {json.dumps(value, ensure_ascii=False)[:40]} and must be {words}")
    for dotted in ("widget.locale", "locations"):
        value = look_up(archive, dotted)
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            yield Finding(FILE, f"{dotted} holds something that is not a text")


@SUBJECT.rule(
    "manifest-version",
    claim="widget.version is a version number: it renews the browsers' caches",
    cure='write it as a text like "1.4.0" and raise it with every upload',
)
def version(archive: Archive) -> Iterator[Finding]:
    value = look_up(archive, "widget.version")
    if archive.manifest is not None and not (isinstance(value, str) and VERSION.fullmatch(value)):
        yield Finding(FILE, f"widget.version is {value!r}" if value is not None else "widget.version is missing")


@SUBJECT.rule("manifest-interface", claim="widget.interface_version is 2", cure="write 2, as a number")
def interface(archive: Archive) -> Iterator[Finding]:
    value = look_up(archive, "widget.interface_version")
    if value is not None and (value != 2 or not isinstance(value, int)):
        yield Finding(FILE, f"widget.interface_version is {value!r}")


@SUBJECT.rule(
    "manifest-locale",
    claim="widget.locale lists languages of amoCRM, each once",
    cure=f"list some of {', '.join(LANGUAGES)}",
)
def locale(archive: Archive) -> Iterator[Finding]:
    languages = archive.strings("widget", "locale")
    if languages == [] and look_up(archive, "widget.locale") == []:
        yield Finding(FILE, "widget.locale is empty")
    for language in sorted(set(languages)):
        if language not in LANGUAGES:
            yield Finding(FILE, f"amoCRM has no language {language!r}")
        elif languages.count(language) > 1:
            yield Finding(FILE, f"{language!r} is listed twice")


@SUBJECT.rule(
    "manifest-support",
    claim="widget.support has a working-looking link or e-mail address",
    cure='add "support": {"link": "https://…"} or {"email": "…"}',
)
def support(archive: Archive) -> Iterator[Finding]:
    contact = archive.section("widget", "support")
    link, email = contact.get("link"), contact.get("email")
    if archive.section("widget") and not link and not email:
        yield Finding(FILE, "widget.support has neither link nor email")
    if link and not is_url(link, "https", "http"):
        yield Finding(FILE, f"widget.support.link is {link!r}")
    if email and not (isinstance(email, str) and MAIL.fullmatch(email)):
        yield Finding(FILE, f"widget.support.email is {email!r}")


@SUBJECT.rule(
    "manifest-legacy-key",
    claim="widget.code and widget.secret_key are gone since widgets live inside integrations",
    cure="remove the key, amoCRM makes both itself",
)
def legacy_key(archive: Archive) -> Iterator[Finding]:
    for key in ("code", "secret_key"):
        if key in archive.section("widget"):
            yield Finding(FILE, f"widget.{key} is a key of the old kind of widget")


@SUBJECT.rule(
    "manifest-tour",
    claim="`tour` is an object with is_tour, pictures for every language, and a description",
    cure='write {"is_tour": true, "tour_images": {"ru": ["/images/…"]}, "tour_description": "widget.tour_description"}',
)
def tour(archive: Archive) -> Iterator[Finding]:
    if archive.manifest is None:
        return
    value = archive.section("tour")
    if not value:
        yield Finding(FILE, "tour is missing" if "tour" not in archive.manifest else "tour is not an object")
        return
    if value.get("is_tour") is not True:
        yield Finding(FILE, "tour.is_tour is not true")
    if not isinstance(value.get("tour_description"), str):
        yield Finding(FILE, "tour.tour_description is not a path into i18n")
    for language in archive.strings("widget", "locale"):
        if not archive.strings("tour", "tour_images", language):
            yield Finding(FILE, f"tour.tour_images has no pictures for {language!r}")


@SUBJECT.rule(
    "settings-type",
    claim="every field of `settings` has a type that amoCRM knows",
    cure=f"use one of {', '.join(FIELD_TYPES)}",
)
def field_type(archive: Archive) -> Iterator[Finding]:
    for where, field in _fields(archive):
        if isinstance(field, dict) and field.get("type") not in FIELD_TYPES:
            yield Finding(FILE, f"{where} has the type {field.get('type')!r}")


@SUBJECT.rule(
    "settings-shape",
    claim="every field of `settings` is an object with a name (a path into i18n) and `required` as true or false",
    cure='write {"name": "settings.…", "type": "text", "required": false}',
)
def field_shape(archive: Archive) -> Iterator[Finding]:
    for where, field in _fields(archive):
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            yield Finding(FILE, f"{where} has no name")
        elif not isinstance(field.get("required", False), bool):
            yield Finding(FILE, f"{where}.required is not true or false")


@SUBJECT.rule(
    "settings-custom-once",
    claim="a widget has at most one field of the type `custom`",
    cure="keep one and store JSON in it",
)
def custom_once(archive: Archive) -> Iterator[Finding]:
    if len(_custom(archive)) > 1:
        yield Finding(FILE, f"{' and '.join(_custom(archive))} are custom")


@SUBJECT.rule(
    "settings-custom-location",
    claim="a `custom` field comes with the location `settings`, where the widget draws it",
    cure="add `settings` to the locations",
)
def custom_location(archive: Archive) -> Iterator[Finding]:
    if _custom(archive) and "settings" not in archive.places:
        yield Finding(FILE, f"{_custom(archive)[0]} is custom and the script is not started in the settings window")


def _fields(archive: Archive) -> list[tuple[str, Any]]:
    named = [(f"settings.{code}", field) for code, field in archive.section("settings").items()]
    return named + [(f"dp.settings.{code}", field) for code, field in archive.section("dp", "settings").items()]


def _custom(archive: Archive) -> list[str]:
    fields = archive.section("settings").items()
    return [f"settings.{code}" for code, field in fields if isinstance(field, dict) and field.get("type") == "custom"]
