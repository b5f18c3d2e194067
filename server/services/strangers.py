"""Calls whose number amoCRM does not know: put into Unsorted, given a contact, or kept until the number is known."""

import asyncio
import hashlib
from functools import partial
from typing import NamedTuple

import msgspec
import structlog
from msgspec import structs

from server.core import phrases
from server.core.calls import Call
from server.core.crm import TALKED, CallNote, Crm, Logged, Record, Stranger, Unsorted
from server.core.errors import CrmRefused
from server.core.phone import pretty
from server.core.records import Account, Place
from server.core.stores import Calls as CallStore
from server.core.strangers import WAITS_MS, StrangerRule, kind_of, rule_for
from server.core.vocabulary import CallKind, Direction, Filed, StrangerWay

from .clock import Clock, now_ms
from .lines import Lines

log = structlog.get_logger()

CLOCKS_S = 4 * 3600
"""How far clocks of PBX and amoCRM may differ when a note is looked for: a PBX in the wrong zone is hours off, and a
note that was not found would be written twice.
"""


MADE_MS = 3600_000
"""How long a contact or lead that we made is remembered. In memory: a new process begins when it can be found."""


class Made(NamedTuple):
    """What we made for a number, and when."""

    noun: str
    entity_id: int
    at_ms: int


class Strangers:
    """Carries out the account's rules."""

    def __init__(
        self, store: CallStore, lines: Lines, crm: Crm, *, settle_s: float = 5.0, clock: Clock = now_ms
    ) -> None:
        """`settle_s`: how long what was written may take to be seen."""
        self._settle_s = settle_s
        self._store = store
        self._lines = lines
        self._crm = crm
        self._clock = clock
        self._made: dict[tuple[int, str], Made] = {}

    async def take_in(self, account: Account, call: Call, note: CallNote) -> Place:
        """Do with the call what the rules say. Raises CrmError; all but CrmRefused may have had their effect."""
        rule = rule_for(account.prefs.strangers, kind_of(call.verdict), call.line_id)
        log.info("number_unknown", way=rule.way, kind=rule.kind)
        if rule.way is StrangerWay.NOTHING:
            return Place(Filed.STRAY, told=digest(note))
        if rule.way is StrangerWay.UNSORTED:
            return await self._to_unsorted(account, call, note, rule)
        return await self._create(account, note, rule)

    async def find(self, account: Account, note: CallNote) -> Place | None:
        """Where a call stands that was perhaps taken in or logged: at a card, or in Unsorted."""
        since_s = note.started_s - CLOCKS_S
        if (logged := await self._crm.find_call(account, note, since_s=since_s)) is not None:
            uid = await self._uid_at(account, note, logged) if logged.noun == "leads" else ""
            return Place(Filed.UNSORTED if uid else Filed.LOGGED, logged.noun, logged.entity_id, logged.note_id, uid)
        record = await self._crm.find_unsorted(account, {note.uniq}, since_s=since_s)
        return _in_unsorted(record) if record is not None else None

    async def say_below(self, account: Account, place: Place, note: CallNote, agent: str) -> None:
        """A record in Unsorted cannot be amended: what it does not say stands in a plain note of its lead, once. Raises
        CrmError, but not CrmRefused. When the record is sorted, its call has a note of its own to be amended.
        """
        if not place.entity_id:
            return
        try:
            record = await self._crm.unsorted(account, place.uid)
            if record is not None:
                await self._remark(account, record, place, note, _facts(account, note, agent))
        except CrmRefused as exc:  # it was sorted in this moment, or amoCRM takes no notes there
            log.warning("record_not_amended", reason=exc.message)

    async def _remark(self, account: Account, record: Record, place: Place, note: CallNote, text: str) -> None:
        await asyncio.sleep(self._settle_s)  # what an attempt before, or another correction, wrote can be seen then
        written = await self._crm.remarks(account, place.noun, place.entity_id)
        ours = [one for one in written if one.startswith(phrases.say(account.host, "told_later", facts=""))]
        is_said = ours[-1] == text if ours else record.says(note)
        if not is_said:
            await self._crm.remark(account, place.noun, place.entity_id, text)

    async def _uid_at(self, account: Account, note: CallNote, logged: Logged) -> str:
        """The record in Unsorted in whose lead a note stands: the note goes with it. "" for a lead like others."""
        strays = await self._store.strays(account.id, self._clock() - WAITS_MS[StrangerWay.UNSORTED])
        uids = {one.place.uid for one in strays if one.place.uid and one.place.entity_id == logged.entity_id}
        for uid in uids:
            if await self._crm.unsorted(account, uid):
                return uid
        record = None if uids else await self._perhaps_made(account, note)
        return record.uid if record is not None and record.lead_id == logged.entity_id else ""

    async def _to_unsorted(self, account: Account, call: Call, note: CallNote, rule: StrangerRule) -> Place:
        """One open record per caller: who calls again is appended to it."""
        if (place := await self._append(account, call, note)) is not None:
            return place
        line = self._lines.get(call.line_id)
        name = line.name if line else call.provider
        wanted = Unsorted(
            note=note,
            lead_name=_title(account, note, rule),
            contact_name=pretty(note.phone),
            source_name=f"{name} · {pretty(call.our_line)}" if call.our_line else name,
            source_uid=call.line_id,
            pipeline_id=rule.pipeline_id,
            tags=rule.tags,
        )
        try:
            made = await self._crm.put_unsorted(account, wanted)
            return structs.replace(_in_unsorted(made), told=digest(note))
        except CrmRefused:  # also of an exact duplicate: an attempt whose answer was lost
            record = await self._crm.find_unsorted(account, {note.uniq}, since_s=note.started_s - CLOCKS_S)
            if record is None:
                raise
            return _in_unsorted(record)

    async def _append(self, account: Account, call: Call, note: CallNote) -> Place | None:
        since_ms = self._clock() - WAITS_MS[StrangerWay.UNSORTED]
        strays = await self._store.strays(account.id, since_ms)
        same = (one.place for one in strays if one.phone == call.client_phone and one.call_id != call.id)
        open_ = next((place for place in same if place.uid and place.entity_id), None)
        if open_ is None or not await self._crm.unsorted(account, open_.uid):
            open_ = await self._doubtful(account, note)
        if open_ is None:
            return None
        try:
            logged = await self._crm.note(account, open_.noun, open_.entity_id, note)
        except CrmRefused:  # it was sorted in this moment, or amoCRM takes no notes there
            return None
        return Place(Filed.UNSORTED, logged.noun, logged.entity_id, logged.note_id, open_.uid, digest(note))

    async def _doubtful(self, account: Account, note: CallNote) -> Place | None:
        record = await self._perhaps_made(account, note, settle_s=self._settle_s)
        return _in_unsorted(record) if record is not None else None

    async def _perhaps_made(self, account: Account, note: CallNote, *, settle_s: float = 0.0) -> Record | None:
        """A record that an attempt of another call of this caller has perhaps made, its answer being lost."""
        others = await self._store.unfiled_of(account.id, note.phone)
        others.pop(note.uniq, None)
        if not others:
            return None
        await asyncio.sleep(settle_s)  # what is not to be seen yet may be there soon
        since_s = min(others.values()) // 1000 - CLOCKS_S
        return await self._crm.find_unsorted(account, others, since_s=since_s)

    async def _create(self, account: Account, note: CallNote, rule: StrangerRule) -> Place:
        """One contact or lead for each number: what we made a moment ago amoCRM's search may not know yet."""
        key = account.id, note.phone
        self._made = {one: made for one, made in self._made.items() if self._clock() <= made.at_ms + MADE_MS}
        before = self._made.get(key)
        made = before or Made(*await self._crm.create(account, self._stranger(account, note, rule)), self._clock())
        self._made[key] = made
        try:
            logged = await self._crm.note(account, made.noun, made.entity_id, note)
        except CrmRefused:
            self._made.pop(key, None)
            if before is not None and not await self._crm.fetch(account, made.noun, [made.entity_id]):
                return await self._create(account, note, rule)  # somebody deleted it since then
            logged = await self._crm.log_call(account, note)  # it is being deleted now, say: the number decides
        return Place(Filed.LOGGED, logged.noun, logged.entity_id, logged.note_id, told=digest(note))

    def _stranger(self, account: Account, note: CallNote, rule: StrangerRule) -> Stranger:
        return Stranger(
            phone=note.phone,
            name=pretty(note.phone),
            lead_name=_title(account, note, rule) if rule.way is StrangerWay.LEAD else "",
            pipeline_id=rule.pipeline_id,
            status_id=rule.status_id,
            responsible_id=rule.responsible_id or note.user_id or 0,
            tags=rule.tags,
        )


def digest(note: CallNote) -> str:
    """Tells whether a note says what is known by now."""
    return hashlib.sha256(msgspec.json.encode(note)).hexdigest()[:16]


def _in_unsorted(record: Record) -> Place:
    return Place(Filed.UNSORTED, "leads", record.lead_id, uid=record.uid)


def _facts(account: Account, note: CallNote, agent: str) -> str:
    """What became known of a call, for people."""
    say = partial(phrases.say, account.host)
    length = f"{note.duration_s // 60}:{note.duration_s % 60:02}"
    facts = [say("told_talk", length=length) if note.status == TALKED else say("told_missed")]
    facts += [say("told_agent", name=agent)] if agent else []
    facts += [note.result_text] if note.result_text else []
    facts += [say("told_link", link=note.link)] if note.link else []
    return say("told_later", facts="; ".join(facts))


def _title(account: Account, note: CallNote, rule: StrangerRule) -> str:
    if note.direction is Direction.OUT:
        phrase = "call_to"
    else:
        phrase = "missed_from" if rule.kind is CallKind.IN_MISSED else "call_from"
    return phrases.say(account.host, phrase, phone=pretty(note.phone))
