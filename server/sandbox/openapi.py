"""`/sandbox/openapi.json`: a description of amoCRM's part, made from the very routes that serve it."""

import re
from typing import Any, Final

from aiohttp import web

from server.sandbox.routes import ROUTES_SEEN, Route

_PARAMETER: Final = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")
_INTEGERS: Final = frozenset({"id", "note_id", "page", "limit"})
_DOORS: Final[dict[str, list[dict[str, list[str]]]]] = {
    "api": [{"bearer": []}, {"session": []}],
    "page": [{"session": []}],
    "open": [],
}
_BODIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "array": ("application/json", {"type": "array", "items": {"type": "object"}}),
    "object": ("application/json", {"type": "object"}),
    "form": ("application/x-www-form-urlencoded", {"type": "object"}),
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
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session_id"},
            }
        },
    }


def plain_path(path: str) -> str:
    """A route's path with `{name}` in place of each pattern."""
    return _PARAMETER.sub(r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "parameters": [*_path_parameters(route.path), *(_query_parameter(name) for name in route.query)],
        "responses": {"default": {"description": route.fidelity}},
    }
    if route.door != "open":
        operation["security"] = _DOORS[route.door]
    if route.body is not None:
        media, schema = _BODIES[route.body]
        operation["requestBody"] = {"required": True, "content": {media: {"schema": schema}}}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema(name, pattern)}
        for name, pattern in _PARAMETER.findall(path)
    ]


def _query_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer" if name in _INTEGERS else "string"}}


def _schema(name: str, pattern: str) -> dict[str, Any]:
    if name in _INTEGERS and "d" in pattern:
        return {"type": "integer", "minimum": 0}
    if "|" in pattern:
        return {"type": "string", "enum": pattern.split("|")}
    return {"type": "string", "pattern": f"^{pattern}$"} if pattern else {"type": "string", "minLength": 1}
