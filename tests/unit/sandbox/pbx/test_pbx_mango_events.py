"""What MANGO's stand-in sends, scenario by scenario."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest

from server.sandbox.pbx.knobs import turned
from server.sandbox.pbx.mango import Mango, signature
from server.sandbox.pbx.play import play

IVR = ["L1 Appeared ivr", "L1 Disconnected 1100"]
FLOWS = {
    "answered": [*IVR, "L2 Appeared 201<L1", "L2 Connected 201<L1", "L2 Disconnected 1110", "summary in 201 talk"],
    "missed": [*IVR, "L2 Appeared 201<L1", "L2 Disconnected 1111", "summary in 201"],
    "busy": [*IVR, "L2 Appeared 201<L1", "L2 Disconnected 1121", "summary in 201"],
    "rejected": [*IVR, "L2 Appeared 201<L1", "L2 Disconnected 1122", "summary in 201"],
    "cancelled": [*IVR, "L2 Appeared 201<L1", "L2 Disconnected 1110", "summary in 201"],
    "ivr_only": ["L1 Appeared ivr", "L1 Disconnected 1110", "summary in 74951234567"],
    "group": [
        *IVR,
        "L2 Appeared queue<L1",
        "L3 Appeared 201<L2",
        "L4 Appeared 202<L2",
        "L4 Connected 202<L2",
        "L3 Disconnected 1182",
        "L2 Disconnected 1100",
        "L4 Disconnected 1110",
        "summary in 202 talk",
    ],
    "transfer": [
        *IVR,
        "L2 Appeared 201<L1",
        "L2 Connected 201<L1",
        "L2 OnHold 201<L1",
        "L3 Appeared 203",
        "L2 Disconnected 1120",
        "L3 Appeared 203<L2",
        "L3 Connected 203<L2",
        "L3 Disconnected 1110",
        "summary in 203 talk",
    ],
    "consultation": [
        *IVR,
        "L2 Appeared 201<L1",
        "L2 Connected 201<L1",
        "L2 OnHold 201<L1",
        "L3 Appeared 203",
        "L3 Connected 203",
        "L2 Disconnected 1120",
        "L3 Connected 203<L2",
        "L3 Disconnected 1110",
        "summary in 203 talk",
    ],
    "internal": ["L1 Appeared 202", "L1 Connected 202", "L1 Disconnected 1120", "summary internal 202 talk"],
    "callback": [
        "L1 Appeared 201",
        "L1 Connected 201",
        "L1 Disconnected 1000",
        "L2 Appeared 79161234567<L1",
        "L2 Connected 79161234567<L1",
        "L2 Disconnected 1120",
        "summary out 79161234567 talk",
    ],
    "callback_no_answer": ["L1 Appeared 201", "L1 Disconnected 1111", "summary out 79161234567"],
    "callback_busy": [
        "L1 Appeared 201",
        "L1 Connected 201",
        "L1 Disconnected 1000",
        "L2 Appeared 79161234567<L1",
        "L2 Disconnected 1121",
        "summary out 79161234567",
    ],
}


class Reader:
    """Puts events into short words; legs are named in the order of their appearance."""

    def __init__(self) -> None:
        self.legs: dict[str, str] = {}

    def words(self, event: dict[str, Any]) -> str:
        if event["path"] == "events/summary":
            kind = ("internal", "in", "out")[event["call_direction"]]
            to = event["to"].get("extension") or event["to"]["number"]
            return f"summary {kind} {to}" + (" talk" if event["talk_time"] else "")
        name = self.legs.setdefault(event["call_id"], f"L{len(self.legs) + 1}")
        if event["call_state"] == "Disconnected":
            return f"{name} Disconnected {event['disconnect_reason']}"
        at = event["to"].get("extension") or event["to"]["number"]
        at = event["location"] if event["location"] != "abonent" else at
        source = event["from"].get("taken_from_call_id")
        return f"{name} {event['call_state']} {at}" + (f"<{self.legs[source]}" if source else "")


def flow(consumer: Any) -> list[str]:
    reader = Reader()
    return [reader.words(event) for event in consumer.got if event["path"] in ("events/call", "events/summary")]


@pytest.mark.parametrize("scenario", FLOWS)
async def test_scenario_is_told_as_documented(mango: Mango, consumer: Any, scenario: str) -> None:
    """The vendor's composed flows, leg by leg."""
    await play(mango, {"scenario": scenario, "wait": True})

    assert flow(consumer) == FLOWS[scenario]


@pytest.mark.parametrize("scenario", FLOWS)
async def test_seq_counts_within_each_leg(mango: Mango, consumer: Any, scenario: str) -> None:
    """Every leg numbers its own events from 1."""
    await play(mango, {"scenario": scenario, "wait": True})

    seqs: dict[str, list[int]] = {}
    for event in consumer.events("events/call"):
        seqs.setdefault(event["call_id"], []).append(event["seq"])
    assert all(seq == list(range(1, len(seq) + 1)) for seq in seqs.values())


async def test_every_event_is_signed_over_its_bytes(mango: Mango, consumer: Any) -> None:
    """The signature fits the text as it travelled."""
    await play(mango, {"scenario": "group", "wait": True})

    assert consumer.raw
    for _, form in consumer.raw:
        assert form["sign"] == signature(mango.api_key, form["json"], mango.api_salt)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("wrong", lambda key, text, salt: signature(key, text, salt)[::-1]),
        ("hmac", lambda key, text, salt: hmac.new(salt.encode(), (key + text).encode(), sha256).hexdigest()),
        ("foreign_key", lambda key, text, salt: signature(key[::-1], text, salt)),
    ],
)
async def test_signature_can_be_spoiled(mango: Mango, consumer: Any, kind: str, rule: Any) -> None:
    """For consumers that must refuse."""
    mango.knobs = turned(mango.knobs, {"sign": kind})

    await play(mango, {"scenario": "missed", "wait": True})

    for _, form in consumer.raw:
        assert form["sign"] == rule(mango.api_key, form["json"], mango.api_salt)
        assert (form["vpbx_api_key"] == mango.api_key) is (kind != "foreign_key")


async def test_click_to_calls_first_leg_looks_incoming(mango: Mango, consumer: Any) -> None:
    """Only the marks tell that we started it."""
    await play(mango, {"scenario": "callback", "wait": True})

    first = consumer.got[0]
    assert first["from"] == {"number": "79161234567"}
    assert first["to"]["extension"] == "201"
    assert first["callback_initiator"] == "API"
    assert first["command_id"].startswith("cmd-")


async def test_recording_is_told_from_start_to_storage(mango: Mango, consumer: Any) -> None:
    """Started, continued on the new leg after a transfer, completed, added."""
    await play(mango, {"scenario": "transfer", "wait": True})

    states = [(event["recording_state"], event["extension"]) for event in consumer.events("events/recording")]
    assert states == [("Started", "201"), ("Continued", "203"), ("Completed", "203")]
    assert consumer.got[-1]["path"] == "events/record/added"


async def test_unrecorded_call_says_nothing_of_recordings(mango: Mango, consumer: Any) -> None:
    """`record: false`."""
    await play(mango, {"record": False, "wait": True})

    assert not consumer.events("events/recording")
    assert not consumer.events("events/record/added")


async def test_keys_pressed_in_the_menu_are_told(mango: Mango, consumer: Any, still_time: None) -> None:
    """The whole sequence at once."""
    await play(mango, {"scenario": "by_hand", "ivr_s": 5})

    mango.press_keys(mango.exchange.live[0], "124")
    await mango.courier.idle()

    assert consumer.events("events/dtmf")[0]["dtmf"] == "124"


@pytest.mark.parametrize(("types", "kinds"), [("number", {int}), ("string", {str}), ("mixed", {int, str})])
async def test_types_wobble(mango: Mango, consumer: Any, types: str, kinds: set[type]) -> None:
    """Numbers come as numbers, as texts, or now this, now that."""
    mango.knobs = turned(mango.knobs, {"types": types})

    await play(mango, {"wait": True})

    values = [event[name] for event in consumer.events("events/call") for name in ("seq", "timestamp")]
    assert {type(value) for value in values} == kinds


@pytest.mark.parametrize(
    ("knobs", "index", "path", "value"),
    [
        ({"unknown_codes": True}, 1, ("disconnect_reason",), 1124),
        ({"extra_fields": True}, 0, ("media_quality", "mos"), 4.1),
        ({"anonymous": True}, 0, ("from",), {}),
        ({"clock_skew_s": -10_800}, 0, ("timestamp",), 1_699_989_200),
    ],
)
async def test_knob_changes_the_contents(
    mango: Mango, consumer: Any, knobs: dict[str, object], index: int, path: tuple[str, ...], value: object
) -> None:
    """Unpleasant contents are on call."""
    mango.knobs = turned(mango.knobs, knobs)

    await play(mango, {"scenario": "missed", "wait": True})

    found: Any = consumer.got[index]
    for name in path:
        found = found[name]
    assert found == value


async def test_connection_check_has_no_json(mango: Mango, consumer: Any) -> None:
    """The cabinet's ping."""
    mango.check_connection()
    await mango.idle()

    assert [form for _, form in consumer.raw] == [{"vpbx_api_key": mango.api_key}]


async def test_slash_travels_escaped(mango: Mango, consumer: Any) -> None:
    """As the vendor's own texts do: re-serialising would break the signature."""
    mango.hook = f"{consumer.url}/"
    await play(mango, {"scenario": "callback", "wait": True})

    texts = [form["json"] for _, form in consumer.raw]
    assert all("/" not in text.replace("\\/", "") for text in texts)
    assert all(json.loads(text) for text in texts)
