"""What our backend makes of the eighteen unpleasantnesses of real PBXs (docs/reference/sandbox.md, "Faults").

One running sandbox. The faults are planted and the calls played one row after another, since a fault hits whatever a
PBX does; each test then looks at its own calls.
"""

import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from knob_stage import (
    GONE,
    REFUSALS,
    REFUSED,
    RING_S,
    SHARED,
    SILENT,
    TALK_S,
    THREE_HOURS_S,
    VENDORS,
    Json,
    Stage,
    is_settled,
    order_calls,
    play_contents,
    play_deliveries,
    play_scenarios,
    play_what_waits,
    share_an_extension,
)
from sandboxes import running, until
from screens import connected, has_copied, notes, phones

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

SILENT_S = 60  # after this long, an order of which nothing is heard is given up (server/core/dial.py)
UNKNOWN_FIELD = {"sipuni": "line_quality", "mango": "media_quality"}
VENDOR_PATIENCE_MS = 5000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Everything has been played; what was to be logged stands in amoCRM."""
    async with running(tmp_path_factory.mktemp("knobs") / "state", KOMMUTATOR_AMO_SETTLE_S="1") as sandbox:
        await sandbox.switch(limit_integration_per_s=0)
        one = Stage(sandbox)
        one.numbers = await phones(sandbox)
        async with connected(one.screens):
            await until(lambda: has_copied(one.screens["201"]), timeout_s=20)
            await share_an_extension(one)
            for vendor in VENDORS:
                url = sandbox.info["pbx"][vendor]["url"].partition("/api")[0].partition("/vpbx")[0]
                await sandbox.ask("PUT", f"{url}/sandbox/knobs", json={"ring_s": RING_S, "talk_s": TALK_S})
            for act in (play_what_waits, play_scenarios, play_contents, play_deliveries, order_calls):
                await act(one)
            await until(lambda: is_settled(one), timeout_s=40, step_s=1)
            one.notes = await notes(sandbox)
            one.seen["hooks"] = [entry for entry in await sandbox.log("webhook") if "vendor" in entry]
            yield one


def read(call: Json) -> tuple[str, str, str | None]:
    return call["direction"], call["result"], call["answered_by_ext"]


def is_one_answered_call(stage: Stage, row: str, vendor: str, by: str = "201") -> None:
    """Whatever was done to it on the way."""
    call = stage.call(row, vendor)
    assert read(call) == ("in", "answered", by)
    assert abs(call["talk_s"] - TALK_S) < 2
    assert stage.notes[call["id"]] == 1


async def note_of(stage: Stage, row: str, vendor: str) -> Json:
    """The call's note in amoCRM."""
    wanted = stage.call(row, vendor)["id"]
    for noun in ("contacts", "companies", "leads", "customers"):
        answer = await stage.sandbox.api(f"/api/v4/{noun}/notes?limit=250&order[id]=desc")
        for note in answer["_embedded"]["notes"] if answer else []:
            if note["params"].get("uniq") == wanted:
                return dict(note)
    raise AssertionError(f"no note of {row}")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_shuffled_and_doubled_events_are_one_call(stage: Stage, vendor: str) -> None:
    """Row 1: each of its webhooks twice, up to five seconds late; and all of another's a second late."""
    counts = Counter(str(sorted(hook["fields"].items(), key=str)) for hook in stage.hooks("shuffled", vendor))
    assert set(counts.values()) == {2}
    is_one_answered_call(stage, "shuffled", vendor, by="202")
    is_one_answered_call(stage, "late", vendor)
    missed = stage.call("shuffled-missed", vendor)

    assert read(missed) == ("in", "missed", None)
    assert missed["missed_by_ext"] == ["201"]
    assert stage.notes[missed["id"]] == 1
    assert stage.cards("shuffled", vendor).keys() == {"201", "202"}


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_lost_hang_up_leaves_the_call_to_our_patience(stage: Stage, vendor: str) -> None:
    """Row 2: it goes on, unlogged, until it is overdue; when another hang-up tells the end, the call is whole."""
    lost, told = stage.call("no hang-up", vendor), stage.call("one hang-up less", vendor)

    assert (lost["state"], lost["result"], stage.notes[lost["id"]]) == ("live", None, 0)
    assert (told["state"], read(told), stage.notes[told["id"]]) == ("ended", ("in", "answered", "203"), 1)


@pytest.mark.parametrize("value", ["string", "mixed"])
async def test_numbers_may_come_as_text(stage: Stage, value: str) -> None:
    """Row 3."""
    types = {type(hook["fields"]["timestamp"]) for hook in stage.hooks(f"types-{value}", "mango")
             if "timestamp" in hook["fields"]}  # fmt: skip
    assert str in types
    is_one_answered_call(stage, f"types-{value}", "mango")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_nobody_documented_costs_no_call(stage: Stage, vendor: str) -> None:
    """Row 4: unknown fields are passed over; an unknown code is of its class (MANGO), or says no more than "missed"."""
    assert all(UNKNOWN_FIELD[vendor] in hook["fields"] for hook in stage.hooks("unknown", vendor)[:2])
    is_one_answered_call(stage, "unknown", vendor)
    missed = stage.call("unknown-missed", vendor)

    assert read(missed) == ("in", {"sipuni": "missed", "mango": "rejected"}[vendor], None)
    assert stage.notes[missed["id"]] == 1


@pytest.mark.parametrize("row", ["html", "event first"])
async def test_result_and_events_may_come_in_either_order(stage: Stage, row: str) -> None:
    """Row 5: the click finds its call both ways, and the state line never goes back."""
    steps = list(dict.fromkeys(dial["state"] for dial in stage.dial(row, "mango") if dial["state"] != "accepted"))

    assert steps[-4:] == ["agent_ringing", "client_ringing", "talking", "ended"]
    await has_one_note(stage, row, "mango")


async def has_one_note(stage: Stage, row: str, vendor: str) -> None:
    """A clicked call."""
    wanted = stage.dials[row, vendor]["id"]
    (call,) = [call for call in stage.calls.values() if call["pending_ref"] == wanted]
    assert read(call)[:2] == ("out", "answered")

    async def is_there() -> bool:
        return (await notes(stage.sandbox))[call["id"]] == 1

    await until(is_there, timeout_s=15, step_s=0.5)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_two_who_answer_at_once_are_one_call(stage: Stage, vendor: str) -> None:
    """Row 6: of the one who stays; the other's card says that a colleague has it."""
    call = stage.call("double", vendor)
    taker = call["answered_by_ext"]
    (other,) = {"201", "202"} - {taker}

    assert (call["result"], stage.notes[call["id"]]) == ("answered", 1)
    assert stage.cards("double", vendor)[taker][-1] == "ended"
    assert stage.cards("double", vendor)[other][-1] in ("elsewhere", "ended")
    note = await note_of(stage, "double", vendor)
    assert note["responsible_user_id"] == stage.sandbox.user(taker)["id"]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_recording_that_comes_late_is_fetched(stage: Stage, vendor: str) -> None:
    """Row 7: asked for again, fetched once, and heard from our copy as often as wanted, though its link is dead."""
    call_id = stage.call("recording", vendor)["id"]
    await stage.plant("recording_gone", vendors=("mango",))
    url = stage.screens["201"].views[call_id][-1]["recording_url"]

    async def is_there() -> bool:
        async with stage.sandbox.http.get(url) as response:
            return response.status == 200 and len(await response.read()) > 100

    await until(is_there, timeout_s=20, step_s=0.5)
    await stage.plant("recording_404")
    assert await is_there()
    await stage.clear()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [*REFUSALS, 500])
async def test_a_refused_click_is_told_and_not_repeated(stage: Stage, vendor: str, status: int) -> None:
    """Row 8: the agent reads what is wrong and what to do; the PBX, which may lock us out, is asked once."""
    row = f"{REFUSED}-{status}"
    problem = stage.dial(row, vendor)[-1]["problem"]
    asked = [entry for entry in await stage.sandbox.log("call", vendor=vendor) if entry.get("status") == status]

    assert problem["slug"] == REFUSALS.get(status, "vendor-unavailable")
    assert problem["cure"]
    assert len(asked) == (0 if status == 500 else 1)  # 500: refused before anything noted it


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_suspended_delivery_costs_no_later_call(stage: Stage, vendor: str) -> None:
    """Row 9: what was never sent we cannot know; what comes afterwards is whole. And we answer long before a PBX gives
    up: no webhook of any row was too slow for it.
    """
    is_one_answered_call(stage, "resumed", vendor)
    is_one_answered_call(stage, "give_up", vendor)
    assert {stage.refs["suspended", vendor], stage.refs["unheard", vendor]} & stage.calls.keys() == set()

    answered = [hook["ms"] for hook in stage.seen["hooks"] if hook["vendor"] == vendor and "ms" in hook]
    assert max(answered) < VENDOR_PATIENCE_MS
    assert statistics.median(answered) < VENDOR_PATIENCE_MS / 10


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("row", ["fast", "slow"])
async def test_a_clock_that_is_off_changes_no_length(stage: Stage, vendor: str, row: str) -> None:
    """Row 10: talk is a difference. A call that "begins" after we heard of it began when we heard; an earlier time
    stands, since webhooks may be late.
    """
    is_one_answered_call(stage, row, vendor)
    note = await note_of(stage, row, vendor)

    assert note["params"]["duration"] == stage.call(row, vendor)["talk_s"]
    off_s = note["created_at"] - time.time()
    assert -300 < off_s <= 0 if row == "fast" else -THREE_HOURS_S - 300 < off_s < -THREE_HOURS_S + 300


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_caller_without_a_number_is_no_note(stage: Stage, vendor: str) -> None:
    """Row 11: a card that says so, and nobody made up in amoCRM."""
    call = stage.call("anonymous", vendor)

    assert call["client_phone"] is None
    assert stage.screens["202"].views[call["id"]][0]["caller"] == {"kind": "anonymous"}
    assert stage.notes[call["id"]] == 0


@pytest.mark.parametrize("vendor", VENDORS)
async def test_who_shares_an_extension_sees_its_calls(stage: Stage, vendor: str) -> None:
    """Row 12: both see the card, one note. Nobody's extension is told to the administrator; a deleted one cannot dial,
    and says why.
    """
    is_one_answered_call(stage, "shared", vendor, by=SHARED)
    assert stage.cards("shared", vendor) == {ext: ["ringing", "talking", "ended"] for ext in ("204", "205")}
    owners = {stage.sandbox.user(extension)["id"] for extension in ("204", "205")}
    assert (await note_of(stage, "shared", vendor))["responsible_user_id"] in owners

    snapshot = await stage.screens["201"].ask("GET", "/api/poll?digest=none")
    told = [alert["details"]["extension"] for alert in snapshot["alerts"] if alert["slug"] == "extension-unmapped"]
    assert "299" in told
    assert read(stage.call("unseated", vendor)) == ("in", "missed", None)

    problem = stage.dial(GONE, vendor)[-1]["problem"]
    assert problem["slug"] == "vendor-extension"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_colleagues_calls_are_theirs_alone(stage: Stage, vendor: str) -> None:
    """Row 13: both see each other's names; amoCRM hears nothing."""
    call = stage.call("internal", vendor)

    assert (call["direction"], call["client_phone"], stage.notes[call["id"]]) == ("internal", None, 0)
    assert stage.cards("internal", vendor).keys() == {"201", "203"}
    names = [stage.screens[ext].views[call["id"]][0]["caller"]["name"] for ext in ("201", "203")]
    assert names == [stage.sandbox.user(ext)["name"] for ext in ("203", "201")]


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_call_handed_on_outside_stays_the_clients(stage: Stage, vendor: str) -> None:
    """Row 14: inbound, of the client's number and of the agent who took it; one note."""
    call = stage.call("outside", vendor)

    assert read(call) == ("in", "answered", "202")
    assert call["client_phone"][-10:] == "".join(c for c in stage.phones["outside", vendor] if c.isdigit())[-10:]
    assert stage.notes[call["id"]] == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_is_not_ours_is_refused_and_not_stored(stage: Stage, vendor: str) -> None:
    """Row 15: a wrong signature or another tenant's key never gets in; a replayed body changes nothing."""
    first = stage.hooks("replay", vendor)[0]["fields"]
    assert [hook["fields"] for hook in stage.hooks("replay", vendor)].count(first) > 2
    is_one_answered_call(stage, "replay", vendor)
    for row in ("wrong_signature", "foreign_key"):
        statuses = {hook["status"] for hook in stage.hooks(row, vendor)}

        assert statuses == ({403} if vendor == "mango" else {404})
        assert stage.refs[row, vendor] not in stage.calls


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_connection_check_is_answered_and_is_no_call(stage: Stage, vendor: str) -> None:
    """Row 16: 200, so that the cabinet says "connected"; the call after it is as any other."""
    checks = [hook for hook in stage.seen["hooks"] if hook["vendor"] == vendor and not hook["call_id"]]

    assert [hook["status"] for hook in checks if not hook["fields"]] == [200]
    is_one_answered_call(stage, "checked", vendor, by="203")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_answers_may_call_themselves_html(stage: Stage, vendor: str) -> None:
    """Row 17: they are read by what stands in them."""
    assert stage.dial("html", vendor)[-1]["state"] == "ended"
    await has_one_note(stage, "html", vendor)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_order_without_a_call_falls_silent(stage: Stage, vendor: str) -> None:
    """Row 18: after a minute the agent reads that nothing came of it, and what to do."""

    async def is_silent() -> Json | None:
        return next((dial for dial in stage.dial(SILENT, vendor) if dial["state"] == "silent"), None)

    dial = await until(is_silent, timeout_s=SILENT_S)

    assert dial["problem"]["slug"] == "vendor-silent"
