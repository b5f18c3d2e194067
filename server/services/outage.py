"""What the durable lanes are told when amoCRM fails: limits, bans and outages belong to the account, not to the job."""

from collections.abc import Sequence

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
