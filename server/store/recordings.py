"""What we know of recordings: how far each has come, who listened, what was withdrawn."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import bindparam, func, select, tuple_, update

from server.core.ports import News, Topic
from server.core.recordings import Kept
from server.core.vocabulary import RecordingState
from server.sql import Database, Params, Stmt, among, insert, lit

from .schema import IS_HELD, IS_LEFT_OVER, recording
from .telling import Tell, tell_nobody, told

AT_ONCE = 500
"""Rows per tidying transaction: keeps the writer free in between."""

_COLUMNS = [column.name for column in recording.c]
_KEY = ("call_id", "key")
_PROGRESS = ("state", "attempts", "name", "size", "content_type", "duration_ms", "at_ms", "changed_ms")
_new = insert(recording)


def _upsert(*names: str) -> Stmt:
    """Insert whole, or change just these."""
    changes = {name: _new.excluded[name] for name in names}
    return Stmt(_new.on_conflict_do_update(index_elements=_KEY, set_=changes), columns=_COLUMNS)


PUT = _upsert(*_PROGRESS)
LISTEN = Stmt(
    _new.on_conflict_do_update(
        index_elements=_KEY,
        set_={"listened": recording.c.listened + lit(1), "listened_ms": _new.excluded.listened_ms},
    ),
    columns=_COLUMNS,
)
REVOKE = Stmt(
    _new.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "revoked_ms": func.coalesce(recording.c.revoked_ms, _new.excluded.revoked_ms),
            "changed_ms": _new.excluded.changed_ms,
        },
    ),
    columns=_COLUMNS,
)
OF_CALL = Stmt(select(recording).where(recording.c.call_id == bindparam("call")))
OF_CALLS = Stmt(select(recording).where(among(recording.c.call_id, "calls")))
CHANGED = Stmt(select(recording).where(recording.c.changed_ms > bindparam("since_ms")))
_old = (
    select(recording.c.call_id, recording.c.key)
    .where(IS_HELD, recording.c.at_ms < bindparam("before_ms"))
    .limit(lit(AT_ONCE))
)
EXPIRE = Stmt(
    update(recording)
    .where(tuple_(recording.c.call_id, recording.c.key).in_(_old))
    .values(state=RecordingState.EXPIRED.value, changed_ms=bindparam("now_ms"))
)
EXPIRED = Stmt(select(recording).where(IS_LEFT_OVER).limit(lit(AT_ONCE)))


class RecordingStore:
    """Fills `core.stores.Recordings`."""

    def __init__(self, db: Database, tell: Tell = tell_nobody) -> None:
        self._db = db
        self._tell = tell

    async def find(self, call_id: str) -> dict[str, Kept]:
        return {one.key: one for one in map(_kept, await self._db.read(OF_CALL, {"call": call_id}))}

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, dict[str, Kept]]:
        return await of_calls(self._db, call_ids)

    async def put(self, kept: Kept) -> None:
        news = News(Topic.RECORDING, kept.account_id, kept.call_id)
        await self._db.run(told, self._tell, PUT, _row(kept), news)

    async def listened(self, kept: Kept, at_ms: int) -> None:
        await self._db.write(LISTEN, _row(kept) | {"listened": 1, "listened_ms": at_ms})

    async def revoke(self, kept: Sequence[Kept], at_ms: int) -> None:
        rows: list[Params] = [_row(one) | {"revoked_ms": at_ms, "changed_ms": at_ms} for one in kept]
        news = dict.fromkeys(News(Topic.RECORDING, one.account_id, one.call_id) for one in kept)
        if rows:
            await self._db.run(told, self._tell, REVOKE, rows, *news)

    async def changed_since(self, since_ms: int) -> list[Kept]:
        return [_kept(row) for row in await self._db.read(CHANGED, {"since_ms": since_ms})]

    async def expire(self, before_ms: int, now_ms: int) -> int:
        count: int = await self._db.write(EXPIRE, {"before_ms": before_ms, "now_ms": now_ms})
        return count

    async def expired(self) -> list[Kept]:
        return [_kept(row) for row in await self._db.read(EXPIRED)]


async def of_calls(db: Database, call_ids: Sequence[str]) -> dict[str, dict[str, Kept]]:
    """What is kept of these calls' recordings, by call and the vendor's key."""
    found: dict[str, dict[str, Kept]] = {}
    for one in map(_kept, await db.read(OF_CALLS, {"calls": list(call_ids)})):
        found.setdefault(one.call_id, {})[one.key] = one
    return found


def _row(kept: Kept) -> dict[str, Any]:
    return structs.asdict(kept) | {"state": kept.state.value}


def _kept(row: tuple[Any, ...]) -> Kept:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Kept(**values | {"state": RecordingState(values["state"])})
