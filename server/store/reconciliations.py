"""What the comparisons with the PBXs' statistics found."""

from msgspec import structs
from sqlalchemy import bindparam, select

from server.core.records import Reconciliation
from server.sql import Database, Stmt, insert, lit

from .schema import reconciliation

_COLUMNS = [column.name for column in reconciliation.c if column.name != "id"]
PUT = Stmt(insert(reconciliation), columns=_COLUMNS)
LAST = Stmt(
    select(*(reconciliation.c[name] for name in _COLUMNS))
    .where(reconciliation.c.line_id == bindparam("line"))
    .order_by(reconciliation.c.at_ms.desc())
    .limit(lit(1))
)


class ReconciliationStore:
    """Fills `core.stores.Reconciliations`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, one: Reconciliation) -> None:
        await self._db.write(PUT, structs.asdict(one))

    async def last(self, line_id: str) -> Reconciliation | None:
        rows = await self._db.read(LAST, {"line": line_id})
        return Reconciliation(**dict(zip(_COLUMNS, rows[0], strict=True))) if rows else None
