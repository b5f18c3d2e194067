"""The judge: compares what the PBXs played, what we know, and what amoCRM holds. It trusts no word of ours: a call is
logged when amoCRM shows it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .script import Planned

Json = dict[str, Any]

ROUNDED_S = 1
"""How far a length may lie from the one that was played: a talk between two moments, each cut to whole seconds."""

REMARK = re.compile(
    r"АТС уточнила первый звонок этой заявки: "
    r"(?:разговор (?P<minutes>\d+):(?P<seconds>\d\d)|не отвечен)"
    r"(?:; сотрудник: (?P<name>[^;]+))?(?P<link>; запись: \S+)?"
)
"""What is told below a record in Unsorted, which cannot be amended."""

NEAR_S = 2

ANSWERED, NO_ANSWER = 4, 6
"""amoCRM's call status of a call in which somebody talked, and of one in which nobody did."""

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
        if not self.plan.is_answered:
            return seconds == 0
        return seconds > 0 and abs(seconds - int(self.talk_s)) <= ROUNDED_S


@dataclass(frozen=True)
class Held:
    """What amoCRM holds. `notes`: call notes, each with the `noun` of its entity; `records`: open ones in Unsorted;
    `new_contacts`: how many were made, by number; `new_leads`: how many leads were made; `users`: whoever sits at an
    extension; `names`: theirs; `remarks`: the plain notes of leads, oldest first; `phones`: the numbers of an entity,
    by noun and id, a lead's or customer's being its people's. Numbers are E.164.
    """

    notes: Sequence[Json]
    records: Sequence[Json]
    new_contacts: Mapping[str, int]
    new_leads: int
    users: Mapping[str, int]
    names: Mapping[str, int]
    remarks: Sequence[Json]
    phones: Mapping[tuple[str, int], Collection[str]]


@dataclass(frozen=True)
class Entry:
    """One entry of a call in amoCRM, with `phone`, at somebody with `numbers`; None: such an entry does not say."""

    duration: int
    user: int
    phone: str
    numbers: Collection[str]
    has_link: bool
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
        _look(verdict, f"{name}: {mine[0]['id']}", one, entries.pop(mine[0]["id"], []), held)
    for extra in (call for several in ours.values() for call in several):
        verdict.doubled.append(f"{extra['provider']} {extra['provider_call_id']}: nobody played it")
    for uniq in entries:
        verdict.doubled.append(f"{uniq}: in amoCRM, and no call of ours")
    _count_strangers(verdict, held)
    _count_remarks(verdict, held)
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
    callers = {_lead_of(record): {e164(record["metadata"]["from"])} for record in held.records}
    for note in held.notes:
        params = note["params"]
        if str(params.get("uniq", "")).startswith("c_"):
            at = note["noun"], note["entity_id"]
            entry = Entry(
                int(params.get("duration") or 0),
                int(note["responsible_user_id"]),
                e164(params["phone"]),
                held.phones.get(at, ()) or (callers.get(note["entity_id"], ()) if note["noun"] == "leads" else ()),
                bool(params.get("link")),
                DIRECTIONS[note["note_type"]],
                int(params.get("call_status") or 0),
            )
            found[params["uniq"]].append(entry)
    remarks = {one["entity_id"]: remark for one in held.remarks if (remark := REMARK.search(one["params"]["text"]))}
    for record in held.records:
        told, phone = record["metadata"], e164(record["metadata"]["from"])
        remark = remarks.get(_lead_of(record))
        length, user = int(told.get("duration") or 0), int(told.get("call_responsible") or 0)
        has_link, status = bool(told.get("link")), None
        if remark is not None:
            length = int(remark["minutes"] or 0) * 60 + int(remark["seconds"] or 0)
            user, has_link = held.names.get(remark["name"], 0), bool(remark["link"])
            status = ANSWERED if remark["minutes"] else NO_ANSWER
        found[told["uniq"]].append(Entry(length, user, phone, {phone}, has_link, None, status))
    return found


def _lead_of(record: Json) -> int:
    return next((int(lead["id"]) for lead in record["_embedded"]["leads"]), 0)


def e164(typed: Any) -> str:
    """A number as it is played: every one of the drill's is Russian."""
    return "+7" + "".join(sign for sign in str(typed) if sign.isdigit())[-10:]


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


def _look(verdict: Verdict, name: str, one: Played, entries: Sequence[Entry], held: Held) -> None:
    """What amoCRM holds of the call against what was played."""
    plan = one.plan
    is_waiting = plan.is_stranger and plan.scenario == "outgoing_missed" and plan.phone not in held.new_contacts
    if is_waiting and not entries:
        return  # by rule such a call waits for its number
    if not entries:
        verdict.lost.append(f"{name} is not in amoCRM")
    if len(entries) > 1:
        verdict.doubled.append(f"{name} stands {len(entries)} times in amoCRM")
    agents = {held.users[extension] for extension in plan.agents}
    for entry in entries:
        if not one.lasts(entry.duration):
            verdict.wrong.append(f"{name} lasts {entry.duration} s in amoCRM, was {one.talk_s:.1f} s")
        if entry.user not in agents:
            verdict.wrong.append(f"{name} belongs to {entry.user} in amoCRM, was one of {sorted(agents)}")
        if entry.phone != plan.phone or plan.phone not in entry.numbers:
            verdict.wrong.append(f"{name} is with {entry.phone} at {sorted(entry.numbers)} in amoCRM")
        if entry.has_link != (plan.is_recorded and plan.is_answered):
            verdict.wrong.append(f"{name} has {'a' if entry.has_link else 'no'} recording in amoCRM")
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


def _count_remarks(verdict: Verdict, held: Held) -> None:
    """Each says something new, and stands below an open record."""
    leads = {_lead_of(record) for record in held.records}
    texts: dict[int, str] = {}
    for one in held.remarks:
        text = one["params"]["text"]
        if REMARK.search(text) is None:
            continue
        if texts.get(one["entity_id"]) == text:
            verdict.doubled.append(f"a remark of the lead {one['entity_id']}: {text}")
        if one["entity_id"] not in leads:
            verdict.wrong.append(f"a remark of the lead {one['entity_id']}, which is in no open record: {text}")
        texts[one["entity_id"]] = text
