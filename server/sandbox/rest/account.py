"""The account and its users, as strict clients check them member by member."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import admin, asker
from server.sandbox.rest.answers import Problem, hal, link
from server.sandbox.rest.query import ListQuery, page_answer, read_query
from server.sandbox.routes import ID, Route
from server.sandbox.world import WORLD, Row, World

_ALWAYS: Final = (
    "id",
    "name",
    "subdomain",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "country",
    "currency",
    "currency_symbol",
    "is_unsorted_on",
    "mobile_feature_version",
    "is_loss_reason_enabled",
    "is_helpbot_enabled",
    "is_technical_account",
    "contact_name_display_order",
)
_WITH_TOP: Final = ("amojo_id", "uuid", "version", "entity_names", "drive_url", "invoices_settings")


async def _account(request: web.Request) -> web.StreamResponse:
    world, query = request.app[WORLD], read_query(request)
    body: Row = {name: world.account[name] for name in _ALWAYS}
    body["current_user_id"] = asker(request).user["id"]
    body["customers_mode"] = "segments" if world.switches["customers"] else "disabled"
    body |= {name: world.account[name] for name in _WITH_TOP if query.wants(name)}
    if query.wants("is_api_filter_enabled"):
        body["is_api_filter_enabled"] = world.switches["alpha_filter"]
    body["_links"] = link(request, "/api/v4/account")
    embedded = {name: part for name, part in _parts(world).items() if query.wants(name)}
    return hal(body | ({"_embedded": embedded} if embedded else {}))


def _parts(world: World) -> dict[str, Any]:
    return {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": [{"id": group["id"], "name": group["name"], "uuid": None} for group in world.groups],
        "task_types": world.account["task_types"],
        "datetime_settings": world.account["datetime_settings"],
    }


async def _users(request: web.Request) -> web.StreamResponse:
    admin(request)
    query = read_query(request)
    rows = list(request.app[WORLD].users)

    def view(user: Row) -> Row:
        return _show_user(request, user, query)

    return page_answer(request, query, rows=rows, name="users", view=view, totals=True)


async def _user(request: web.Request) -> web.StreamResponse:
    admin(request)
    user = request.app[WORLD].users.get(int(request.match_info["id"]))
    if user is None:
        raise Problem(404, "User not found")
    return hal(_show_user(request, user, read_query(request)))


def _show_user(request: web.Request, user: Row, query: ListQuery) -> Row:
    world = request.app[WORLD]
    shown: Row = {name: user[name] for name in ("id", "name", "email", "lang", "rights")}
    shown |= {name: user[name] for name in ("uuid", "amojo_id", "user_rank", "phone_number") if query.wants(name)}
    group = world.groups.get(user["group_id"])
    return {
        **shown,
        "_links": link(request, f"/api/v4/users/{user['id']}"),
        "_embedded": {
            "roles": [],
            "groups": [{"id": group["id"], "name": group["name"]}] if group and query.wants("group") else [],
        },
    }


ROUTES: Final = [
    Route(
        "GET", "/api/v4/account", _account, "the account", fidelity="switch: customers, alpha_filter", query=("with",)
    ),
    Route("GET", "/api/v4/users", _users, "users; administrators only", query=("page", "limit", "with")),
    Route("GET", f"/api/v4/users/{ID}", _user, "one user; administrators only", query=("with",)),
]
