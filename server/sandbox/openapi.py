"""`/sandbox/openapi.json`: a description of amoCRM's part, made from the very routes that serve it."""

import re
from typing import Any, Final

from aiohttp import web

from server.sandbox.openapi_bodies import Schema, item_of
from server.sandbox.rest.nouns import NOUNS, ORDERS, Noun
from server.sandbox.routes import ROUTES_SEEN, Route

_PARAMETER: Final = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")
_INTEGERS: Final = frozenset({"page", "limit"})
_DOORS: Final[dict[str, list[dict[str, list[str]]]]] = {
    "api": [{"bearer": []}, {"session": []}],
    "page": [{"session": []}],
    "open": [],
}
_FORM: Final = "application/x-www-form-urlencoded"
_PROBLEM: Final[Schema] = {
    "type": "object",
    "required": ["title", "type", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "validation-errors": {"type": "array", "items": {"type": "object", "required": ["request_id", "errors"]}},
    },
}
_CALLS: Final[Schema] = {"type": "object", "required": ["_total_items", "errors", "_embedded"]}
_USER: Final[Schema] = {
    "name": "X-Context-User-ID",
    "in": "header",
    "description": "an administrator's token acts as this user",
    "schema": {"type": "integer"},
}


def describe(app: web.Application) -> dict[str, Any]:
    """The OpenAPI 3.0 document of an application; what only exists in the sandbox is left out."""
    paths: dict[str, dict[str, Any]] = {}
    for route in app[ROUTES_SEEN]:
        if not route.path.startswith("/sandbox/") and "/{rest" not in route.path:
            paths.setdefault(plain_path(route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Sandbox of amoCRM", "version": "4"},
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session_id"},
            },
        },
    }


def plain_path(path: str) -> str:
    """A route's path with `{name}` in place of each pattern."""
    return _PARAMETER.sub(r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "parameters": [*_path_parameters(route.path), *_query_parameters(route)],
        "responses": _responses(route),
    }
    if route.door == "api":
        operation["parameters"].append(_USER)
    if route.door != "open":
        operation["security"] = _DOORS[route.door]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(route)}
    return operation


def _content(route: Route) -> dict[str, Any]:
    item = item_of(plain_path(route.path))
    if route.body == "array":
        return {"application/json": {"schema": {"type": "array", "items": item, "minItems": 1, "maxItems": 250}}}
    return {_FORM if route.body == "form" else "application/json": {"schema": item}}


def _responses(route: Route) -> dict[str, Any]:
    """Of the API: what succeeds is HAL or nothing, what is refused is a problem; the page answers as it likes."""
    if not route.path.startswith("/api/v4/"):
        return {"default": {"description": route.fidelity}}
    refusal = {"$ref": "#/components/schemas/Problem"}
    schema = {"oneOf": [refusal, _CALLS]} if route.path == "/api/v4/calls" else refusal
    return {
        "2XX": {"description": route.fidelity, "content": {"application/hal+json": {"schema": {}}}},
        "204": {"description": "nothing found, or nothing to say"},
        "4XX": {"description": "refused", "content": {"application/problem+json": {"schema": schema}}},
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema(pattern)}
        for name, pattern in _PARAMETER.findall(path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    noun = NOUNS.get(route.path.removeprefix("/api/v4/"))
    found = []
    for name in route.query:
        if name == "filter":
            found += _filters(noun)
        elif name == "order":
            found += [_in_query(f"order[{by}]", {"type": "string", "enum": ["asc", "desc"]}) for by in ORDERS]
        else:
            found.append(_in_query(name, {"type": "integer"} if name in _INTEGERS else {"type": "string"}))
    return found


def _filters(noun: Noun | None) -> list[dict[str, Any]]:
    """Filters in the brackets that clients write: a list of values, or from and to."""
    names = noun.filters if noun else ("id", "created_at", "updated_at")
    times = [name for name in names if name.endswith("_at")]
    ends = [f"filter[{name}][{end}]" for name in times for end in ("from", "to")]
    values = [f"filter[{name}][]" for name in names if name not in times]
    return [
        *(_in_query(name, {"type": "integer"}) for name in ends),
        *(_in_query(name, {"type": "array", "items": {"type": "string"}}) for name in values),
    ]


def _in_query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _schema(pattern: str) -> dict[str, Any]:
    if r"\d" in pattern:
        return {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    if "|" in pattern:
        return {"type": "string", "enum": pattern.split("|")}
    return {"type": "string", "pattern": f"^{pattern}$"} if pattern else {"type": "string", "minLength": 1}
