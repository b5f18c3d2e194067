"""What every page of the console has: who may see it, its headers, and what is said to those who may not."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import hdrs, web

from server.core.errors import KommutatorError, NotFound
from server.core.session import Visit

from ..desk import DESK
from .words import TEXTS, Words, talk

COOKIE = "__Host-kommutator"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing of these pages is kept, framed, or asked from elsewhere; no script runs in them."""

PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=jinja2.StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip

Show = Callable[[web.Request, Visit, Words], Awaitable[web.StreamResponse]]


def visited(show: Show) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A door for who has the cookie; what changes something must come from our own pages."""

    async def door(request: web.Request) -> web.StreamResponse:
        visit = request.app[DESK].visits.read(request.cookies.get(COOKIE, ""))
        if visit is None or (request.method == hdrs.METH_POST and not _is_from_us(request)):
            return closed(request)
        words = Words.of(visit)
        try:
            return await show(request, visit, words)
        except NotFound:
            return page(words, "sorry.html", 404, matter=words("missing"), cure=words("missing_cure"))
        except KommutatorError as exc:
            cure = f"{exc.message} {exc.cure}"
            return page(words, "sorry.html", exc.status, matter=words("failed"), cure=cure)

    return door


def _is_from_us(request: web.Request) -> bool:
    """Browsers name the page that a form was sent from; the cookie alone would not prove that it was ours."""
    return request.headers.get(hdrs.ORIGIN) == request.app[DESK].public_url


def page(words: Words, name: str, status: int = 200, /, **values: Any) -> web.Response:
    """A page."""
    text = PAGES.get_template(name).render(words=words, talk=talk, **values)
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def moved(path: str) -> web.Response:
    """On to another page of ours."""
    return web.Response(status=303, headers={hdrs.LOCATION: path})


def closed(request: web.Request) -> web.Response:
    """What who is not let in reads: we do not know his language, so his browser's counts."""
    told = request.headers.get(hdrs.ACCEPT_LANGUAGE, "")[:2].lower()
    words = Words(told if told in TEXTS else "ru", "UTC")
    return page(words, "sorry.html", 401, matter=words("closed"), cure=words("closed_cure"))
