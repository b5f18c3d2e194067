"""The judge: compares what the PBXs played, what we know, and what amoCRM holds. It trusts no word of ours: a call is
logged when amoCRM shows it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .script import Planned

Json = dict[str, Any]

ROUNDED_S = 1
"""How far a length may lie from the one that was played: a talk between two moments, each cut to whole seconds."""

REMARK = re.compile(r": (?:разговор (?P<minutes>\d+):(?P<seconds>\d\d)|не отвечен)(?:; сотрудник: (?P<name>[^;]+))?")
"""What is told below a record in Unsorted, which cannot be amended."""

NEAR_S = 2

ANSWERED = 4
"""amoCRM's call status of a call in which somebody talked."""

DIRECTIONS = {"call_in": "in", "call_out": "out"}


@dataclass(frozen=True)
class Played:
    """A planned call, its vendor's name for it, when it began (Unix seconds), and how long the client talked."""

    plan: Planned
    call_ref: str
    at: float
    talk_s: float

    def lasts(self, seconds: int) -> bool:
        """Whether a talk may be said to have lasted so long."""
        return abs(seconds - int(self.talk_s)) <= ROUNDED_S if self.plan.is_answered else seconds == 0


@dataclass(frozen=True)
class Held:
    """What amoCRM holds. `notes`: call notes; `records`: open ones in Unsorted; `new_contacts`: how many were made, by
    number; `new_leads`: how many leads were made; `users`: whoever sits at an extension; `names`: theirs; `remarks`:
    the plain notes of leads, oldest first.
    """

    notes: Sequence[Json]
    records: Sequence[Json]
    new_contacts: Mapping[str, int]
    new_leads: int
    users: Mapping[str, int]
    names: Mapping[str, int] = field(default_factory=dict)
    remarks: Sequence[Json] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of a call in amoCRM; None: this kind of entry does not say."""

    duration: int
    user: int
    direction: str | None = None
    status: int | None = None


@dataclass
class Verdict:
    """What is wrong, a line each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether all is as it was played."""
        return not (self.lost or self.doubled or self.wrong)

    def lines(self) -> list[str]:
        """All findings, then the count."""
        found = [f"{kind}: {one}" for kind in ("lost", "doubled", "wrong") for one in getattr(self, kind)]
        # What is there and says something else than what happened is as good as lost.
        return [*found, f"lost {len(self.lost) + len(self.wrong)}, doubled {len(self.doubled)}"]


def judge(played: Iterable[Played], calls: Iterable[Json], held: Held) -> Verdict:
    """Compare. `calls`: as `python -m server calls --json` prints them."""
    verdict, ours = Verdict(), defaultdict(list)
    for call in calls:
        ours[call["provider"], call["provider_call_id"]].append(call)
    entries = _entries(held)
    for one in played:
        mine = ours.pop((one.plan.vendor, one.call_ref), []) or _nameless(one, ours)
        name = f"{one.plan.vendor} {one.call_ref} ({one.plan.scenario}, {one.plan.phone})"
        if not mine:
            verdict.lost.append(f"{name}: we do not know it")
            continue
        if len(mine) > 1:
            verdict.doubled.append(f"{name}: {len(mine)} calls of ours")
        _compare(verdict, name, one, mine[0])
        _look(verdict, f"{name}: {mine[0]['id']}", one, entries.pop(mine[0]["id"], []), held.users)
    for extra in (call for several in ours.values() for call in several):
        verdict.doubled.append(f"{extra['provider']} {extra['provider_call_id']}: nobody played it")
    for uniq in entries:
        verdict.doubled.append(f"{uniq}: in amoCRM, and no call of ours")
    _count_strangers(verdict, held)
    return verdict


def _nameless(one: Played, ours: dict[tuple[str, str], list[Json]]) -> list[Json]:
    """A call that only the statistics told of, where they name none: by who, with whom and when."""
    for key, (call, *_) in ours.items():
        is_nameless = key[0] == one.plan.vendor and key[1].startswith("stat-")
        if is_nameless and call["client_phone"] == one.plan.phone and abs(call["started_at"] - one.at) <= NEAR_S:
            return ours.pop(key)
    return []


def _entries(held: Held) -> dict[str, list[Entry]]:
    """What amoCRM holds of each of our calls."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for note in held.notes:
        params = note["params"]
        if str(params.get("uniq", "")).startswith("c_"):
            direction, status = DIRECTIONS[note["note_type"]], int(params.get("call_status") or 0)
            entry = Entry(int(params.get("duration") or 0), int(note["responsible_user_id"]), direction, status)
            found[params["uniq"]].append(entry)
    remarks = {one["entity_id"]: remark for one in held.remarks if (remark := REMARK.search(one["params"]["text"]))}
    for record in held.records:
        told = record["metadata"]
        entry = Entry(int(told.get("duration") or 0), int(told.get("call_responsible") or 0))
        lead_id = next((lead["id"] for lead in record["_embedded"]["leads"]), 0)
        if (remark := remarks.get(lead_id)) is not None:
            length = int(remark["minutes"] or 0) * 60 + int(remark["seconds"] or 0)
            entry = Entry(length, held.names.get(remark["name"], 0))
        found[told["uniq"]].append(entry)
    return found


def _compare(verdict: Verdict, name: str, one: Played, call: Json) -> None:
    """What we know of the call against what was played."""
    plan = one.plan
    told = {
        "direction": (call["direction"], plan.direction),
        "client_phone": (call["client_phone"], plan.phone),
        "state": (call["state"], "ended"),
        "answered": (call["result"] == "answered", plan.is_answered),
    }
    for what, (ours, theirs) in told.items():
        if ours != theirs:
            verdict.wrong.append(f"{name}: {what} is {ours}, was {theirs}")
    if not one.lasts(call["talk_s"]):
        verdict.wrong.append(f"{name}: talk of {call['talk_s']} s, was {one.talk_s:.1f} s")


def _look(verdict: Verdict, name: str, one: Played, entries: Sequence[Entry], users: Mapping[str, int]) -> None:
    """What amoCRM holds of the call against what was played."""
    plan = one.plan
    if plan.is_stranger and plan.scenario == "outgoing_missed" and not entries:
        return  # by rule such a call waits for its number
    if not entries:
        verdict.lost.append(f"{name} is not in amoCRM")
    if len(entries) > 1:
        verdict.doubled.append(f"{name} stands {len(entries)} times in amoCRM")
    agents = {users[extension] for extension in plan.agents}
    for entry in entries:
        if not one.lasts(entry.duration):
            verdict.wrong.append(f"{name} lasts {entry.duration} s in amoCRM, was {one.talk_s:.1f} s")
        if entry.user not in agents:
            verdict.wrong.append(f"{name} belongs to {entry.user} in amoCRM, was one of {sorted(agents)}")
        if entry.direction not in (None, plan.direction):
            verdict.wrong.append(f"{name} goes {entry.direction} in amoCRM")
        if entry.status is not None and (entry.status == ANSWERED) != plan.is_answered:
            verdict.wrong.append(f"{name} has the status {entry.status} in amoCRM")


def _count_strangers(verdict: Verdict, held: Held) -> None:
    """One open record a caller, one contact a new number, and no lead but those of the records."""
    callers = Counter(str(record["metadata"]["from"]) for record in held.records)
    verdict.doubled += [f"{phone}: {count} records in Unsorted" for phone, count in callers.items() if count > 1]
    verdict.doubled += [f"{phone}: {count} new contacts" for phone, count in held.new_contacts.items() if count > 1]
    verdict.doubled += ["a lead that no rule asks for"] * max(0, held.new_leads - len(held.records))
