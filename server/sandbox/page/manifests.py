"""What a widget's manifest means to the host page: words, places, settings fields. Pure reading."""

from typing import Any, Final

from server.sandbox.widgets.archive import Archive, ArchiveError

Manifest = dict[str, Any]

# The page of triggers, bots and sources starts what has a dialog there.
_AUTOMATION: Final = ("digital_pipeline", "salesbot_designer", "lead_sources")

_LOCATION_OF: Final = {
    "contacts_card": "ccard",
    "leads_card": "lcard",
    "companies_card": "comcard",
    "customers_card": "cucard",
    "contacts": "clist",
    "companies": "clist",
    "leads": "llist",
    "leads-pipeline": "llist",
    "leads-trash": "llist",
    "customers": "culist",
    "customers-pipeline": "culist",
    "todo": "tlist",
    "todo-line": "tline",
    "todo-calendar": "tcalendar",
    "catalogs": "catalogs",
    "widgetsSettings": "settings",
    "settings": "settings",
}


def widget_of(manifest: Manifest) -> dict[str, Any]:
    """The section `widget`; empty where it is missing."""
    found = manifest.get("widget")
    return found if isinstance(found, dict) else {}


def texts(archive: Archive, manifest: Manifest, lang: str) -> tuple[str, dict[str, Any]]:
    """File and words of the widget, in the user's language or its first one; an unreadable file counts as empty."""
    locales = [str(one) for one in widget_of(manifest).get("locale") or ["ru"]]
    name = f"i18n/{lang if lang in locales else locales[0]}.json"
    try:
        return name, archive.json(name)
    except ArchiveError:
        return name, {}


def word(words: dict[str, Any], path: Any) -> str:
    """The text behind a dotted path of the manifest (`settings.backend_url`); the path itself when it leads nowhere."""
    here: Any = words
    for part in str(path or "").split("."):
        here = here.get(part) if isinstance(here, dict) else None
    return here if isinstance(here, str) else str(path or "")


def settings(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """The declared settings fields by their codes; what is no object is left out."""
    declared = manifest.get("settings")
    fields = declared if isinstance(declared, dict) else {}
    return {str(code): field for code, field in fields.items() if isinstance(field, dict)}


def locations(manifest: Manifest) -> dict[str, bool]:
    """Location → whether the widget takes a place in the right column there (`ccard-0`: no; without suffix: yes)."""
    pairs = (str(one).rpartition("-") for one in manifest.get("locations") or [])
    named = {(head or tail): tail != "0" for head, _, tail in pairs}
    return {name: shown and name != "everywhere" for name, shown in named.items()}


def runs_in(manifest: Manifest, code: str, area: str) -> bool:
    """Whether the host starts this widget in a widget area."""
    places = locations(manifest)
    if widget_of(manifest).get("init_once") or "everywhere" in places:
        return True
    if area == f"advanced-settings:{code}":
        return "advanced_settings" in places
    if area == "digital_pipeline":
        return any(name in places for name in _AUTOMATION)
    if area == f"widget-page:{code}":
        return "widget_page" in places
    return _LOCATION_OF.get(area) in places


def column_areas(manifest: Manifest) -> list[str]:
    """The card areas in whose right column the widget counts."""
    places = locations(manifest)
    cards = [area for area in _LOCATION_OF if area.endswith("_card")]
    return [area for area in cards if places.get(_LOCATION_OF[area])]
