"""What happened in memory and is not in the database yet, and how a handler's answer becomes such an entry. Pure.

The rule that keeps jobs from running twice: what is taken for a turn stays known until that turn has committed;
entries made meanwhile wait for the next turn; a turn that failed gives its entries back.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from server.core.jobs import Done, Hold, Job, Later, Outcome, Outcomes, Park

from .kinds import LaneKind
from .schema import State

NOTE_CHARS = 500
"""Enough of an error to recognise it in the list of parked jobs."""


class Put(Struct, frozen=True):
    """A job that is not done: its new state. `attempt` fences it against a newer owner's attempt."""

    id: int
    attempt: int
    to: State
    due_ms: int
    note: str
    wakes: str = ""
    """The lane to be looked at when this is due: it may stay leased and busy with others for long."""

    def params(self, at_ms: int) -> dict[str, Any]:
        return {
            "job_id": self.id,
            "attempt": self.attempt,
            "to": int(self.to),
            "due": self.due_ms,
            "why": self.note,
            "at": at_ms,
        }


class Settlement(Struct):
    """Entries for one transaction."""

    done: list[int] = field(default_factory=list)
    follow_ups: list[Job] = field(default_factory=list)
    later: list[Put] = field(default_factory=list)
    unsent: list[Job] = field(default_factory=list)
    """Fetched, but not started: they get their try back. What was unsure stays begun."""
    released: dict[str, int] = field(default_factory=dict)
    """Lanes given back, with the moment until which they are held (0: not held)."""

    def __bool__(self) -> bool:
        return bool(self.done or self.follow_ups or self.later or self.unsent or self.released)

    def ids(self) -> set[int]:
        """The jobs that this node no longer answers for once the settlement has committed."""
        return {*self.done, *(put.id for put in self.later), *(job.id for job in self.unsent)}

    def lanes(self) -> set[str]:
        """The lanes whose rows the settlement touches."""
        return {*self.released, *(job.lane for job in self.follow_ups), *self.wakes()}

    def wakes(self) -> dict[str, int]:
        """When to look at which lane for the sake of jobs put off."""
        moments: dict[str, int] = {}
        for put in self.later:
            if put.wakes:
                moments[put.wakes] = min(put.due_ms, moments.get(put.wakes, put.due_ms))
        return moments


class Ledger:
    """Collects entries; hands them out for a turn; takes them back when the turn failed."""

    def __init__(self) -> None:
        self.entries = Settlement()

    def take(self) -> Settlement:
        """Everything so far; later entries gather anew."""
        taken, self.entries = self.entries, Settlement()
        return taken

    def give_back(self, taken: Settlement) -> None:
        """The turn failed: what it took goes before what came since."""
        newer = self.entries
        self.entries = Settlement(
            done=taken.done + newer.done,
            follow_ups=taken.follow_ups + newer.follow_ups,
            later=taken.later + newer.later,
            unsent=taken.unsent + newer.unsent,
            released={**taken.released, **newer.released},
        )

    def record(self, job: Job, outcome: Outcome, now_ms: int) -> None:
        """Enter how `job` went."""
        if isinstance(outcome, Done):
            self.entries.done.append(job.id)
            self.entries.follow_ups += outcome.follow_ups
        else:
            self.entries.later.append(put_off(job, outcome, now_ms))


def put_off(job: Job, outcome: Later | Park, now_ms: int) -> Put:
    """The new state of a job that is not done."""
    note = storable(outcome.note[:NOTE_CHARS])
    if isinstance(outcome, Hold):  # it keeps its due moment, hence its place
        return Put(job.id, job.tries, _live_state(job, outcome), job.due_ms, note)
    if isinstance(outcome, Later) and now_ms <= job.dead_ms:
        due_ms = now_ms + round(outcome.after_s * 1000)
        return Put(job.id, job.tries, _live_state(job, outcome), due_ms, note, wakes=job.lane)
    return Put(job.id, job.tries, State.PARKED, now_ms, note or "out of time")


def storable(note: str) -> str:
    """The note without what PostgreSQL refuses: it may quote anything that a remote side sent."""
    return note.replace("\x00", "").encode("utf-8", "replace").decode()


def _live_state(job: Job, outcome: Later) -> State:
    unsure = job.unsure if outcome.unsure is None else outcome.unsure
    return State.BEGUN if unsure else State.READY


def failure(job: Job, error: BaseException, kind: LaneKind) -> Later:
    """The outcome of an attempt that broke off: whether it had its effect is not known."""
    return Later(kind.backoff(job.tries), f"{type(error).__name__}: {error}", unsure=True)


def outcomes(jobs: Sequence[Job], answer: Sequence[Job] | Outcomes | None) -> list[Outcome | None]:
    """What a handler's answer says of each job; None where it says nothing."""
    if answer is None:
        return [Done()] * len(jobs)
    if isinstance(answer, Sequence):
        return [Done(tuple(answer)), *[Done()] * (len(jobs) - 1)]
    return [answer.get(job.key) for job in jobs]
