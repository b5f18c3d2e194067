"""Every statement of the engine, by name, for both databases.

Constants that an index depends on are spelled out (`lit`): partial indexes match literals only. What ends in
`with_for_update` locks rows on PostgreSQL; SQLite leaves it out, its writers come one by one anyway.
"""

from sqlalchemy import BigInteger, Text, and_, bindparam, case, cast, delete, func, null, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from server.sql import Stmt, among, insert, lit

from .schema import IS_LIVE, IS_OVER, NEVER, State, job, lane

L, J = lane.c, job.c
NOW = bindparam("now", type_=BigInteger)
ME = bindparam("me", type_=Text)
TILL = bindparam("till", type_=BigInteger)
LIMIT = bindparam("most", type_=BigInteger)

PURGE_MOST = 2000
"""Removed at a time: a purge must not hold up the writer. A literal, so that PostgreSQL plans for few."""


def _earliest(*after: ColumnElement[bool]) -> ColumnElement[int]:
    """When the lane's earliest live job is due (of those `after` a moment)."""
    live = select(func.min(J.due_ms)).where(J.lane == L.lane, IS_LIVE, *after).scalar_subquery()
    return func.coalesce(live, lit(NEVER))


def _free() -> dict[str, ColumnElement[int] | ColumnElement[None]]:
    """A lane without owner, to be looked at when a put said so or its earliest job is due."""
    earliest = _earliest()
    soonest = case((L.next_ms < earliest, L.next_ms), else_=earliest)
    return {"owner": null(), "lease_ms": lit(0), "next_ms": soonest}


# -- putting -------------------------------------------------------------------------------------------------------

ADD_JOB = Stmt(
    insert(job).inline().on_conflict_do_nothing(index_elements=["key"]),
    columns=["lane", "kind", "key", "grp", "state", "tries", "due_ms", "dead_ms", "at_ms", "body"],
)
_bump = insert(lane).inline()
BUMP_LANE = Stmt(
    _bump.on_conflict_do_update(
        index_elements=["lane"], set_={"next_ms": _bump.excluded.next_ms}, where=L.next_ms > _bump.excluded.next_ms
    ),
    columns=["lane", "next_ms"],
)

# -- settling ------------------------------------------------------------------------------------------------------

# The order of these locks is the order of every put's, so that the two cannot deadlock. PostgreSQL only.
LOCK_LANES = Stmt(
    select(L.lane).where(among(L.lane, "lanes")).order_by(L.lane.collate("C")).with_for_update(key_share=True)
)
SET_DONE = Stmt(update(job).where(among(J.id, "ids"), IS_LIVE).values(state=lit(State.DONE), at_ms=NOW))
# `tries` fences these two: the answer of a node that lost its lane meanwhile does not touch the new owner's attempt.
_OURS = and_(J.id == bindparam("job_id"), J.tries == bindparam("attempt"), IS_LIVE)
SET_LATER = Stmt(
    update(job)
    .where(_OURS)
    .values(state=bindparam("to"), due_ms=bindparam("due"), note=bindparam("why"), at_ms=bindparam("at"))
)
SET_UNSENT = Stmt(update(job).where(_OURS).values(state=lit(State.READY), tries=J.tries - lit(1)))
SET_UNTRIED = Stmt(update(job).where(_OURS).values(tries=J.tries - lit(1)))  # an earlier attempt stays in doubt
_until = bindparam("until", type_=BigInteger)
HOLD_LANE = Stmt(  # never shortens a pause
    update(lane).where(L.lane == bindparam("which")).values(hold_ms=case((L.hold_ms < _until, _until), else_=L.hold_ms))
)
RELEASE = Stmt(update(lane).where(among(L.lane, "lanes"), L.owner == ME).values(_free()))

# -- leasing -------------------------------------------------------------------------------------------------------

RENEW = Stmt(
    update(lane).where(among(L.lane, "lanes"), L.owner == ME).values(lease_ms=TILL).returning(L.lane, L.hold_ms)
)
# MATERIALIZED: PostgreSQL must not run a locking sub-select again for each row.
_expired = (
    select(L.lane)
    .where(L.owner.is_not(None), or_(L.lease_ms <= NOW, L.owner == ME))
    .with_for_update(skip_locked=True)
    .cte("expired")
    .prefix_with("MATERIALIZED")
)
REAP = Stmt(update(lane).where(L.lane.in_(select(_expired.c.lane))).values(_free()))
# `before` is NOW, or -1 when this node has lanes enough and only looks for news in its own.
_due = (
    select(L.lane)
    .where(L.next_ms <= NOW, L.hold_ms <= NOW, or_(L.lease_ms <= bindparam("before", type_=BigInteger), L.owner == ME))
    .order_by(L.next_ms)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
CLAIM = Stmt(
    update(lane)
    .where(L.lane.in_(select(_due.c.lane)))
    .values(owner=ME, lease_ms=TILL, next_ms=_earliest(J.due_ms > NOW))
    .returning(L.lane)
)

# -- fetching ------------------------------------------------------------------------------------------------------


def _nth(column: ColumnElement[int]) -> ColumnElement[int]:
    """`column` of the lane's n-th due job, in order; null when there are fewer."""
    ranked = select(column).where(K.lane == L.lane, K.state < lit(State.DONE), K.due_ms <= NOW)
    return ranked.order_by(K.due_ms, K.id).limit(lit(1)).offset(bindparam("nth", type_=BigInteger)).scalar_subquery()


K = job.alias("k").c
# MATERIALIZED: otherwise SQLite turns the join around and walks all due jobs of the table.
_cut = (
    select(
        L.lane,
        func.coalesce(_nth(K.due_ms), NOW).label("due_ms"),
        func.coalesce(_nth(K.id), lit(NEVER)).label("id"),
    )
    .where(among(L.lane, "lanes"))
    .cte("cut")
    .prefix_with("MATERIALIZED")
)
_in_cut = and_(
    J.lane == _cut.c.lane,
    IS_LIVE,
    J.due_ms <= _cut.c.due_ms,
    or_(J.due_ms < _cut.c.due_ms, J.id <= _cut.c.id),
)
FETCH = Stmt(
    select(J.lane, J.kind, J.key, J.body, J.due_ms, J.dead_ms, J.grp, J.id, J.tries, J.state, J.at_ms)
    .select_from(_cut.join(job, _in_cut))
    .order_by(J.lane, J.due_ms, J.id)
)
MARK_BEGUN = Stmt(
    update(job)
    .where(among(J.id, "ids"), IS_LIVE)
    .values(state=lit(State.BEGUN), tries=J.tries + lit(1), at_ms=NOW)
    .returning(J.id)
)

# -- people --------------------------------------------------------------------------------------------------------

_pause = insert(lane).inline()
SET_HOLD = Stmt(  # an operator's word stands above a breaker's
    _pause.on_conflict_do_update(index_elements=["lane"], set_={"hold_ms": _pause.excluded.hold_ms}),
    columns=["lane", "next_ms", "hold_ms"],
)
CANCEL = Stmt(update(job).where(J.grp == bindparam("grp"), IS_LIVE).values(state=lit(State.CANCELLED), at_ms=NOW))
REARM = Stmt(  # begun, not ready: whether it was sent is not known
    update(job)
    .where(J.key == bindparam("which"), J.state == lit(State.PARKED))
    .values(state=lit(State.BEGUN), due_ms=NOW, dead_ms=bindparam("until"))
    .returning(J.lane)
)
REARM_LANE = Stmt(
    update(job)
    .where(J.lane == bindparam("which"), J.state == lit(State.PARKED), IS_OVER)
    .values(state=lit(State.BEGUN), due_ms=NOW, dead_ms=bindparam("until"))
    .returning(J.id)
)
RENEW_TIME = Stmt(  # one that only waited is not to be given up at its first stumble
    update(job)
    .where(J.lane == bindparam("which"), IS_LIVE, J.dead_ms < bindparam("until"))
    .values(dead_ms=bindparam("until"))
)
_old = (
    select(J.id)
    .where(J.state == bindparam("ended"), IS_OVER, J.at_ms < bindparam("before"))
    .order_by(J.at_ms)
    .limit(lit(PURGE_MOST))
)
PURGE = Stmt(delete(job).where(J.id.in_(_old)))
_parked = (
    select(J.key, J.lane, J.kind, J.tries, J.note, J.at_ms, J.body, J.grp)
    .where(J.state == lit(State.PARKED), IS_OVER)
    .order_by(J.at_ms)
    .limit(LIMIT)
)
PARKED = Stmt(_parked)
PARKED_IN = Stmt(_parked.where(among(J.lane, "lanes")))
WAITING = Stmt(
    select(J.kind, J.lane, J.tries, J.due_ms, J.note).where(J.grp == bindparam("grp"), IS_LIVE).order_by(J.due_ms, J.id)
)
DEPTH = Stmt(select(func.count()).where(among(J.lane, "lanes"), IS_LIVE))
BUSY = Stmt(select(J.grp).where(among(J.grp, "groups"), J.kind == bindparam("kind"), IS_LIVE))
COUNTS = Stmt(select(J.state, func.count()).group_by(J.state))
HELD = Stmt(select(L.lane, L.hold_ms).where(L.hold_ms > NOW).order_by(L.lane))
_oldest = select(L.lane.label("lane"), _earliest().label("due_ms")).subquery()
OLDEST_DUE = Stmt(select(_oldest.c.lane, _oldest.c.due_ms).where(_oldest.c.due_ms <= NOW).order_by(_oldest.c.lane))
DATABASE_NOW = Stmt(select(cast(func.date_part("epoch", func.clock_timestamp()) * 1000, BigInteger)))
