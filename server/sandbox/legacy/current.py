"""`/private/api/v2/json/accounts/current` and `pipelines/list`: the account with all its dictionaries at once."""

from typing import Final

from aiohttp import web

from server.sandbox.legacy.account import ACTIONS, letter_of
from server.sandbox.legacy.asked import read_list
from server.sandbox.legacy.envelope import respond
from server.sandbox.legacy.fields import enums_of, type_id
from server.sandbox.legacy.shapes import NOTE_TYPES
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import nothing
from server.sandbox.rest.custom_fields import fields_of
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.routes import Route
from server.sandbox.world import ENTITIES, WORLD, Row, World


async def _current(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    head = {"id": str(world.account["id"]), "current_user": asker(request).user["id"]}
    return respond(request, {"account": head | _settings(world) | _dictionaries(world)})


def _settings(world: World) -> Row:
    account, times = world.account, world.account["datetime_settings"]
    return {
        **{name: account[name] for name in ("name", "subdomain", "currency")},
        **{name: times[name] for name in ("timezone", "date_pattern", "date_format", "time_format")},
        "timezoneoffset": times["timezone_offset"],
        "short_date_pattern": {
            "date": times["short_date_pattern"],
            "time": times["short_time_pattern"],
            "date_time": times["date_pattern"],
        },
        "language": "ru",
        "country": account["country"].lower(),
        "paid_from": False,
        "paid_till": False,
        "unsorted_on": yes(account["is_unsorted_on"]),
        "customers_enabled": yes(world.switches["customers"]),
        "limits": {"users_count": False, "contacts_count": False, "active_deals_count": False},
    }


def _dictionaries(world: World) -> Row:
    main = next(pipeline for pipeline in world.pipelines if pipeline["is_main"])
    statuses = [one for one in main["statuses"] if one["type"] == 0]  # Unsorted is none a client may choose
    return {
        "users": [_user(user) for user in world.users],
        "groups": [{"id": group["id"], "name": group["name"]} for group in world.groups if group["id"]],
        "leads_statuses": [{**_status(one), "id": str(one["id"]), "sort": str(one["sort"])} for one in statuses],
        "pipelines": _every_pipeline(world),
        "custom_fields": {kind: [_field(field) for field in fields_of(world, kind)] for kind in ENTITIES},
        "note_types": [
            {"id": number, "name": "", "code": name.upper(), "editable": yes(name == "common")}
            for name, number in NOTE_TYPES.items()
        ],
        "task_types": [{name: one[name] for name in ("id", "name", "code")} for one in world.account["task_types"]],
    }


def yes(value: object) -> str:
    """A flag as this generation writes it."""
    return "Y" if value else "N"


def _user(user: Row) -> Row:
    rights = {
        f"rights_{NOUNS[kind].singular}_{action}": letter_of(user, kind, action)
        for kind in ("leads", "contacts", "companies")
        for action in ACTIONS
    }
    return {
        "id": str(user["id"]),
        "mail_admin": "N",
        "name": user["name"],
        "last_name": None,
        "login": user["login"],
        "photo_url": None,
        "phone_number": user["phone_number"],
        "language": user["lang"],
        "is_admin": yes(user["rights"]["is_admin"]),
        "unsorted_access": "Y",
        "catalogs_access": yes(user["rights"]["catalog_access"]),
        "group_id": user["group_id"],
        "free_user": user["rights"]["is_free"],
        **rights,
    }


def _field(field: Row) -> Row:
    shown: Row = {
        "id": str(field["id"]),
        "name": field["name"],
        "code": field["code"],
        "multiple": yes(field["type"] in ("multitext", "multiselect")),
        "type_id": str(type_id(field)),
        "disabled": "0",
        "sort": field["sort"],
    }
    return {**shown, "enums": enums_of(field)} if field.get("enums") else shown


def _every_pipeline(world: World) -> Row:
    """Every pipeline with its statuses, keyed by id; the name three times."""
    rows = sorted(world.pipelines, key=lambda pipeline: pipeline["sort"])
    return {
        str(row["id"]): {
            "id": row["id"],
            "value": row["id"],
            "label": row["name"],
            "name": row["name"],
            "sort": row["sort"],
            "is_main": row["is_main"],
            "statuses": {
                str(status["id"]): {**_status(status), "pipeline_id": row["id"]} for status in row["statuses"]
            },
        }
        for row in rows
    }


def _status(status: Row) -> Row:
    shown = {name: status[name] for name in ("id", "name", "color", "sort")}
    return {**shown, "editable": yes(status["is_editable"])}


async def _pipelines(request: web.Request) -> web.StreamResponse:
    ids = read_list(request).ids
    found = {key: one for key, one in _every_pipeline(request.app[WORLD]).items() if ids is None or one["id"] in ids}
    return respond(request, {"pipelines": found}) if found else nothing()


_PATH: Final = "/private/api/v2/json"
ROUTES: Final = [
    Route("GET", f"{_PATH}/accounts/current", _current, "the account with all its dictionaries", or_slash=True),
    Route("GET", f"{_PATH}/pipelines/list", _pipelines, "pipelines keyed by id", query=("id",), or_slash=True),
]
