"""Rules about `locations` and the blocks of the manifest, texts and callbacks that some of them need."""

from collections import Counter
from collections.abc import Iterator

from .archive import Archive
from .manifest import is_url
from .rules import Finding, Subject
from .scripts import property_names

SUBJECT = Subject("Locations")

CARDS_AND_LISTS = frozenset({"lcard", "ccard", "comcard", "cucard", "llist", "clist", "culist", "tlist"})
PLACES = CARDS_AND_LISTS | {
    "everywhere", "settings", "advanced_settings", "widget_page", "card_sdk", "digital_pipeline", "lead_sources",
    "whatsapp_modal", "salesbot_designer", "catalogs", "sms", "mobile_card", "amoforms", "ai_agent", "tline",
    "tcalendar",
}  # fmt: skip

BLOCKS = {
    "digital_pipeline": ("dp",),
    "advanced_settings": ("advanced", "title"),
    "widget_page": ("left_menu",),
    "salesbot_designer": ("salesbot_designer",),
    "sms": ("sms", "endpoint"),
    "mobile_card": ("mobile", "frame_url"),
    "amoforms": ("amoforms_settings",),
}
"""Place → what the manifest must say about it."""

CALLBACKS = {"advanced_settings": "advancedSettings", "widget_page": "initMenuPage", "card_sdk": "loadPreloadedData"}
"""Place → the callback without which the place stays empty."""


@SUBJECT.rule(
    "location-unknown",
    claim="every location is one that amoCRM knows",
    cure="take the code from amoCRM's list of areas",
)
def unknown(archive: Archive) -> Iterator[Finding]:
    for place in archive.places:
        if place not in PLACES:
            yield Finding("manifest.json", f"amoCRM has no location {place!r}")


@SUBJECT.rule(
    "location-suffix",
    claim="a suffix is -0 or -1, and `everywhere` has none",
    cure="write -1 when the widget draws in the right column, -0 when it does not, nothing after `everywhere`",
)
def suffix(archive: Archive) -> Iterator[Finding]:
    for item in archive.strings("locations"):
        place, dash, mark = item.partition("-")
        if dash and (mark not in {"0", "1"} or place == "everywhere"):
            yield Finding("manifest.json", f"the location {item!r} has a suffix that amoCRM does not take")


@SUBJECT.rule("location-twice", claim="a location is listed once", cure="keep one of them")
def twice(archive: Archive) -> Iterator[Finding]:
    for place, times in Counter(item.partition("-")[0] for item in archive.strings("locations")).items():
        if times > 1:
            yield Finding("manifest.json", f"the location {place!r} is listed {times} times")


@SUBJECT.rule(
    "location-block",
    claim="a location that needs a block in the manifest has it",
    cure="add the block, or remove the location",
)
def block(archive: Archive) -> Iterator[Finding]:
    for place, path in BLOCKS.items():
        if place in archive.places and not archive.section(*path[:-1]).get(path[-1]):
            yield Finding("manifest.json", f"the location {place!r} needs {'.'.join(path)}")


@SUBJECT.rule(
    "location-unused",
    claim="the script has the callback that fills the location",
    cure="remove the location, or add the callback",
)
def unused(archive: Archive) -> Iterator[Finding]:
    names = property_names(archive)
    for place, callback in CALLBACKS.items():
        if archive.scripts and place in archive.places and callback not in names:
            yield Finding(
                "manifest.json", f"the location {place!r} is listed and no script has the callback {callback}"
            )


@SUBJECT.rule(
    "location-card-sdk",
    claim="`card_sdk` comes with at least one card location",
    cure="add the cards that get the tab: lcard, ccard, comcard or cucard",
)
def card_sdk(archive: Archive) -> Iterator[Finding]:
    if "card_sdk" in archive.places and not archive.places.keys() & {"lcard", "ccard", "comcard", "cucard"}:
        yield Finding("manifest.json", "`card_sdk` stands without any card")


@SUBJECT.rule(
    "dp-action-multiple",
    claim="`dp` says whether an action may be added several times",
    cure='add "action_multiple": true or false to `dp`',
)
def action_multiple(archive: Archive) -> Iterator[Finding]:
    dp = archive.section("dp")
    if dp and not isinstance(dp.get("action_multiple"), bool):
        yield Finding("manifest.json", "dp.action_multiple is not true or false")


@SUBJECT.rule("dp-webhook", claim="`dp.webhook_url` is an https address", cure="give the https address of your server")
def webhook(archive: Archive) -> Iterator[Finding]:
    dp = archive.section("dp")
    if dp and not is_url(dp.get("webhook_url"), "https"):
        yield Finding("manifest.json", f"dp.webhook_url is {dp.get('webhook_url')!r}")


@SUBJECT.rule(
    "left-menu",
    claim="every item of `left_menu` has a title and an icon that is in the archive",
    cure="give the item `title` (a path into i18n) and `icon` (images/…)",
)
def left_menu(archive: Archive) -> Iterator[Finding]:
    for code, item in archive.section("left_menu").items():
        if not isinstance(item, dict):
            yield Finding("manifest.json", f"left_menu.{code} is not an object")
        elif not item.get("is_hidden") and code not in {"stats", "settings"}:
            icon = str(item.get("icon", "")).lstrip("/")
            if not item.get("title") or icon not in archive.files:
                yield Finding("manifest.json", f"left_menu.{code} has no title or its icon {icon!r} is missing")
