"""What the durable lanes are told when amoCRM fails: limits, bans and outages belong to the account, not to the job."""

import time
from collections.abc import Callable, Sequence

from server.core.errors import (
    CrmBlocked,
    CrmError,
    CrmRateLimited,
    CrmRefused,
    CrmTokenDead,
    CrmUnavailable,
)
from server.core.jobs import Handler, Hold, Job, Later, Outcomes, Park

REFUSED_S = 600.0
"""When to ask again for something harmless that amoCRM refused: rights and tariffs change."""


TRIPS = 3
QUIET_S = 5.0
"""An account's lane is held after so many failures in a row, if nothing went well for that long."""

AGAIN_S = (2, 5, 10, 30, 60)
"""When a job is tried again that failed while others went well."""


class Breaker:
    """Whether amoCRM is down for an account, or only lost an answer: one lost answer must not stop all calls."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[int, int] = {}
        self._went_well: dict[int, float] = {}

    def succeeded(self, account_id: int) -> None:
        """A request did what it should."""
        self._failures.pop(account_id, None)
        self._went_well[account_id] = self._clock()

    def answer(self, account_id: int, error: CrmError, job: Job) -> Later | Park:
        """What the lane is told of a failure: as `answer`, but a failure among successes is its job's alone."""
        if isinstance(error, CrmUnavailable):
            failures = self._failures[account_id] = self._failures.get(account_id, 0) + 1
            is_quiet = self._clock() - self._went_well.get(account_id, float("-inf")) >= QUIET_S
            if failures < TRIPS or not is_quiet:
                return Later(AGAIN_S[min(job.tries, len(AGAIN_S)) - 1], error.message, unsure=True)
        return answer(error, unsure=job.unsure)


def answer(error: CrmError, *, unsure: bool) -> Later | Park:
    """Hold the lane, try later, or give up. `unsure` stays as it was where amoCRM surely did nothing."""
    if isinstance(error, CrmRateLimited):
        return Hold(2, error.message, unsure=unsure, slow_s=60)
    if isinstance(error, CrmBlocked):
        return Hold(900, error.message, unsure=unsure)
    if isinstance(error, CrmTokenDead):
        return Hold(60, error.message, unsure=unsure)
    if isinstance(error, CrmUnavailable):
        return Hold(10, error.message, unsure=True)
    if isinstance(error, CrmRefused):
        return Park(error.message)
    return Later(30, error.message, unsure=True)


def held(handler: Handler) -> Handler:
    """A handler that only reads from amoCRM: it waits out whatever amoCRM answers, for reading twice harms nobody."""

    async def patient(jobs: Sequence[Job]) -> Sequence[Job] | Outcomes | None:
        try:
            return await handler(jobs)
        except CrmRefused as exc:
            raise Later(REFUSED_S, exc.message, unsure=False) from exc
        except CrmError as exc:
            raise answer(exc, unsure=False) from exc

    return patient
