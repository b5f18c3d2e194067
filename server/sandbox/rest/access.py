"""Who asks, and what they may see and do.

A request of the API comes with an integration's Bearer token, with the page's session cookie, or with a user's API key:
all act as a user, and that user's rights decide. Letters: A everything, G the user's group, M the user's own,
D nothing.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Final, Literal

from aiohttp import web

from server.sandbox.faults import REVOKE_TOKEN
from server.sandbox.oauth.tokens import DeadToken, read_access, revoke_access
from server.sandbox.rest.answers import Problem
from server.sandbox.rest.limits import LIMITS
from server.sandbox.rest.query import whole
from server.sandbox.world import WORLD, Row, World

Action = Literal["view", "edit", "add", "delete", "export"]

COOKIE: Final = "session_id"


@dataclass(frozen=True, slots=True)
class Asker:
    """The user a request acts as, and the integration that carries it (None: the page itself, or an API key)."""

    user: Row
    client_id: str | None
    by_key: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the user administrates the account."""
        return bool(self.user["rights"]["is_admin"])


ASKER: Final = web.RequestKey("asker", Asker)


def enter(request: web.Request) -> None:
    """The API's door: find out who asks, and count the request. Raises `Problem` 401, 403 or 429."""
    asker = _by_token(request) if "Authorization" in request.headers else _by_key(request) or _by_cookie(request)
    world = request.app[WORLD]
    if asker.client_id is not None or asker.by_key or world.switches["limit_page"]:
        request.app[LIMITS].spend(_counted_as(request, asker))
    request[ASKER] = _in_context(request, asker)


def _counted_as(request: web.Request, asker: Asker) -> str:
    """Kommo counts requests by the caller's address, amoCRM by the integration."""
    if request.app[WORLD].switches["brand"] == "kommo":
        return str(request.remote)
    return asker.client_id or f"{'key' if asker.by_key else 'page'}:{asker.user['id']}"


def enter_page(request: web.Request) -> None:
    """The page's own door: the session cookie only. Raises `Problem` 401."""
    request[ASKER] = _by_cookie(request)


def asker(request: web.Request) -> Asker:
    """Who asks, once a door has let the request in."""
    return request[ASKER]


def admin(request: web.Request) -> Asker:
    """Who asks, who must be an administrator. Raises `Problem` 403."""
    found = asker(request)
    if not found.is_admin:
        raise Problem(403, "Forbidden")
    return found


def page_user(request: web.Request) -> Row | None:
    """The user signed in on the page, by the session cookie; None for a stranger."""
    world = request.app[WORLD]
    session = world.page_sessions.get(request.cookies.get(COOKIE))
    return None if session is None else world.users.get(session["user_id"])


def user_with_key(world: World, login: object, key: object) -> Row | None:
    """The user with this login and API key (`system().amohash`), as the first two generations of the API know users."""
    user = next((one for one in world.users if one["login"] == login and one["rights"]["is_active"]), None)
    known = str(user.get("api_key") or "") if user else ""
    return user if known and secrets.compare_digest(known.encode(), str(key).encode("utf-8", "replace")) else None


def sign_in(world: World, response: web.StreamResponse, user_id: int, *, by_key: bool = False) -> None:
    """Give the browser, or a client with an API key, a session of this user."""
    session = world.page_sessions.add({"id": secrets.token_urlsafe(24), "user_id": user_id, "by_key": by_key})
    response.set_cookie(COOKIE, str(session["id"]), httponly=True, samesite="Lax", path="/")


def may(user: Row, action: Action, entity_type: str, row: Row | None = None) -> bool:
    """Whether the user may do this with this row (with a new one of their own when None)."""
    rights = user["rights"]
    if rights["is_admin"]:
        return True
    letter = _letter(rights, action, entity_type, row)
    if letter == "D":
        return False
    if letter == "A" or row is None:
        return True
    own: bool = row.get("responsible_user_id") == user["id"]
    return own or bool(letter == "G" and row.get("group_id") == user["group_id"])


def _letter(rights: Row, action: Action, entity_type: str, row: Row | None) -> str:
    """Rights to customers are those to leads; rights to a status of leads go before the general ones."""
    if entity_type == "leads" and row is not None:
        for one in rights.get("status_rights") or []:
            if (one["pipeline_id"], one["status_id"]) == (row.get("pipeline_id"), row.get("status_id")):
                return str(one["rights"].get(action, "A"))
    noun = "leads" if entity_type == "customers" else entity_type
    return str(rights.get(noun, {}).get(action, "A"))


def require(request: web.Request, action: Action, entity_type: str, row: Row | None = None) -> None:
    """Raise `Problem` 403 unless the asker may."""
    if not may(asker(request).user, action, entity_type, row):
        raise Problem(403, "Forbidden")


def _by_token(request: web.Request) -> Asker:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(401, "Unauthorized")
    world = request.app[WORLD]
    try:
        grant, jti = read_access(world, token.strip())
    except DeadToken as exc:
        raise Problem(401, str(exc)) from exc
    if request.get(REVOKE_TOKEN):  # a fault was asked for: this token is dead from now on
        revoke_access(world, grant, jti)
        raise Problem(401, "Token has been revoked")
    user = world.users.get(grant["user_id"])
    if user is None:
        raise Problem(401, "Unauthorized")
    return Asker(user, grant["client_id"])


def _by_cookie(request: web.Request) -> Asker:
    user = page_user(request)
    if user is None:
        raise Problem(401, "Unauthorized")
    session = request.app[WORLD].page_sessions[request.cookies[COOKIE]]
    return Asker(user, None, by_key=bool(session.get("by_key")))


def _by_key(request: web.Request) -> Asker | None:
    """`USER_LOGIN` and `USER_HASH` in the query of every request: how clients that keep no cookies sign in."""
    query = request.query
    login, key = query.get("USER_LOGIN", query.get("login")), query.get("USER_HASH", query.get("api_key"))
    if login is None or key is None:
        return None
    user = user_with_key(request.app[WORLD], login, key)
    if user is None:
        raise Problem(401, "Unauthorized")
    return Asker(user, None, by_key=True)


def _in_context(request: web.Request, found: Asker) -> Asker:
    """`X-Context-User-ID`: an administrator's token acting with another user's rights."""
    wanted = request.headers.get("X-Context-User-ID")
    if wanted is None:
        return found
    user = request.app[WORLD].users.get(whole(wanted))
    if not found.is_admin or user is None or user["rights"]["is_free"] or not user["rights"]["is_active"]:
        raise Problem(401, "Unauthorized")
    return replace(found, user=user)
