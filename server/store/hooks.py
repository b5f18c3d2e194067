"""Raw webhooks: sealed, stored in shared transactions, read once."""

from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, delete, func, select, update

from server.core.records import StoredHook
from server.sql import Database, Group, Params, Script, Stmt, insert, lit

from .cipher import Cipher
from .schema import IS_UNREAD, hook

UNREAD, READ = 0, 1
PURGE_AT_ONCE = 2000
"""Rows per purging transaction: keeps the writer free in between."""

_COLUMNS = ("line_id", "key", "received_ms", "raw", "state")
PUT = Stmt(
    insert(hook).on_conflict_do_nothing(index_elements=["line_id", "key"]).returning(hook.c.id), columns=_COLUMNS
)
ALL_UNREAD = Stmt(
    select(hook.c.id, hook.c.line_id, hook.c.received_ms, hook.c.raw).where(IS_UNREAD).order_by(hook.c.id)
)
UNREAD_IDS = Stmt(select(hook.c.id).where(IS_UNREAD))
SETTLE = Stmt(
    update(hook)
    .where(hook.c.id == bindparam("hook_id"))
    .values(state=lit(READ), call_id=bindparam("call"), note=bindparam("why"))
)
PAGE = 500
"""Webhooks that are opened at once when they are read again."""

SETTLED = Stmt(
    select(hook.c.id, hook.c.line_id, hook.c.received_ms, hook.c.raw, hook.c.call_id)
    .where(hook.c.id > bindparam("after"), hook.c.received_ms >= bindparam("since_ms"), hook.c.state == lit(READ))
    .order_by(hook.c.id)
    .limit(lit(PAGE))
)
OLDEST = Stmt(select(func.min(hook.c.received_ms)).where(hook.c.state == lit(READ)))
_old = (
    select(hook.c.id)
    .where(hook.c.received_ms < bindparam("before_ms"), hook.c.state == lit(READ))
    .limit(lit(PURGE_AT_ONCE))
)
PURGE = Stmt(delete(hook).where(hook.c.id.in_(_old)))

PURPOSE = "hook"


class HookStore:
    """Fills `core.stores.Hooks`."""

    def __init__(self, db: Database, cipher: Cipher) -> None:
        self._db = db
        self._cipher = cipher
        self._group: Group[Params, int | None] = Group(db, _store)
        self._settling: Group[Params, None] = Group(db, _settle)

    async def put(self, line_id: str, *, key: str, received_ms: int, raw: bytes) -> int | None:
        sealed = self._cipher.seal(raw, PURPOSE)
        row = {"line_id": line_id, "key": key, "received_ms": received_ms, "raw": sealed, "state": UNREAD}
        return await self._group.put(row)

    async def unread(self) -> list[StoredHook]:
        rows = await self._db.read(ALL_UNREAD)
        return [
            StoredHook(id=hook_id, line_id=line_id, received_ms=at_ms, raw=self._cipher.open(raw, PURPOSE))
            for hook_id, line_id, at_ms, raw in rows
        ]

    async def unread_ids(self) -> set[int]:
        return {hook_id for (hook_id,) in await self._db.read(UNREAD_IDS)}

    async def settle(self, hook_id: int, *, note: str = "") -> None:
        await self._settling.put({"hook_id": hook_id, "call": None, "why": note or None})

    async def purge(self, before_ms: int) -> int:
        purged = 0
        while count := await self._db.write(PURGE, {"before_ms": before_ms}):
            purged += count
        return purged

    def settled(self, since_ms: int, hear: Callable[[StoredHook], None]) -> Script[None]:
        """Let `hear` hear each webhook that was read and is still kept, in the order of arrival."""
        after = 0
        while rows := (yield SETTLED, {"after": after, "since_ms": since_ms}):
            for hook_id, line_id, at_ms, raw, call_id in rows:
                plain = self._cipher.open(raw, PURPOSE)
                hear(StoredHook(id=hook_id, line_id=line_id, received_ms=at_ms, raw=plain, call_id=call_id))
            after = rows[-1][0]

    async def close(self) -> None:
        """Wait for what was put."""
        await self._group.close()
        await self._settling.close()


def oldest() -> Script[int | None]:
    """When the oldest webhook that `settled` would tell was received; None: there is none."""
    rows = yield OLDEST, {}
    return rows[0][0] if rows else None


def _store(rows: list[Params]) -> Script[Sequence[int | None]]:
    """Each row by itself, because each caller wants to know whether it was new."""
    ids: list[int | None] = []
    for row in rows:
        found = yield PUT, row
        ids.append(found[0][0] if found else None)
    return ids


def _settle(rows: list[Params]) -> Script[Sequence[None]]:
    yield SETTLE, rows
    return [None] * len(rows)
