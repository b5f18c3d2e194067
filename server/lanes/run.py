"""One leased lane in its owner's memory. Pure: told the time, starts nothing itself."""

from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable

from msgspec import Struct, field

from server.core.jobs import Job

from .kinds import LaneKind, Pace


class Run(Struct, kw_only=True, eq=False):
    """A lane that this node has leased."""

    lane: str
    kind: LaneKind
    pace: Pace
    lease_until: float
    """Monotonic seconds: after this, nothing irreversible may be sent."""
    queue: deque[Job] = field(default_factory=deque)
    busy: int = 0
    has_more: bool = False
    """The last fetch came back full: more may be due."""
    is_batching: bool = False
    """The last fetch showed a backlog over the kind's threshold."""
    is_stopping: bool = False
    """Start nothing more, and give the lane back: held, paused, or this process ends."""
    hold_ms: int = 0
    """A breaker's hold, to be written when the lane is given back. An operator's pause stands in the row already."""
    put_off: bool = False
    """A job of it was put off: give the lane back soon, so that its row names the next moment."""
    is_lost: bool = False
    """Another node owns the lane by now."""
    is_released: bool = False
    """The release is in the ledger: nothing may start any more."""
    timer: TimerHandle | None = None
    """The next allowed start, or the end of the linger."""

    def is_alive(self, now: float) -> bool:
        """Whether the lease surely still stands."""
        return not self.is_lost and now < self.lease_until

    def may_start(self, now: float) -> bool:
        """Whether a start is allowed, the pace not counted."""
        blocked = self.is_stopping or self.is_released or self.busy >= self.kind.width
        return bool(self.queue) and not blocked and self.is_alive(now)

    def receive(self, jobs: list[Job], *, has_more: bool) -> None:
        """Take in what was fetched; what was put with an earlier due moment goes first."""
        in_order = sorted([*self.queue, *jobs], key=lambda job: (job.due_ms, job.id)) if self.queue else jobs
        self.queue = deque(in_order)
        self.has_more = has_more
        self.is_batching = self.kind.batch > 1 and len(self.queue) > self.kind.batch_over

    def take_lot(self) -> list[Job]:
        """The next jobs for one call of a handler. What is unsure goes alone: it is looked up before it is sent."""
        lot = [self.queue.popleft()]
        if not self.is_batching or lot[0].unsure:
            return lot
        while self.queue and len(lot) < self.kind.batch and self.queue[0].kind == lot[0].kind:
            if self.queue[0].unsure:
                break
            lot.append(self.queue.popleft())
        return lot

    def drain(self, unwanted: Callable[[Job], bool] = lambda _: True) -> list[Job]:
        """Take jobs that have not started out of the queue."""
        taken = [job for job in self.queue if unwanted(job)]
        self.queue = deque(job for job in self.queue if not unwanted(job))
        return taken

    def stop_timer(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None
