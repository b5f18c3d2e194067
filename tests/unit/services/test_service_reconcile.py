"""Which period a line is compared for, by night and on demand."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from fakes.clock import START_MS, HandClock
from fakes.hooks import CLIENT, answered, ended, rang
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


# -- whose row it is ---------------------------------------------------------------------------------------------


async def compare(house: House, *rows: ToldCall, at_s: float) -> Reconciliation:
    """Hold these rows against what is known, so many seconds after the start."""
    house.clock.now_ms = START_MS + round(at_s * 1000)
    known = house.lines.get(LINE)
    assert known is not None
    return await reconciler(house)._compare(known, Wanted(LINE, START_MS - 1, house.clock.now_ms), rows)


async def test_a_young_row_keeps_its_call_from_another_row(house: House) -> None:
    """The first try was lost and is old; the second was told and is too young to be settled. Each keeps its own."""
    for hook in (rang(at_s=40), answered(at_s=42)):
        await house.hear(hook)
    await house.hear(ended(at_s=100, talk_from_s=42, call_start_timestamp=START_MS // 1000 + 40))
    known = house.call
    lost = ToldCall(
        direction=Direction.IN, started_ms=START_MS, ended_ms=START_MS + 15_000, rang=("201",), result=Result.MISSED,
        client_phone=known.client_phone,
    )  # fmt: skip
    its_own = ToldCall(
        direction=Direction.IN, started_ms=START_MS + 40_000, ended_ms=START_MS + 100_000, rang=("201",),
        answered_ms=START_MS + 42_000, answered_by="201", client_phone=known.client_phone,
    )  # fmt: skip

    for at_s in (650, 15 * 3600):
        await compare(house, lost, its_own, at_s=at_s)

    calls = await house.kept.calls.of_line(LINE, 0, 1 << 60)
    assert sorted((one.id == known.id, one.verdict.talk_s) for one in calls) == [(False, 0), (True, 58)]


async def test_a_call_that_goes_on_is_not_ended_by_an_earlier_ones_row(house: House) -> None:
    """A redial that is talked on, and the first try, of which nobody told."""
    for hook in (rang(at_s=40), answered(at_s=42)):
        await house.hear(hook)
    lost = ToldCall(
        direction=Direction.IN, started_ms=START_MS, ended_ms=START_MS + 15_000, rang=("201",), result=Result.MISSED,
        client_phone=house.call.client_phone,
    )  # fmt: skip

    report = await compare(house, lost, at_s=15 * 60)

    calls = await house.kept.calls.of_line(LINE, 0, 1 << 60)
    assert ([one.is_live for one in calls].count(True), report.added) == (1, 1)


async def test_colleagues_calls_are_told_apart_by_their_telephones(house: House) -> None:
    """201 talks to 202 for long; a call of 203 to 204 that began meanwhile is over."""
    talk = {"src_type": 2, "src_num": "201", "short_src_num": "201"}
    await house.hear(rang("202", **talk))
    await house.hear(answered("202", at_s=2, **talk))
    other = ToldCall(
        direction=Direction.INTERNAL, started_ms=START_MS + 30_000, ended_ms=START_MS + 45_000, rang=("204",),
        dialled_by="203",
    )  # fmt: skip

    report = await compare(house, other, at_s=15 * 60)

    assert report.added == 1
    assert (await house.kept.calls.of_line(LINE, 0, START_MS + 10_000))[0].is_live


async def test_hidden_callers_an_hour_apart_are_two(house: House) -> None:
    """A number says who calls; without one, nothing is said by what lies whole half-hours beside it."""
    await house.hear(rang(src_num="anonymous"))
    await house.hear(ended(talk_from_s=None, src_num="anonymous"))
    told = ToldCall(
        direction=Direction.IN, started_ms=START_MS, ended_ms=START_MS + 9_000, rang=("201",), result=Result.MISSED
    )
    lost = structs.replace(told, started_ms=START_MS + 3_602_000, ended_ms=START_MS + 3_610_000, rang=("202",))

    report = await compare(house, told, lost, at_s=3 * 3600)

    assert (report.added, report.doubtful) == (1, 0)


@pytest.mark.parametrize("row", [{}, {"rang": ("201",)}])
async def test_a_hidden_callers_row_may_name_no_telephone(house: House, row: dict[str, Any]) -> None:
    """Then it is recognised by its moment, and is not added as another call."""
    await house.hear(rang(src_num="anonymous"))
    await house.hear(ended(talk_from_s=None, src_num="anonymous"))
    told = ToldCall(direction=Direction.IN, started_ms=START_MS, ended_ms=START_MS + 9_000, result=Result.MISSED, **row)

    report = await compare(house, told, at_s=3600)

    assert report.added == 0
