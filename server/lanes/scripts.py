"""The engine's transactions, as scripts over the named statements."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from server.core.jobs import Job
from server.sql import Row, Script

from . import queries
from .kinds import Kinds
from .ledger import Settlement
from .schema import NEVER, State


def add(jobs: Iterable[Job], kinds: Kinds, now: Callable[[], int]) -> Script[None]:
    """Put jobs; joins the transaction it is yielded from."""
    now_ms, rows = now(), []
    lanes: dict[str, int] = {}
    for job in jobs:
        check(job)
        row = _row(job, kinds, now_ms)
        rows.append(row)
        lanes[job.lane] = min(row["due_ms"], lanes.get(job.lane, NEVER))
    if rows:
        yield queries.ADD_JOB, rows
        yield from _bump(lanes)


def _bump(moments: Mapping[str, int]) -> Script[None]:
    """Have lanes looked at by then. Sorted: all transactions lock lanes in one order, else two could deadlock."""
    yield queries.BUMP_LANE, [{"lane": lane, "next_ms": moments[lane]} for lane in sorted(moments)]


def _row(job: Job, kinds: Kinds, now_ms: int) -> dict[str, Any]:
    due_ms = job.due_ms or now_ms
    return {
        "lane": job.lane,
        "kind": job.kind,
        "key": job.key,
        "grp": job.grp,
        "state": int(State.READY),
        "tries": 0,
        "due_ms": due_ms,
        "dead_ms": job.dead_ms or due_ms + round(kinds.of(job.lane).patience_s * 1000),
        "at_ms": now_ms,
        "body": job.body.decode() if isinstance(job.body, bytes) else job.body,
    }


def check(job: Job) -> None:
    """Raise ValueError for a job that a database could not take: it would spoil a transaction shared with others."""
    body = job.body.decode() if isinstance(job.body, bytes) else job.body
    texts = (job.lane, job.kind, job.key, job.grp or "", body)
    if not (job.lane and job.kind and job.key):
        raise ValueError("a job needs a lane, a kind and a key")
    if any("\x00" in text for text in texts):
        raise ValueError(f"job {job.key!r} holds a NUL character, which PostgreSQL cannot store")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as exc:
        raise ValueError(f"job {job.key!r} holds half a character: {exc}") from exc
    if not (0 <= job.due_ms < NEVER and 0 <= job.dead_ms < 2 * NEVER):
        raise ValueError(f"job {job.key!r} has a moment out of range")


def rearm(key: str, *, now_ms: int, dead_ms: int) -> Script[bool]:
    """Give a parked job another chance."""
    lanes = yield queries.REARM, {"which": key, "now": now_ms, "until": dead_ms}
    for (lane,) in lanes:
        yield queries.BUMP_LANE, {"lane": lane, "next_ms": now_ms}
    return bool(lanes)


def rearm_lane(lane: str, *, now_ms: int, dead_ms: int) -> Script[int]:
    """Give all parked jobs of a lane another chance, and those that waited time anew."""
    yield queries.RENEW_TIME, {"which": lane, "until": dead_ms}
    jobs = yield queries.REARM_LANE, {"which": lane, "now": now_ms, "until": dead_ms}
    if jobs:
        yield queries.BUMP_LANE, {"lane": lane, "next_ms": now_ms}
    return len(jobs)


def purge(before_ms: int) -> Script[int]:
    """Remove up to PURGE_MOST done and as many cancelled jobs that ended before; the larger of the two numbers."""
    done: int = yield queries.PURGE, {"ended": int(State.DONE), "before": before_ms}
    cancelled: int = yield queries.PURGE, {"ended": int(State.CANCELLED), "before": before_ms}
    return max(done, cancelled)


class Turn(Struct, frozen=True, kw_only=True):
    """What a turn is to do."""

    number: int
    now: Callable[[], int]
    owner: str
    kinds: Kinds
    settlement: Settlement
    mine: frozenset[str]
    again: frozenset[str] = frozenset()
    """Lanes of ours to fetch from again, without a put having said so."""
    deep: frozenset[str] = frozenset()
    """Lanes with a backlog (see `LaneKind.fetch`)."""
    known: frozenset[int] = frozenset()
    """Jobs that this node answers for after the settlement: not to be handed out again."""
    lease_ms: int = 0
    cares: bool = False
    """Also renew leases and free those that ran out."""
    reaps_own: bool = False
    """The first turn of a process: what stands under its name was its predecessor's."""
    most_lanes: int = 0
    """Lease up to so many lanes in all; 0 leases nothing, not even our own anew: the last turn before the end."""
    locks: bool = False
    """The database has row locks (PostgreSQL)."""


class Turned(Struct, frozen=True, kw_only=True):
    """What a turn brought."""

    held: Mapping[str, int] | None = None
    """After a renewal: the lanes still ours, with their hold."""
    leased: frozenset[str]
    """The lanes leased, or leased anew, by this turn."""
    full: Mapping[str, bool]
    """The lanes fetched from, and whether more may be due."""
    jobs: list[Job]


def turn(order: Turn) -> Script[Turned]:
    """Settle, renew, release, lease, fetch and mark, for all lanes, in one transaction."""
    now_ms = order.now()
    yield from _lock(order)
    held = (yield from _renew(order, now_ms)) if order.cares else None
    yield from _settle(order, now_ms)
    leased: set[str] = (yield from _claim(order, now_ms)) if order.most_lanes else set()
    again = order.again - order.settlement.released.keys()
    again = again & held.keys() if held is not None else again
    full, rows = yield from _fetch(order, leased | again, now_ms)
    jobs = [_job(row) for row in rows if row[7] not in order.known]
    if jobs:
        marked = yield queries.MARK_BEGUN, {"ids": [job.id for job in jobs], "now": now_ms}
        begun = {job_id for (job_id,) in marked}  # on PostgreSQL, one may have been cancelled since the fetch
        jobs = [job for job in jobs if job.id in begun]
    return Turned(held=held, leased=frozenset(leased), full=full, jobs=jobs)


def _lock(order: Turn) -> Script[None]:
    lanes = order.settlement.lanes() | (order.mine if order.cares else set())
    if order.locks and lanes:
        yield queries.LOCK_LANES, {"lanes": sorted(lanes)}


def _renew(order: Turn, now_ms: int) -> Script[dict[str, int]]:
    """First renew ours, then free what ran out: an expired lease that nobody took is still ours."""
    till = now_ms + order.lease_ms
    rows = yield queries.RENEW, {"lanes": sorted(order.mine), "me": order.owner, "till": till}
    yield queries.REAP, {"now": now_ms, "me": order.owner if order.reaps_own else ""}
    return dict(rows)


def _settle(order: Turn, now_ms: int) -> Script[None]:
    entries = order.settlement
    yield from add(entries.follow_ups, order.kinds, order.now)
    if entries.done:
        yield queries.SET_DONE, {"ids": entries.done, "now": now_ms}
    if entries.later:
        yield queries.SET_LATER, [put.params(now_ms) for put in entries.later]
        yield from _bump(entries.wakes())
    for stmt, is_unsure in ((queries.SET_UNSENT, False), (queries.SET_UNTRIED, True)):
        if unsent := [job for job in entries.unsent if job.unsure is is_unsure]:
            yield stmt, [{"job_id": job.id, "attempt": job.tries} for job in unsent]
    if holds := [(lane, until) for lane, until in sorted(entries.released.items()) if until]:
        yield queries.HOLD_LANE, [{"which": lane, "until": until} for lane, until in holds]
    if entries.released:
        yield queries.RELEASE, {"lanes": sorted(entries.released), "me": order.owner}


def _claim(order: Turn, now_ms: int) -> Script[set[str]]:
    """Lease due lanes; also those of ours in which a put lowered the next moment."""
    kept = order.mine - order.settlement.released.keys()
    has_room = len(kept) < order.most_lanes
    rows = yield (
        queries.CLAIM,
        {
            "now": now_ms,
            "me": order.owner,
            "till": now_ms + order.lease_ms,
            "before": now_ms if has_room else -1,
            "most": order.most_lanes - len(kept) if has_room else order.most_lanes,
        },
    )
    return {lane for (lane,) in rows}


def _fetch(order: Turn, lanes: set[str], now_ms: int) -> Script[tuple[dict[str, bool], list[Row]]]:
    """The first due jobs of each lane: one statement per distinct depth."""
    by_depth: dict[int, list[str]] = {}
    for lane in sorted(lanes):
        by_depth.setdefault(order.kinds.of(lane).fetch(deep=lane in order.deep), []).append(lane)
    found: list[Row] = []
    full: dict[str, bool] = {}
    for depth, group in by_depth.items():
        rows = yield queries.FETCH, {"lanes": group, "now": now_ms, "nth": depth - 1}
        found += rows
        counts = dict.fromkeys(group, 0)
        for row in rows:
            counts[row[0]] += 1
        full |= {lane: count >= depth for lane, count in counts.items()}
    return full, found


def _job(row: Row) -> Job:
    lane, kind, key, body, due_ms, dead_ms, grp, job_id, tries, state, at_ms = row
    unsure = state == State.BEGUN
    return Job(lane, kind, key, body, due_ms, dead_ms, grp, job_id, tries + 1, unsure, at_ms)
