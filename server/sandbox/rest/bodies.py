"""Reading what clients send: JSON, forms with PHP's bracket nesting, bodies with or without a length.

Clients of several languages send the same thing in several ways; after this room there is one: JSON values.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from server.sandbox.rest.answers import Problem

_KEY_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST: Final = 12  # PHP itself stops at 64; nothing of amoCRM is deeper than 8


async def read_json(request: web.Request) -> Any:
    """The request's body as JSON; None when it is empty. Raises `Problem` 400 when it is not JSON."""
    raw = await request.read()
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Problem(400, "Request body is not valid JSON") from exc


async def read_any(request: web.Request) -> Any:
    """The body as JSON or as a form, whichever it is: generic OAuth libraries and old widgets send forms.

    curl calls every body a form that nobody has named, so JSON is known by how it begins.
    """
    if request.content_type == "multipart/form-data":
        return nested(await _form(request))
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if is_form and not (await request.read()).lstrip().startswith((b"{", b"[")):
        return nested(await _form(request))
    return await read_json(request)


async def read_object(request: web.Request) -> dict[str, Any]:
    """The body as one object. Raises `Problem` 400 for anything else."""
    body = await read_any(request)
    if not isinstance(body, dict):
        raise Problem(400, "Request body must be an object")
    return body


async def read_items(request: web.Request) -> list[dict[str, Any]]:
    """The body as a list of objects; one object alone counts as a list of one. Raises `Problem` 400.

    A PHP client's list with holes arrives as an object with numbers for names, and PHP on the other side sees no
    difference.
    """
    body = await read_json(request)
    if isinstance(body, dict):
        items = list(body.values()) if body and all(name.isdecimal() for name in body) else [body]
    else:
        items = body
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Problem(400, "Request body must be an array of objects")
    if len(items) > 250:
        raise Problem(400, "A request carries at most 250 entities")
    return items


async def _form(request: web.Request) -> list[tuple[str, str]]:
    if request.content_type == "multipart/form-data":
        try:
            fields = await request.post()
        except ValueError as exc:
            raise Problem(400, "Request body is not a valid form") from exc
        return [(key, value) for key, value in fields.items() if isinstance(value, str)]
    raw = await request.read()
    return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """PHP's reading of `a[b][]=1&a[b][]=2`: {"a": {"b": ["1", "2"]}}; keys 0, 1, … make lists as well."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        name, _, rest = key.partition("[")
        path = [name, *_KEY_PART.findall("[" + rest)] if rest else [name]
        if len(path) <= _DEEPEST:
            _plant(root, path, value)
    return {key: _lists(value) for key, value in root.items()}


def _plant(root: dict[str, Any], path: list[str], value: str) -> None:
    here = root
    for part in path[:-1]:
        name = part or str(len(here))
        step = here.setdefault(name, {})
        if not isinstance(step, dict):  # a[b]=1&a[b][c]=2: the later form wins, as in PHP
            step = here[name] = {}
        here = step
    here[path[-1] or str(len(here))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    children = {key: _lists(child) for key, child in value.items()}
    if children.keys() == {str(index) for index in range(len(children))}:
        return [children[str(index)] for index in range(len(children))]
    return children
