"""Where players knock: a recording behind a signed link, in whole or by range."""

from aiohttp import web

from .desk import DESK

routes = web.RouteTableDef()


@routes.get("/r/{token}")
async def listen(request: web.Request) -> web.Response:
    """The audio. Ranges are served, or players could not seek."""
    answer = await request.app[DESK].recordings.open(request.match_info["token"])
    kind = answer.headers.get("Content-Type", "audio/mpeg")
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600", "Content-Type": kind}
    body, span = answer.body, request.http_range
    if span.start is None and span.stop is None:
        return web.Response(body=body, headers=headers)
    start, stop, _ = span.indices(len(body))
    if start >= stop:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
    return web.Response(status=206, body=body[start:stop], headers=headers)
