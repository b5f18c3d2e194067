# ruff: noqa: F811  # fixtures are imported by name
"""Durable work in people's hands, and at a process's end, on SQLite and on PostgreSQL alike."""

import asyncio
from collections.abc import Sequence

from databases import database_url, db  # noqa: F401
from lane_fakes import DAY_MS, KINDS, QUICK, HandClock, Work, clock, job, lanes, settled, turns, waiting, work  # noqa: F401

from server.core.jobs import Hold, Job, Later, Park
from server.lanes import Lanes
from server.sql import Database

# -- people --------------------------------------------------------------------------------------------------------


async def test_cancel_stops_a_group(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """Cancelled timers do not run, nor do jobs fetched already but not started."""
    release = asyncio.Event()
    work.plan("c0", waiting(release))
    await lanes.put(*(job(f"c{n}", "one:1", grp="parcel") for n in range(4)), job("other", "one:1"))
    await lanes.put(job("timer", "one:2", due_ms=clock.now_ms() + DAY_MS, grp="parcel"))
    await work.saw("c0")

    assert await lanes.cancel("parcel") == 5
    release.set()
    clock.ahead_ms += 2 * DAY_MS

    await work.saw("other")
    await turns(lanes, 5)
    assert work.keys == ["c0", "other"]
    assert (await lanes.counts())["cancelled"] == 5


async def test_nothing_starts_after_a_pause(lanes: Lanes, work: Work) -> None:
    """Once pause has returned, no job of the lane starts, fetched or not; resume lets all go on."""
    await lanes.put(*(job(f"p{n:02}", "slow:1") for n in range(20)))
    await work.saw("p02")

    await lanes.pause("slow:1")
    seen = len(work.keys)
    await turns(lanes, 30)
    assert len(work.keys) == seen < 20

    await lanes.resume("slow:1")
    await settled(lanes, done=20)
    assert len(work.keys) == 20


async def test_a_lane_can_be_paused_before_its_first_job(lanes: Lanes, work: Work) -> None:
    """A pause holds for a lane that nobody has used yet."""
    await lanes.pause("one:new")
    await lanes.put(job("a", "one:new"), job("b", "one:old"))
    await work.saw("b")
    await turns(lanes, 5)
    assert work.keys == ["b"]

    await lanes.resume("one:new")

    await work.saw("a")


async def test_pauses_race_with_turns(lanes: Lanes, work: Work) -> None:
    """Pausing and resuming at any moment of the pump's turns never lets a job start in a paused lane."""
    for n in range(40):
        await lanes.put(job(f"r{n}", "quick:race"))
        await lanes.pause("quick:race")
        await asyncio.sleep(0)  # a handler started before the pause runs its first step in the loop's next round
        seen = len(work.keys)
        await turns(lanes, 2)
        assert len(work.keys) == seen
        await lanes.resume("quick:race")

    await settled(lanes, done=40)


async def test_a_resume_ends_a_hold_that_is_not_written_yet(lanes: Lanes, work: Work) -> None:
    """It waits in memory for the lane's other handlers: authorised anew, nobody waits a quarter of an hour."""
    release = asyncio.Event()
    work.plan("held", Hold(900, "blocked"), None)
    work.plan("busy", waiting(release))
    await lanes.put(job("busy", "quick:1"), job("held", "quick:1"))
    await work.saw("busy", "held")
    await turns(lanes, 3)

    await lanes.resume("quick:1")
    release.set()

    await settled(lanes, done=2)
    assert await lanes.held() == {}


async def test_a_lane_that_was_given_up_is_taken_up_again(lanes: Lanes, work: Work) -> None:
    """All its parked jobs, and no other lane's; each is unsure, for it may have been sent."""
    for key in ("a", "b", "other"):
        work.plan(key, Park(), None)
    await lanes.put(job("a", "one:1"), job("b", "one:1"), job("other", "one:2"))
    await settled(lanes, parked=3)

    assert await lanes.rearm_lane("one:1") == 2
    await settled(lanes, done=2, parked=1)
    assert await lanes.rearm_lane("one:1") == 0
    assert [[one.unsure for one in work.jobs(key)] for key in ("a", "b")] == [[False, True]] * 2


async def test_a_job_that_only_waited_is_not_given_up_at_its_first_stumble(
    lanes: Lanes, work: Work, clock: HandClock
) -> None:
    """It waited longer than its patience for its lane: that was not its fault."""
    work.plan("waited", Later(0, "stumbles"), None)
    await lanes.pause("one:1")
    await lanes.put(job("waited", "one:1", dead_ms=clock.now_ms() + DAY_MS // 2))
    clock.ahead_ms = DAY_MS

    await lanes.rearm_lane("one:1")
    await lanes.resume("one:1")

    await settled(lanes, done=1)


async def test_old_jobs_are_purged(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """Purging removes what ended before, and only that: parked jobs and timers stay."""
    work.plan("parked", Park())
    await lanes.put(job("a"), job("parked"), job("timer", due_ms=clock.now_ms() + 90 * DAY_MS))
    await settled(lanes, done=1, parked=1)

    assert await lanes.purge(3600) == 0
    clock.ahead_ms += 2 * DAY_MS

    assert await lanes.purge(3600) == 1
    assert await lanes.counts() == {"ready": 1, "begun": 0, "done": 0, "parked": 1, "cancelled": 0}


async def test_the_oldest_due_job_shows_a_jam(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """The age of the oldest due job is told per lane; timers of the future do not count."""
    await lanes.pause("one:jam")
    await lanes.put(job("a", "one:jam", due_ms=clock.now_ms() - 60_000))
    await lanes.put(job("b", "one:2", due_ms=clock.now_ms() + DAY_MS))

    ages = await lanes.oldest_due_s()

    assert list(ages) == ["one:jam"]
    assert 60 <= ages["one:jam"] < 70


# -- processes -----------------------------------------------------------------------------------------------------


async def test_close_lets_handlers_finish(lanes: Lanes, work: Work) -> None:
    """Closing waits for what is at work, settles it, and gives everything else back untouched."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def long(_: Sequence[Job]) -> None:
        begun.set()
        await release.wait()

    work.plan("a", long)
    await lanes.put(*(job(key, "one:1") for key in "abc"))
    await begun.wait()

    closing = asyncio.create_task(lanes.close())
    await asyncio.sleep(0)
    release.set()
    await closing

    assert await lanes.counts() == {"ready": 2, "begun": 0, "done": 1, "parked": 0, "cancelled": 0}


async def test_a_handler_that_hangs_does_not_hold_the_end(lanes: Lanes, work: Work, db: Database) -> None:
    """A handler that outlasts the drain is cancelled; the next process gets its job as unsure."""
    work.plan("a", waiting(asyncio.Event()), None)
    await lanes.put(job("a"))
    await work.saw("a")

    await lanes.close()
    after = Lanes(db, KINDS, tuning=QUICK)
    again = Work()
    after.start({"x": again})
    await again.saw("a")
    await after.close()

    assert (again.jobs("a")[0].unsure, again.jobs("a")[0].tries) == (True, 2)


async def test_a_pause_costs_no_job_a_try(lanes: Lanes, work: Work) -> None:
    """What was fetched and given back was not tried, in doubt or not: the next wait does not grow by it."""
    work.plan("a", Later(0, unsure=True), None)
    await lanes.put(job("a", "slow:1"))
    await work.saw("a")
    await lanes.pause("slow:1")
    for _ in range(3):
        await lanes.resume("slow:1")
        await lanes.pause("slow:1")
        await turns(lanes, 2)

    await lanes.resume("slow:1")
    await settled(lanes, done=1)

    assert [one.tries for one in work.jobs("a")] == [*range(1, len(work.jobs("a")) + 1)]
