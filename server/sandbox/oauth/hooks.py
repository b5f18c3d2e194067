"""amoCRM's own calls to an integration: the install hook and the disable hook."""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from server.sandbox.oauth.tokens import end_grants, issue_code
from server.sandbox.world import Row, World

_TIMEOUT: Final = ClientTimeout(total=3)  # documented; the answer's status is ignored and nothing is ever repeated


async def call_install_hook(world: World, client: ClientSession, integration: Row, *, user_id: int) -> int | None:
    """Tell the integration that its widget was switched on, with a code of its own; the answer's status, or None."""
    code = issue_code(world, client_id=integration["id"], user_id=user_id)
    query = {"code": code, "referer": urlsplit(world.origin).netloc, "from_widget": "1"}
    if world.switches["install_hook_platform"]:
        query["platform"] = platform(world)
    return await _call(world, client, "install", URL(integration["redirect_uri"]).update_query(query))


async def call_disable_hook(world: World, client: ClientSession, integration: Row) -> int | None:
    """Kill the integration's tokens and tell it so, when it has given an address for that."""
    end_grants(world, integration["id"])
    if not integration["disable_hook"]:
        return None
    query = {
        "account_id": str(world.account["id"]),
        world.switches["disable_hook_parameter"]: integration["id"],
        "signature": disable_signature(integration["secret"], integration["id"], world.account["id"]),
    }
    return await _call(world, client, "disable", URL(integration["disable_hook"]).update_query(query))


def disable_signature(secret: str, client_id: str, account_id: int) -> str:
    """The proof in the disable hook, hex."""
    return hmac.new(secret.encode(), f"{client_id}|{account_id}".encode(), hashlib.sha256).hexdigest()


def platform(world: World) -> str:
    """Which of the two sister platforms speaks."""
    return "1" if world.switches["brand"] == "amocrm" else "2"


async def _call(world: World, client: ClientSession, event: str, url: URL) -> int | None:
    status: int | None = None
    if world.faults.plan("amocrm", url.path):
        try:
            async with client.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
                status = answer.status
        except (ClientError, TimeoutError, OSError, ValueError):
            status = None
    world.log.note("webhook", event=event, url=str(url.with_query(None)), status=status, attempt=0)
    return status
