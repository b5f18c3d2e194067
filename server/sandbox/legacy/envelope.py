"""`{"response": {…, "server_time"}}`: the answers of the API's second generation, and what its refusals look like."""

from typing import Final

from aiohttp import web

from server.sandbox.rest.answers import Problem, plain
from server.sandbox.world import WORLD, Row

REFUSED: Final = ("error", "error_code")
_PREFIXES: Final = ("/private/api/v2/json/", "/api/calls/")
_CODES: Final = {401: 110, 402: 426, 403: 244}  # who is asking, customers are off, no right


def is_enveloped(request: web.Request) -> bool:
    """Whether this address answers in the envelope, refusals included."""
    return request.path.startswith(_PREFIXES)


def respond(request: web.Request, told: Row, status: int = 200) -> web.Response:
    """An answer in the envelope."""
    return plain({"response": {**told, "server_time": request.app[WORLD].now()}}, status)


def refuse(request: web.Request, error: Problem) -> web.Response:
    """What a `Problem` looks like here."""
    told = {"error": message_of(error), "error_code": code_of(error)}
    answer = respond(request, told, error.status)
    answer.headers.update(error.headers)
    return answer


def code_of(error: Problem) -> int:
    """amoCRM's own number for a refusal, else its HTTP status."""
    return _CODES.get(error.status, error.status)


def message_of(error: Problem) -> str:
    """A refusal in one sentence, the first refused member named."""
    for item in error.body.get("validation-errors", []):
        first = item["errors"][0]
        return f"{first['path']}: {first['detail']}"
    return str(error)
