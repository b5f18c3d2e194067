"""One drill: play, break, repair, wait, compare."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sandboxes import Json, Sandbox, free_ports, running, until

from .judge import Held, Played, Verdict, e164, judge
from .nodes import Node, OwnChild, SecondNode, distributor
from .script import VENDORS, Planned, plan

LOSSES = {"duplicate": 0.05, "latency": 0.05, "shuffle": 0.02, "drop": 0.01}
"""Shares of webhooks that come twice, three seconds late, in another order, or not at all."""
LATE_S = 3.0

ERRORS: tuple[tuple[dict[str, Any], float], ...] = (
    ({"kind": "status", "status": 500}, 0.08),
    ({"kind": "status", "status": 502}, 0.04),
    ({"kind": "status", "status": 504}, 0.04),
    ({"kind": "drop"}, 0.06),
    ({"kind": "drop_answer"}, 0.05),
    ({"kind": "truncate"}, 0.03),
    ({"kind": "latency", "delay_s": 2}, 0.02),
    ({"kind": "status", "status": 429}, 0.001),
)
"""What goes wrong with three requests of ten: refused before, or done and the answer lost; some more are slow. Each 429
stops the account for two seconds and halves its pace for a minute: in life they are no chance.
"""

RATE = 300
"""Requests a second that this drill's amoCRM allows: ten thousand calls must not take a day."""

CONTACTS = 3000

QUIET_S = 1200.0
"""How long the house may take to finish when all is well again."""


@dataclass
class Figures:
    """What a drill counts."""

    calls: int = 0
    kills: int = 0
    played_s: float = 0.0
    whole_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    retried: int = 0
    comparisons: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """For people."""
        requests = ", ".join(f"{count} × {status}" for status, count in sorted(self.requests.items()))
        each = self.cpu_s * 1e6 / self.calls if self.calls else 0
        return [
            f"{self.calls} calls played in {self.played_s:.0f} s ({self.calls / max(self.played_s, 1):.1f}/s), "
            f"all settled after {self.whole_s:.0f} s; {self.kills} × kill -9",
            f"amoCRM's last answers: {requests or 'none'}",
            f"given up and tried again by a click: {self.retried}",
            *self.comparisons,
            f"the backend: {self.cpu_s:.1f} s of CPU, {each:,.0f} µs per call; at most {self.peak_mb:.0f} MB a process",
        ]


@dataclass(frozen=True)
class Options:
    """What is asked for."""

    calls: int
    kills: int
    outage_s: float
    at_once: int
    seed: int
    database: str = ""
    nodes: int = 1


async def drill(options: Options, folder: Path) -> tuple[Verdict, Figures]:
    """Play the whole drill in a folder of its own."""
    settings = {
        "KOMMUTATOR_AMO_REQUESTS_PER_S": str(RATE), "KOMMUTATOR_AMO_SETTLE_S": "1",
        "KOMMUTATOR_RECONCILE_SETTLE_S": "3", "KOMMUTATOR_RECONCILE_HOUR": "-1",
        **({"KOMMUTATOR_DATABASE": options.database} if options.database else {}),
    }  # fmt: skip
    # A caller's calls are logged one after another: so few callers as the sample account has would wait for each other.
    async with running(folder, "--contacts", str(CONTACTS), **settings) as sandbox:
        await until(sandbox.is_copied, timeout_s=60)
        no_limits = dict.fromkeys(("limit_integration_per_s", "limit_account_per_s"), 0)
        await sandbox.switch(**no_limits)
        return await Drill(options, sandbox, folder).run()


@dataclass(frozen=True)
class Begun:
    """A planned call, its vendor's name for it, and when it began (Unix seconds)."""

    plan: Planned
    call_ref: str
    at: float


@dataclass(frozen=True)
class Before:
    """What amoCRM held: `phones` that exactly one contact has, ids of contacts and leads."""

    phones: Sequence[str]
    contacts: frozenset[int]
    leads: frozenset[int]


class Drill:
    """A drill under way."""

    def __init__(self, options: Options, sandbox: Sandbox, folder: Path) -> None:
        self._options = options
        self._sandbox = sandbox
        self._folder = folder
        self._chance = random.Random(options.seed)  # noqa: S311  # a drill's dice
        self._nodes: list[Node] = [OwnChild(sandbox)]
        self._killing = asyncio.Lock()
        self._unsettled: list[str] = []
        self.figures = Figures(calls=options.calls)

    async def run(self) -> tuple[Verdict, Figures]:
        """From the first call to the verdict."""
        started = time.monotonic()
        async with AsyncExitStack() as stack:
            await self._spread(stack)
            before = await self._before()
            await self._break()
            begun = await self._play(before.phones)
            self.figures.played_s = time.monotonic() - started
            await self._repair()
            played = await self._as_played(begun)
            await self._settle()
            self.figures.whole_s = time.monotonic() - started
            for node in self._nodes:
                node.count()
                self.figures.cpu_s += node.cpu_s
                self.figures.peak_mb = max(self.figures.peak_mb, node.peak_mb)
            database = {"KOMMUTATOR_DATABASE": self._options.database} if self._options.database else {}
            verdict = judge(played, await self._sandbox.calls(**database), await self._held(before))
            verdict.wrong += self._unsettled
        return verdict, self.figures

    # -- before --------------------------------------------------------------------------------------------------------

    async def _spread(self, stack: AsyncExitStack) -> None:
        """With several nodes: start the others, and put a distributor between the PBXs and them."""
        first = self._nodes[0].pid
        if self._options.nodes == 1 or first is None:
            return
        ports = free_ports()
        for number in range(1, self._options.nodes):
            node = SecondNode(first, ports + number, self._folder / f"node{number}.log")
            await node.start()
            stack.push_async_callback(node.stop)
            self._nodes.append(node)
        front = await stack.enter_async_context(distributor(self._nodes, ports))
        for vendor, pbx in self._sandbox.info["pbx"].items():
            hook = pbx.get("hook_url") or pbx["hook_base"]
            address = {"hook": hook.replace(self._sandbox.backend, front)}
            await self._sandbox.ask("PUT", f"{pbx['url']}/sandbox/settings", json=address)
            assert vendor in VENDORS

    async def _break(self) -> None:
        for vendor in VENDORS:
            for kind, rate in LOSSES.items():
                late = {"delay_s": LATE_S, "direction": "out"} if kind == "latency" else {}
                out = {"direction": "out"} if kind == "drop" else {}
                await self._sandbox.fault(target=vendor, kind=kind, rate=rate, **late, **out)
        for what, rate in ERRORS:
            await self._sandbox.fault(target="amocrm", path="/api/", rate=rate, direction="in", **what)

    # -- meanwhile -----------------------------------------------------------------------------------------------------

    async def _play(self, phones: Sequence[str]) -> list[Begun]:
        """All calls, so many at once; at random moments a node is killed, and in the middle amoCRM is gone."""
        calls = list(plan(self._options.calls, phones, seed=self._options.seed))
        begun: list[Begun] = []
        free = asyncio.Semaphore(self._options.at_once)
        kills = sorted(self._chance.randrange(1, len(calls)) for _ in range(self._options.kills))
        outage = len(calls) // 2

        async def live(one: Planned) -> None:
            async with free:
                url = f"{self._sandbox.amocrm}/sandbox/pbx/{one.vendor}/calls"
                at = time.time()
                answer = await self._sandbox.ask("POST", url, json=one.body)
                begun.append(Begun(one, answer["call_id"], at))
                await asyncio.sleep(one.talk_s + 1.0)

        async with asyncio.TaskGroup() as group:
            for one in calls:
                async with free:  # not all tasks at once
                    group.create_task(live(one))
                if kills and one.number >= kills[0]:
                    kills.pop(0)
                    group.create_task(self._kill())  # meanwhile people go on calling
                if one.number == outage and self._options.outage_s:
                    await self._sandbox.fault(target="amocrm", kind="outage", path="/", for_s=self._options.outage_s)
        return begun

    async def _kill(self) -> None:
        async with self._killing:
            node = self._chance.choice(self._nodes)
            await node.kill()
            self.figures.kills += 1
            await node.start()

    # -- afterwards ----------------------------------------------------------------------------------------------------

    async def _repair(self) -> None:
        """All is well again; nobody talks any more."""
        seen = await self._sandbox.log("request")
        ours = [entry for entry in seen if str(entry.get("path", "")).startswith("/api/")]
        self.figures.requests = Counter(str(entry.get("status")) for entry in ours)
        await self._sandbox.ask("DELETE", f"{self._sandbox.amocrm}/sandbox/faults")
        for vendor in VENDORS:
            await until(lambda vendor=vendor: self._is_silent(vendor), timeout_s=60, step_s=0.5)
        await asyncio.sleep(LATE_S + 2)  # what is late by a fault is on its way
        await self._sandbox.ask("DELETE", f"{self._sandbox.amocrm}/sandbox/log")

    async def _settle(self) -> None:
        """Compare with the PBXs' statistics until they have no news, and wait until everything is in amoCRM."""
        await until(self._is_quiet, timeout_s=QUIET_S, step_s=1.0)
        for _ in range(10):
            if not await self._compare_all():
                break
            await until(self._is_quiet, timeout_s=QUIET_S, step_s=1.0)
        else:
            self._unsettled.append("the PBXs' statistics have news each time")
        self.figures.retried = (await self._ask("POST", "/api/journal/retry"))["retried"]
        if self.figures.retried:
            self._unsettled.append(f"{self.figures.retried} jobs were given up before a person tried again")
        await until(self._is_quiet, timeout_s=QUIET_S, step_s=1.0)

    async def _compare_all(self) -> int:
        """One comparison of each line; how many calls it put right."""
        settings = await self._ask("GET", "/api/settings")
        news = 0
        for line in settings["lines"]:
            path = f"/api/lines/{line['id']}/reconcile"
            before = (await self._ask("GET", path))["last"]
            await self._ask("POST", path, json={"since": int(time.time()) - 6 * 3600})

            async def is_there(path: str = path, before: Json | None = before) -> Json | None:
                last = (await self._ask("GET", path))["last"]
                return last if last != before else None

            found = await until(is_there, timeout_s=120, step_s=0.5)
            words = ("told", "added", "corrected", "doubtful")
            self.figures.comparisons.append(
                f"compared with {line['provider']}: " + ", ".join(f"{word} {found[word]}" for word in words)
            )
            news += found["added"] + found["corrected"]
        return news

    async def _is_silent(self, vendor: str) -> bool:
        return not any(call["is_live"] for call in await self._calls_at(vendor))

    async def _calls_at(self, vendor: str) -> list[Json]:
        """What a PBX knows of all its calls."""
        state = await self._sandbox.ask("GET", f"{self._sandbox.info['pbx'][vendor]['url']}/sandbox/calls")
        return list(state["calls"])

    async def _as_played(self, begun: Sequence[Begun]) -> list[Played]:
        """The calls with how long they were really talked: a busy machine hangs up late."""
        talks = {
            (vendor, call["call_id"]): call["ended_at"] - (call["talk_started_at"] or call["ended_at"])
            for vendor in VENDORS
            for call in await self._calls_at(vendor)
        }
        return [Played(one.plan, one.call_ref, one.at, talks[one.plan.vendor, one.call_ref]) for one in begun]

    async def _is_quiet(self) -> bool:
        """Nothing is on its way to amoCRM. (What still goes on by our knowledge is the statistics' to end.)"""
        health = await self._ask("GET", "/api/journal/health")
        return health["waiting"] == health["jobs"] == 0

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        """As an administrator, of the first node."""
        headers = {"Authorization": f"Bearer {(await self._sandbox.session('201'))['bearer']}"}
        return await self._sandbox.ask(method, self._sandbox.backend + path, headers=headers, **more)

    # -- what amoCRM holds ---------------------------------------------------------------------------------------------

    async def _before(self) -> Before:
        """What amoCRM holds before the first call."""
        contacts = await self._all("/api/v4/contacts?limit=250", "contacts")
        leads = await self._all("/api/v4/leads?limit=250", "leads")
        numbers = Counter(phone for contact in contacts for phone in _phones_of(contact))
        alone = [phone for phone, count in numbers.items() if count == 1]
        return Before(alone, frozenset(one["id"] for one in contacts), frozenset(one["id"] for one in leads))

    async def _held(self, before: Before) -> Held:
        notes: list[Json] = []
        for noun in ("contacts", "companies", "leads", "customers"):
            kinds = "filter[note_type][]=call_in&filter[note_type][]=call_out"
            path = f"/api/v4/{noun}/notes?limit=250&{kinds}"
            notes += [{**note, "noun": noun} for note in await self._all(path, "notes")]
        records = await self._all("/api/v4/leads/unsorted?limit=250&filter[category][]=sip", "unsorted")
        contacts = await self._all("/api/v4/contacts?limit=250", "contacts")
        companies = await self._all("/api/v4/companies?limit=250", "companies")
        leads = await self._all("/api/v4/leads?limit=250&with=contacts", "leads")
        customers = await self._all("/api/v4/customers?limit=250&with=contacts", "customers")
        fresh = Counter(phone for one in contacts if one["id"] not in before.contacts for phone in _phones_of(one))
        users = {str(user["extension"]): int(user["id"]) for user in self._sandbox.info["users"]}
        names = {str(user["name"]): int(user["id"]) for user in self._sandbox.info["users"]}
        remarks = await self._all("/api/v4/leads/notes?limit=250&filter[note_type][]=common&order[id]=asc", "notes")
        new_leads = len({one["id"] for one in leads} - before.leads)
        phones = {("contacts", one["id"]): set(_phones_of(one)) for one in contacts}
        phones |= {("companies", one["id"]): set(_phones_of(one)) for one in companies}
        for what, deals in (("leads", leads), ("customers", customers)):
            for deal in deals:
                parts = deal["_embedded"]
                people = [(noun, one["id"]) for noun in ("contacts", "companies") for one in parts.get(noun, ())]
                phones[what, deal["id"]] = {number for one in people for number in phones.get(one, ())}
        return Held(notes, records, fresh, new_leads, users, names, remarks, phones)

    async def _all(self, path: str, name: str) -> list[Json]:
        found: list[Json] = []
        page = 1
        while answer := await self._page(f"{path}&page={page}"):
            found += answer["_embedded"][name]
            if "next" not in answer.get("_links", {}):
                break
            page += 1
        return found

    async def _page(self, path: str) -> Json | None:
        try:
            return await self._sandbox.api(path)
        except aiohttp.ClientResponseError as exc:
            if exc.status == 204:
                return None
            raise


def _phones_of(contact: Json) -> list[str]:
    fields = [one for one in contact.get("custom_fields_values") or () if one["field_code"] == "PHONE"]
    return [e164(value["value"]) for one in fields for value in one["values"]]
