"""The account, as strict clients check it member by member."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import hal, link
from server.sandbox.rest.customer_settings import mode_of
from server.sandbox.rest.query import read_query
from server.sandbox.routes import Route
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
_WITH_TOP: Final = ("amojo_id", "uuid", "version", "drive_url", "invoices_settings")


async def _account(request: web.Request) -> web.StreamResponse:
    world, query = request.app[WORLD], read_query(request)
    body: Row = {name: world.account[name] for name in _ALWAYS}
    body["current_user_id"] = asker(request).user["id"]
    body["customers_mode"] = mode_of(world)
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
        "entity_names": world.account["entity_names"],
        "datetime_settings": world.account["datetime_settings"],
    }


ROUTES: Final = [
    Route(
        "GET", "/api/v4/account", _account, "the account", fidelity="switch: customers, alpha_filter", query=("with",)
    ),
]
