"""For operators and their tools."""

from aiohttp import web

from . import metrics
from .desk import DESK
from .guard import answer

routes = web.RouteTableDef()


@routes.get("/healthz")
async def alive(_: web.Request) -> web.Response:
    """The process lives."""
    return answer({"ok": True, "name": "kommutator"})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """The database answers and the lines are loaded."""
    is_ready = await request.app[DESK].is_ready()
    return answer({"ok": is_ready}, status=200 if is_ready else 503)


@routes.get("/metrics")
async def numbers(request: web.Request) -> web.Response:
    """Prometheus."""
    metrics.AGENTS.set(request.app[DESK].agents.count)
    body, kind = metrics.render()
    return web.Response(body=body, headers={"Content-Type": kind})
