"""Connected PBXs (their secrets sealed) and who sits at which extension."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from server.core.ports import News, Topic
from server.core.records import Line, Seat
from server.sql import Database, Script, Stmt, insert

from .cipher import Cipher
from .schema import agent, line
from .telling import Tell, tell_nobody, told

_put = insert(line)
PUT = Stmt(
    _put.on_conflict_do_update(
        index_elements=["id"], set_={name: _put.excluded[name] for name in ("name", "path_hash", "secrets", "options")}
    ),
    columns=[column.name for column in line.c],
)
_all = select(line).order_by(line.c.created_ms, line.c.id)
ALL = Stmt(_all)
OF_ACCOUNT = Stmt(_all.where(line.c.account_id == bindparam("account")))
REMOVE = Stmt(delete(line).where(line.c.id == bindparam("line")))
TOUCH = Stmt(update(line).where(line.c.id == bindparam("line")).values(last_hook_ms=bindparam("at_ms")))
_seats = select(agent.c.account_id, agent.c.line_id, agent.c.extension, agent.c.user_id)
SEATS = Stmt(_seats)
SEATS_OF = Stmt(_seats.where(agent.c.account_id == bindparam("account")))
TENANT = Stmt(select(line.c.account_id).where(line.c.id == bindparam("line")))
DROP_SEATS = Stmt(delete(agent).where(agent.c.account_id == bindparam("account")))
DROP_LINE_SEATS = Stmt(delete(agent).where(agent.c.line_id == bindparam("line")))
ADD_SEATS = Stmt(
    insert(agent).on_conflict_do_nothing(index_elements=["line_id", "extension", "user_id"]),
    columns=("line_id", "extension", "user_id", "account_id"),
)


class LineStore:
    """Fills `core.stores.Lines`."""

    def __init__(self, db: Database, cipher: Cipher, tell: Tell = tell_nobody) -> None:
        self._db = db
        self._cipher = cipher
        self._tell = tell

    async def all(self) -> list[Line]:
        return [self._line(*row) for row in await self._db.read(ALL)]

    async def of_account(self, account_id: int) -> list[Line]:
        return [self._line(*row) for row in await self._db.read(OF_ACCOUNT, {"account": account_id})]

    async def put(self, one: Line) -> None:
        secrets = json.dumps({"path": one.path, "credentials": one.credentials}).encode()
        row = {
            "id": one.id,
            "account_id": one.account_id,
            "provider": one.provider,
            "name": one.name,
            "path_hash": hashlib.sha256(one.path.encode()).hexdigest(),
            "secrets": self._cipher.seal(secrets, f"line:{one.id}"),
            "options": json.dumps({"our_lines": one.our_lines, "schemes": one.schemes}),
            "created_ms": one.created_ms,
            "last_hook_ms": one.last_hook_ms,
        }
        await self._db.run(told, self._tell, PUT, row, News(Topic.LINES, one.account_id))

    async def remove(self, line_id: str) -> None:
        await self._db.run(_remove, self._tell, line_id)

    async def touch(self, line_id: str, at_ms: int) -> None:
        await self._db.run(_touch, self._tell, line_id, at_ms)

    async def seats(self) -> dict[int, list[Seat]]:
        found: dict[int, list[Seat]] = {}
        for account_id, line_id, extension, user_id in await self._db.read(SEATS):
            found.setdefault(account_id, []).append(Seat(line_id, extension, user_id))
        return found

    async def seats_of(self, account_id: int) -> list[Seat]:
        rows = await self._db.read(SEATS_OF, {"account": account_id})
        return [Seat(line_id, extension, user_id) for _, line_id, extension, user_id in rows]

    async def set_seats(self, account_id: int, seats: Sequence[Seat]) -> None:
        await self._db.run(_set_seats, self._tell, account_id, seats)

    def _line(self, *row: Any) -> Line:
        line_id, account_id, provider, name, _, sealed, options, created_ms, last_hook_ms = row
        secrets = json.loads(self._cipher.open(sealed, f"line:{line_id}"))
        chosen = json.loads(options)
        return Line(
            id=line_id,
            account_id=account_id,
            provider=provider,
            name=name,
            path=secrets["path"],
            credentials=secrets["credentials"],
            created_ms=created_ms,
            our_lines=tuple(chosen["our_lines"]),
            schemes=chosen["schemes"],
            last_hook_ms=last_hook_ms,
        )


def _touch(tell: Tell, line_id: str, at_ms: int) -> Script[None]:
    yield TOUCH, {"line": line_id, "at_ms": at_ms}
    yield from _tell_of(tell, line_id)


def _tell_of(tell: Tell, line_id: str) -> Script[None]:
    for (account_id,) in (yield TENANT, {"line": line_id}):
        yield from tell(News(Topic.LINES, account_id))


def _remove(tell: Tell, line_id: str) -> Script[None]:
    yield from _tell_of(tell, line_id)
    yield DROP_LINE_SEATS, {"line": line_id}
    yield REMOVE, {"line": line_id}


def _set_seats(tell: Tell, account_id: int, seats: Sequence[Seat]) -> Script[None]:
    yield DROP_SEATS, {"account": account_id}
    rows = [
        {"line_id": one.line_id, "extension": one.extension, "user_id": one.user_id, "account_id": account_id}
        for one in seats
    ]
    if rows:
        yield ADD_SEATS, rows
    yield from tell(News(Topic.LINES, account_id))
