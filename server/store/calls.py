"""Calls: the whole value as JSON beside the few columns that are searched."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, case, literal_column, select, update

from server.core.calls import Call
from server.core.jobs import Job
from server.core.journal import Entry, Placed, decided, outcome_word
from server.core.ports import News, Topic
from server.core.records import CardMark, Decision, Place, Stray
from server.core.stores import Decide
from server.core.vocabulary import Filed
from server.sql import Database, Group, RowRefused, Script, Stmt, among, insert

from . import dials, journal
from .hooks import SETTLE
from .schema import IS_LIVE, IS_STRAY, IS_UNFILED, call, card
from .telling import Tell, tell_nobody, told

_COLUMNS = (
    "id", "account_id", "line_id", "call_ref", "client_phone", "started_ms", "over_ms", "is_live", "body", "result",
    "agents",
)  # fmt: skip
_CHANGES = ("client_phone", "started_ms", "over_ms", "is_live", "body", "result")
_put = insert(call)
PUT = Stmt(
    _put.on_conflict_do_update(
        index_elements=["id"],
        set_={
            **{name: _put.excluded[name] for name in _CHANGES},
            "agents": case((_put.excluded.agents == literal_column("''"), call.c.agents), else_=_put.excluded.agents),
        },
    ),
    columns=_COLUMNS,
)
_by_ref = select(call.c.body).where(call.c.line_id == bindparam("line"), call.c.call_ref == bindparam("ref"))
BY_REF = Stmt(_by_ref)
TO_CHANGE = Stmt(_by_ref.with_for_update())  # another node may hear of the same call; SQLite has one writer anyway
BY_ID = Stmt(select(call.c.body).where(call.c.id == bindparam("call_id")))
ON_SCREENS = Stmt(
    select(call.c.body).where(IS_LIVE).union_all(select(call.c.body).where(call.c.over_ms > bindparam("since_ms")))
)
SINCE = Stmt(
    select(call.c.body).where(call.c.started_ms >= bindparam("since_ms")).order_by(call.c.started_ms, call.c.id)
)
OF_LINE = Stmt(
    select(call.c.body).where(
        call.c.started_ms >= bindparam("since_ms"),
        call.c.started_ms < bindparam("until_ms"),
        call.c.line_id == bindparam("line"),
    )
)
FILE = Stmt(
    update(call)
    .where(call.c.id == bindparam("call_id"))
    .values(crm=bindparam("where_to"), is_stray=bindparam("stray", type_=BigInteger))
)
PLACE = Stmt(select(call.c.crm).where(call.c.id == bindparam("call_id")))
STRAYS = Stmt(
    select(call.c.id, call.c.client_phone, call.c.started_ms, call.c.crm)
    .where(IS_STRAY, call.c.account_id == bindparam("account"), call.c.started_ms >= bindparam("since_ms"))
    .order_by(call.c.started_ms.desc(), call.c.id)
)
UNFILED_OF = Stmt(
    select(call.c.id, call.c.started_ms).where(
        IS_UNFILED, call.c.account_id == bindparam("account"), call.c.client_phone == bindparam("phone")
    )
)
_mark = insert(card)
NOTICE = Stmt(
    _mark.on_conflict_do_update(
        index_elements=["call_id", "agent_id"],
        set_={"noticed_ms": _mark.excluded.noticed_ms},
        where=card.c.noticed_ms.is_(None),
    ).returning(card.c.call_id),
    columns=("call_id", "agent_id", "noticed_ms"),
)
DISMISS = Stmt(
    _mark.on_conflict_do_update(
        index_elements=["call_id", "agent_id"],
        set_={"dismissed_ms": _mark.excluded.dismissed_ms},
        where=card.c.dismissed_ms.is_(None),
    ).returning(card.c.call_id),
    columns=("call_id", "agent_id", "dismissed_ms"),
)
MARKS = Stmt(select(card).where(among(card.c.call_id, "calls")))

AddJobs = Callable[[Iterable[Job]], Script[None]]
"""A script that puts jobs into the durable lanes within the caller's transaction."""

Digest = tuple[str, str, int | None, Decide]


class CallStore:
    """Fills `core.stores.Calls`."""

    def __init__(
        self, db: Database, add_jobs: AddJobs, wake: Callable[[], None], tell: Tell = tell_nobody
    ) -> None:  # fmt: skip
        """`wake` tells the lanes, after a commit, that they have new jobs; `tell` the other nodes of changes."""
        self._db = db
        self._add_jobs = add_jobs
        self._wake = wake
        self._tell = tell
        self._group: Group[Digest, Decision | None] = Group(db, self._digest_all, most=100)

    async def digest(self, line_id: str, call_ref: str, *, hook_id: int | None, decide: Decide) -> Decision | None:
        row = (line_id, call_ref, hook_id, decide)
        try:
            decision = await self._group.put(row)
        except RowRefused:  # another node stored this call's first news in the same moment: now there is a row to lock
            decision = await self._group.put(row)
        if decision is not None and decision.jobs:
            self._wake()
        return decision

    def _digest_all(self, rows: list[Digest]) -> Script[Sequence[Decision | None]]:
        decisions = []
        for row in rows:
            decisions.append((yield from self._digest(*row)))  # noqa: PERF401  # a comprehension cannot yield
        yield from journal.write([
            decided(one, hook_id)
            for one, (_, _, hook_id, _) in zip(decisions, rows, strict=True)
            if one is not None and one.reason
        ])  # fmt: skip
        yield from self._tell(*_news_of(decisions))
        return decisions

    def _digest(self, line_id: str, call_ref: str, hook_id: int | None, decide: Decide) -> Script[Decision | None]:
        found = yield TO_CHANGE, {"line": line_id, "ref": call_ref}
        before = decoded(found[0][0]) if found else None
        waiting = yield from dials.concerned(line_id, before.id if before else "")
        decision = decide(before, waiting)
        if decision is not None:
            yield PUT, _row(decision.call, decision.agents or ())
            if decision.dial is not None:
                yield from dials.keep(decision.dial)
            if decision.jobs:
                yield from self._add_jobs(decision.jobs)
        if hook_id is not None:
            call_id = decision.call.id if decision else before.id if before else None
            yield SETTLE, {"hook_id": hook_id, "call": call_id, "why": None}
        return decision

    async def find(self, call_id: str) -> Call | None:
        rows = await self._db.read(BY_ID, {"call_id": call_id})
        return decoded(rows[0][0]) if rows else None

    async def of_line(self, line_id: str, since_ms: int, until_ms: int) -> list[Call]:
        rows = await self._db.read(OF_LINE, {"line": line_id, "since_ms": since_ms, "until_ms": until_ms})
        return [decoded(body) for (body,) in rows]

    async def on_screens(self, since_ms: int) -> list[Call]:
        rows = await self._db.read(ON_SCREENS, {"since_ms": since_ms})
        return [decoded(body) for (body,) in rows]

    async def mark(self, call_id: str, agent_id: int, *, noticed_ms: int | None, dismissed_ms: int | None) -> bool:
        stmt, name, moment = (
            (NOTICE, "noticed_ms", noticed_ms) if noticed_ms else (DISMISS, "dismissed_ms", dismissed_ms)
        )
        params = {"call_id": call_id, "agent_id": agent_id, name: moment}
        return bool(await self._db.run(told, self._tell, stmt, params, News(Topic.CARD, key=call_id)))

    async def marks(self, call_ids: Sequence[str]) -> list[CardMark]:
        rows = await self._db.read(MARKS, {"calls": list(call_ids)})
        return [
            CardMark(call_id, agent_id, is_noticed=noticed is not None, is_dismissed=dismissed is not None)
            for call_id, agent_id, noticed, dismissed in rows
        ]

    async def file(self, call_id: str, place: Place, at_ms: int) -> None:
        await self._db.run(_file, call_id, place, at_ms)

    async def place(self, call_id: str) -> Place | None:
        rows = await self._db.read(PLACE, {"call_id": call_id})
        return _read_place(rows[0][0]) if rows and rows[0][0] else None

    async def unfiled_of(self, account_id: int, phone: str) -> dict[str, int]:
        return dict(await self._db.read(UNFILED_OF, {"account": account_id, "phone": phone}))

    async def strays(self, account_id: int, since_ms: int) -> list[Stray]:
        rows = await self._db.read(STRAYS, {"account": account_id, "since_ms": since_ms})
        return [Stray(call_id, phone, started_ms, _read_place(crm)) for call_id, phone, started_ms, crm in rows]

    async def close(self) -> None:
        """Wait for what was put."""
        await self._group.close()


async def started_since(db: Database, since_ms: int) -> list[Call]:
    """Calls that started since, the oldest first: for readers that keep nothing."""
    return [decoded(body) for (body,) in await db.read(SINCE, {"since_ms": since_ms})]


def of_id(call_id: str) -> Script[Call | None]:
    """A call by its id, within a script."""
    rows = yield BY_ID, {"call_id": call_id}
    return decoded(rows[0][0]) if rows else None


def of_vendor(line_id: str, call_ref: str) -> Script[Call | None]:
    """A call by its vendor's id, within a script."""
    rows = yield BY_REF, {"line": line_id, "ref": call_ref}
    return decoded(rows[0][0]) if rows else None


def _file(call_id: str, place: Place, at_ms: int) -> Script[None]:
    is_stray = place.filed in (Filed.STRAY, Filed.UNSORTED)
    where_to = msgspec.json.encode(place).decode()
    yield FILE, {"call_id": call_id, "where_to": where_to, "stray": int(is_stray)}
    yield from journal.write([Entry(call_id, at_ms, Placed(place))])


def _news_of(decisions: Sequence[Decision | None]) -> Iterator[News]:
    for one in decisions:
        if one is not None:
            yield News(Topic.CALL, one.call.account_id, one.call.id)
            if one.dial is not None:
                yield News(Topic.DIAL, one.dial.account_id, one.dial.id)


_decoder = msgspec.json.Decoder(Call)
_read_place = msgspec.json.Decoder(Place).decode


def decoded(body: str) -> Call:
    """A call as it was stored."""
    return _decoder.decode(body)


def _row(one: Call, agents: Sequence[int]) -> dict[str, Any]:
    return {
        "id": one.id,
        "account_id": one.account_id,
        "line_id": one.line_id,
        "call_ref": one.call_ref,
        "client_phone": one.client_phone,
        "started_ms": one.verdict.started_ms,
        "over_ms": None if one.is_live else one.heard_ms,
        "is_live": int(one.is_live),
        "body": msgspec.json.encode(one).decode(),
        "result": outcome_word(one.verdict.state, one.verdict.result),
        "agents": f" {' '.join(map(str, agents))} " if agents else "",
    }
