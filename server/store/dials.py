"""Click-to-call orders."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select, update

from server.core.dial import Dial
from server.core.errors import NotFound
from server.core.ports import News, Topic
from server.sql import Database, Script, Stmt, insert

from .schema import IS_WAITING, dial
from .telling import Tell, tell_nobody

_COLUMNS = ("id", "account_id", "agent_id", "line_id", "key", "created_ms", "call_id", "is_waiting", "body")
ADD = Stmt(
    insert(dial).on_conflict_do_nothing(index_elements=["account_id", "agent_id", "key"]).returning(dial.c.id),
    columns=_COLUMNS,
)
KEEP = Stmt(
    update(dial)
    .where(dial.c.id == bindparam("dial_id"))
    .values(call_id=bindparam("call"), is_waiting=bindparam("waits"), body=bindparam("value"))
)
_by_id = select(dial.c.body).where(dial.c.id == bindparam("dial_id"))
BY_ID = Stmt(_by_id)
TO_CHANGE = Stmt(_by_id.with_for_update())  # the vendor's answer and the call's first event come at once
BY_KEY = Stmt(
    select(dial.c.body).where(
        dial.c.account_id == bindparam("account"),
        dial.c.agent_id == bindparam("agent"),
        dial.c.key == bindparam("click"),
    )
)
WAITING = Stmt(
    select(dial.c.body)
    .where(IS_WAITING, dial.c.line_id == bindparam("line"))
    .order_by(dial.c.created_ms)
    .with_for_update()
)
OF_CALL = Stmt(select(dial.c.body).where(dial.c.call_id == bindparam("call")).with_for_update())
_newest = (
    select(func.max(dial.c.created_ms).label("at_ms"), dial.c.account_id, dial.c.agent_id)
    .where(dial.c.created_ms > bindparam("since_ms"))
    .group_by(dial.c.account_id, dial.c.agent_id)
    .subquery()
)
LATEST = Stmt(
    select(dial.c.body).where(
        dial.c.account_id == _newest.c.account_id,
        dial.c.agent_id == _newest.c.agent_id,
        dial.c.created_ms == _newest.c.at_ms,
    )
)


class DialStore:
    """Fills `core.stores.Dials`."""

    def __init__(self, db: Database, tell: Tell = tell_nobody) -> None:
        self._db = db
        self._tell = tell

    async def put(self, one: Dial) -> Dial:
        return await self._db.run(_put, self._tell, one)

    async def change(self, dial_id: str, change: Callable[[Dial], Dial]) -> Dial:
        return await self._db.run(_change, self._tell, dial_id, change)

    async def find(self, dial_id: str) -> Dial | None:
        rows = await self._db.read(BY_ID, {"dial_id": dial_id})
        return _decoder.decode(rows[0][0]) if rows else None

    async def latest(self, since_ms: int) -> list[Dial]:
        return [_decoder.decode(body) for (body,) in await self._db.read(LATEST, {"since_ms": since_ms})]


def concerned(line_id: str, call_id: str) -> Script[list[Dial]]:
    """The order that this call carries out, or else those that wait for a call on the line, oldest first.

    They are locked until the end of the transaction.
    """
    rows = (yield OF_CALL, {"call": call_id}) if call_id else []
    if not rows:
        rows = yield WAITING, {"line": line_id}
    return [_decoder.decode(body) for (body,) in rows]


def keep(one: Dial) -> Script[None]:
    """Store a changed order."""
    row = _row(one)
    yield KEEP, {"dial_id": one.id, "call": row["call_id"], "waits": row["is_waiting"], "value": row["body"]}


def _put(tell: Tell, one: Dial) -> Script[Dial]:
    if (yield ADD, _row(one)):
        yield from tell(News(Topic.DIAL, one.account_id, one.id))
        return one
    rows = yield BY_KEY, {"account": one.account_id, "agent": one.agent_id, "click": one.key}
    return _decoder.decode(rows[0][0])


def _change(tell: Tell, dial_id: str, change: Callable[[Dial], Dial]) -> Script[Dial]:
    rows = yield TO_CHANGE, {"dial_id": dial_id}
    if not rows:
        raise NotFound
    changed = change(_decoder.decode(rows[0][0]))
    yield from keep(changed)
    yield from tell(News(Topic.DIAL, changed.account_id, changed.id))
    return changed


_decoder = msgspec.json.Decoder(Dial)


def _row(one: Dial) -> dict[str, Any]:
    return {
        "id": one.id,
        "account_id": one.account_id,
        "agent_id": one.agent_id,
        "line_id": one.line_id,
        "key": one.key,
        "created_ms": one.created_ms,
        "call_id": one.call_id or None,
        "is_waiting": int(not one.call_id and not one.is_refused),
        "body": msgspec.json.encode(one).decode(),
    }
