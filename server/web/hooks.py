"""Where PBXs knock: any method and tail under a line's secret address; the codec knows what they mean."""

import time

from aiohttp import hdrs, web

from server.core.errors import TooLarge
from server.core.ports import Hook

from .desk import DESK
from .metrics import HOOKS

routes = web.RouteTableDef()


@routes.route("*", "/hooks/{provider}/{path:[A-Za-z0-9_-]+}{tail:(/.*)?}")
async def take(request: web.Request) -> web.Response:
    """Take a webhook: verified, stored, answered in its vendor's manner."""
    provider, path = request.match_info["provider"], request.match_info["path"]
    intake = request.app[DESK].intake
    try:
        reply = await intake.take(provider, path, await _hook(request))
    except web.HTTPRequestEntityTooLarge:
        reply = intake.refuse(provider, TooLarge())
    HOOKS.labels(provider, str(reply.status)).inc()
    return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)


async def _hook(request: web.Request) -> Hook:
    return Hook(
        method=request.method,
        tail=_text(request.match_info["tail"]).strip("/"),
        query=request.rel_url.raw_query_string,
        content_type=_text(request.headers.get(hdrs.CONTENT_TYPE, "")),
        body=await request.read(),
        received_ms=time.time_ns() // 1_000_000,
    )


def _text(told: str) -> str:
    """Without the bytes that are no text: aiohttp passes them on as surrogates, and no database takes those."""
    return told.encode("utf-8", "replace").decode()
