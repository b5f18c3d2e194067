"""The left menu: amoCRM's own items, and what the manifests of active widgets add, hide or hang below them."""

from typing import Any, Final

from server.sandbox.page import manifests
from server.sandbox.widgets import installed
from server.sandbox.widgets.archive import ArchiveError
from server.sandbox.world import Row, World

_OWN: Final = (
    ("dashboard", "/dashboard/"),
    ("leads", "/leads/pipeline/"),
    ("customers", "/customers/list/"),
    ("todo", "/todo/list/"),
    ("catalogs", "/contacts/list/"),
    ("mail", "/mail/new/"),
    ("stats", "/stats/"),
    ("settings", "/settings/widgets/"),
)
_NAMES: Final = {"tasks": "todo"}  # what manifests call it → the item
_WITH_SUBMENU: Final = ("stats", "settings")
_ADDRESS: Final = "/widget_page"


def items(world: World, user: Row, words: dict[str, str]) -> list[Row]:
    """The items in their order, each with its address, its words and its sub-items."""
    menu: list[Row] = [
        {"entity": name, "href": href, "title": words[f"menu.{name}"], "icon": "", "submenu": []} for name, href in _OWN
    ]
    for row in world.widgets:
        if not row["active"]:
            continue
        try:
            manifest = installed.archive_of(row).manifest()
        except ArchiveError:
            continue  # the list of widgets tells of it
        declared = manifest.get("left_menu")
        if isinstance(declared, dict) and "widget_page" in manifests.locations(manifest):
            texts = manifests.texts(installed.archive_of(row), manifest, user["lang"])[1]
            for code, item in declared.items():
                if isinstance(item, dict):
                    _apply(menu, row["id"], str(code), item, texts)
    return menu


def _apply(menu: list[Row], widget: str, code: str, item: dict[str, Any], texts: dict[str, Any]) -> None:
    """One entry of `left_menu`: it changes an item of amoCRM's, or is an item of its own."""
    known = next((one for one in menu if one["entity"] == _NAMES.get(code, code)), None)
    submenu = _submenu(widget, code, item, texts)
    if known is not None:
        if item.get("is_hidden") is True:
            menu.remove(known)
        elif code in _WITH_SUBMENU:
            known["submenu"] += submenu
        return
    own = {
        "entity": f"{widget}-{code}",
        "href": submenu[0]["href"] if submenu else f"{_ADDRESS}/{widget}/{code}/",
        "title": manifests.word(texts, item.get("title")),
        "icon": f"/upl/{widget}/widget/{str(item.get('icon') or '').lstrip('/')}" if item.get("icon") else "",
        "submenu": submenu,
    }
    menu.insert(_place(menu, item.get("sort")), own)


def _submenu(widget: str, code: str, item: dict[str, Any], texts: dict[str, Any]) -> list[Row]:
    declared = item.get("submenu")
    entries = declared.items() if isinstance(declared, dict) else ()
    found = [(str(name), sub) for name, sub in entries if isinstance(sub, dict)]
    found.sort(key=lambda entry: _order(entry[1].get("sort")))
    return [
        {
            "code": name,
            "href": f"{_ADDRESS}/{widget}/{code}/{name}/",
            "title": manifests.word(texts, sub.get("title")),
        }
        for name, sub in found
    ]


def _order(sort: Any) -> float:
    return float(sort) if isinstance(sort, int | float) else 0.0


def _place(menu: list[Row], sort: Any) -> int:
    """Where `{"after": "leads"}` points; the end of the menu where it points nowhere."""
    after = sort.get("after") if isinstance(sort, dict) else None
    names = [one["entity"] for one in menu]
    name = _NAMES.get(str(after), str(after))
    return names.index(name) + 1 if name in names else len(menu)
