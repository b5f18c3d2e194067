"""What Sipuni's stand-in sends, scenario by scenario."""

import pytest
from aiohttp import ClientSession

from server.sandbox.pbx.knobs import turned
from server.sandbox.pbx.play import play
from server.sandbox.pbx.sipuni import Sipuni, signature

RING_DID = "1 1>1 74951234567"
FLOWS = {
    "answered": [RING_DID, "1 1>2 201", "3 1>2 201", "2 1>2 201 ANSWER", "2 1>1 74951234567 ANSWER"],
    "missed": [RING_DID, "1 1>2 201", "2 1>2 201 NOANSWER", "2 1>1 74951234567 NOANSWER"],
    "busy": [RING_DID, "1 1>2 201", "2 1>2 201 BUSY", "2 1>1 74951234567 BUSY"],
    "unavailable": [RING_DID, "1 1>2 201", "2 1>2 201 CHANUNAVAIL", "2 1>1 74951234567 CHANUNAVAIL"],
    "cancelled": [RING_DID, "1 1>2 201", "2 1>2 201 CANCEL", "2 1>1 74951234567 CANCEL"],
    "ivr_only": [RING_DID, "2 1>1 74951234567 CANCEL"],
    "group": [
        RING_DID,
        "1 1>2 201",
        "1 1>2 202",
        "3 1>2 202",
        "2 1>2 201 CANCEL",
        "2 1>2 202 ANSWER",
        "2 1>1 74951234567 ANSWER",
    ],
    "double_answer": [
        RING_DID,
        "1 1>2 201",
        "1 1>2 202",
        "3 1>2 201",
        "3 1>2 202",
        "2 1>2 201 ANSWER",
        "2 1>2 202 ANSWER",
        "2 1>1 74951234567 ANSWER",
    ],
    "transfer": [
        RING_DID,
        "1 1>2 201",
        "3 1>2 201",
        "4 1>2 201 ANSWER",
        "1 1>2 203",
        "3 1>2 203",
        "2 1>2 203 ANSWER",
        "2 1>1 74951234567 ANSWER",
    ],
    "transfer_external": [
        RING_DID,
        "1 1>2 201",
        "3 1>2 201",
        "4 1>2 201 ANSWER",
        "1 1>1 79031112233",
        "3 1>1 79031112233",
        "2 1>1 79031112233 ANSWER",
        "2 1>1 74951234567 ANSWER",
    ],
    "consultation": [
        RING_DID,
        "1 1>2 201",
        "3 1>2 201",
        "1 2>2 203",
        "3 2>2 203",
        "4 1>2 201 ANSWER",
        "3 1>2 203",
        "2 1>2 203 ANSWER",
        "2 1>1 74951234567 ANSWER",
    ],
    "internal": ["1 2>2 202", "3 2>2 202", "2 2>2 202 ANSWER"],
    "outgoing": ["1 2>1 79161234567", "3 2>1 79161234567", "2 2>1 79161234567 ANSWER"],
    "outgoing_busy": ["1 2>1 79161234567", "2 2>1 79161234567 BUSY"],
    "callback": [
        "1 1>2 201",
        "3 1>2 201",
        "1 2>1 79161234567",
        "3 2>1 79161234567",
        "2 2>1 79161234567 ANSWER",
    ],
    "callback_no_answer": ["1 1>2 201", "2 1>2 201 NOANSWER"],
    "callback_busy": ["1 1>2 201", "3 1>2 201", "1 2>1 79161234567", "2 2>1 79161234567 BUSY"],
}


def told(event: dict[str, str]) -> str:
    line = f"{event['event']} {event['src_type']}>{event['dst_type']} {event['short_dst_num']}"
    return f"{line} {event['status']}" if "status" in event else line


@pytest.mark.parametrize("scenario", FLOWS)
async def test_scenario_is_told_as_documented(sipuni: Sipuni, consumer, scenario: str) -> None:
    """The events of a call come in the vendor's order, with the vendor's types and statuses."""
    await play(sipuni, {"scenario": scenario, "wait": True})

    assert [told(event) for event in consumer.got] == FLOWS[scenario]


async def test_all_phones_share_one_call_id(sipuni: Sipuni, consumer) -> None:
    """`call_id` is the call's, kept through transfers."""
    started = await play(sipuni, {"scenario": "transfer", "wait": True})

    assert {event["call_id"] for event in consumer.got} == {started["call_id"]}


async def test_answered_leg_carries_its_times_and_its_recording(sipuni: Sipuni, consumer) -> None:
    """Start and answer are Unix seconds; talk is the event's time minus the answer's."""
    await play(sipuni, {"ring_s": 6, "talk_s": 30, "wait": True})

    end = consumer.got[3]
    assert int(end["call_answer_timestamp"]) - int(end["call_start_timestamp"]) == 6
    assert int(end["timestamp"]) - int(end["call_answer_timestamp"]) == 30
    assert end["call_record_link"].startswith(f"{sipuni.base_url}/api/crm/record?id=")


async def test_missed_leg_has_no_answer_time_and_no_recording(sipuni: Sipuni, consumer) -> None:
    """Zero and empty, not absent."""
    await play(sipuni, {"scenario": "missed", "wait": True})

    assert (consumer.got[2]["call_answer_timestamp"], consumer.got[2]["call_record_link"]) == ("0", "")


async def test_employee_has_a_long_and_a_short_number(sipuni: Sipuni, consumer) -> None:
    """The long one is the account's prefix and the extension, perhaps with a suffix."""
    sipuni.knobs = turned(sipuni.knobs, {"dst_suffix": True})

    await play(sipuni, {"extension": "202", "wait": True})

    assert consumer.got[1]["dst_num"] == "078332202_id1234567"
    assert consumer.got[1]["short_dst_num"] == "202"


async def test_transferred_leg_names_its_giver(sipuni: Sipuni, consumer) -> None:
    """`transfer_from` stands in the new phone's events only."""
    await play(sipuni, {"scenario": "transfer", "wait": True})

    assert [event.get("transfer_from", "") for event in consumer.got[2:6]] == ["", "", "201", "201"]


@pytest.mark.parametrize(
    ("knobs", "index", "field", "value"),
    [
        ({"unknown_codes": True}, 2, "status", "PREEMPTED"),
        ({"extra_fields": True}, 0, "новое_поле", "да"),
        ({"anonymous": True}, 1, "short_src_num", "anonymous"),
        ({"clock_skew_s": 10_800}, 0, "timestamp", "1700010800"),
    ],
)
async def test_knob_changes_the_contents(
    sipuni: Sipuni, consumer, knobs: dict[str, object], index: int, field: str, value: str
) -> None:
    """Unpleasant contents are on call."""
    sipuni.knobs = turned(sipuni.knobs, knobs)

    await play(sipuni, {"scenario": "missed", "wait": True})

    assert consumer.got[index][field] == value


async def test_last_called_names_the_group(sipuni: Sipuni, consumer) -> None:
    """Extensions joined by the separator of the account."""
    sipuni.knobs = turned(sipuni.knobs, {"last_called_separator": ","})

    await play(sipuni, {"scenario": "group", "wait": True})

    assert consumer.got[-1]["last_called"] == "201,202"


async def test_first_leg_of_a_callback_may_end_by_itself(sipuni: Sipuni, consumer) -> None:
    """The other reading of the vendor's example: each leg has a hang-up."""
    sipuni.knobs = turned(sipuni.knobs, {"first_leg_hangup": True, "callback_id_in_events": True})

    started = await play(sipuni, {"scenario": "callback", "wait": True})

    assert told(consumer.got[-1]) == "2 1>2 201 ANSWER"
    assert {event["callbackId"] for event in consumer.got} == {started["order"]}


async def test_events_may_be_posted(sipuni: Sipuni, consumer) -> None:
    """A POST form carries the same fields."""
    sipuni.knobs = turned(sipuni.knobs, {"hook_post": True})

    await play(sipuni, {"scenario": "missed", "wait": True})

    assert [told(event) for event in consumer.got] == FLOWS["missed"]


async def test_parameters_join_a_hook_that_has_some(sipuni: Sipuni, consumer) -> None:
    """A hook URL with a query keeps it."""
    sipuni.hook = f"{consumer.url}?line=7"

    await play(sipuni, {"scenario": "missed", "wait": True})

    assert {event["line"] for event in consumer.got} == {"7"}


async def test_bad_answers_suspend_the_delivery(sipuni: Sipuni, consumer) -> None:
    """After k answers without success the PBX falls silent until the hook is entered again."""
    sipuni.knobs = turned(sipuni.knobs, {"suspend_after": 2})
    consumer.answer = {"success": False}

    await play(sipuni, {"scenario": "missed", "wait": True})
    await play(sipuni, {"scenario": "missed", "wait": True})

    assert sipuni.courier.suspended
    heard = len(consumer.got)
    assert heard < 8
    consumer.answer = {"success": True}
    sipuni.hook = consumer.url
    await play(sipuni, {"scenario": "missed", "wait": True})
    assert len(consumer.got) == heard + 4


@pytest.mark.parametrize(
    ("method", "params", "flow"),
    [
        ("callback/call_number", {"phone": "79161234567", "sipnumber": "201", "reverse": "0"}, FLOWS["callback"]),
        (
            "callback/call_number",
            {"phone": "79161234567", "sipnumber": "201", "reverse": "1"},
            ["1 2>1 79161234567", "3 2>1 79161234567", "1 1>2 201", "3 1>2 201", "2 1>2 201 ANSWER"],
        ),
        (
            "callback/call_tree",
            {"phone": "79161234567", "sipnumber": "205", "reverse": "1", "tree": "000658610"},
            ["1 2>1 79161234567", "3 2>1 79161234567", "1 1>2 203", "3 1>2 203", "2 1>2 203 ANSWER"],
        ),
        (
            "callback/call_external",
            {"phoneFrom": "79161234567", "phoneTo": "74991234567", "sipnumber": "201", "sipnumber2": "202"},
            [
                "1 2>1 79161234567",
                "3 2>1 79161234567",
                "1 2>1 74991234567",
                "3 2>1 74991234567",
                "2 2>1 74991234567 ANSWER",
            ],
        ),
    ],
)
async def test_order_makes_its_call(
    sipuni: Sipuni, consumer, browser: ClientSession, method: str, params: dict[str, str], flow: list[str]
) -> None:
    """Who is called first follows the command."""
    full = params | {"user": sipuni.user}
    data = full | {"hash": signature(full, sipuni.secret)}

    async with browser.post(f"{sipuni.base_url}/api/{method}", data=data) as answer:
        assert (await answer.json())["success"] is True
    await sipuni.idle()

    assert [told(event) for event in consumer.got] == flow


async def test_order_may_never_produce_a_call(sipuni: Sipuni, consumer, browser: ClientSession) -> None:
    """The vendor says yes and nothing follows."""
    sipuni.knobs = turned(sipuni.knobs, {"callbacks": "never"})
    full = {"phone": "79161234567", "sipnumber": "201", "reverse": "0", "user": sipuni.user}

    async with browser.post(
        f"{sipuni.base_url}/api/callback/call_number", data=full | {"hash": signature(full, sipuni.secret)}
    ) as answer:
        assert (await answer.json())["success"] is True
    await sipuni.idle()

    assert consumer.got == []
