"""What our backend makes of the eighteen unpleasantnesses of real PBXs (docs/reference/sandbox.md, "Faults").

One running sandbox. The faults are planted and the calls played one row after another, since a fault hits whatever a
PBX does; each test then looks at its own calls.
"""

import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sandboxes import Sandbox, running, until
from screens import Screen, click, connected, has_copied, line_of, notes, phones

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

Json = dict[str, Any]
RING_S, TALK_S = 0.4, 1.6
VENDORS = ("sipuni", "mango")
UNKNOWN_FIELD = {"sipuni": "line_quality", "mango": "media_quality"}
SHARED = "204"
SILENT_S = 60  # after this long, an order of which nothing is heard is given up (server/core/dial.py)
VENDOR_PATIENCE_MS = 5000
THREE_HOURS_S = 10_800
GONE, SILENT, REFUSED = "deleted", "silent", "refused"
NEVER_HEARD = ("wrong_signature", "foreign_key", "suspended", "unheard")
NO_NOTE = ("anonymous", "internal", "no hang-up")
REFUSALS = {401: "vendor-credentials", 429: "vendor-rate-limited", 503: "vendor-unavailable"}


class Stage:
    """The sandbox, its agents' screens, and what was played: the calls by row and vendor."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.screens = {extension: Screen(sandbox, extension) for extension in ("201", "202", "203", "204", "205")}
        self.refs: dict[tuple[str, str], str] = {}
        self.dials: dict[tuple[str, str], Json] = {}
        self.seen: dict[str, Any] = {}
        self.numbers: list[str] = []
        self.phones: dict[tuple[str, str], str] = {}
        self.calls: dict[str, Json] = {}
        self.notes: Counter[str] = Counter()

    async def plant(self, *kinds: str, vendors: tuple[str, ...] = VENDORS, **more: Any) -> None:
        """The same faults at these PBXs."""
        for vendor in vendors:
            for kind in kinds:
                await self.sandbox.fault(target=vendor, kind=kind, **more)

    async def clear(self) -> None:
        """Everything is well again, as soon as what was played has been told."""
        await self.sandbox.ask("DELETE", f"{self.sandbox.amocrm}/sandbox/faults")

    async def play(self, row: str, *, vendors: tuple[str, ...] = VENDORS, wait: bool = False, **body: Any) -> None:
        """A call of this name at these PBXs, each from a number of its own."""
        for vendor in vendors:
            phone = self._number(row, vendor)
            script = {"from": phone, "ring_s": RING_S, "talk_s": TALK_S, "record": False, **body}
            self.refs[row, vendor] = (await self.sandbox.play(vendor, **script))["call_id"]
        if wait:
            await self.told(*(self.refs[row, vendor] for vendor in vendors))

    def _number(self, row: str, vendor: str) -> str:
        """A contact's where a note is to come of it, else nobody's."""
        is_noted = row not in (*NEVER_HEARD, *NO_NOTE, SILENT, GONE) and not row.startswith(REFUSED)
        phone = self.numbers.pop() if is_noted else f"+7999000{len(self.phones):04}"
        self.phones[row, vendor] = phone
        return phone

    async def told(self, *refs: str) -> None:
        """Return when these calls are over at their PBX: its faults have hit by then, whenever webhooks arrive."""
        await until(lambda: self._are_over(refs), timeout_s=20, step_s=0.1)

    async def _are_over(self, refs: tuple[str, ...]) -> bool:
        return {entry["call_id"] for entry in await self.sandbox.log("call", what="CallEnded")} >= set(refs)

    async def order(self, row: str, vendor: str, extension: str) -> None:
        """A click of this agent's."""
        screen = self.screens[extension]
        phone = self._number(row, vendor)
        self.dials[row, vendor] = await click(screen, line_of(screen, vendor), f"{row}-{vendor}", phone)

    def dial(self, row: str, vendor: str) -> list[Json]:
        """The steps of an order's state line."""
        wanted = self.dials[row, vendor]["id"]
        return [dial for screen in self.screens.values() for dial in screen.dials if dial["id"] == wanted]

    async def comes_to(self, row: str, vendor: str, *states: str) -> Json:
        """The order's state line once it stands at one of these."""

        async def there() -> Json | None:
            return next((dial for dial in self.dial(row, vendor) if dial["state"] in states), None)

        return await until(there, timeout_s=15)

    def call(self, row: str, vendor: str) -> Json:
        """What a row's call became."""
        return self.calls[self.refs[row, vendor]]

    def cards(self, row: str, vendor: str) -> dict[str, list[str]]:
        """Who saw its card, step by step."""
        call_id = self.call(row, vendor)["id"]
        found = {extension: screen.states(call_id) for extension, screen in self.screens.items()}
        return {extension: states for extension, states in found.items() if states}

    def hooks(self, row: str, vendor: str) -> list[Json]:
        """The webhooks that its PBX sent of it."""
        return [entry for entry in self.seen["hooks"] if entry["call_id"] == self.refs[row, vendor]]


async def share_an_extension(stage: Stage) -> None:
    """The administrator seats a second agent at one extension of each line."""
    admin = stage.screens["201"]
    seats = (await admin.ask("GET", "/api/settings"))["agents"]
    second = stage.sandbox.user("205")["id"]
    more = [{**seat, "user_id": second} for seat in seats if seat["extension"] == SHARED]
    await admin.ask("PUT", "/api/agents", json={"agents": [*seats, *more]})


async def play_what_waits(stage: Stage) -> None:
    """First what takes its time: orders that fall silent, recordings that come late."""
    await stage.plant("order_without_call", n=1)
    for vendor, extension in (("sipuni", "204"), ("mango", "205")):
        await stage.order(SILENT, vendor, extension)
    await until(lambda: is_used_up(stage), timeout_s=10)
    await stage.plant("recording_404", n=1)
    await stage.play("recording", record=True, wait=True)
    await until(lambda: is_used_up(stage), timeout_s=15)


async def is_used_up(stage: Stage) -> bool:
    """Whether every counted fault has hit."""
    return await stage.sandbox.ask("GET", f"{stage.sandbox.amocrm}/sandbox/faults") == []


async def play_scenarios(stage: Stage) -> None:
    """Faults that decide what call comes: each hits the next one."""
    await stage.plant("anonymous", n=1)
    await stage.play("anonymous", scenario="missed", extension="202")
    await stage.plant("double_answer", n=1)
    await stage.play("double", scenario="group")
    await stage.plant("internal", n=1)
    for vendor in VENDORS:
        began = await stage.sandbox.play(vendor, **{"from": "201", "to": "203", "ring_s": RING_S, "talk_s": TALK_S})
        stage.refs["internal", vendor] = began["call_id"]
    await stage.plant("transfer_external", n=1)
    await stage.play("outside", extension="202", ring_s=0.8, talk_s=3)
    await stage.plant("post_without_json", n=1)
    await stage.play("checked", extension="203")
    await stage.play("unseated", scenario="missed", extension="299")
    await stage.play("shared", extension=SHARED)
    await stage.told(*stage.refs.values())


async def play_contents(stage: Stage) -> None:
    """Faults of what webhooks say, each as long as its calls last."""
    for row, kinds in {
        "unknown": ("extra_fields", "unknown_codes"),
        "replay": ("replay",),
        "wrong_signature": ("wrong_signature",),
        "foreign_key": ("foreign_key",),
        "give_up": ("give_up",),
    }.items():
        await stage.plant(*kinds)
        await stage.play(row)
        if row == "unknown":
            await stage.play("unknown-missed", scenario="missed")
        await stage.told(*(stage.refs[row, vendor] for vendor in VENDORS))
        await stage.clear()
    for row, value in {"fast": THREE_HOURS_S, "slow": -THREE_HOURS_S}.items():
        await stage.plant("clock_skew", value=value)
        await stage.play(row, wait=True)
        await stage.clear()
    for value in ("string", "mixed"):
        await stage.plant("types", vendors=("mango",), value=value)
        await stage.play(f"types-{value}", vendors=("mango",), wait=True)
        await stage.clear()


async def play_deliveries(stage: Stage) -> None:
    """Faults of the way of webhooks."""
    await stage.plant("drop_hangup")
    await stage.play("no hang-up", wait=True)
    await stage.clear()
    await stage.plant("drop_hangup", n=1)
    await stage.play("one hang-up less", scenario="transfer", wait=True)
    await stage.clear()
    await stage.plant("suspend", value=2)
    await stage.plant("drop", n=2)
    await stage.play("suspended", wait=True)
    await stage.play("unheard", wait=True)
    await stage.clear()
    await stage.play("resumed", wait=True)
    await stage.plant("shuffle", "duplicate")
    await stage.play("shuffled", scenario="group")
    await stage.play("shuffled-missed", scenario="missed")
    await stage.told(*(stage.refs["shuffled", vendor] for vendor in VENDORS))
    await stage.clear()
    await stage.plant("latency", delay_s=1.0)
    await stage.play("late", wait=True)
    await stage.clear()


async def order_calls(stage: Stage) -> None:
    """Faults of commands: each hits the next click."""
    for status in REFUSALS:
        await stage.plant("lockout", value=status, n=1)
        for vendor, extension in (("sipuni", "201"), ("mango", "202")):
            await stage.order(f"{REFUSED}-{status}", vendor, extension)
            await stage.comes_to(f"{REFUSED}-{status}", vendor, "failed")
    await stage.plant("status", status=500, n=1)
    await stage.plant("deleted_extension", value="203")
    for vendor, extension in (("sipuni", "201"), ("mango", "202")):
        await stage.order(f"{REFUSED}-500", vendor, extension)
        await stage.comes_to(f"{REFUSED}-500", vendor, "failed")
        await stage.order(GONE, vendor, "203")
        await stage.comes_to(GONE, vendor, "failed")
    await stage.clear()
    await stage.plant("html_answers")
    await stage.plant("result_before_event", vendors=("mango",), n=1)
    for vendor, extension in (("sipuni", "201"), ("mango", "202")):
        await stage.order("html", vendor, extension)
    await stage.comes_to("html", "mango", "agent_ringing")
    await stage.plant("event_before_result", vendors=("mango",), n=1)
    await stage.order("event first", "mango", "203")
    for row, vendor in (("html", "sipuni"), ("html", "mango"), ("event first", "mango")):
        await stage.comes_to(row, vendor, "ended")
    await stage.clear()


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


async def is_settled(stage: Stage) -> bool:
    """Whether every call that is to be is over, and logged."""
    stage.calls = {call["provider_call_id"]: call for call in await stage.sandbox.calls()}
    wanted = [row for row in stage.refs if row[0] not in NEVER_HEARD]
    if any(stage.refs[row] not in stage.calls for row in wanted):
        return False
    over = [row for row in wanted if row[0] != "no hang-up"]
    if any(stage.call(*row)["state"] == "live" for row in over):
        return False
    found = await notes(stage.sandbox)
    return all(found[stage.call(*row)["id"]] for row in over if row[0] not in NO_NOTE)


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
