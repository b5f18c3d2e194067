"""Durable work as values: what is to be done later, and how an attempt went. The engine behind it is `lanes/`.

A job belongs to a lane (`amo:<account>`, `rec:<line>`, `dial:<list>`, `camp:<campaign>`). Order, rate, pause and outage
belong to the lane, because the other side limits, bans and fails whole accounts, not single requests.

Jobs run at least once. No engine can do better towards a remote side: it may carry a request out and die before it
answers. What the engine can do is say so: `Job.unsure` is set when an earlier attempt may have had its effect; the
handler must then look before it sends again. And after a freeze another node may have taken the lane over: whoever
sends something irreversible calls `still_ours()` right before, when nothing is left to wait for.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar

from msgspec import Struct


class Job(Struct, frozen=True):
    """One piece of durable work.

    `key` makes it idempotent: while a job with this key is remembered (30 days after its end), another is ignored.
    `grp` names what it can be cancelled with. `body` is JSON. `due_ms` 0 is "now"; `dead_ms` 0 is the lane kind's
    patience: a failure after that moment parks the job.
    """

    lane: str
    kind: str
    key: str
    body: str | bytes = "{}"
    due_ms: int = 0
    dead_ms: int = 0
    grp: str | None = None
    id: int = 0
    """Set by the engine, as are the following."""
    tries: int = 0
    """This attempt's number, from 1."""
    unsure: bool = False
    """An earlier attempt may have had its effect."""
    at_ms: int = 0
    """When the attempt before this one began or ended; for a first attempt, when the job was put."""


class Done(Struct, frozen=True):
    """The job is done. Its follow-ups are put in the same transaction that marks it done."""

    follow_ups: tuple[Job, ...] = ()


class NotDone(Exception):  # an answer of a handler, not an error
    """The job is not done. A handler raises it for all its jobs, or returns it for one of them."""

    def __init__(self, note: str = "") -> None:
        super().__init__(note)
        self.note = note


class Later(NotDone):
    """Try this job again in `after_s` seconds.

    `unsure`: True when the effect may exist, False when it surely does not, None keeps what the job came with.
    """

    def __init__(self, after_s: float, note: str = "", *, unsure: bool | None = None) -> None:
        super().__init__(note)
        self.after_s = after_s
        self.unsure = unsure


class Hold(Later):
    """The other side is sick: stop the whole lane for `after_s` seconds. The job keeps its place in the order.

    A hold never parks: the fault is not the job's. With `slow_s` the lane runs at half its rate for that long after.
    """

    def __init__(self, after_s: float, note: str = "", *, unsure: bool | None = None, slow_s: float = 0.0) -> None:
        super().__init__(after_s, note, unsure=unsure)
        self.slow_s = slow_s


class Park(NotDone):
    """Give up; the job stays visible until a person re-arms it."""


Outcome = Done | Later | Park
"""How one job went. A Hold is a Later for the whole lane."""

Outcomes = Mapping[str, Outcome]
"""How each job of a batch went, by its key. A job that is not named counts as failed, and unsure."""

Handler = Callable[[Sequence[Job]], Awaitable[Sequence[Job] | Outcomes | None]]
"""Carries out jobs of one kind and one lane: one job, or several where the lane's kind allows batches.

Returning None means all are done; a sequence: all are done, and these are the follow-ups; a mapping: each by its own.
Raising Later, Hold or Park speaks for all of them. Any other exception is a failure whose effect is unknown: the jobs
are unsure and tried again after the lane kind's back-off.
"""


class ParkedJob(Struct, frozen=True):
    """A job that was given up, waiting for a person."""

    key: str
    lane: str
    kind: str
    tries: int
    note: str | None
    at_ms: int
    body: str
    grp: str | None


class WaitingJob(Struct, frozen=True):
    """A job that is to be done, or is being done; `note` is what came of the last attempt."""

    kind: str
    lane: str
    tries: int
    due_ms: int
    note: str | None


_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextlib.contextmanager
def guarded(check: Callable[[], None]) -> Iterator[None]:
    """Within this block, and in tasks begun there, `still_ours` asks `check`, which raises Later when it is not so."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def still_ours() -> None:
    """Raises Later when the work at hand belongs to a lane that another node may have by now."""
    if (check := _check.get()) is not None:
        check()
