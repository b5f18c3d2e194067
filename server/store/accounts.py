"""Accounts of amoCRM: their authorisation (sealed), users, spent one-time tokens and alerts."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, select, update

from server.core.errors import NotFound
from server.core.messages import AlertView, DirectoryView
from server.core.ports import News, Topic
from server.core.records import Account, Prefs, Tokens, User
from server.core.rights import Rights
from server.sql import Database, Params, Script, Stmt, among, insert

from .cipher import Cipher
from .schema import account, alert, crm_user, spent_token
from .telling import Tell, tell_nobody, told

_put = insert(account)
PUT = Stmt(
    _put.on_conflict_do_update(
        index_elements=["id"],
        set_={name: _put.excluded[name] for name in ("host", "origin", "name", "state", "tokens", "changed_ms")},
    ),
    columns=[column.name for column in account.c],
)
ALL = Stmt(select(account).order_by(account.c.id))
_one = account.c.id == bindparam("account")
ONE = Stmt(select(account).where(_one))
PREFS = Stmt(select(account.c.prefs).where(_one).with_for_update())
SET_TOKENS = Stmt(update(account).where(_one).values(tokens=bindparam("sealed")))
SET_STATE = Stmt(update(account).where(_one).values(state=bindparam("word")))
SET_PREFS = Stmt(update(account).where(_one).values(prefs=bindparam("chosen")))
SET_PROGRESS = Stmt(update(account).where(_one).values(progress=bindparam("so_far")))

USERS = Stmt(select(crm_user).where(crm_user.c.account_id == bindparam("account")).order_by(crm_user.c.id))
DROP_USERS = Stmt(delete(crm_user).where(crm_user.c.account_id == bindparam("account")))
ADD_USERS = Stmt(insert(crm_user), columns=[column.name for column in crm_user.c])

SPEND = Stmt(
    insert(spent_token).on_conflict_do_nothing(index_elements=["jti"]).returning(spent_token.c.jti),
    columns=[column.name for column in spent_token.c],
)
SPENDER = Stmt(
    select(spent_token.c.account_id, spent_token.c.user_id).where(spent_token.c.jti == bindparam("token_id"))
)
# A lease is a token that is spent until its end: whoever comes after that spends it again.
_lease = insert(spent_token)
LEASE = Stmt(
    _lease.on_conflict_do_update(
        index_elements=["jti"],
        set_={"exp_ms": _lease.excluded.exp_ms},
        where=spent_token.c.exp_ms < bindparam("now_ms", type_=BigInteger),
    ).returning(spent_token.c.jti),
    columns=[column.name for column in spent_token.c],
)
TAKEN = Stmt(
    select(spent_token.c.jti).where(among(spent_token.c.jti, "names"), spent_token.c.exp_ms >= bindparam("now_ms"))
)
RELEASE = Stmt(delete(spent_token).where(spent_token.c.jti == bindparam("token_id")))
FORGET_TOKENS = Stmt(delete(spent_token).where(spent_token.c.exp_ms < bindparam("now_ms")))

_raise = insert(alert)
RAISE = Stmt(_raise.on_conflict_do_nothing(index_elements=["account_id", "slug", "subject"]).returning(alert.c.slug),
    columns=[column.name for column in alert.c],
)  # fmt: skip
_of_kind = delete(alert).where(alert.c.account_id == bindparam("account"), alert.c.slug == bindparam("word"))
DROP = Stmt(_of_kind)
DROP_ONE = Stmt(_of_kind.where(alert.c.subject == bindparam("about")))
ALERTS = Stmt(
    select(alert.c.slug, alert.c.details).where(alert.c.account_id == bindparam("account")).order_by(alert.c.at_ms)
)


class AccountStore:
    """Fills `core.stores.Accounts`."""

    def __init__(self, db: Database, cipher: Cipher, tell: Tell = tell_nobody) -> None:
        self._db = db
        self._cipher = cipher
        self._tell = tell

    async def all(self) -> list[Account]:
        return [self._account(*row) for row in await self._db.read(ALL)]

    async def find(self, account_id: int) -> Account | None:
        rows = await self._db.read(ONE, {"account": account_id})
        return self._account(*rows[0]) if rows else None

    async def put(self, one: Account) -> None:
        await self._set(PUT, one.id, self._row(one))

    async def set_tokens(self, account_id: int, tokens: Tokens) -> None:
        await self._set(SET_TOKENS, account_id, {"sealed": self._sealed(account_id, tokens)})

    async def set_state(self, account_id: int, state: str) -> None:
        await self._set(SET_STATE, account_id, {"word": state})

    async def change_prefs(self, account_id: int, change: Callable[[Prefs], Prefs]) -> Prefs:
        return await self._db.run(_change_prefs, self._tell, account_id, change)

    async def set_progress(self, account_id: int, progress: DirectoryView) -> None:
        await self._set(SET_PROGRESS, account_id, {"so_far": _json(progress)})

    async def _set(self, stmt: Stmt, account_id: int, values: Params) -> None:
        params = {"account": account_id, **values}
        await self._db.run(told, self._tell, stmt, params, News(Topic.ACCOUNT, account_id))

    async def users(self, account_id: int) -> list[User]:
        return [_user(*row) for row in await self._db.read(USERS, {"account": account_id})]

    async def set_users(self, account_id: int, users: Sequence[User]) -> None:
        await self._db.run(_replace_users, self._tell, account_id, users)

    async def spend(self, jti: str, *, account_id: int, user_id: int, exp_ms: int) -> int | None:
        return await self._db.run(_spend, jti, account_id=account_id, user_id=user_id, exp_ms=exp_ms)

    async def lease(self, name: str, *, account_id: int, now_ms: int, until_ms: int) -> bool:
        row = _leased(name, account_id, now_ms=now_ms, until_ms=until_ms)
        return bool(await self._db.write(LEASE, row))

    async def take_slot(self, account_id: int, slots: Sequence[int], *, now_ms: int, until_ms: int) -> bool:
        if self._db.dialect == "sqlite":  # one process, which counts in memory
            return True
        rows = [_leased(f"slot:{account_id}:{one}", account_id, now_ms=now_ms, until_ms=until_ms) for one in slots]
        return await self._db.run(_first_free, rows)

    async def release(self, name: str) -> None:
        await self._db.write(RELEASE, {"token_id": f"lease:{name}"})

    async def forget_tokens(self, now_ms: int) -> None:
        """Drop spent tokens that are refused by their age anyway."""
        await self._db.write(FORGET_TOKENS, {"now_ms": now_ms})

    async def raise_alert(
        self, account_id: int, slug: str, *, subject: str, details: dict[str, str], at_ms: int
    ) -> bool:
        row = {"account_id": account_id, "slug": slug, "subject": subject, "details": json.dumps(details)}
        return await self._db.run(_raise_alert, self._tell, {**row, "at_ms": at_ms, "times": 1})

    async def drop_alerts(self, account_id: int, slug: str, *, subject: str = "") -> None:
        stmt, which = (DROP_ONE, {"about": subject}) if subject else (DROP, {})
        await self._db.write(stmt, {"account": account_id, "word": slug, **which})

    async def alerts(self, account_id: int) -> list[AlertView]:
        rows = await self._db.read(ALERTS, {"account": account_id})
        return [AlertView(slug=slug, details=json.loads(details)) for slug, details in rows]

    def _sealed(self, account_id: int, tokens: Tokens) -> bytes:
        return self._cipher.seal(msgspec.json.encode(tokens), f"account:{account_id}")

    def _row(self, one: Account) -> dict[str, Any]:
        return {
            "id": one.id,
            "host": one.host,
            "origin": one.origin,
            "name": one.name,
            "state": one.state,
            "tokens": self._sealed(one.id, one.tokens) if one.tokens else None,
            "hook_secret": one.hook_secret,
            "prefs": _json(one.prefs),
            "progress": _json(one.progress),
            "created_ms": one.created_ms,
            "changed_ms": one.created_ms,
        }

    def _account(self, *row: Any) -> Account:
        account_id, host, origin, name, state, sealed, hook_secret, prefs, progress, created_ms, _ = row
        opened = self._cipher.open(sealed, f"account:{account_id}") if sealed else None
        return Account(
            id=account_id,
            host=host,
            origin=origin,
            name=name,
            state=state,
            hook_secret=hook_secret,
            created_ms=created_ms,
            prefs=msgspec.json.decode(prefs, type=Prefs),
            progress=msgspec.json.decode(progress, type=DirectoryView),
            tokens=msgspec.json.decode(opened, type=Tokens) if opened else None,
        )


def _replace_users(tell: Tell, account_id: int, users: Sequence[User]) -> Script[None]:
    yield DROP_USERS, {"account": account_id}
    rows = [
        {
            "account_id": account_id,
            "id": one.id,
            "name": one.name,
            "group_id": one.group_id,
            "is_admin": int(one.is_admin),
            "is_active": int(one.is_active),
            "rights": json.dumps(one.rights.view),
        }
        for one in users
    ]
    if rows:
        yield ADD_USERS, rows
    yield from tell(News(Topic.USERS, account_id))


def _leased(name: str, account_id: int, *, now_ms: int, until_ms: int) -> Params:
    return {"jti": f"lease:{name}", "account_id": account_id, "user_id": 0, "exp_ms": until_ms, "now_ms": now_ms}


def _first_free(rows: Sequence[Params]) -> Script[bool]:
    names, now_ms = [row["jti"] for row in rows], rows[0]["now_ms"]
    taken = {name for (name,) in (yield TAKEN, {"names": names, "now_ms": now_ms})}
    for row in rows:
        if row["jti"] not in taken and (yield LEASE, row):  # between the two, another node may have taken it
            return True
    return False


def _change_prefs(tell: Tell, account_id: int, change: Callable[[Prefs], Prefs]) -> Script[Prefs]:
    rows = yield PREFS, {"account": account_id}
    if not rows:
        raise NotFound
    changed = change(msgspec.json.decode(rows[0][0], type=Prefs))
    yield SET_PREFS, {"account": account_id, "chosen": _json(changed)}
    yield from tell(News(Topic.ACCOUNT, account_id))
    return changed


def _raise_alert(tell: Tell, row: dict[str, Any]) -> Script[bool]:
    is_new = bool((yield RAISE, row))
    if is_new:
        yield from tell(News(Topic.ALERT, row["account_id"], row["slug"]))
    return is_new


def _user(_: int, user_id: int, name: str, group_id: int, is_admin: int, is_active: int, rights: str) -> User:
    letters = Rights(user_id=user_id, group_id=group_id, is_admin=bool(is_admin), view=json.loads(rights))
    return User(user_id, name, group_id, bool(is_admin), bool(is_active), letters)


def _spend(jti: str, *, account_id: int, user_id: int, exp_ms: int) -> Script[int | None]:
    """None: it was new. The spender of another account's token is nobody (-1)."""
    fresh = yield SPEND, {"jti": jti, "account_id": account_id, "user_id": user_id, "exp_ms": exp_ms}
    if fresh:
        return None
    ((spent_in, spender),) = yield SPENDER, {"token_id": jti}
    return int(spender) if spent_in == account_id else -1


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
