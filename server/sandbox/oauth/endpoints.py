"""OAuth over HTTP: the token endpoint, the consent page, the account's address, one-time tokens of the page."""

from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, select_autoescape
from yarl import URL

from server.sandbox import integrations
from server.sandbox.oauth import tokens
from server.sandbox.oauth.hooks import platform
from server.sandbox.rest.access import asker, page_user, sign_in
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_any, read_object
from server.sandbox.rest.query import whole
from server.sandbox.routes import Route
from server.sandbox.world import WORLD, Row, World

_PAGES: Final = Environment(
    loader=PackageLoader("server.sandbox.oauth", "."), autoescape=select_autoescape(default_for_string=True)
)
_PROBLEM: Final = "https://developers.amocrm.ru/v3/errors/OAuthProblem"


class Refused(Problem):
    """A refusal of the token endpoint: `hint` is what clients print."""

    def __init__(self, status: int, hint: str) -> None:
        super().__init__(status, hint)
        title = "Некорректный запрос" if status == 400 else "Unauthorized"
        self.body = {"hint": hint, "title": title, "type": _PROBLEM, "status": status, "detail": hint}


async def _access_token(request: web.Request) -> web.StreamResponse:
    world, body = request.app[WORLD], await read_any(request)
    if not isinstance(body, dict):
        raise Refused(400, "Request body must be an object")
    integration = _client(world, body)
    try:
        grant = _grant(world, integration, body)
    except tokens.DeadToken as exc:
        raise Refused(world.switches["dead_code_status"], str(exc)) from exc
    return plain(tokens.token_answer(world, grant), headers={"Cache-Control": "no-store"})


def _client(world: World, body: Row) -> Row:
    integration = world.integrations.get(str(body.get("client_id")))
    if integration is None or integration["secret"] != body.get("client_secret"):
        raise Refused(401, "Client authentication failed")
    if not integration["enabled"]:
        raise Refused(401, "The integration is disabled in this account")
    if integration["redirect_uri"] != body.get("redirect_uri"):
        raise Refused(400, "redirect_uri does not match the integration's")
    return integration


def _grant(world: World, integration: Row, body: Row) -> Row:
    kind = body.get("grant_type")
    if kind == "authorization_code":
        return tokens.redeem_code(world, str(body.get("code")), integration["id"])
    if kind == "refresh_token":
        return tokens.redeem_refresh(world, str(body.get("refresh_token") or ""), integration["id"])
    raise Refused(400, "grant_type is authorization_code or refresh_token")


async def _subdomain(request: web.Request) -> web.StreamResponse:
    """The account's present address, for a client whose tokens stopped working after a rename."""
    world = request.app[WORLD]
    token = request.headers.get("X-Refresh-Token", "")
    if not token or not world.grants.where(refresh_token=token, alive=True):
        raise Problem(401, "Unauthorized")
    return _address(world)


async def _old_subdomain(request: web.Request) -> web.StreamResponse:
    """The same by an access token, as it was before."""
    return _address(request.app[WORLD])


async def _owner(request: web.Request) -> web.StreamResponse:
    """Whose token it is, for OAuth libraries that ask every service for that."""
    user = asker(request).user
    return plain({"id": user["id"], "name": user["name"], "last_name": None, "email": user["email"]})


def _address(world: World) -> web.Response:
    domain = urlsplit(world.origin).netloc
    top = "ru" if world.switches["brand"] == "amocrm" else "com"
    account = world.account
    return plain({"id": account["id"], "subdomain": account["subdomain"], "domain": domain, "top_level_domain": top})


async def _consent(request: web.Request) -> web.StreamResponse:
    integration = _asked_integration(request.app[WORLD], request.query.get("client_id"))
    return _consent_page(request, integration, page_user(request))


def _consent_page(request: web.Request, integration: Row, user: Row | None) -> web.Response:
    world = request.app[WORLD]
    page = _PAGES.get_template("consent.html.jinja").render(
        account=world.account,
        integration=integration,
        users=list(world.users),
        user=user,
        state=request.query.get("state", ""),
        mode=request.query.get("mode", ""),
    )
    return web.Response(text=page, content_type="text/html")


async def _decide(request: web.Request) -> web.StreamResponse:
    world, form = request.app[WORLD], await read_object(request)
    integration = _asked_integration(world, form.get("client_id"))
    user = world.users.get(whole(form.get("user"))) or page_user(request)
    url = _redirect(world, integration, user=user, form=form)
    if form.get("mode") == "popup":
        page = _PAGES.get_template("popup.html.jinja").render(url=str(url))
        answer: web.StreamResponse = web.Response(text=page, content_type="text/html")
    else:
        answer = web.Response(status=302, headers={"Location": str(url)})
    if user is not None:
        sign_in(world, answer, user["id"])
    return answer


def _redirect(world: World, integration: Row, *, user: Row | None, form: dict[str, Any]) -> URL:
    """Where the browser goes after the decision."""
    target = URL(integration["redirect_uri"])
    state = {"state": str(form["state"])} if form.get("state") else {}
    if form.get("decision") != "allow":
        return target.update_query({"error": "access_denied", **state})
    if user is None or not user["rights"]["is_admin"]:  # the first consent must be an administrator's
        raise Problem(403, "Only an administrator can give access")
    query = {
        "code": tokens.issue_code(world, client_id=integration["id"], user_id=user["id"]),
        "referer": urlsplit(world.origin).netloc,
        "platform": platform(world),
        **state,
    }
    if world.switches["redirect_client_id"]:
        query["client_id"] = integration["id"]
    return target.update_query(query)


def _asked_integration(world: World, client_id: object) -> Row:
    integration = world.integrations.get(str(client_id))
    if integration is None or not integration["redirect_uri"]:
        raise Problem(404, "No such integration")
    return integration


async def _one_time_token(request: web.Request) -> web.StreamResponse:
    """What the page's `$authorizedAjax` puts into X-Auth-Token."""
    world, body = request.app[WORLD], await read_object(request)
    code = body.get("code")
    integration = integrations.of_widget(world, str(code) if code else None)
    if integration is None:
        raise Problem(404, "No such widget")
    return plain({"token": tokens.one_time_token(world, asker(request).user, integration)})


ROUTES: Final = [
    Route(
        "POST",
        "/oauth2/access_token",
        _access_token,
        "code or refresh token to tokens",
        door="open",
        fidelity="switch: access_token_life_s, code_life_s, dead_code_status",
        body="object",
    ),
    Route("GET", "/oauth2/account/current/subdomain", _subdomain, "the account's present address", door="open"),
    Route("GET", "/oauth2/account/subdomain", _old_subdomain, "the same by an access token; obsolete"),
    Route("GET", "/v3/user", _owner, "whose token it is"),
    Route(
        "GET",
        "/oauth",
        _consent,
        "consent page",
        door="open",
        query=("client_id", "state", "mode"),
        or_slash=True,
    ),
    Route(
        "POST",
        "/oauth",
        _decide,
        "the decision on the consent page",
        door="open",
        fidelity="switch: redirect_client_id",
        body="form",
        or_slash=True,
    ),
    Route(
        "POST",
        "/ajax/one-time-token",
        _one_time_token,
        "token of $authorizedAjax",
        door="page",
        fidelity="switch: one_time_token, one_time_token_life_s",
        body="object",
    ),
]
