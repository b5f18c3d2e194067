"""The page around everything: the skeleton every address of the host answers with, and the constants it carries."""

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web

from server.sandbox.page import entries, left_menu, vendor, widget_list
from server.sandbox.rest.access import page_user, sign_in
from server.sandbox.world import WORLD, Row, World

HERE: Final = Path(__file__).resolve().parent  # the checkout may lie behind a symbolic link
CONTROLS: Final = "/tmpl/controls/"  # noqa: S108  an address of amoCRM, no folder
LANGS: Final = ("ru", "en")
_START: Final = secrets.token_hex(4)  # two sandboxes on one port must not share a browser's cache of widgets
_BACKEND_VERSION: Final = "1"
_PAID_FOR_S: Final = 365 * 86_400
# Forbids nothing: the browser tells the page of eval and of scripts from elsewhere (host/watch/rules.js).
_TELL_EVAL: Final = "script-src 'self' 'unsafe-inline'"
_ELEMENT_TYPES: Final = {
    "contacts": 1,
    "leads": 2,
    "companies": 3,
    "todo": 4,
    "tags": 7,
    "catalogs": 10,
    "customers": 12,
    "transactions": 13,
    "unsorted": 14,
    "mail": 16,
    "contacts_and_companies": 17,
    "amoforms": 19,
    "events": 23,
}
_CF_TYPES: Final = {
    "text": 1,
    "numeric": 2,
    "checkbox": 3,
    "select": 4,
    "multiselect": 5,
    "date": 6,
    "url": 7,
    "multitext": 8,
    "textarea": 9,
    "radiobutton": 10,
    "streetaddress": 11,
    "smart_address": 13,
    "birthday": 14,
    "legal_entity": 15,
}
_ENTREE: Final = {
    "ENTREE_CONTACTS": "contacts",
    "ENTREE_COMPANY": "companies",
    "ENTREE_DEALS": "leads",
    "ENTREE_CUSTOMERS": "customers",
}
_env: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
)


async def page(request: web.Request) -> web.StreamResponse:
    """The host page. A stranger is signed in as the account's first user: this is nobody's real account."""
    world = request.app[WORLD]
    user = page_user(request)
    stranger = user is None
    if user is None:
        user = next(iter(world.users))
    vendor.node_modules()  # says the cure at once instead of a blank page
    response = web.Response(text=_render(request, user), content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy-Report-Only"] = _TELL_EVAL
    if stranger:
        sign_in(world, response, user["id"])
    return response


def _render(request: web.Request, user: Row) -> str:
    lang = user["lang"] if user["lang"] in LANGS else LANGS[0]
    words = texts(lang)
    boot = {
        "lang": lang,
        "texts": words,
        "vendor": vendor.paths(),
        "aliases": vendor.ALIASES,
        "constants": _constants(request, user),
        "element_types": _ELEMENT_TYPES,
        "cf_types": _CF_TYPES,
        "system": widget_list.system(request, user),
        "callback_exception": request.app[WORLD].switches["callback_exception"],
        "users_field": request.app[WORLD].switches["users_field"],
    }
    return _env.get_template("page.jinja").render(
        boot=_script_json(boot),
        controls=_script_json(controls()),
        lang=lang,
        other_lang=next(one for one in LANGS if one != lang),
        theme="dark" if request.cookies.get("sandbox_theme") == "dark" else "light",
        t=words,
        menu=left_menu.items(request.app[WORLD], user, words),
        users=list(request.app[WORLD].users),
        user=user,
        version=versions(request.app[WORLD])["X-Core-Version"],
    )


def _script_json(value: Any) -> str:
    """JSON for a script element; no text in it may close the element."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")


@cache
def texts(lang: str) -> dict[str, str]:
    """The host's own words in one language."""
    found: dict[str, str] = json.loads((HERE / "texts" / f"{lang}.json").read_text(encoding="utf-8"))
    return found


@cache
def controls() -> dict[str, str]:
    """The host's control templates by their address, present on every page so that `render({ref})` is synchronous."""
    return {CONTROLS + file.name: file.read_text(encoding="utf-8").strip()
            for file in sorted((HERE / "controls").glob("*.twig"))}  # fmt: skip


def versions(world: World) -> dict[str, str]:
    """The headers by which a page notices a release of the host."""
    return {"X-Core-Version": str(world.switches["core_version"]), "X-Core-Version-Backend": _BACKEND_VERSION}


def _constants(request: web.Request, user: Row) -> Row:
    """`APP.constant(…)`; keys as widgets use them."""
    world = request.app[WORLD]
    account, release = world.account, versions(world)
    main = next((one["id"] for one in world.pipelines if one["is_main"]), None)
    return {
        "account": {
            **{name: account.get(name) for name in ("id", "name", "subdomain", "country", "currency", "amojo_id")},
            "language": user["lang"],
            "timezone": account["datetime_settings"]["timezone"],
            "top_level_domain": entries.top_level_domain(world),
            "paid_till": world.now() + _PAID_FOR_S,
            "tariffName": "advanced",
            "main_pipeline_id": main,
            "cf": {str(one["id"]): _custom_field(one) for one in world.custom_fields},
            "predefined_cf": _predefined(world),
            "users": {str(one["id"]): one["name"] for one in world.users},
        },
        "user": {
            "id": user["id"],
            "name": user["name"],
            "login": user["login"],
            "lang": user["lang"],
            "personal_mobile": user.get("phone_number") or "",
        },
        "user_rights": user["rights"],
        "managers": {str(one["id"]): _manager(one) for one in world.users},
        "groups": {f"group_{group['id']}": group["name"] for group in world.groups},
        "task_types": {str(one["id"]): _task_type(one) for one in account["task_types"]},
        "version": release["X-Core-Version"],
        "version_backend": release["X-Core-Version-Backend"],
        "session_token": secrets.token_hex(16),
        "widgets": {"all": {row["id"]: {"code": row["id"], "active": _yes(row["active"])} for row in world.widgets}},
        "widgets_cache_version": _cache_version(world),
        "geoip_country": account["country"],
        "current_brand": "kommo" if world.switches["brand"] == "kommo" else "amocrm",
    }


def _cache_version(world: World) -> str:
    """Another one whenever a widget was installed, edited or switched off."""
    facts = [(row["id"], row["active"], row.get("settings"), row["path"], row.get("version")) for row in world.widgets]
    return f"{_START}-{abs(hash(json.dumps(facts, sort_keys=True))):x}"


def _custom_field(one: Row) -> Row:
    """A field as scripts of the page know it; DEALS is what amoCRM calls leads there."""
    places = {name: one["entity_type"] == entity for name, entity in _ENTREE.items()}
    kind = _CF_TYPES.get(one["type"], 0)
    return {"id": one["id"], "ID": one["id"], "NAME": one["name"], "CODE": one["code"], "TYPE_ID": kind, **places}


def _predefined(world: World) -> Row:
    """amoCRM's own fields by code: contacts and companies have the same ones there."""
    found: Row = {}
    for one in world.custom_fields:
        if one["code"] and one["entity_type"] in _ENTREE.values():
            field = found.setdefault(one["code"], _custom_field(one))
            field.update({name: True for name, entity in _ENTREE.items() if entity == one["entity_type"]})
    return found


def _yes(value: object) -> str:
    return "Y" if value else "N"


def _task_type(one: Row) -> Row:
    return {"id": one["id"], "option": one["name"], "color": one["color"], "icon_id": one["icon_id"]}


def _manager(one: Row) -> Row:
    rights = one["rights"]
    return {
        "id": one["id"],
        "title": one["name"],
        "option": one["name"],
        "login": one["login"],
        "active": rights["is_active"],
        "status": "A" if rights["is_active"] else "N",
        "is_admin": _yes(rights["is_admin"]),
        "free_user": _yes(rights["is_free"]),
        "amojo_id": one.get("amojo_id"),
        "amo_profile_id": one.get("uuid"),
        "avatar": "",
        "group": f"group_{one['group_id']}",
        "theme": "light",
        "online": rights["is_active"],
    }
