"""The journal's table, and calls as people look for them. What a call amounts to is not decided here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Text, and_, bindparam, case, delete, func, literal_column, or_, select

from server.core.calls import Call
from server.core.journal import AnyBody, Counts, Entry, Query
from server.core.records import Place, StoredHook
from server.core.vocabulary import CallState
from server.sql import Database, Script, Stmt, among, insert, lit

from .cipher import Cipher
from .hooks import PURPOSE
from .schema import IS_UNFILED, call, hook, journal

MOST = 5000
"""Rows at a time, for lists that only an outage makes long, and for tidying."""

PUT = Stmt(insert(journal), columns=("call_id", "at_ms", "body"))
OF_CALL = Stmt(
    select(journal.c.call_id, journal.c.at_ms, journal.c.body)
    .where(journal.c.call_id == bindparam("call"))
    .order_by(journal.c.at_ms, journal.c.id)
)
HOOKS = Stmt(
    select(hook.c.id, hook.c.line_id, hook.c.received_ms, hook.c.raw, hook.c.call_id)
    .where(hook.c.call_id == bindparam("call"))
    .order_by(hook.c.id)
)
COUNT = Stmt(
    select(
        func.count(),
        func.coalesce(func.sum(call.c.is_live), lit(0)),
        func.coalesce(func.sum(case((IS_UNFILED, lit(1)), else_=lit(0))), lit(0)),
    ).where(call.c.account_id == bindparam("account"), call.c.started_ms >= bindparam("since_ms"))
)
UNFILED = Stmt(
    select(call.c.id)
    .where(IS_UNFILED, call.c.account_id == bindparam("account"))
    .order_by(call.c.started_ms)
    .limit(lit(MOST))
)
_oldest = select(journal.c.id, journal.c.at_ms).order_by(journal.c.id).limit(lit(MOST)).subquery()
# They were written in about the order of their moments: no index of these is kept for it.
PURGE = Stmt(
    delete(journal).where(journal.c.id.in_(select(_oldest.c.id).where(_oldest.c.at_ms < bindparam("before_ms"))))
)

WHOLE_PHONE = 11
"""Digits of a number that is looked for as it stands: a shorter one may be its end, or its middle."""

_before = bindparam("before_ms", type_=BigInteger)
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "phone": call.c.client_phone == bindparam("phone"),
    "part": call.c.client_phone.like(bindparam("part")),
    "agent": call.c.agents.like(bindparam("agent")),
    "result": call.c.result == bindparam("result"),
    "ids": or_(among(call.c.id, "ids"), call.c.result == literal_column(f"'{CallState.ENDED_UNKNOWN.value}'")),
}
"""What may be asked for beside account and time, by the name of its parameter."""


class JournalStore:
    """Fills `core.stores.Journal`."""

    def __init__(self, db: Database, cipher: Cipher) -> None:
        self._db = db
        self._cipher = cipher

    async def put(self, entries: Sequence[Entry]) -> None:
        await self._db.run(write, entries)

    async def of_call(self, call_id: str) -> list[Entry]:
        rows = await self._db.read(OF_CALL, {"call": call_id})
        return [Entry(one, at_ms, _read_body(body)) for one, at_ms, body in rows]

    async def hooks(self, call_id: str) -> list[StoredHook]:
        return [
            StoredHook(
                id=hook_id, line_id=line_id, received_ms=at_ms, raw=self._cipher.open(raw, PURPOSE), call_id=of_call
            )
            for hook_id, line_id, at_ms, raw, of_call in await self._db.read(HOOKS, {"call": call_id})
        ]

    async def search(self, query: Query) -> list[tuple[Call, Place | None]]:
        wanted = _wanted(query)
        at_ms, call_id = query.before
        params = {
            "account": query.account_id, "since_ms": query.since_ms, "until_ms": query.until_ms,
            "before_ms": at_ms, "before_id": call_id, "most": query.most,
        }  # fmt: skip
        rows = await self._db.read(_search(frozenset(wanted)), params | wanted)
        return [(_read_call(body), _read_place(crm) if crm else None) for body, crm in rows]

    async def count(self, account_id: int, since_ms: int) -> Counts:
        ((calls, live, unfiled),) = await self._db.read(COUNT, {"account": account_id, "since_ms": since_ms})
        return Counts(int(calls), int(live), int(unfiled))

    async def unfiled(self, account_id: int) -> list[str]:
        return [call_id for (call_id,) in await self._db.read(UNFILED, {"account": account_id})]

    async def purge(self, before_ms: int) -> int:
        count: int = await self._db.write(PURGE, {"before_ms": before_ms})
        return count


def write(entries: Sequence[Entry]) -> Script[None]:
    """Put entries within a transaction."""
    if entries:
        yield (
            PUT,
            [
                {"call_id": one.call_id, "at_ms": one.at_ms, "body": msgspec.json.encode(one.body).decode()}
                for one in entries
            ],
        )


def _wanted(query: Query) -> dict[str, Any]:
    """The conditions that a query makes, by their names, with what each compares with."""
    wanted: dict[str, Any] = {}
    if len(query.phone) >= WHOLE_PHONE:
        wanted["phone"] = f"+{query.phone}"
    elif query.phone:
        wanted["part"] = f"%{query.phone}%"
    if query.agent_id:
        wanted["agent"] = f"% {query.agent_id} %"
    if query.result:
        wanted["result"] = query.result
    if query.amiss is not None:
        wanted["ids"] = list(query.amiss)
    return wanted


@cache
def _search(names: frozenset[str]) -> Stmt:
    """One statement for each set of conditions."""
    conditions = [CONDITIONS[name] for name in sorted(names)]
    is_older = or_(
        call.c.started_ms < _before,
        and_(call.c.started_ms == _before, call.c.id < bindparam("before_id", type_=Text)),
    )
    return Stmt(
        select(call.c.body, call.c.crm)
        .where(
            call.c.account_id == bindparam("account"),
            call.c.started_ms >= bindparam("since_ms"),
            call.c.started_ms < bindparam("until_ms"),
            is_older,
            *conditions,
        )
        .order_by(call.c.started_ms.desc(), call.c.id.desc())
        .limit(bindparam("most", type_=BigInteger))
    )


_read_body = msgspec.json.Decoder(AnyBody).decode
_read_call = msgspec.json.Decoder(Call).decode
_read_place = msgspec.json.Decoder(Place).decode
