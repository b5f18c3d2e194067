"""What `/sandbox/openapi.json` says is so: requests made up from it are answered as it says, whatever is in them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from standing import ANSWER_S, LEFT_OUT, Standing, standing

from server.sandbox.app import make_app
from server.sandbox.integrations import main
from server.sandbox.openapi import describe
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.world import Row, World


def _short(described: Any) -> Any:
    """The description with short lists: long ones are slow to make up and break nothing that short ones do not."""
    if isinstance(described, list):
        return [_short(part) for part in described]
    if not isinstance(described, dict):
        return described
    return {name: 2 if name == "maxItems" else _short(part) for name, part in described.items()}


DESCRIBED = _short(describe(make_app(World())))
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
OPERATIONS = [
    (method.upper(), path, mode)
    for path, methods in DESCRIBED["paths"].items()
    for method in methods
    for mode in GenerationMode
    if path not in LEFT_OUT and (mode is GenerationMode.POSITIVE or path.startswith("/api/"))
]
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
KNOWN_PHONE = "+79150001122"
PHONE_FIELD = [{"field_code": "PHONE", "values": [{"value": KNOWN_PHONE}]}]
LONGEST = 8_000  # of an address; what is longer never reaches the routes
EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 5}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Standing]:
    with standing() as one:
        note = {"note_type": "common", "params": {"text": "x"}}
        for noun in NOUNS:
            more = {"custom_fields_values": PHONE_FIELD} if noun == "contacts" else {}
            made = _made(one, f"/api/v4/{noun}", {"name": "x", **more}, noun)
            _made(one, f"/api/v4/{noun}/{made}/notes", note, "notes")
        yield one


def _made(sandbox: Standing, path: str, item: dict[str, Any], name: str) -> int:
    _, _, answer = sandbox.ask("POST", path, json.dumps([item]).encode(), {"Content-Type": "application/json"})
    return int(json.loads(answer)["_embedded"][name][0]["id"])


def _existing(world: World, path: str, noun: str) -> dict[str, Any]:
    """Values of the members that name something, so that they name something that exists."""
    fields = world.custom_fields.where(entity_type=noun)
    others = {"/tasks": world.tasks, "/pipelines": world.pipelines, "/users": world.users, "/custom_fields": fields}
    pipeline, user, client = next(iter(world.pipelines)), _first(world.users), main(world)
    return {
        "id": _first(next((rows for part, rows in others.items() if part in path), world.entities(noun))),
        "entity": noun, "entity_id": _first(world.entities(noun)), "to_entity_id": _first(world.companies),
        "to_entity_type": "companies", "note_id": _first(world.notes.where(entity_type=noun)), "code": "kommutator",
        "uid": _first(world.unsorted), "phone": KNOWN_PHONE, "pipeline_id": pipeline["id"],
        "status_id": pipeline["statuses"][1]["id"], "field_id": _first(fields),
        "client_id": client["id"], "client_secret": client["secret"], "redirect_uri": client["redirect_uri"],
        "destination": "http://127.0.0.1:9/hook",
        **dict.fromkeys(("responsible_user_id", "created_by", "updated_by", "user_id", "users"), user),
    }  # fmt: skip


def _first(rows: Iterable[Row]) -> Any:
    return next(iter(rows), {"id": 0})["id"]


def _naming(part: Any, existing: dict[str, Any]) -> Any:
    """A body or a set of parameters in which what names something names what exists."""
    if isinstance(part, list):
        return [_naming(one, existing) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: existing[name] if name in existing else _naming(one, existing) for name, one in part.items()}


@st.composite
def _cases(draw: st.DrawFn, world: World, operation: Any, mode: GenerationMode) -> Any:
    """A made-up request; most act as the token's own user, and speak of what exists."""
    case = draw(operation.as_strategy(generation_mode=mode))
    users = [None, None, None, None, "11000013", "0"]
    case.headers["X-Context-User-ID"] = draw(st.sampled_from(users))
    if case.headers["X-Context-User-ID"] is None:
        del case.headers["X-Context-User-ID"]
    if draw(st.integers(0, 3)):
        noun = next((name for name in NOUNS if f"/{name}" in operation.path), draw(st.sampled_from(list(NOUNS))))
        existing = _existing(world, operation.path, noun)
        case.path_parameters = _naming(case.path_parameters, existing)
        case.body = _naming(case.body, existing)
    return case


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS, ids=lambda one: getattr(one, "value", one))
def test_made_up_requests_are_answered_as_described(
    sandbox: Standing, method: str, path: str, mode: GenerationMode
) -> None:
    """Right and wrong ones: no failure of ours, no hang, a problem for every refusal of the API."""
    operation = SCHEMA[path][method]

    @settings(
        max_examples=EXAMPLES[mode], deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=_cases(sandbox.world, operation, mode))
    def answered(case: Any) -> None:
        assume(len(case.as_transport_kwargs()["url"]) + len(str(case.query)) * 3 < LONGEST)
        answer = case.call(base_url=sandbox.url, headers=sandbox.headers, timeout=ANSWER_S, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    answered()
