"""What MANGO's hooks say: every payload file, the wobble of types, codes by class."""

from typing import Any

import payloads
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import RECEIVED_MS

from server.core.events import LegAnswered, LegEnded, LegRang
from server.core.vocabulary import Direction, Result
from server.providers import mango_hooks

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))


def wobbled(message: Any) -> Any:
    """The same message with its numbers as text, and numeric text as numbers."""
    if isinstance(message, dict):
        return {name: wobbled(value) for name, value in message.items()}
    if isinstance(message, int):
        return str(message)
    return int(message) if isinstance(message, str) and message.isdigit() and message[0] != "0" else message


@pytest.mark.parametrize("name", payloads.names("mango"))
def test_a_message_becomes_its_events(name: str) -> None:
    """Each payload file becomes exactly the events beside it."""
    sent = payloads.payload("mango", name)

    events = mango_hooks.read(sent["message"], sent["tail"], RECEIVED_MS)

    assert payloads.plain(events) == payloads.expected("mango", name)


@pytest.mark.parametrize("name", payloads.names("mango"))
def test_numbers_may_come_as_text_and_text_as_numbers(name: str) -> None:
    """The same field wobbles between the two, and means the same."""
    sent = payloads.payload("mango", name)

    events = mango_hooks.read(wobbled(sent["message"]), sent["tail"], RECEIVED_MS)

    assert payloads.plain(events) == payloads.expected("mango", name)


@pytest.mark.parametrize(
    ("reason", "direction", "result"),
    [
        ("1100", Direction.IN, Result.UNKNOWN),
        ("1110", Direction.IN, Result.CANCELLED),
        ("1111", Direction.IN, Result.MISSED),
        ("1111", Direction.OUT, Result.NO_ANSWER),
        ("1120", Direction.OUT, Result.REJECTED),
        ("1121", Direction.OUT, Result.BUSY),
        ("1122", Direction.OUT, Result.REJECTED),
        ("1123", Direction.OUT, Result.UNAVAILABLE),
        ("1124", Direction.OUT, Result.REJECTED),
        ("1130", Direction.OUT, Result.FORBIDDEN),
        ("1131", Direction.OUT, Result.UNAVAILABLE),
        ("1133", Direction.OUT, Result.FAILED),
        ("1140", Direction.OUT, Result.FORBIDDEN),
        ("1151", Direction.IN, Result.FORBIDDEN),
        ("1162", Direction.IN, Result.BUSY),
        ("1163", Direction.IN, Result.MISSED),
        ("1164", Direction.IN, Result.UNAVAILABLE),
        ("1170", Direction.IN, Result.UNKNOWN),
        ("1182", Direction.IN, Result.CANCELLED),
        ("1199", Direction.OUT, Result.UNAVAILABLE),
        ("1299", Direction.IN, Result.UNKNOWN),
        ("2219", Direction.OUT, Result.FORBIDDEN),
        ("5000", Direction.OUT, Result.FAILED),
        ("7777", Direction.OUT, Result.UNKNOWN),
        ("", Direction.OUT, Result.UNKNOWN),
    ],
)
def test_a_reason_has_a_result(reason: str, direction: Direction, result: Result) -> None:
    """An unknown code means what its class means."""
    far = {"number": "79161234567"}
    parties = {"from": far, "to": {"extension": "101"}}
    if direction is Direction.OUT:
        parties = {"from": {"extension": "101"}, "to": far}
    message = {"entry_id": "e", "call_id": "c", "call_state": "Disconnected", "disconnect_reason": reason, **parties}

    [event] = mango_hooks.read(message, "events/call", RECEIVED_MS)

    assert isinstance(event, LegEnded)
    assert (event.result, event.raw_code) == (result, reason)


def test_parties_are_read_from_every_event() -> None:
    """In a blind transfer one leg appears twice, first from the colleague, then from the client."""
    message = {"entry_id": "e", "call_id": "L2", "call_state": "Appeared", "to": {"extension": "102"}}
    first = mango_hooks.read({**message, "seq": 1, "from": {"extension": "101"}}, "events/call", RECEIVED_MS)[0]
    again = {"number": "79161234567", "taken_from_call_id": "L1"}
    second = mango_hooks.read({**message, "seq": 2, "from": again}, "events/call", RECEIVED_MS)[0]

    assert isinstance(first, LegRang)
    assert isinstance(second, LegRang)
    assert (first.from_extension, first.client_phone, first.direction) == ("101", None, Direction.INTERNAL)
    assert (second.from_extension, second.client_phone, second.direction) == (None, "+79161234567", Direction.IN)


def test_a_message_without_a_time_happened_when_it_came() -> None:
    """Better our clock than no event."""
    message = {"entry_id": "e", "call_id": "c", "call_state": "Connected", "to": {"extension": "101"}}

    [event] = mango_hooks.read(message, "events/call", RECEIVED_MS)

    assert isinstance(event, LegAnswered)
    assert event.at_ms == RECEIVED_MS


@given(st.sampled_from([*mango_hooks.READERS, "result/commands/callback"]), st.data())
def test_no_field_of_any_kind_makes_the_reader_raise(tail: str, data: st.DataObject) -> None:
    """A vendor may change the type of any field overnight."""
    message: dict[str, Any] = {"entry_id": "e", "call_id": "c", "call_state": "Disconnected", "recording_id": "r"}
    fields = ("from", "to", "timestamp", "seq", "location", "command_id", "callback_initiator", "talk_time", "result")
    strange = st.dictionaries(st.sampled_from([*message, *fields, "disconnect_reason", "call_direction"]), JSON)

    events = mango_hooks.read(message | data.draw(strange), tail, RECEIVED_MS)

    assert all(event.key for event in events)
