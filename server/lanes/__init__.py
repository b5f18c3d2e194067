"""Durable work: jobs in lanes, on SQLite (one process) or PostgreSQL (any number of nodes).

It knows leases, order, rates and pauses; it must not know what a job does. `docs/why/` tells why it is our own.

Theory of operation. A node leases whole lanes (`lane.owner`, `lane.lease_ms`), so what belongs to a lane (order, rate,
width, pause) lives in its owner's memory and is exact on any number of nodes. One turn of the pump does everything for
all lanes in one transaction: settle what finished, add follow-ups, release idle lanes, lease due ones, fetch their jobs
and mark them begun. The mark is what makes a crash harmless: a job found begun was perhaps sent, and its next handler
is told so (`unsure`).

No wake-up is lost: leasing a lane sets its `next_ms` to its next job not due yet, every put lowers it in the
transaction that adds the job (the owner then looks again), and the release takes the smaller of it and the earliest
live job.
"""

from .clock import Clock, SystemClock
from .kinds import LaneKind, doubling
from .lanes import Lanes
from .pump import Tuning
from .schema import NEVER, metadata

__all__ = ["NEVER", "Clock", "LaneKind", "Lanes", "SystemClock", "Tuning", "doubling", "metadata"]
