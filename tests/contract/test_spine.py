"""The spine on real parts: a PBX plays a call; the right agents see the right cards; one note stands in amoCRM.

All scenarios of both vendors are played at once on one running sandbox; each test then looks at its own call.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sandboxes import Sandbox, running, until
from screens import Screen, click, connected, has_copied, line_of, notes, phones

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

Json = dict[str, Any]
RING_S, TALK_S = 0.7, 1.4
AGENTS = ("201", "202", "203")
VENDORS = ("sipuni", "mango")


class Story:
    """What is to come of a scenario: the final call, and each agent's card, step by step (repeats left out)."""

    def __init__(
        self, direction: str, result: str, answered_by: str | None = None, *, rang: str = "", talks: bool = False,
        cards: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.call = (direction, result, answered_by, rang.split())
        self.talks = talks
        self.cards = {extension: steps.split() for extension, steps in (cards or {}).items()}


TAKEN = "ringing talking ended"
LEFT = "ringing missed"
GIVEN = "ringing talking elsewhere ended"
STORIES = {
    "answered": Story("in", "answered", "201", rang="201", talks=True, cards={"201": TAKEN}),
    "missed": Story("in", "missed", rang="201", cards={"201": LEFT}),
    "busy": Story("in", "busy", rang="201", cards={"201": LEFT}),
    "unavailable": Story("in", "unavailable", rang="201", cards={"201": LEFT}),
    "cancelled": Story("in", "missed", rang="201", cards={"201": LEFT}),
    "ivr_only": Story("in", "missed"),
    "group": Story(
        "in", "answered", "202", rang="201 202", talks=True, cards={"201": "ringing elsewhere", "202": TAKEN}
    ),
    "transfer": Story(
        "in",
        "answered",
        "203",
        rang="201 203",
        talks=True,
        cards={"201": "ringing talking elsewhere ended", "203": TAKEN},
    ),
    "transfer_external": Story("in", "answered", "201", rang="201", talks=True, cards={"201": GIVEN}),
    "consultation": Story(
        "in",
        "answered",
        "203",
        rang="201 203",
        talks=True,
        cards={"201": "ringing talking elsewhere ended", "203": TAKEN},
    ),
    "internal": Story("internal", "answered", "202", rang="202", talks=True, cards={"201": TAKEN, "202": TAKEN}),
    "outgoing": Story("out", "answered", "201", talks=True, cards={"201": TAKEN}),
    "outgoing_busy": Story("out", "busy", cards={"201": "ringing ended"}),
    "outgoing_missed": Story("out", "no_answer", cards={"201": "ringing ended"}),
    "callback": Story("out", "answered", "201", rang="201", talks=True, cards={"201": TAKEN}),
    "callback_no_answer": Story("out", "no_answer", rang="201", cards={"201": "ringing ended"}),
    "callback_busy": Story("out", "busy", rang="201", cards={"201": "ringing ended"}),
    "callback_client_no_answer": Story("out", "no_answer", rang="201", cards={"201": "ringing ended"}),
}
HELD = "ringing talking held elsewhere ended"
DIFFERENT = {
    # Sipuni knows no "rejected": a telephone that is hung up on is busy.
    ("sipuni", "rejected"): Story("in", "busy", rang="201", cards={"201": LEFT}),
    ("mango", "rejected"): Story("in", "rejected", rang="201", cards={"201": LEFT}),
    # Nothing tells a call-back of somebody else's from a call that comes in, until the client is rung.
    ("sipuni", "callback"): Story(
        "out", "answered", "201", rang="201", talks=True, cards={"201": "ringing talking ringing talking ended"}
    ),
    ("sipuni", "callback_no_answer"): Story("in", "missed", rang="201", cards={"201": LEFT}),
    ("sipuni", "callback_busy"): Story("out", "busy", rang="201", cards={"201": "ringing talking ringing ended"}),
    ("sipuni", "callback_client_no_answer"): Story(
        "out", "no_answer", rang="201", cards={"201": "ringing talking ringing ended"}
    ),
    # MANGO tells of the hold.
    ("mango", "transfer"): Story(
        "in", "answered", "203", rang="201 203", talks=True, cards={"201": HELD, "203": TAKEN}
    ),
    ("mango", "transfer_external"): Story("in", "answered", "201", rang="201", talks=True, cards={"201": HELD}),
    ("mango", "consultation"): Story(
        "in", "answered", "203", rang="201 203", talks=True,
        cards={"201": "ringing talking held talking elsewhere ended", "203": TAKEN},
    ),
}  # fmt: skip
PLAYS = sorted(
    {(vendor, name): story for vendor in VENDORS for name, story in STORIES.items()} | DIFFERENT, key=str
)  # fmt: skip


def story_of(play: tuple[str, str]) -> Story:
    return DIFFERENT.get(play) or STORIES[play[1]]


class Played:
    """What the sandbox went through: the calls by play, the agents' screens, the notes by our call's id."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.screens = {extension: Screen(sandbox, extension) for extension in AGENTS}
        self.refs: dict[tuple[str, str], str] = {}
        self.calls: dict[str, Json] = {}
        self.clicked: list[str] = []
        self.notes: Counter[str] = Counter()

    def call(self, play: tuple[str, str]) -> Json:
        """The call that a play became."""
        return self.calls[self.refs[play]]


async def play_all(played: Played) -> None:
    sandbox = played.sandbox
    for play, phone in zip(PLAYS, await phones(sandbox), strict=False):
        vendor, scenario = play
        body: Json = {"scenario": scenario, "ring_s": RING_S, "talk_s": TALK_S}
        if scenario == "internal":
            body |= {"from": "201", "to": "202"}
        else:
            body["to" if scenario.startswith(("outgoing", "callback")) else "from"] = phone
        began = await sandbox.play(vendor, **body)
        played.refs[play] = began["call_id"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    async with running(tmp_path_factory.mktemp("spine") / "state", KOMMUTATOR_AMO_SETTLE_S="1") as one:
        await one.switch(limit_integration_per_s=0)
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(sandbox: Sandbox) -> Played:
    """Everything has been played, told and logged."""
    one = Played(sandbox)
    async with connected(one.screens):
        await until(lambda: has_copied(one.screens["201"]), timeout_s=20)
        await play_all(one)
        expected = len([play for play in PLAYS if play[1] != "internal"])

        async def is_over() -> bool:
            calls = {call["provider_call_id"]: call for call in await sandbox.calls()}
            one.calls = {ref: calls[ref] for ref in one.refs.values() if ref in calls}
            return len(one.calls) == len(PLAYS) and all(call["state"] == "ended" for call in one.calls.values())

        await until(is_over, timeout_s=30, step_s=1)

        async def are_logged() -> bool:
            return len(await sandbox.log("request", path="/api/v4/calls", status=200)) >= expected

        await until(are_logged, timeout_s=40, step_s=0.5)
    one.notes = await notes(sandbox)
    return one


@pytest.mark.parametrize("play", PLAYS, ids=":".join)
async def test_the_final_call_is_what_was_played(played: Played, play: tuple[str, str]) -> None:
    """Direction, result, who took it, who was rung; talk is what was talked."""
    call, story = played.call(play), story_of(play)

    found = (call["direction"], call["result"], call["answered_by_ext"], call["rang_ext"])
    assert found == story.call
    assert bool(call["talk_s"]) == story.talks


@pytest.mark.parametrize("play", PLAYS, ids=":".join)
async def test_the_right_agents_see_the_right_cards(played: Played, play: tuple[str, str]) -> None:
    """In order, and nobody else sees anything."""
    call_id, story = played.call(play)["id"], story_of(play)

    found = {extension: screen.states(call_id) for extension, screen in played.screens.items()}
    assert {extension: steps for extension, steps in found.items() if steps} == story.cards


@pytest.mark.parametrize("play", [play for play in PLAYS if play[1] != "internal"], ids=":".join)
async def test_a_finished_call_is_one_note(played: Played, play: tuple[str, str]) -> None:
    """In amoCRM, under our call's id."""
    assert played.notes[played.call(play)["id"]] == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_call_between_colleagues_is_no_note(played: Played, vendor: str) -> None:
    """There is no client to put it to."""
    assert played.notes[played.call((vendor, "internal"))["id"]] == 0


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_known_caller_is_named_on_the_card(played: Played, vendor: str) -> None:
    """From the first moment, by the local phone book."""
    call_id = played.call((vendor, "answered"))["id"]

    first = played.screens["201"].views[call_id][0]
    assert first["caller"]["kind"] in {"contact", "company"}
    assert first["caller"]["name"]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_recorded_talk_can_be_heard(played: Played, vendor: str) -> None:
    """By the card's own link, from our server."""
    call_id = played.call((vendor, "answered"))["id"]
    url = played.screens["201"].views[call_id][-1]["recording_url"]

    async with played.sandbox.http.get(url) as response:
        assert response.status == 200
        assert len(await response.read()) > 100


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_withheld_number_is_anonymous(sandbox: Sandbox, played: Played, vendor: str) -> None:
    """A card without a number; no note."""
    screen = Screen(sandbox, "202")
    async with connected({"202": screen}):
        began = await sandbox.play(
            vendor, scenario="missed", extension="202", ring_s=RING_S, **{"from": "anonymous"}
        )  # fmt: skip

        async def is_over() -> Any:
            return next((c for c in await sandbox.calls() if c["provider_call_id"] == began["call_id"]
                         and c["state"] == "ended"), None)  # fmt: skip

        call = await until(is_over, timeout_s=10, step_s=0.5)

    assert call["client_phone"] is None
    assert screen.views[call["id"]][0]["caller"] == {"kind": "anonymous"}


async def test_the_long_poll_sees_what_the_socket_sees(sandbox: Sandbox, played: Played) -> None:
    """Waits for news, and answers with the same card."""
    screen = Screen(sandbox, "203")
    async with connected({"203": screen}):
        before = await screen.ask("GET", "/api/poll?digest=none")
        waiting = asyncio.create_task(screen.ask("GET", f"/api/poll?digest={before['digest']}"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await sandbox.play("sipuni", scenario="missed", extension="203", ring_s=2, **{"from": "+79160000203"})
        after = await asyncio.wait_for(waiting, 5)

        ringing = [view for view in after["calls"] if view["state"] == "ringing"]
        assert [view["caller"]["phone"] for view in ringing] == ["+79160000203"]
        await until(lambda: has(screen, ringing[0]["id"]), timeout_s=5)
        assert screen.views[ringing[0]["id"]][0] == ringing[0]


async def has(screen: Screen, call_id: str) -> bool:
    return call_id in screen.views


# -- click to call -------------------------------------------------------------------------------------------------


async def knobs(sandbox: Sandbox, vendor: str, **values: Any) -> None:
    url = sandbox.info["pbx"][vendor]["url"].partition("/api")[0].partition("/vpbx")[0]
    await sandbox.ask("PUT", f"{url}/sandbox/knobs", json=values)


async def comes_to(screen: Screen, state: str) -> None:
    async def is_there() -> bool:
        return state in screen.dial_states

    try:
        await until(is_there, timeout_s=15)
    except AssertionError:
        raise AssertionError(f"no {state!r} in {screen.dials}") from None


@pytest.mark.parametrize(
    ("vendor", "callbacks", "result"),
    [(v, *how) for v in VENDORS for how in (("answered", "answered"), ("busy", "busy"))],
)
async def test_a_click_is_followed_to_its_end(
    sandbox: Sandbox, played: Played, vendor: str, callbacks: str, result: str
) -> None:
    """Asked, accepted, your telephone, the client's, talk, end; the call is the click's, outgoing, logged once."""
    await knobs(sandbox, vendor, callbacks=callbacks, ring_s=RING_S, talk_s=TALK_S)
    screen = Screen(sandbox, "201")
    async with connected({"201": screen}):
        order = await click(screen, line_of(screen, vendor), f"k-{vendor}-{callbacks}", (await phones(sandbox))[-1])
        await comes_to(screen, "ended")
    steps = [state for state in screen.dial_states if state != "accepted"]  # the events may overtake the answer
    talk = ["talking"] if result == "answered" else []

    assert list(dict.fromkeys(steps)) == ["asking", "agent_ringing", "client_ringing", *talk, "ended"]
    call = next(call for call in await sandbox.calls() if call["pending_ref"] == order["id"])
    assert (call["direction"], call["result"], call["origin"]) == ("out", result, "widget")
    played.clicked.append(call["id"])


async def test_each_clicked_call_is_one_note(sandbox: Sandbox, played: Played) -> None:
    """Those of the tests before this one."""
    assert played.clicked

    async def are_logged() -> bool:
        found = await notes(sandbox)
        return [found[call_id] for call_id in played.clicked] == [1] * len(played.clicked)

    await until(are_logged, timeout_s=20, step_s=0.5)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_pbx_that_is_down_is_named(sandbox: Sandbox, played: Played, vendor: str) -> None:
    """The state line fails at once, with what to do."""
    screen = Screen(sandbox, "202")
    await sandbox.fault(target=vendor, kind="outage")
    try:
        async with connected({"202": screen}):
            await click(screen, line_of(screen, vendor), f"down-{vendor}", "+79161234567")
            await comes_to(screen, "failed")
    finally:
        await sandbox.ask("DELETE", f"{sandbox.amocrm}/sandbox/faults")

    problem = screen.dials[-1]["problem"]
    assert (problem["slug"], problem["temporary"]) == ("vendor-unavailable", True)
    assert problem["cure"]


@pytest.mark.parametrize(("vendor", "field"), [("sipuni", "secret"), ("mango", "api_salt")])
async def test_a_wrong_secret_is_named(sandbox: Sandbox, played: Played, vendor: str, field: str) -> None:
    """And mended in the settings."""
    screen = Screen(sandbox, "201")
    async with connected({"201": screen}):
        line = line_of(screen, vendor)
        await screen.ask("PUT", f"/api/lines/{line}", json={"credentials": {field: "wrong"}})
        try:
            await click(screen, line, f"wrong-{vendor}", "+79161234567")
            await comes_to(screen, "failed")
        finally:
            right = sandbox.info["pbx"][vendor][field]
            await screen.ask("PUT", f"/api/lines/{line}", json={"credentials": {field: right}})

    assert screen.dials[-1]["problem"]["slug"] == "vendor-credentials"


# -- a restart in mid-call: last, for the backend dies -------------------------------------------------------------


async def test_after_a_crash_in_mid_call_the_snapshot_is_right(sandbox: Sandbox, played: Played) -> None:
    """kill -9 while somebody talks: the new process shows the same talk, and its end."""
    screen = Screen(sandbox, "201")
    async with connected({"201": screen}):
        began = await sandbox.play(
            "sipuni", scenario="answered", extension="201", ring_s=RING_S, talk_s=8, **{"from": "+79160000777"}
        )  # fmt: skip

        async def talk() -> Any:
            cards = [views[-1] for views in screen.views.values() if views[-1]["caller"].get("phone") == "+79160000777"]
            return next((card for card in cards if card["state"] == "talking"), None)

        before = await until(talk, timeout_s=10)
    await sandbox.switch_backend("kill")
    await sandbox.switch_backend("start")

    reborn = Screen(sandbox, "201")
    async with connected({"201": reborn}):
        after = next(view for view in reborn.snapshot["calls"] if view["id"] == before["id"])
        assert after == before
        await until(lambda: ends(reborn, before["id"]), timeout_s=15)
    call = next(call for call in await sandbox.calls() if call["provider_call_id"] == began["call_id"])
    assert (call["result"], call["talk_s"] in (7, 8, 9)) == ("answered", True)


async def ends(screen: Screen, call_id: str) -> bool:
    return screen.states(call_id)[-1] == "ended"
