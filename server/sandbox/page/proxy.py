"""`crm_post`: a request of a widget that leaves from amoCRM's server instead of the browser.

How exactly amoCRM forwards it is not documented; old back ends read ordinary form fields, so that is the default and
JSON is a switch.
"""

import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from server.sandbox.world import WORLD

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_MAX_ANSWER: Final = 2**20
HTTP: Final = web.AppKey("page_http", aiohttp.ClientSession)


async def forward(request: web.Request) -> web.StreamResponse:
    """POST `data` to `target` and hand the answer back with its status; 502 says why there was none."""
    form = await request.post()
    target, fields = str(form.get("target", "")), _fields(str(form.get("data", "")))
    if not _is_web_address(target):
        return web.Response(status=400, text=f"crm_post: {target!r} is no http(s) address")
    as_json = request.app[WORLD].switches["proxy_body"] == "json"
    body = json.dumps(fields) if as_json else urlencode(as_php(fields))
    headers = {"Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded"}
    try:
        async with request.app[HTTP].post(target, data=body, headers=headers) as answer:
            raw = await answer.content.read(_MAX_ANSWER)
            return web.Response(status=answer.status, body=raw, headers={"Content-Type": _type_of(answer)})
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        return web.Response(status=502, text=f"crm_post to {target}: {type(exc).__name__} {exc}")


def _is_web_address(target: str) -> bool:
    try:
        return urlsplit(target).scheme in ("http", "https")
    except ValueError:
        return False


def _type_of(answer: aiohttp.ClientResponse) -> str:
    return answer.headers.get("Content-Type", "text/plain")


def _fields(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def as_php(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested data as PHP's form fields: `{"a": {"b": 1}}` → `a[b]=1`."""
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        keyed = ((f"{name}[{key}]" if name else str(key), item) for key, item in value.items())
        return [pair for key, item in keyed for pair in as_php(item, key)]
    if value is None or isinstance(value, bool):
        value = "1" if value else ""  # as http_build_query writes them
    return [(name or "data", str(value))]


async def lifetime(app: web.Application) -> Any:
    """The one client session of the page, for as long as the application lives."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        app[HTTP] = session
        yield
