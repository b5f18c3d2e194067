"""Where players knock: a recording behind a signed link, in whole or by range. Links are secrets: none is ever logged.

A person who follows a link that does not play yet, or any more, reads a page; a program gets the one error shape.
"""

import re

import structlog
from aiohttp import hdrs, web

from server.core.errors import KommutatorError, OwnError
from server.services.playing import WHOLE, Found, Sound, Span

from .desk import DESK
from .guard import admin, answer, refusal
from .sorry import page

routes = web.RouteTableDef()
log = structlog.get_logger()

NOWHERE = Span(1 << 53)
"""A part that no file has: for a range that cannot be read."""

LAST_NONE = re.compile(r"bytes=-0*$")

RETRY_S = "30"
"""When a recording that is not ready, or a PBX that does not answer, is worth another try."""


@routes.get("/r/{token}")
async def listen(request: web.Request) -> web.StreamResponse:
    """The audio (also HEAD). Ranges are served, or players could not seek."""
    try:
        return await _listen(request)
    except KommutatorError as exc:
        if isinstance(exc, OwnError):
            log.exception("own_fault", slug=exc.slug)
        response = page(exc) if "text/html" in request.headers.get(hdrs.ACCEPT, "") else refusal(exc)
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        if exc.temporary:
            response.headers[hdrs.RETRY_AFTER] = RETRY_S
        return response


@routes.post("/api/calls/{id}/recording/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Withdraw a call's recordings: no link opens them any more."""
    one = admin(request)
    revoked = await request.app[DESK].revoke(one.account_id, one.user_id, request.match_info["id"])
    return answer({"revoked": revoked})


async def _listen(request: web.Request) -> web.StreamResponse:
    playing = request.app[DESK].playing
    found = await playing.find(request.match_info["token"])
    headers = _headers(found)
    if f'"{found.etag}"' in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=headers)
    span = _span(request, found)
    async with playing.open(found, span or WHOLE) as sound:
        response = _begin(sound, headers, is_part=span is not None)
        is_heard = request.method == hdrs.METH_GET and response.status != 416
        if is_heard and sound.start == 0:  # a player that seeks asks again from elsewhere
            await playing.heard(found)
        await response.prepare(request)
        if is_heard:
            await _give(request, response, sound)
    return response


async def _give(request: web.Request, response: web.StreamResponse, sound: Sound) -> None:
    """Send the audio. What breaks off now cannot be said any more: the connection is cut, so that the player knows."""
    try:
        async for piece in sound.pieces:
            await response.write(piece)
        await response.write_eof()
    except KommutatorError as exc:
        log.warning("recording_broke_off", slug=exc.slug)
        if request.transport is not None:
            request.transport.abort()
    except ConnectionResetError:
        log.debug("listener_left")


def _headers(found: Found) -> dict[str, str]:
    return {
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: f'"{found.etag}"',
        # Asked anew each time, or what was withdrawn would still be heard.
        hdrs.CACHE_CONTROL: "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; media-src 'self'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }


def _span(request: web.Request, found: Found) -> Span | None:
    """The part that is wanted; None: the whole, also for several parts at once and for a part of another version."""
    wanted = request.headers.get(hdrs.RANGE, "")
    condition = request.headers.get(hdrs.IF_RANGE, "")
    if not wanted or "," in wanted or (condition and condition != f'"{found.etag}"'):
        return None
    try:
        told = request.http_range
    except ValueError:
        return NOWHERE
    return Span(told.start, told.stop) if told.start or not LAST_NONE.match(wanted) else NOWHERE


def _begin(sound: Sound, headers: dict[str, str], *, is_part: bool) -> web.StreamResponse:
    """Status and headers. Where the PBX does not tell the size, the whole is given."""
    response = web.StreamResponse(headers={**headers, hdrs.CONTENT_TYPE: sound.content_type})
    if sound.size is None or sound.stop is None:
        return response
    response.content_length = sound.stop - sound.start
    if is_part and response.content_length:
        response.set_status(206)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {sound.start}-{sound.stop - 1}/{sound.size}"
    elif is_part:
        response.set_status(416)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{sound.size}"
    return response
