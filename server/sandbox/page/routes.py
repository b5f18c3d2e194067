"""Every address of the host page, in amoCRM's places."""

from typing import Any, Final

from aiohttp import web

from server.sandbox.log import KINDS
from server.sandbox.page import cards, lists, merging, multiactions, notices, proxy, shell, socket, vendor, widget_list
from server.sandbox.rest.access import asker
from server.sandbox.rest.answers import Problem, plain
from server.sandbox.rest.bodies import read_json
from server.sandbox.routes import Route, add_routes
from server.sandbox.world import WORLD

_STATIC: Final = shell.HERE / "static"
_TRACED: Final = 500  # entries in one request of a page
_ENTITY: Final = "{entity:contacts|companies|leads|customers}"
_MERGED: Final = "{entity:contacts|companies|leads}"
_LISTED: Final = "{entity:contacts|companies|leads|customers|todo}"


async def trace(request: web.Request) -> web.StreamResponse:
    """What a page saw: callbacks, errors, notification payloads; they join `GET /sandbox/log`."""
    entries, world = await read_json(request), request.app[WORLD]
    if not isinstance(entries, list) or len(entries) > _TRACED:
        raise Problem(400, f"a list of at most {_TRACED} entries is expected")
    user_id = asker(request).user["id"]
    for entry in entries:
        if isinstance(entry, dict) and entry.get("kind") in KINDS:
            facts = {name: value for name, value in entry.items() if name not in ("kind", "at", "user_id")}
            world.log.note(entry["kind"], **{"seen_at": entry.get("at"), "user_id": user_id, **facts})
    return plain({"kept": len(entries)})


async def static(request: web.Request) -> web.StreamResponse:
    """The page's own scripts, style sheets and images."""
    file = (_STATIC / request.match_info["name"]).resolve()
    if not file.is_relative_to(_STATIC) or not file.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(file, headers={"Cache-Control": "no-cache"})


async def control(request: web.Request) -> web.StreamResponse:
    """A control template as a file, for those who fetch it."""
    source = shell.controls().get(shell.CONTROLS + request.match_info["name"])
    if source is None:
        raise web.HTTPNotFound
    return web.Response(text=source, content_type="text/plain")


async def ping(request: web.Request) -> web.StreamResponse:
    """The keep-alive of the page."""
    return plain({"status": "ok", "user_id": asker(request).user["id"]})


async def home(request: web.Request) -> web.StreamResponse:
    """The root leads to the desk."""
    raise web.HTTPFound(request.rel_url.with_path("/dashboard/"))


def attach(app: web.Application) -> None:
    """Put the page into amoCRM's application: its routes, its way out for `crm_post`, its version headers."""
    add_routes(app, ROUTES)
    app[multiactions.JOBS] = {}
    app.cleanup_ctx.append(proxy.lifetime)
    app.on_response_prepare.append(_add_versions)


async def _add_versions(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer names the release of the host it comes from."""
    response.headers.update(shell.versions(request.app[WORLD]))


def _page(path: str, summary: str) -> Route:
    return Route("GET", path, shell.page, summary, door="open")


def _own(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, path, handler, summary, door="page", fidelity="the sandbox's own")


# Clients that hold a token ask these addresses of the page too, with and without a slash at the end.
_FRONT: Final = [
    Route(method, path + slash, handler, summary, body="form" if method == "POST" else None)
    for method, path, handler, summary in (
        ("POST", "/ajax/v1/multiactions/set", multiactions.act, "delete many"),
        ("GET", "/ajax/v1/multiactions/status", multiactions.status, "whether a job is done"),
        ("POST", f"/ajax/merge/{_MERGED}/info", merging.info, "values of duplicates side by side"),
        ("POST", f"/ajax/merge/{_MERGED}/save", merging.save, "merge duplicates into one of them"),
        ("GET", f"/ajax/{_ENTITY}/list", lists.front, "rows and count of a list"),
        ("POST", f"/ajax/{_ENTITY}/list", lists.front, "rows and count of a list"),
        (
            "GET",
            "/ajax/{entity:contacts}/list/{kind:contacts|companies|all}",
            lists.front,
            "persons, companies or both",
        ),
        ("POST", "/ajax/{entity:contacts}/list/{kind:contacts|companies|all}", lists.front, "persons, companies, both"),
    )
    for slash in ("", "/")
]

ROUTES: Final = [
    Route("GET", "/", home, "leads to the desk", door="open"),
    _page("/dashboard/", "the desk"),
    _page(f"/{_ENTITY}/detail/{{id:\\d+}}", "a card"),
    _page(f"/{_ENTITY}/detail/{{id:\\d+}}/", "a card"),
    _page(f"/{_ENTITY}/add/", "a new card; `phone` is filled in"),
    _page(f"/{_ENTITY}/add", "a new card; `phone` is filled in"),
    _page(f"/{_LISTED}/", "a list"),
    _page(f"/{_LISTED}/{{rest:list.*}}", "a list; `term` searches"),
    _page("/leads/{rest:pipeline.*}", "the board of deals"),
    _page("/todo/{rest:(?:line|calendar).*}", "tasks"),
    _page("/leads/{rest:trash.*}", "a page for widgets alone"),
    _page("/customers/{rest:pipeline.*}", "a page for widgets alone"),
    _page("/{rest:(?:stats|events|catalogs)(?:/.*)?}", "a page for widgets alone"),
    _page("/mail/{rest:.*}", "a new letter"),
    _page("/settings/{rest:.*}", "integrations, pay, widgets' own settings pages"),
    _page("/widget_page/{rest:.*}", "a widget's page in the left menu"),
    Route("POST", "/ajax/widgets/list", widget_list.listed, "widgets of an area", door="page", body="form"),
    Route(
        "POST", "/ajax/widgets/edit", widget_list.edited, "install, edit, disable a widget", door="page", body="object"
    ),
    *_FRONT,
    Route("POST", "/v3/inbox/delete", notices.deleted, "close notifications", door="page", body="object"),
    Route(
        "POST",
        "/private/widget/proxy.php",
        proxy.forward,
        "crm_post",
        door="page",
        fidelity="switch: proxy_body",
        body="form",
    ),
    Route("GET", "/private/ajax/search.php", lists.suggest, "rows for a suggest", door="page", query=("q", "type")),
    Route("GET", "/private/ping.php", ping, "keep-alive", door="page"),
    Route("GET", "/upl/{code}/widget/{name:.+}", widget_list.file, "files of a widget", door="open"),
    Route("GET", "/widgets/{code}/{name:.+}", widget_list.file, "files of a widget, the old address", door="open"),
    Route("GET", f"{shell.CONTROLS}{{name}}", control, "control templates", door="open"),
    Route("GET", "/frontend/js/vendor/{name:.+}.js", vendor.serve, "vendor modules", door="open"),
    Route("GET", "/frontend/{name:.+}", static, "scripts, styles and images of the page", door="open"),
    _own("GET", f"/ajax/page/card/{_ENTITY}/{{id:\\d+}}", cards.card, "what a card shows"),
    _own("GET", f"/ajax/page/list/{_LISTED}", lists.page, "what a list shows"),
    _own("GET", "/ajax/page/pipeline", lists.board, "the board of deals"),
    _own("GET", "/ajax/page/dashboard", lists.desk, "the desk's numbers"),
    _own("GET", "/ajax/page/notifications", notices.listed, "the user's notifications"),
    _own("POST", "/ajax/page/notifications", notices.added, "add_call and add_error"),
    _own("POST", "/ajax/page/trace", trace, "what the page saw"),
    _own("GET", "/ajax/page/socket", socket.serve, "channels of the page"),
]
