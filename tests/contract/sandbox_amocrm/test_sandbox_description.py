"""What `/sandbox/openapi.json` says is so: requests made up from it are answered as it says, whatever is in them."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from standing import LEFT_OUT, Standing, standing

from server.sandbox.app import make_app
from server.sandbox.openapi import describe
from server.sandbox.world import World


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
ANSWER_S = 5
EXISTING = {"id": 501_016, "note_id": 90_001, "code": "kommutator"}
EXAMPLES = {GenerationMode.POSITIVE: 15, GenerationMode.NEGATIVE: 8}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Standing]:
    with standing() as one:
        yield one


def _case(operation: Any, mode: GenerationMode) -> st.SearchStrategy[Any]:
    """A made-up request; half of them speak of what exists."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        case = draw(operation.as_strategy(generation_mode=mode))
        if draw(st.booleans()):
            case.path_parameters = {**(case.path_parameters or {}), **_existing(case.path_parameters)}
        return case

    return drawn()


def _existing(names: Any) -> dict[str, Any]:
    return {name: value for name, value in EXISTING.items() if name in (names or {})}


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
    @given(case=_case(operation, mode))
    def answered(case: Any) -> None:
        answer = case.call(base_url=sandbox.url, headers=sandbox.headers, timeout=ANSWER_S, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    answered()
