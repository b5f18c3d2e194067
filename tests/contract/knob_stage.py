"""Plants the bad habits of PBXs one after another on a running sandbox, and plays the calls that they hit."""

from collections import Counter
from typing import Any

from sandboxes import Sandbox, until
from screens import Screen, click, line_of, notes

Json = dict[str, Any]
RING_S, TALK_S = 0.4, 1.6
VENDORS = ("sipuni", "mango")
SHARED = "204"
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
