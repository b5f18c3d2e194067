"""One widget as the loader, the settings window and the dialogs of the automation page need it."""

import json
from typing import Any, Final

from server.sandbox.page import manifests
from server.sandbox.widgets import installed
from server.sandbox.world import Row, World

_FIELD_TYPES: Final = ("text", "pass", "users", "users_lp", "custom")
_USERS: Final = ("users", "users_lp")
_SOURCES: Final = ("lead_sources", "sms", "whatsapp_modal")


def entry(world: World, row: Row, manifest: manifests.Manifest, user: Row) -> Row:
    """The members amoCRM's list of widgets has, then those of the sandbox's own dialogs."""
    widget, path = manifests.widget_of(manifest), f"/upl/{row['id']}/widget"
    lang_file, words = manifests.texts(installed.archive_of(row), manifest, user["lang"])
    said = {name: manifests.word(words, widget.get(name)) for name in ("name", "description", "short_description")}
    return {
        "code": row["id"],
        "id": installed.number_of(world, row),
        "src": f"{path}/script.js",
        "lang": f"{path}/{lang_file}",
        "path": path,
        "images_path": f"{path}/images",
        **({"cdn_path": path} if world.switches["brand"] == "kommo" else {}),
        "settings": json.dumps(_settings(world, row, manifest), ensure_ascii=False),
        "installed_version": str(widget.get("version") or "1.0.0"),
        **said,
        "description": _filled_in(world, user, said["description"]),
        "oauth_client_uuid": row.get("client_uuid"),
        "active": "Y" if row["active"] else "N",
        "init_once": "Y" if widget.get("init_once") else "N",
        "status": status(row, manifest),
        "support": widget.get("support") or {},
        "category_id": 1,
        "fields": _fields(manifests.settings(manifest), words),
        **_dialogs(manifest, words),
    }


def status(row: Row, manifest: manifests.Manifest) -> str:
    """`install`, `installed`, or `not_configured`: switched on with a required field empty."""
    if not row["active"]:
        return "install"
    required = [code for code, field in manifests.settings(manifest).items() if field.get("required")]
    return "installed" if all(row["settings"].get(code) for code in required) else "not_configured"


def _settings(world: World, row: Row, manifest: manifests.Manifest) -> Row:
    """The stored values; per-user fields as objects or as texts, for both are seen in the field."""
    if world.switches["users_field"] == "object":
        return dict(row["settings"])
    types = {code: field.get("type") for code, field in manifests.settings(manifest).items()}
    return {
        code: json.dumps(value, ensure_ascii=False) if types.get(code) in _USERS and isinstance(value, dict) else value
        for code, value in row["settings"].items()
    }


def _fields(declared: dict[str, dict[str, Any]], words: dict[str, Any]) -> list[Row]:
    return [
        {
            "code": code,
            "type": field["type"],
            "title": manifests.word(words, field.get("name")),
            "required": bool(field.get("required")),
        }
        for code, field in declared.items()
        if field.get("type") in _FIELD_TYPES
    ]


def _dialogs(manifest: manifests.Manifest, words: dict[str, Any]) -> Row:
    widget, places = manifests.widget_of(manifest), manifests.locations(manifest)
    advanced, tour = (_object(manifest, name) for name in ("advanced", "tour"))
    dp = _object(manifest, "dp") if "digital_pipeline" in places else {}
    bots = _object(manifest, "salesbot_designer") if "salesbot_designer" in places else {}
    return {
        "advanced_title": manifests.word(words, advanced.get("title")),
        "tour_description": manifests.word(words, tour.get("tour_description")),
        "is_installable": widget.get("installation") is not False,
        "is_showcase": bool(widget.get("is_showcase")),
        "has_card_tab": "card_sdk" in places,
        "is_source": any(name in places for name in _SOURCES),
        "dp": _trigger(dp, words) if "digital_pipeline" in places else None,
        "handlers": [_handler(code, one, words) for code, one in bots.items() if isinstance(one, dict)],
    }


def _trigger(dp: Row, words: dict[str, Any]) -> Row:
    """The dialog of an action of the digital pipeline; every field of it is a text input there."""
    declared = {code: {**field, "type": "text"} for code, field in manifests.settings(dp).items()}
    return {"title": manifests.word(words, dp.get("title")), "fields": _fields(declared, words)}


def _handler(code: str, handler: Row, words: dict[str, Any]) -> Row:
    fields = [
        {
            "code": name,
            "title": manifests.word(words, field.get("name")),
            "value": str(field.get("default_value") or ""),
        }
        for name, field in manifests.settings(handler).items()
    ]
    return {"code": code, "title": manifests.word(words, handler.get("name")), "fields": fields}


def _object(manifest: manifests.Manifest, name: str) -> Row:
    found = manifest.get(name)
    return found if isinstance(found, dict) else {}


def _filled_in(world: World, user: Row, text: str) -> str:
    """The placeholders a description may carry."""
    values = {
        "HOST": world.origin.partition("://")[2],
        "SUBDOMAIN": world.account["subdomain"],
        "LOGIN": user["login"],
        "API_HASH": "",
        "ACCOUNT_ID": world.account["id"],
        "USER_ID": user["id"],
        "TOP_LEVEL_DOMAIN": top_level_domain(world),
    }
    for name, value in values.items():
        text = text.replace(f"#{name}#", str(value))
    return text


def top_level_domain(world: World) -> str:
    """`ru` for amoCRM, `com` for Kommo."""
    return "com" if world.switches["brand"] == "kommo" else "ru"
