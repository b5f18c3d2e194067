"""Where players knock: a recording behind a signed link, in whole or by range."""

from collections.abc import Mapping

from aiohttp import hdrs, web
from multidict import CIMultiDict

from .desk import DESK

routes = web.RouteTableDef()


@routes.get("/r/{token}")
async def listen(request: web.Request) -> web.Response:
    """The audio. Ranges are served, or players could not seek."""
    answer = await request.app[DESK].recordings.open(request.match_info["token"])
    headers = {
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CACHE_CONTROL: "private, max-age=3600",
        hdrs.CONTENT_TYPE: _kind(answer.headers),
        "X-Content-Type-Options": "nosniff",
    }
    body = answer.body
    try:
        span = request.http_range
    except ValueError:
        return _unsatisfied(headers, body)
    if span.start is None and span.stop is None:
        return web.Response(body=body, headers=headers)
    start, stop, _ = span.indices(len(body))
    if start >= stop:
        return _unsatisfied(headers, body)
    headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{len(body)}"
    return web.Response(status=206, body=body[start:stop], headers=headers)


def _unsatisfied(headers: Mapping[str, str], body: bytes) -> web.Response:
    return web.Response(status=416, headers={**headers, hdrs.CONTENT_RANGE: f"bytes */{len(body)}"})


def _kind(headers: Mapping[str, str]) -> str:
    """What the PBX says it is, if that is audio: nothing else may be opened as a page under our name."""
    told = CIMultiDict(headers).get(hdrs.CONTENT_TYPE, "")
    return told if told.startswith("audio/") else "audio/mpeg"
