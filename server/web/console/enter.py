"""The way into the console and out of it. A form of amoCRM's page brings the ticket; no address ever holds it."""

from pathlib import Path

from aiohttp import web
from msgspec import structs

from server.core.errors import TicketInvalid
from server.core.session import Visit
from server.services.visits import VISIT_S

from ..desk import DESK
from ..guard import admin, answer
from .frame import COOKIE, closed, moved, visited
from .words import TEXTS, Words

routes = web.RouteTableDef()

STYLE = (Path(__file__).parent / "pages" / "style.css").read_text("utf-8")


@routes.post("/api/console")
async def ticket(request: web.Request) -> web.Response:
    """A ticket for the form that opens the console."""
    one, desk = admin(request), request.app[DESK]
    return answer({"ticket": desk.visits.ticket(one), "url": f"{desk.public_url}/console/enter"})


@routes.post("/console/enter")
async def enter(request: web.Request) -> web.StreamResponse:
    """Trade the ticket of a form for the cookie."""
    desk, form = request.app[DESK], await request.post()
    try:
        cookie = await desk.visits.enter(
            str(form.get("ticket", "")), language=str(form.get("language", "")), zone=str(form.get("zone", ""))
        )
    except TicketInvalid:
        return closed(request)
    return _with_cookie("/console", cookie)


@routes.post("/console/language")
@visited
async def turn(request: web.Request, visit: Visit, words: Words) -> web.StreamResponse:
    """The other language."""
    other = next(language for language in TEXTS if language != words.language)
    cookie = request.app[DESK].visits.sign(structs.replace(visit, language=other))
    form = await request.post()
    back = str(form.get("back", ""))
    return _with_cookie(back if back.startswith("/console") else "/console", cookie)


@routes.post("/console/leave")
@visited
async def leave(request: web.Request, _: Visit, __: Words) -> web.StreamResponse:
    """The cookie goes."""
    response = closed(request)
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return response


@routes.get("/console/style.css")
async def style(_: web.Request) -> web.Response:
    """The pages' style."""
    return web.Response(text=STYLE, content_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


def _with_cookie(path: str, cookie: str) -> web.Response:
    response = moved(path)
    # Lax: the visit begins with a form of amoCRM's page, and Strict would withhold the cookie from what follows it.
    response.set_cookie(COOKIE, cookie, max_age=VISIT_S, path="/", secure=True, httponly=True, samesite="Lax")
    return response
