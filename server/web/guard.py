"""Who may come in, and how errors leave: CORS, bearers, the one error shape. It knows no route."""

from typing import Any, TypeVar

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.core.errors import AdminOnly, BearerInvalid, CallerError, KommutatorError, NotFound, OwnError, TooLarge
from server.core.session import Pass

from .desk import DESK

log = structlog.get_logger()

T = TypeVar("T")

MOST_BODY_BYTES = 256 * 1024
"""No webhook or request of ours is a tenth of it."""

API = "/api/"
SOCKET = "/api/socket"
SHARED = (API, "/healthz")
"""What pages of amoCRM may ask from another origin."""

ALLOWED_HEADERS = "Authorization, Content-Type, X-Auth-Token"
ALLOWED_METHODS = "GET, POST, PUT, DELETE, OPTIONS"
PREFLIGHT_S = "7200"  # what Chromium keeps at most

KEPT = frozenset({hdrs.ALLOW, hdrs.UPGRADE, hdrs.SEC_WEBSOCKET_VERSION})
"""What an error's headers say about how to ask rightly."""

_encode = msgspec.json.Encoder().encode


def answer(value: Any, *, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(value), status=status, content_type="application/json")


def refusal(error: KommutatorError) -> web.Response:
    """The one error shape."""
    return answer({"error": error.as_dict()}, status=error.status)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors of the house become answers; what nobody foresaw is logged and becomes a fault of ours."""
    try:
        return await handler(request)
    except KommutatorError as exc:
        if isinstance(exc, OwnError):
            log.exception("own_fault", slug=exc.slug)
        return refusal(exc)
    except web.HTTPRequestEntityTooLarge:
        return refusal(TooLarge())
    except web.HTTPException as exc:
        return _reshaped(exc)
    except Exception:
        log.exception("unforeseen", method=request.method, route=_route(request))
        return refusal(OwnError())


def _reshaped(exc: web.HTTPException) -> web.Response:
    """An error of the web library's own (no such route, method, handshake) in the one shape, its headers kept."""
    error = NotFound("There is nothing at this address.") if exc.status == 404 else CallerError(exc.text or exc.reason)
    response = answer({"error": error.as_dict()}, status=exc.status)
    response.headers.update({name: value for name, value in exc.headers.items() if name in KEPT})
    return response


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pages of amoCRM, and only they, may read our answers."""
    if not request.path.startswith(SHARED):
        return await handler(request)
    origin = request.headers.get(hdrs.ORIGIN, "")
    is_ours = request.app[DESK].trust.is_origin(origin)
    if request.method == hdrs.METH_OPTIONS:
        response: web.StreamResponse = web.Response(status=204 if is_ours else 403)
    else:
        response = await handler(request)
    if is_ours and request.path != SOCKET:
        response.headers.update(_allowance(origin))
    return response


def _allowance(origin: str) -> dict[str, str]:
    return {
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
        hdrs.VARY: hdrs.ORIGIN,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ALLOWED_HEADERS,
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: ALLOWED_METHODS,
        hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_S,
    }


def who(request: web.Request) -> Pass:
    """Whose request it is. Raises BearerInvalid, AccountUnknown."""
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise BearerInvalid
    desk = request.app[DESK]
    one = desk.sessions.bearer(bearer.strip())
    desk.accounts.get(one.account_id)
    return one


def admin(request: web.Request) -> Pass:
    """Whose request it is, if he is an administrator. Raises BearerInvalid, AdminOnly."""
    one = who(request)
    if not one.is_admin:
        raise AdminOnly
    return one


async def body(request: web.Request, kind: type[T]) -> T:
    """The request's JSON as a value. Raises CallerError, TooLarge."""
    raw = await request.read()
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise CallerError(f"The request's body is not understood: {exc}") from exc


def _route(request: web.Request) -> str:
    """The route's pattern: the path itself may hold a secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
