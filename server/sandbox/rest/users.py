"""Users of the account and their roles; for administrators only."""

import copy
import re
from functools import partial
from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import admin
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.bodies import read_items
from server.sandbox.rest.custom_fields import Refuse
from server.sandbox.rest.nouns import Member
from server.sandbox.rest.query import ListQuery, page_answer, read_query, whole
from server.sandbox.rest.shelves import ALL, NOT_A_CHOICE, Shelf, routes
from server.sandbox.rest.writing import Refusals, request_id_of
from server.sandbox.routes import ID, Route
from server.sandbox.world import WORLD, Row, World

_MOST_AT_ONCE, _MOST_USERS = 10, 100
_ACTIONS: Final = ("view", "edit", "add", "delete", "export")
_RIGHTS: Final = {"leads": _ACTIONS, "contacts": _ACTIONS, "companies": _ACTIONS, "tasks": ("edit", "delete")}
_LETTERS: Final = frozenset("AGMD")
_LANGS: Final = ("ru", "en", "es", "pt")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PASSWORD: Final = re.compile(r"(?=.*\d)(?=.*[a-zа-я])(?=.*[A-ZА-Я]).{6,}", re.DOTALL)
_NAME: Final = re.compile(r"[\w .@\-]{1,50}")


async def _users(request: web.Request) -> web.StreamResponse:
    admin(request)
    query = read_query(request)
    rows = list(request.app[WORLD].users)
    view = partial(_show_user, request, query)
    return page_answer(request, query, rows=rows, name="users", view=view, totals=True)


async def _user(request: web.Request) -> web.StreamResponse:
    admin(request)
    user = request.app[WORLD].users.get(int(request.match_info["id"]))
    if user is None:
        raise Problem(404, "User not found")
    return hal(_show_user(request, read_query(request), user))


def _show_user(request: web.Request, query: ListQuery, user: Row) -> Row:
    world = request.app[WORLD]
    shown: Row = {name: user[name] for name in ("id", "name", "email", "lang", "rights")}
    shown |= {name: user[name] for name in ("uuid", "amojo_id", "user_rank", "phone_number") if query.wants(name)}
    group, role = world.groups.get(user["group_id"]), world.roles.get(user["rights"]["role_id"])
    return {
        **shown,
        "_links": link(request, f"/api/v4/users/{user['id']}"),
        "_embedded": {
            "roles": [_named(request, role)] if role and query.wants("role") else [],
            "groups": [{"id": group["id"], "name": group["name"]}] if group and query.wants("group") else [],
        },
    }


def _named(request: web.Request, role: Row) -> Row:
    return {"id": role["id"], "name": role["name"], "_links": link(request, f"/api/v4/roles/{role['id']}")}


async def _add_users(request: web.Request) -> web.StreamResponse:
    admin(request)
    world, items = request.app[WORLD], await read_items(request)
    if len(items) > _MOST_AT_ONCE:
        raise Problem(400, f"A request carries at most {_MOST_AT_ONCE} users")
    if len(world.users) + len(items) > _MOST_USERS:
        raise Problem(403, f"An account has at most {_MOST_USERS} users here")
    refusals, fresh = Refusals(), []
    for position, item in enumerate(items):
        refuse = refusals.of(request_id_of(item, position))
        _check_person(world, item, refuse)
        fresh.append(_new_user(world, item, refuse))
    refusals.settle()
    query, made = read_query(request), []
    for position, (user, item) in enumerate(zip(fresh, items, strict=True)):
        shown = _show_user(request, query, world.users.add(user))
        made.append({**shown, "request_id": request_id_of(item, position)})
    links = link(request, "/api/v4/users")
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"users": made}}, status=201)


def _check_person(world: World, item: Row, refuse: Refuse) -> None:
    patterns = (("name", _NAME), ("email", _EMAIL), ("password", _PASSWORD))
    for name, pattern in patterns:
        value = item.get(name)
        if not isinstance(value, str) or not value.strip():
            refuse("FieldMissing", name, "This field is missing.")
        elif not pattern.fullmatch(value):
            refuse("InvalidFormat", name, "This value is not valid.")
    if any(user["email"] == item.get("email") for user in world.users):
        refuse("NotUnique", "email", "This value is already used.")
    if item.get("lang") not in (None, *_LANGS):
        refuse("NotSupportedChoice", "lang", NOT_A_CHOICE)


def _new_user(world: World, item: Row, refuse: Refuse) -> Row:
    given = item.get("rights") if isinstance(item.get("rights"), dict) else {}
    given = given or {}
    role_id, group_id = whole(given.get("role_id")), whole(given.get("group_id")) or 0
    role = world.roles.get(role_id)
    if role_id is not None and role is None:
        refuse("NotSupportedChoice", "rights.role_id", NOT_A_CHOICE)
    if group_id not in world.groups:
        refuse("NotSupportedChoice", "rights.group_id", NOT_A_CHOICE)
    is_free = given.get("is_free") is True
    rights = _no_rights()
    if role is not None:
        rights |= copy.deepcopy(role["rights"])
    elif not is_free:
        _read_rights(rights, given, refuse)
    flags = {"is_admin": False, "is_free": is_free, "is_active": True}
    rights |= {**flags, "group_id": group_id or None, "role_id": None if is_free else role_id}
    email = str(item.get("email"))
    return {
        "name": str(item.get("name")),
        "login": email,
        "email": email,
        "lang": item.get("lang") or "ru",
        "group_id": group_id,
        "extension": None,
        "phone_number": None,
        "uuid": None,
        "amojo_id": None,
        "user_rank": None,
        "rights": rights,
    }


def _no_rights() -> Row:
    rights: Row = {noun: dict.fromkeys(actions, "D") for noun, actions in _RIGHTS.items()}
    return rights | {"mail_access": False, "catalog_access": False, "status_rights": None}


def _read_rights(rights: Row, given: Row, refuse: Refuse) -> None:
    for noun, actions in _RIGHTS.items():
        letters = given.get(noun)
        for action, letter in letters.items() if isinstance(letters, dict) else []:
            if action not in actions or str(letter) not in _LETTERS:
                refuse("NotSupportedChoice", f"rights.{noun}.{action}", NOT_A_CHOICE)
            else:
                rights[noun][action] = letter
    for flag in ("mail_access", "catalog_access"):
        if isinstance(given.get(flag), bool):
            rights[flag] = given[flag]
    if "status_rights" in given:
        rights["status_rights"] = _status_rights(given["status_rights"], refuse)


def _status_rights(given: Any, refuse: Refuse) -> list[Row] | None:
    """Letters for single statuses of leads; none of them are null."""
    kept = []
    for position, one in enumerate(given if isinstance(given, list) else []):
        pair = [whole(one.get(name)) for name in ("pipeline_id", "status_id")] if isinstance(one, dict) else []
        letters = one.get("rights") if isinstance(one, dict) else None
        if None in pair or not isinstance(letters, dict) or not set(map(str, letters.values())) <= _LETTERS:
            refuse("NotSupportedChoice", f"rights.status_rights.{position}", NOT_A_CHOICE)
        else:
            kept.append({"entity_type": "leads", "pipeline_id": pair[0], "status_id": pair[1], "rights": letters})
    return kept or None


def _check_role(_: web.Request, row: Row, item: Row, refuse: Refuse) -> None:
    row.setdefault("rights", _no_rights())
    if isinstance(item.get("rights"), dict):
        _read_rights(row["rights"], item["rights"], refuse)


def _spread(request: web.Request, row: Row) -> None:
    """A role's rights are those of everybody who has it."""
    users = request.app[WORLD].users
    for user in users:
        if user["rights"]["role_id"] == row["id"]:
            users.put({**user, "rights": user["rights"] | copy.deepcopy(row["rights"])})


def _take(request: web.Request, row: Row) -> None:
    users = request.app[WORLD].users
    for user in users:
        if user["rights"]["role_id"] == row["id"]:
            users.put({**user, "rights": {**user["rights"], "role_id": None}})


def _show_role(request: web.Request, row: Row) -> Row:
    users = [user["id"] for user in request.app[WORLD].users if user["rights"]["role_id"] == row["id"]]
    shown = {name: row[name] for name in ("id", "name", "rights")}
    return {**shown, **({"_embedded": {"users": users}} if read_query(request).wants("users") else {})}


_ROLES: Final = Shelf(
    "roles",
    "roles",
    "/api/v4/roles",
    (Member("name", "text", required=True),),
    "role of users",
    check=_check_role,
    show=_show_role,
    stored=_spread,
    removed=_take,
    readers=admin,
    updated=202,
)
ROUTES: Final = [
    Route("GET", "/api/v4/users", _users, "users; administrators only", query=("page", "limit", "with")),
    Route("POST", "/api/v4/users", _add_users, "create users; administrators only", body="array"),
    Route("GET", f"/api/v4/users/{ID}", _user, "one user; administrators only", query=("with",)),
    *routes(_ROLES, *ALL, query=("page", "limit", "with")),
]
