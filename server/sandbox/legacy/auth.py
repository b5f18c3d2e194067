"""`/private/api/auth.php`: a session for a user's login and API key, as clients of the first two generations open it.

Answers in XML, in JSON with `?type=json` (in the address only: a client that writes it into the body expects XML).
"""

from typing import Any, Final

from aiohttp import web

from server.sandbox.legacy.envelope import REFUSED, respond
from server.sandbox.rest.access import page_user, sign_in, user_with_key
from server.sandbox.rest.bodies import read_object
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_WRONG: Final = "Неверный логин или пароль"
_NOBODY: Final = 110  # amoCRM's number for a wrong login or key


async def _auth(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    asked = {**request.query, **(await read_object(request) if await request.read() else {})}
    has_key = "USER_LOGIN" in asked or "USER_HASH" in asked
    user = user_with_key(world, asked.get("USER_LOGIN"), asked.get("USER_HASH")) if has_key else page_user(request)
    answer = _answer(request, _told(world, user) if user else _refusal(request, world), 200 if user else 401)
    if user and has_key:
        sign_in(world, answer, user["id"], by_key=True)
    return answer


def _told(world: World, user: Row) -> Row:
    account = {name: world.account[name] for name in ("id", "name", "subdomain")}
    place = {"language": "ru", "timezone": world.account["datetime_settings"]["timezone"]}
    return {"auth": True, "accounts": [{**account, **place}], "user": {"id": user["id"], "language": user["lang"]}}


def _refusal(request: web.Request, world: World) -> Row:
    domain = f"{world.account['subdomain']}.amocrm.ru"
    return {"auth": False, "ip": request.remote, "domain": domain, "error": _WRONG, "error_code": str(_NOBODY)}


def _answer(request: web.Request, told: Row, status: int) -> web.Response:
    if request.query.get("type") == "json":
        return respond(request, told, status)
    members: dict[str, Any] = {"auth": str(told["auth"]).lower()}
    members |= {name: told[name] for name in REFUSED if name in told}
    lines = "".join(f"\t<{name}>{value}</{name}>\n" for name, value in members.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<response>\n{lines}</response>\n'
    return web.Response(text=text, status=status, content_type="text/xml")


_PATH: Final = "/private/api/auth.php"
ROUTES: Final = [
    Route("POST", _PATH, _auth, "a session for USER_LOGIN and USER_HASH", door="open", query=("type",), body="form"),
    Route("GET", _PATH, _auth, "the same, or whether a session lives", door="open", query=("type",)),
]
