"""The local copy of amoCRM's phone book: entities, their last-ten-digit keys, and whom each lead belongs to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, delete, func, select

from server.core.book import BookRow
from server.core.directory import Entry, Lead
from server.core.ports import News, Topic
from server.sql import Database, Script, Stmt, among, insert, lit

from .schema import bond, entry, phone
from .telling import Tell, tell_nobody

_put = insert(entry)
_KEYS = ("account_id", "noun", "id")
PUT = Stmt(
    _put.on_conflict_do_update(
        index_elements=_KEYS,
        set_={column.name: _put.excluded[column.name] for column in entry.c if column.name not in _KEYS},
    ),
    columns=[column.name for column in entry.c],
)
ADD_PHONE = Stmt(
    insert(phone).on_conflict_do_nothing(index_elements=[column.name for column in phone.c]),
    columns=[column.name for column in phone.c],
)
ADD_BOND = Stmt(
    insert(bond).on_conflict_do_nothing(index_elements=[column.name for column in bond.c]),
    columns=[column.name for column in bond.c],
)
_account: BindParameter[int] = bindparam("account")
DROP = Stmt(
    delete(entry).where(entry.c.account_id == _account, entry.c.noun == bindparam("kind"), among(entry.c.id, "ids"))
)
DROP_PHONES = Stmt(
    delete(phone).where(
        phone.c.account_id == _account, phone.c.noun == bindparam("kind"), among(phone.c.entity_id, "ids")
    )
)
DROP_BONDS = Stmt(delete(bond).where(bond.c.account_id == _account, among(bond.c.lead_id, "ids")))

_company = entry.alias("company")
_of_company = and_(
    _company.c.account_id == entry.c.account_id, _company.c.noun == "companies", _company.c.id == entry.c.company_id
)
FIND = Stmt(
    select(
        entry.c.noun, entry.c.id, entry.c.name, entry.c.owner_id, entry.c.group_id, entry.c.updated_s,
        entry.c.company_id, func.coalesce(_company.c.name, ""),
    )
    .select_from(phone.join(entry, and_(
        entry.c.account_id == phone.c.account_id, entry.c.noun == phone.c.noun, entry.c.id == phone.c.entity_id
    )).outerjoin(_company, _of_company))
    .where(phone.c.account_id == _account, phone.c.last10 == bindparam("digits"))
)  # fmt: skip
LEADS = Stmt(
    select(entry.c.id, entry.c.name, entry.c.owner_id, entry.c.group_id, entry.c.updated_s)
    .select_from(bond.join(entry, and_(
        entry.c.account_id == bond.c.account_id, entry.c.noun == "leads", entry.c.id == bond.c.lead_id
    )))
    .where(bond.c.account_id == _account, bond.c.noun == bindparam("kind"), bond.c.entity_id == bindparam("entity"),
           entry.c.is_open == lit(1))
)  # fmt: skip
COUNTS = Stmt(select(entry.c.noun, func.count()).where(entry.c.account_id == _account).group_by(entry.c.noun))


PHONES_TOLD = 500
"""Numbers in a piece of news: ten digits and a space each, far below what a bus carries at a time."""


class DirectoryStore:
    """Fills `core.stores.Directory`."""

    def __init__(self, db: Database, tell: Tell = tell_nobody) -> None:
        self._db = db
        self._tell = tell

    async def find(self, account_id: int, last10: str) -> list[Entry]:
        return await self._db.read_script(_find, account_id, last10)

    async def put(self, account_id: int, noun: str, rows: Sequence[BookRow]) -> None:
        if rows:
            await self._db.run(_learn, self._tell, account_id, noun, rows)

    async def remove(self, account_id: int, noun: str, ids: Sequence[int]) -> None:
        await self._db.run(_remove, account_id, noun, ids)

    async def counts(self, account_id: int) -> dict[str, int]:
        return dict(await self._db.read(COUNTS, {"account": account_id}))


def _find(account_id: int, last10: str) -> Script[list[Entry]]:
    entries = []
    for found in (yield FIND, {"account": account_id, "digits": last10}):
        rows = yield LEADS, {"account": account_id, "kind": found[0], "entity": found[1]}
        entries.append(Entry(*(*found, tuple(Lead(*row) for row in rows))))
    return entries


def _learn(tell: Tell, account_id: int, noun: str, rows: Sequence[BookRow]) -> Script[None]:
    yield from _replace(account_id, noun, rows)
    phones = sorted({phone for one in rows for phone in one.phones})
    lots = (phones[start : start + PHONES_TOLD] for start in range(0, len(phones), PHONES_TOLD))
    yield from tell(*(News(Topic.PHONES, account_id, " ".join(lot)) for lot in lots))


def _replace(account_id: int, noun: str, rows: Sequence[BookRow]) -> Script[None]:
    """Phones and bonds are replaced whole: one that is gone in amoCRM is gone here."""
    yield from _remove(account_id, noun, [one.id for one in rows])
    yield PUT, [_row(account_id, noun, one) for one in rows]
    phones = [
        {"account_id": account_id, "last10": last10, "noun": noun, "entity_id": one.id}
        for one in rows
        for last10 in one.phones
    ]
    if phones:
        yield ADD_PHONE, phones
    bonds = [
        {"account_id": account_id, "noun": whose, "entity_id": entity_id, "lead_id": one.id}
        for one in rows
        for whose, entity_id in one.bonds
    ]
    if bonds:
        yield ADD_BOND, bonds


def _remove(account_id: int, noun: str, ids: Sequence[int]) -> Script[None]:
    which = {"account": account_id, "kind": noun, "ids": list(ids)}
    yield DROP, which
    yield DROP_PHONES, which
    if noun == "leads":
        yield DROP_BONDS, {"account": account_id, "ids": list(ids)}


def _row(account_id: int, noun: str, one: BookRow) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "noun": noun,
        "id": one.id,
        "name": one.name,
        "owner_id": one.owner_id,
        "group_id": one.group_id,
        "company_id": one.company_id,
        "updated_s": one.updated_s,
        "is_open": int(one.is_open),
    }
