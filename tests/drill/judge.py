"""The judge: compares what the PBXs played, what we know, and what amoCRM holds. It trusts no word of ours: a call is
logged when amoCRM shows it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .script import Planned

Json = dict[str, Any]

TALK_S = 2
"""How far lengths may lie apart: vendors give whole seconds."""

ANSWERED = 4
"""amoCRM's call status of a call in which somebody talked."""


@dataclass(frozen=True)
class Played:
    """A planned call, its vendor's name for it, and when it began (Unix seconds)."""

    plan: Planned
    call_ref: str
    at: float


@dataclass(frozen=True)
class Held:
    """What amoCRM holds. `notes`: call notes; `records`: open ones in Unsorted; `contacts`: how many have a number."""

    notes: Sequence[Json]
    records: Sequence[Json]
    contacts: Mapping[str, int]


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
        count = f"lost {len(self.lost)}, doubled {len(self.doubled)}"
        return [*found, f"{count}, wrong {len(self.wrong)}" if self.wrong else count]


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
        _compare(verdict, name, one.plan, mine[0])
        _look(verdict, name, one.plan, mine[0], entries.pop(mine[0]["id"], []))
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
        if is_nameless and call["client_phone"] == one.plan.phone and abs(call["started_at"] - one.at) <= TALK_S:
            return ours.pop(key)
    return []


def _entries(held: Held) -> dict[str, list[Json]]:
    """What amoCRM holds of each of our calls."""
    found: dict[str, list[Json]] = defaultdict(list)
    for note in held.notes:
        if str(note["params"].get("uniq", "")).startswith("c_"):
            found[note["params"]["uniq"]].append(note["params"])
    for record in held.records:
        found[record["metadata"]["uniq"]].append(record["metadata"])
    return found


def _compare(verdict: Verdict, name: str, plan: Planned, call: Json) -> None:
    """What we know of the call against what was played."""
    told = {
        "direction": (call["direction"], plan.direction),
        "client_phone": (call["client_phone"], plan.phone),
        "state": (call["state"], "ended"),
        "answered": (call["result"] == "answered", plan.is_answered),
    }
    for what, (ours, theirs) in told.items():
        if ours != theirs:
            verdict.wrong.append(f"{name}: {what} is {ours}, was {theirs}")
    if abs(call["talk_s"] - _talk_s(plan)) > TALK_S:
        verdict.wrong.append(f"{name}: talk of {call['talk_s']} s, was {_talk_s(plan)} s")


def _look(verdict: Verdict, name: str, plan: Planned, call: Json, entries: Sequence[Json]) -> None:
    """What amoCRM holds of the call against what was played."""
    if plan.is_stranger and plan.scenario == "outgoing_missed" and not entries:
        return  # by rule such a call waits for its number
    if not entries:
        verdict.lost.append(f"{name}: {call['id']} is not in amoCRM")
    if len(entries) > 1:
        verdict.doubled.append(f"{name}: {call['id']} stands {len(entries)} times in amoCRM")
    for entry in entries:
        if abs(int(entry.get("duration") or 0) - _talk_s(plan)) > TALK_S:
            verdict.wrong.append(
                f"{name}: {call['id']} lasts {entry.get('duration')} s in amoCRM, was {_talk_s(plan)} s"
            )
        status = entry.get("call_status")
        if status is not None and (int(status) == ANSWERED) != plan.is_answered:
            verdict.wrong.append(f"{name}: {call['id']} has the status {status} in amoCRM")


def _count_strangers(verdict: Verdict, held: Held) -> None:
    """One open record a caller, one contact a number."""
    callers = Counter(str(record["metadata"]["from"]) for record in held.records)
    verdict.doubled += [f"{phone}: {count} records in Unsorted" for phone, count in callers.items() if count > 1]
    verdict.doubled += [f"{phone}: {count} contacts" for phone, count in held.contacts.items() if count > 1]


def _talk_s(plan: Planned) -> float:
    """A transfer's second half begins when the colleague picks up: the client talks, or waits, all the time."""
    return plan.talk_s if plan.is_answered else 0
