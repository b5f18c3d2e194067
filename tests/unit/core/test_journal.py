"""What the journal shows of a webhook, and what it says of a decision."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core import calls, journal
from server.core.calls import Call
from server.core.events import LegAnswered, LegEnded, LegRang
from server.core.journal import MASK, Decided
from server.core.ports import Hook
from server.core.records import Decision
from server.core.vocabulary import CallState, Direction, Result, Side


def hook(query: str = "", body: bytes = b"") -> Hook:
    return Hook(method="POST", tail="events/call", query=query, content_type="", body=body, received_ms=1)


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (hook("event=1&src_num=79161234567"), {"event": "1", "src_num": "79161234567"}),
        (hook("hash=0f3a&event=2"), {"hash": MASK, "event": "2"}),
        (
            hook(body=urlencode({"vpbx_api_key": "k", "sign": "s", "json": '{"entry_id":"e"}'}).encode()),
            {"vpbx_api_key": MASK, "sign": MASK, "json": {"entry_id": "e"}},
        ),
        (hook(body=b'{"token": "t", "rows": [{"secret": "x"}]}'), {"token": MASK, "rows": [{"secret": MASK}]}),
        (hook("link=https%3A%2F%2Fsipuni.com%2Frecord%3Fid%3D1%26hash%3Dabc"), {"link": f"https://sipuni.com/{MASK}"}),
        (hook(body=b"\xff no form"), {"body": "� no form"}),
        (hook("sign="), {"sign": ""}),
        (hook("event=1&utm=http%3A%2F%2F%5Bx"), {"event": "1", "utm": MASK}),
        (hook(body=b"json=" + b"[" * 600 + b"]" * 600), MASK),
    ],
)  # fmt: skip
def test_secrets_and_links_are_masked_and_the_rest_is_shown(one: Hook, shown: Any) -> None:
    """Of a link, its host is left: what follows may open a recording."""
    assert journal.masked(one) == shown


@given(st.text(), st.binary())
def test_whatever_came_can_be_shown(query: str, body: bytes) -> None:
    """A webhook that no codec can read is the one that people look at."""
    journal.masked(hook(query, body))


def told(*events: Any) -> Decision:
    call: Call = calls.begin(
        call_id="c_1", account_id=1, line_id="l", provider="sipuni", call_ref="r", received_ms=1_000
    )
    effects: list[Any] = []
    for event in events:
        call, more = calls.apply(call, event)
        effects += more
    return Decision(call=call, effects=tuple(effects), reason=journal.WEBHOOK, at_ms=5_000, agents=(11,))


def test_a_decision_says_what_it_came_to_and_whose_call_it_is() -> None:
    """Its effects in order, the reading of the call, its agents, and the webhook that brought it."""
    leg: dict[str, Any] = {"call_ref": "r", "leg_ref": "201", "side": Side.AGENT, "extension": "201"}
    rang = LegRang(key="1", at_ms=1_000, direction=Direction.IN, **leg)
    answered = LegAnswered(key="2", at_ms=3_000, **leg)
    over = LegEnded(key="3", at_ms=9_000, result=Result.ANSWERED, **leg)

    entry = journal.decided(told(rang, answered, over), 77)

    assert (entry.call_id, entry.at_ms) == ("c_1", 5_000)
    assert entry.body == Decided(
        reason="webhook", effects=("rang 201", "changed", "ended"), state=CallState.ENDED, result=Result.ANSWERED,
        answered_by="201", talk_s=6, agents=(11,), hook_id=77,
    )  # fmt: skip
