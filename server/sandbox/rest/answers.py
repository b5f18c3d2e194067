"""The three shapes of an answer: HAL for success, problem+json for failure, 204 for nothing found.

Clients compare the whole Content-Type header, so no charset is ever appended.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}


class Problem(Exception):
    """A refusal that becomes an application/problem+json answer; `members` are added to its body."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {**members, **problem_body(status, detail)}
        self.headers: dict[str, str] = {}


class Invalid(Problem):
    """400 with validation errors: (request id, code, path, detail) for each member that was refused."""

    def __init__(self, found: list[tuple[str, str, str, str]]) -> None:
        by_item: dict[str, list[dict[str, str]]] = {}
        for request_id, code, path, detail in found:
            by_item.setdefault(request_id, []).append({"code": code, "path": path, "detail": detail})
        errors = [{"request_id": request_id, "errors": errors} for request_id, errors in by_item.items()]
        super().__init__(400, "Request validation failed", **{"validation-errors": errors})


def problem_body(status: int, detail: str) -> dict[str, Any]:
    """The members every problem has."""
    return {
        "title": _TITLES.get(status, "Error"),
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail,
    }


def hal(body: Any, status: int = 200) -> web.Response:
    """A successful answer."""
    return _response(body, status, "application/hal+json")


def problem(error: Problem) -> web.Response:
    """The answer a `Problem` stands for."""
    answer = _response(error.body, error.status, "application/problem+json")
    answer.headers.update(error.headers)
    return answer


def nothing() -> web.Response:
    """204 without a body: an empty list, an unknown id, a filter without hits."""
    return web.Response(status=204)


def link(request: web.Request, path: str) -> dict[str, Any]:
    """`{"self": {"href"}}` with the host and port the client asked for."""
    return {"self": {"href": f"{asked_origin(request)}{path}"}}


def asked_origin(request: web.Request) -> str:
    """Scheme, host and port as the client wrote them; amoCRM's links never show an inner address."""
    return f"{request.scheme}://{request.host}"


def json_text(body: Any) -> str:
    """JSON as PHP writes it, with escapes for everything beyond ASCII."""
    return json.dumps(body, separators=(",", ":"))


def plain(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """application/json, for the endpoints outside /api/v4."""
    answer = _response(body, status, "application/json")
    answer.headers.update(headers or {})
    return answer


def _response(body: Any, status: int, content_type: str) -> web.Response:
    return web.Response(body=json_text(body).encode(), status=status, headers={"Content-Type": content_type})
