"""Whom the page works as, and tokens for a tester without clicking."""

from typing import Final

from aiohttp import web

from server.sandbox import integrations
from server.sandbox.oauth.tokens import issue_code, long_lived_token, one_time_token
from server.sandbox.page.shell import LANGS
from server.sandbox.rest.access import sign_in
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_any
from server.sandbox.rest.query import whole
from server.sandbox.routes import Route
from server.sandbox.widgets.installed import first_admin
from server.sandbox.world import WORLD, Row, World

_OWN: Final = "the sandbox's own"
_MOST_DAYS: Final = 5 * 365


async def _login(request: web.Request) -> web.StreamResponse:
    """Sign the browser in and go on: `?user=` is an id, a login or an extension, `?next=` a path.

    `?lang=ru|en` is the language that the user chose in the profile, from now on.
    """
    world = request.app[WORLD]
    user = _user(world, request.query.get("user", ""))
    if (lang := request.query.get("lang", user["lang"])) not in LANGS:
        raise Problem(400, f"lang is one of {', '.join(LANGS)}")
    if lang != user["lang"]:
        world.users.put({**user, "lang": lang})
    after = request.query.get("next", "/dashboard/")
    is_path = after.startswith("/") and not after.startswith("//")
    answer = web.Response(status=302, headers={"Location": after if is_path else "/dashboard/"})
    sign_in(world, answer, user["id"])
    return answer


async def _code(request: web.Request) -> web.StreamResponse:
    """A fresh authorization code of the main integration, or of a widget's."""
    world, asked = request.app[WORLD], await _asked(request)
    user = _user(world, asked["user"]) if asked.get("user") else first_admin(world)
    integration = _integration(world, asked.get("code"))
    return plain({"code": issue_code(world, client_id=integration["id"], user_id=user["id"])})


async def _long_lived(request: web.Request) -> web.StreamResponse:
    """An access token of `days` (a year unless told), as an administrator makes it in the integration's window."""
    world, asked = request.app[WORLD], await _asked(request)
    user = _user(world, asked["user"]) if asked.get("user") else first_admin(world)
    days = whole(asked.get("days", 365))
    if days is None or not 1 <= days <= _MOST_DAYS:
        raise Problem(400, f"days is a number from 1 to {_MOST_DAYS}")
    client_id, life_s = _integration(world, asked.get("code"))["id"], days * 86400
    token = long_lived_token(world, client_id=client_id, user_id=user["id"], life_s=life_s)
    return plain({"access_token": token, "expires_in": life_s})


async def _one_time(request: web.Request) -> web.StreamResponse:
    """The token that `$authorizedAjax` of this user's page would send."""
    world, asked = request.app[WORLD], await _asked(request)
    user = _user(world, asked.get("user", ""))
    return plain({"token": one_time_token(world, user, _integration(world, asked.get("code")))})


async def _api_key(request: web.Request) -> web.StreamResponse:
    """What clients of the earlier APIs sign in with; the page has it as `system().amohash`."""
    user = _user(request.app[WORLD], (await _asked(request)).get("user", ""))
    return plain({"login": user["login"], "key": user.get("api_key", "")})


async def _asked(request: web.Request) -> Row:
    body = await read_any(request)
    return body if isinstance(body, dict) else {}


def _user(world: World, text: object) -> Row:
    user = world.user_named(str(text))
    if user is None:
        raise Problem(404, f"there is no user {text!s:.40}")
    return user


def _integration(world: World, code: object) -> Row:
    integration = integrations.of_widget(world, str(code) if code else None)
    if integration is None:
        raise Problem(404, f"there is no widget {code!s:.40}")
    return integration


ROUTES: Final = [
    Route(
        "GET",
        "/sandbox/login",
        _login,
        "sign the browser in",
        door="open",
        fidelity=_OWN,
        query=("user", "next", "lang"),
    ),
    Route(
        "POST", "/sandbox/oauth/code", _code, "a fresh authorization code", door="open", fidelity=_OWN, body="object"
    ),
    Route(
        "POST",
        "/sandbox/oauth/long-lived-token",
        _long_lived,
        "an access token of a day to five years",
        door="open",
        fidelity=_OWN,
        body="object",
    ),
    Route("POST", "/sandbox/one-time-token", _one_time, "a one-time token", door="open", fidelity=_OWN, body="object"),
    Route(
        "POST", "/sandbox/api-key", _api_key, "a user's login and API key", door="open", fidelity=_OWN, body="object"
    ),
]
