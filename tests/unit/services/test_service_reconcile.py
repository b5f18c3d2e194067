"""Which period a line is compared for, by night and on demand."""

from datetime import datetime

import msgspec
import pytest
from fakes.clock import START_MS, HandClock
from fakes.hooks import CLIENT, ended, rang
from fakes.house import ACCOUNT, LINE, House, line
from msgspec import structs

from server.core import statistics
from server.core.records import Reconciliation
from server.core.statistics import ToldCall
from server.core.vocabulary import Direction, Result
from server.services.reconcile import DAY_MS, MOSCOW, MOST_DAYS, OVERLAP_MS, Reconcile, Wanted

HOUR_MS = 3_600_000
NIGHT_MS = int(datetime(2026, 9, 25, 4, tzinfo=MOSCOW).timestamp()) * 1000
"""An hour after three in Moscow, beyond the half-hour over which lines are spread."""


async def planned(house: House) -> Wanted:
    """What the night is to compare for the Sipuni line."""
    reconcile = reconciler(house)
    await reconcile.plan()
    return only(house)


def reconciler(house: House) -> Reconcile:
    return Reconcile(
        house.lines, house.calls, house.kept.calls, house.kept.reconciliations, house.sender, house.accounts,
        later=house.shelf, clock=house.clock,
    )  # fmt: skip


def only(house: House) -> Wanted:
    (job,) = [job for job in house.shelf.of("reconcile") if job.lane == f"stat:{LINE}"]
    return msgspec.json.decode(job.body, type=Wanted)


async def at_night(house: House, *, created_ms: int) -> House:
    """The house some days on, its line connected then."""
    await house.kept.lines.remove(LINE)
    await house.kept.lines.put(line(created_ms=created_ms))
    return await House(house.kept, clock=HandClock(NIGHT_MS)).load()


async def compared(house: House, *, since_ms: int, until_ms: int, at_ms: int) -> None:
    await house.kept.reconciliations.put(
        Reconciliation(line_id=LINE, account_id=ACCOUNT, at_ms=at_ms, since_ms=since_ms, until_ms=until_ms)
    )


@pytest.mark.parametrize("minutes", [0, 30])
async def test_calls_of_before_the_line_was_connected_are_none_of_ours(house: House, minutes: int) -> None:
    """No webhook could come of them: they are not added, and nobody is told that webhooks are missing."""
    created_ms = NIGHT_MS - 12 * HOUR_MS + minutes * 60_000
    night = await at_night(house, created_ms=created_ms)

    assert (await planned(night)).since_ms == created_ms

    other = await at_night(house, created_ms=created_ms)
    await reconciler(other).ask(line(created_ms=created_ms), None, None)
    assert only(other).since_ms == created_ms


async def test_an_hour_that_somebody_asked_for_is_not_the_day(house: House) -> None:
    """The night looks at the whole day all the same."""
    night = await at_night(house, created_ms=NIGHT_MS - 30 * DAY_MS)
    evening = NIGHT_MS - 9 * HOUR_MS
    await compared(night, since_ms=evening - HOUR_MS, until_ms=evening, at_ms=evening)

    assert (await planned(night)).since_ms == NIGHT_MS - DAY_MS - OVERLAP_MS


async def test_absence_is_made_up_for(house: House) -> None:
    """From where the last comparison ended, a week at most."""
    night = await at_night(house, created_ms=NIGHT_MS - 30 * DAY_MS)
    await compared(night, since_ms=NIGHT_MS - 5 * DAY_MS, until_ms=NIGHT_MS - 4 * DAY_MS, at_ms=NIGHT_MS - 4 * DAY_MS)
    assert (await planned(night)).since_ms == NIGHT_MS - 4 * DAY_MS - OVERLAP_MS

    long = await at_night(house, created_ms=NIGHT_MS - 30 * DAY_MS)
    await compared(long, since_ms=NIGHT_MS - 21 * DAY_MS, until_ms=NIGHT_MS - 20 * DAY_MS, at_ms=NIGHT_MS - 3 * DAY_MS)
    assert (await planned(long)).since_ms == NIGHT_MS - MOST_DAYS * DAY_MS


@pytest.mark.parametrize("phone", [CLIENT, "79990001122"])
async def test_webhooks_that_come_after_the_statistics_tell_of_the_same_call(house: House, phone: str) -> None:
    """A row of Sipuni's names no call, its late webhooks do: same number, same time, one call. Others stay others."""
    missed = ToldCall(
        direction=Direction.IN, started_ms=START_MS, ended_ms=START_MS + 9_000, client_phone=f"+{CLIENT}",
        rang=("201",), result=Result.MISSED,
    )  # fmt: skip
    known = house.lines.get(LINE)
    assert known is not None
    await house.calls.learn(known, missed.own_ref, statistics.events(missed, missed.own_ref), missed.ended_ms)
    born = house.call

    for hook in (rang(src_num=phone), ended(talk_from_s=None, src_num=phone)):
        await house.hear(structs.replace(hook, received_ms=START_MS + 20 * 60_000))

    assert {call.id == born.id for call in await house.kept.calls.of_line(LINE, 0, NIGHT_MS)} == (
        {True} if phone == CLIENT else {True, False}
    )
