"""What both stand-ins promise: scenarios, delivery and its knobs, faults, their pages."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import make_mocked_request

from server.sandbox.faults import Faults
from server.sandbox.log import Log
from server.sandbox.pbx import panel
from server.sandbox.pbx.clock import WallClock
from server.sandbox.pbx.knobs import Knobs, turned
from server.sandbox.pbx.play import PlayError, play, read_plot
from server.sandbox.pbx.scripts import ACTS
from server.sandbox.pbx.sipuni import Sipuni
from server.sandbox.pbx.stand_in import StandIn


def shapes(consumer: Any) -> list[tuple[str, ...]]:
    """What came, without ids and times."""
    names = ("path", "event", "call_state", "recording_state", "location", "short_dst_num", "disconnect_reason", "seq")
    return [tuple(str(event.get(name)) for name in names) for event in consumer.got]


class ClosedTransport(asyncio.Transport):
    """The connection of a browser that went away."""

    def is_closing(self) -> bool:
        return True


@pytest.mark.parametrize("scenario", sorted(set(ACTS) - {"by_hand"}))
async def test_every_scenario_comes_to_its_end(pbx: StandIn, consumer: Any, scenario: str) -> None:
    """No call is left live, and everything was delivered."""
    await play(pbx, {"scenario": scenario, "wait": True})

    assert not pbx.exchange.live
    assert consumer.got
    assert all(hook["ok"] for hook in pbx.courier.sent)


async def test_fractions_of_seconds_are_real_time(pbx: StandIn) -> None:
    """On the wall's clock a call of 40 ms takes about that long."""
    pbx.clock = pbx.exchange.clock = WallClock()
    started_at = asyncio.get_running_loop().time()

    await play(pbx, {"ring_s": 0.02, "talk_s": 0.02, "record": False, "wait": True})

    assert 0.04 <= asyncio.get_running_loop().time() - started_at < 2


async def test_events_of_a_call_wait_for_each_other(pbx: StandIn, consumer: Any) -> None:
    """A slow consumer gets the next event only after its answer."""
    consumer.answers.clear()
    await play(pbx, {"scenario": "missed"})
    await consumer.heard(1)
    await asyncio.sleep(0)

    assert len(consumer.got) == 1

    consumer.answers.set()
    await pbx.idle()
    assert len(consumer.got) > 3


async def test_parallel_events_do_not_wait(pbx: StandIn, consumer: Any) -> None:
    """With the knob, everything is sent at once."""
    pbx.knobs = turned(pbx.knobs, {"parallel": True})
    consumer.answers.clear()

    await play(pbx, {"scenario": "missed"})

    await consumer.heard(4)
    consumer.answers.set()
    await pbx.idle()


async def test_slow_consumer_is_given_up(pbx: StandIn, consumer: Any) -> None:
    """After T the PBX goes on with the next event and remembers the failure."""
    pbx.knobs = turned(pbx.knobs, {"give_up_s": 0.02})
    consumer.answers.clear()

    await play(pbx, {"scenario": "missed", "wait": True})
    consumer.answers.set()

    assert all(hook["status"] is None and not hook["ok"] for hook in pbx.courier.sent)
    assert "no answer within" in pbx.courier.sent[0]["answer"]


async def test_dead_consumer_is_noted(pbx: StandIn) -> None:
    """A refused connection is an outcome, not a crash."""
    pbx.hook = "http://127.0.0.1:9/hook"

    await play(pbx, {"scenario": "missed", "wait": True})

    assert {hook["status"] for hook in pbx.courier.sent} == {None}


async def test_duplicates_are_exact(pbx: StandIn, consumer: Any) -> None:
    """Each event arrives twice, the same to the byte."""
    pbx.knobs = turned(pbx.knobs, {"duplicate_rate": 1.0})

    await play(pbx, {"scenario": "missed", "wait": True})

    assert consumer.raw[::2] == consumer.raw[1::2]


async def test_shuffled_events_overtake_and_none_is_lost(pbx: StandIn, consumer: Any) -> None:
    """The same set of events in another order."""
    await play(pbx, {"scenario": "group", "wait": True})
    in_order = shapes(consumer)
    consumer.got.clear()
    pbx.courier._clock = WallClock(speed=50)
    pbx.knobs = turned(pbx.knobs, {"shuffle_s": 5.0})

    await play(pbx, {"scenario": "group", "wait": True})

    assert shapes(consumer) != in_order
    assert sorted(shapes(consumer)) == sorted(in_order)


async def test_hang_ups_can_get_lost(pbx: StandIn, consumer: Any) -> None:
    """Only the hang-ups; the page shows them as dropped."""
    pbx.knobs = turned(pbx.knobs, {"drop_hangup_rate": 1.0})

    await play(pbx, {"scenario": "missed", "wait": True})

    assert not [
        event for event in consumer.got if event.get("event") == "2" or event.get("call_state") == "Disconnected"
    ]
    assert "dropped" in {hook["answer"] for hook in pbx.courier.sent}


async def test_replay_repeats_the_first_event(pbx: StandIn, consumer: Any) -> None:
    """An old body, byte for byte, after every event."""
    pbx.knobs = turned(pbx.knobs, {"replay": True})

    await play(pbx, {"scenario": "missed", "wait": True})

    assert all(raw == consumer.raw[0] for raw in consumer.raw[1::2])


async def test_faults_of_the_sandbox_hit_webhooks(pbx: StandIn, consumer: Any) -> None:
    """`POST /sandbox/faults` with this PBX as target loses its webhooks."""
    pbx.faults.add({"target": pbx.vendor, "kind": "drop", "n": 1})

    await play(pbx, {"scenario": "missed", "wait": True})
    lost = len(consumer.got)
    await play(pbx, {"scenario": "missed", "wait": True})

    assert len(consumer.got) == 2 * lost + 1
    assert pbx.courier.sent[0]["answer"] == "lost by a fault"


async def test_everything_is_in_the_log(pbx: StandIn) -> None:
    """Webhooks with their answers, and what happened in the exchange."""
    started = await play(pbx, {"scenario": "missed", "wait": True})

    hooks = pbx.log.entries("webhook")
    assert {(hook["call_id"], hook["status"]) for hook in hooks} == {(started["call_id"], 200)}
    assert pbx.log.entries("call")[-1]["what"] == "CallEnded"


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"scenario": "dance"}, "unknown_scenario"),
        ({"colour": 1}, "unknown_member"),
        ({"from": "abc"}, "bad_number"),
        ({"ring_s": -1}, "bad_time"),
        ({"record": 1}, "bad_flag"),
        ({"extensions": []}, "bad_extensions"),
        ({"extension": "начальник"}, "bad_extension"),
        ({"hang_up": "me"}, "bad_side"),
    ],
)
async def test_unplayable_call_is_explained(pbx: StandIn, browser: ClientSession, body: Any, slug: str) -> None:
    """A slug for programs, a sentence and a cure for people."""
    with pytest.raises(PlayError):
        read_plot(pbx, body)

    async with browser.post(f"{pbx.base_url}/sandbox/calls", json=body) as answer:
        error = (await answer.json())["error"]

    assert (answer.status, error["slug"]) == (400, slug)
    assert error["message"]
    assert error["cure"]


@pytest.mark.parametrize(
    ("body", "direction", "client", "extensions"),
    [
        ({"from": "+7 (916) 123-45-67", "to": "74951234567"}, "in", "79161234567", ("201",)),
        ({"from": "89161234567", "extension": "300"}, "in", "79161234567", ("201", "202")),
        ({"from": "anonymous"}, "in", "", ("201",)),
        ({"from": "201", "to": "79161234567"}, "out", "79161234567", ("201",)),
        ({"from": "201", "to": "203"}, "internal", "", ("201",)),
        ({"from": "79161234567", "extension": "204", "scenario": "callback"}, "out", "79161234567", ("204",)),
        ({"scenario": "internal", "extension": "202"}, "internal", "", ("202",)),
    ],
)
async def test_numbers_decide_the_direction(
    pbx: StandIn, body: Any, direction: str, client: str, extensions: tuple[str, ...]
) -> None:
    """Who calls whom follows from the two numbers."""
    plot = read_plot(pbx, body)

    assert (plot.direction, plot.client, plot.extensions) == (direction, client, extensions)


async def test_double_answer_is_a_knob_of_groups(pbx: StandIn) -> None:
    """Two phones of the group are picked up within a second."""
    pbx.knobs = turned(pbx.knobs, {"double_answer": True})

    await play(pbx, {"scenario": "group", "wait": True})

    answered = [leg for leg in pbx.exchange.calls[1].legs if leg.answered_at]
    assert len(answered) == 2


async def test_knobs_turn_over_http(pbx: StandIn, browser: ClientSession) -> None:
    """PUT changes, GET shows, DELETE puts back, nonsense is refused."""
    url = f"{pbx.base_url}/sandbox/knobs"

    async with browser.put(url, json={"shuffle_s": 3}) as answer:
        assert (await answer.json())["shuffle_s"] == 3.0
    async with browser.put(url, json={"shuffle_s": "much"}) as answer:
        assert (answer.status, (await answer.json())["error"]["slug"]) == (400, "bad_knob")
    async with browser.delete(url) as answer:
        assert (await answer.json())["shuffle_s"] == 0.0
    assert pbx.knobs == Knobs()


async def test_settings_move_the_hook(pbx: StandIn, browser: ClientSession) -> None:
    """The address for events is known only once our backend has made the line."""
    url = f"{pbx.base_url}/sandbox/settings"

    async with browser.put(url, json={"hook": "http://localhost:1/x", "base_url": "http://h/"}) as answer:
        settings = await answer.json()

    assert (settings["hook"], pbx.hook, pbx.base_url) == ("http://localhost:1/x", "http://localhost:1/x", "http://h")


async def test_person_steers_a_call(pbx: StandIn, browser: ClientSession, still_time: None) -> None:
    """Answer, transfer, answer, hang up: each button once, and a late one is refused."""
    await play(pbx, {"scenario": "by_hand", "extensions": ["201", "202"]})

    async def press(action: str, **more: Any) -> int:
        body = {"call": 1, "action": action, **more}
        async with browser.post(f"{pbx.base_url}/phone/api/actions", json=body) as answer:
            return answer.status

    async def leg(extension: str) -> int:
        async with browser.get(f"{pbx.base_url}/phone/api/state") as answer:
            legs = (await answer.json())["calls"][0]["legs"]
        return next(leg["leg"] for leg in legs if leg["extension"] == extension and leg["state"] != "ended")

    assert await press("answer", leg=await leg("202")) == 200
    assert await press("transfer", leg=await leg("202"), to="203") == 200
    assert await press("answer", leg=await leg("203")) == 200
    assert await press("hang_up", by="employee") == 200
    assert await press("answer", leg=1) == 409
    async with browser.post(f"{pbx.base_url}/phone/api/actions", json={"call": 7, "action": "hang_up"}) as answer:
        assert answer.status == 404


async def test_page_learns_at_once_what_rings(pbx: StandIn, browser: ClientSession, still_time: None) -> None:
    """The long poll answers when something happened."""
    url = f"{pbx.base_url}/phone/api/state"
    async with browser.get(url) as answer:
        revision = (await answer.json())["revision"]
    waiting = asyncio.ensure_future(browser.get(url, params={"after": revision}))
    await asyncio.sleep(0)

    await play(pbx, {"scenario": "by_hand"})

    async with asyncio.timeout(5):
        state = await (await waiting).json()
    assert state["calls"][0]["is_live"]
    assert [leg["state"] for leg in state["calls"][0]["legs"]] == ["ended", "ringing"]


async def test_click_to_call_is_left_to_people_while_they_watch(
    sipuni: Sipuni, browser: ClientSession, still_time: None
) -> None:
    """With the phone page open nobody answers by script."""
    assert sipuni.scripted("auto") == "callback"

    async with browser.get(f"{sipuni.base_url}/phone/api/state") as answer:
        assert answer.status == 200

    assert sipuni.scripted("auto") == "by_hand"


async def test_closed_page_stops_watching(sipuni: Sipuni) -> None:
    """A long poll whose browser is gone ends at once, so click-to-calls are scripted again soon."""
    request = make_mocked_request("GET", "/phone/api/state?after=0.0", transport=ClosedTransport())

    async with asyncio.timeout(5):
        answer = await panel._Panel(sipuni).state(request)

    assert answer.status == 200


async def test_open_page_does_not_hold_up_the_end(aiohttp_server: Any, browser: ClientSession) -> None:
    """A waiting long poll ends when the stand-in is shut down."""
    pbx = Sipuni(log=Log(), faults=Faults())
    server = await aiohttp_server(pbx.app())
    poll = asyncio.ensure_future(browser.get(server.make_url("/phone/api/state?after=0.0")))
    await pbx.watched.wait()

    async with asyncio.timeout(5):
        await server.close()

    assert (await poll).status == 200


async def test_phone_page_and_its_parts_are_served(pbx: StandIn, browser: ClientSession) -> None:
    """The page, its modules and its style."""
    for path in ("/", "/phone", "/phone/files/phone.js", "/phone/files/views.js", "/phone/files/phone.css"):
        async with browser.get(pbx.base_url + path) as answer:
            assert answer.status == 200


async def test_unreadable_request_is_refused(pbx: StandIn, browser: ClientSession) -> None:
    """Not JSON, or not an object."""
    for body in ("{", "[]"):
        async with browser.put(f"{pbx.base_url}/sandbox/knobs", data=body) as answer:
            assert answer.status == 400
