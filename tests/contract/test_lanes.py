# ruff: noqa: F811  # fixtures are imported by name
"""Durable work keeps its promises on SQLite and on PostgreSQL alike: putting, time, outcomes."""

import asyncio
from collections.abc import Sequence

import pytest
from databases import database_url, db  # noqa: F401
from lane_fakes import DAY_MS, HandClock, Work, clock, job, lanes, settled, turns, waiting, work  # noqa: F401

from server.core.jobs import Done, Hold, Job, Later, Park
from server.lanes import NEVER, Lanes
from server.sql import Script

# -- putting -------------------------------------------------------------------------------------------------------


async def test_a_put_job_runs_once(lanes: Lanes, work: Work) -> None:
    """A job runs with its body, as its first try, surely not sent before; putting its key again changes nothing."""
    await lanes.put(job("k", body='{"call":"я"}'))
    await settled(lanes, done=1)
    await lanes.put(job("k"), job("k"))
    await turns(lanes)

    [seen] = work.jobs("k")
    assert (seen.body, seen.tries, seen.unsure, seen.lane) == ('{"call":"я"}', 1, False, "quick:1")


async def test_a_job_joins_the_domains_transaction(lanes: Lanes, work: Work) -> None:
    """A job added in a transaction that fails does not exist; in one that commits, it runs."""

    def script(key: str, *, fails: bool) -> Script[None]:
        yield from lanes.add([job(key)])
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        await lanes._db.run(script, "lost", fails=True)
    await lanes._db.run(script, "kept", fails=False)
    lanes.wake()

    await work.saw("kept")
    assert work.keys == ["kept"]


@pytest.mark.parametrize("bad", [{"body": "a\x00b"}, {"body": "\ud800"}, {"lane": ""}, {"due_ms": NEVER}])
async def test_a_job_that_no_database_takes_is_refused(lanes: Lanes, work: Work, bad: dict[str, object]) -> None:
    """A bad job fails for its caller alone; the others that share its transaction are put."""
    answers = await asyncio.gather(lanes.put(job("a")), lanes.put(job("b", **bad)), return_exceptions=True)

    assert answers[0] is None
    assert isinstance(answers[1], ValueError)
    await work.saw("a")


async def test_a_lane_runs_in_due_order(lanes: Lanes, work: Work) -> None:
    """With width 1, jobs of a lane run one after another in the order of their due moments, then of their putting."""
    await lanes.pause("one:1")
    await lanes.put(job("c", "one:1", due_ms=3), job("a", "one:1", due_ms=1), job("b", "one:1", due_ms=2))
    await lanes.put(*(job(f"z{n:02}", "one:1", due_ms=4) for n in range(30)))

    await lanes.resume("one:1")

    await settled(lanes, done=33)
    assert work.keys == ["a", "b", "c", *(f"z{n:02}" for n in range(30))]


# -- time ----------------------------------------------------------------------------------------------------------


async def test_a_timer_runs_when_due(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A job due in 30 days waits as a row, and runs once the moment has come."""
    await lanes.put(job("t", due_ms=clock.now_ms() + 30 * DAY_MS))
    await turns(lanes)
    assert work.keys == []

    clock.ahead_ms += 31 * DAY_MS

    await work.saw("t")


async def test_an_earlier_job_overtakes_a_timer(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A lane that waits for a far timer wakes up for a job put later but due now."""
    await lanes.put(job("far", due_ms=clock.now_ms() + DAY_MS))
    await turns(lanes)

    await lanes.put(job("now"))

    await work.saw("now")
    assert work.keys == ["now"]


async def test_a_timer_does_not_wait_for_its_neighbours(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A timer that comes due runs, although another job keeps its lane leased and busy all the while."""
    release = asyncio.Event()
    work.plan("long", waiting(release))
    await lanes.put(job("long"), job("timer", due_ms=clock.now_ms() + 60_000))
    await work.saw("long")
    await turns(lanes)

    clock.ahead_ms += 61_000

    await work.saw("timer")
    release.set()


async def test_the_rate_is_kept(lanes: Lanes, work: Work) -> None:
    """At 20 starts a second, eleven starts of a lane take half a second at least."""
    loop = asyncio.get_running_loop()
    starts: list[float] = []

    async def note(_: Sequence[Job]) -> None:
        starts.append(loop.time())

    for n in range(11):
        work.plan(f"s{n}", note)
    await lanes.put(*(job(f"s{n}", "slow:1") for n in range(11)))

    await settled(lanes, done=11)
    assert starts[-1] - starts[0] >= 0.49


async def test_the_width_is_kept(lanes: Lanes, work: Work) -> None:
    """No more handlers of a lane are at work than its kind's width; other lanes go on beside it."""
    release = asyncio.Event()
    for n in range(6):
        work.plan(f"w{n}", waiting(release))
    await lanes.put(*(job(f"w{n}", "slow:1") for n in range(6)))
    await work.saw("w3")

    await lanes.put(job("other", "slow:2"))
    await work.saw("other")
    await turns(lanes)

    assert [key for key in work.keys if key[0] == "w"] == ["w0", "w1", "w2", "w3"]
    release.set()
    await settled(lanes, done=7)


# -- outcomes ------------------------------------------------------------------------------------------------------


async def test_follow_ups_are_put_with_the_end(lanes: Lanes, work: Work) -> None:
    """Jobs that a handler returns are put by the transaction that marks its job done."""
    work.plan("a", [job("a+1", "one:9")])

    await lanes.put(job("a"))

    await settled(lanes, done=2)
    assert work.keys == ["a", "a+1"]


async def test_a_broken_follow_up_fails_its_job_alone(lanes: Lanes, work: Work) -> None:
    """A follow-up that no database takes fails the job that brought it, not the engine."""
    work.plan("a", [job("bad", body="\x00")], None)

    await lanes.put(job("a"), job("b", "one:1"))

    await settled(lanes, done=2)
    assert [seen.unsure for seen in work.jobs("a")] == [False, True]


async def test_later_tries_again(lanes: Lanes, work: Work) -> None:
    """Later puts a job off; it comes again as a further try, not unsure."""
    work.plan("a", Later(0.01), Later(0.01), None)

    await lanes.put(job("a"))

    await settled(lanes, done=1)
    assert [(seen.tries, seen.unsure) for seen in work.jobs("a")] == [(1, False), (2, False), (3, False)]


async def test_a_job_put_off_does_not_wait_for_its_neighbours(lanes: Lanes, work: Work) -> None:
    """A job put off comes again when due, although another job keeps its lane busy all the while."""
    release = asyncio.Event()
    work.plan("long", waiting(release))
    work.plan("a", Later(0.01), None)

    await lanes.put(job("long"), job("a"))

    await work.until(lambda: len(work.jobs("a")) == 2)
    release.set()


async def test_an_unsure_job_stays_unsure_when_given_back(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A job with the mark that was fetched, but given back for a pause, keeps its mark however often."""
    release = asyncio.Event()
    work.plan("a", RuntimeError("reset"), None)
    work.plan("b", waiting(release))
    await lanes.put(job("a", "one:1"))
    await work.saw("a")
    await turns(lanes)
    await lanes.put(job("b", "one:1"))
    await work.saw("b")
    clock.ahead_ms += 61_000
    await turns(lanes, 5)
    assert [queued.key for queued in lanes._runner.runs["one:1"].queue] == ["a"]

    await lanes.pause("one:1")
    await turns(lanes, 5)
    await lanes.resume("one:1")
    release.set()

    await settled(lanes, done=2)
    assert [(seen.unsure, seen.tries) for seen in work.jobs("a")] == [(False, 1), (True, 2)]


async def test_a_failure_makes_the_job_unsure(lanes: Lanes, work: Work) -> None:
    """After an exception whose meaning is unknown, the job comes again as unsure, and stays so until it is resolved."""
    work.plan("a", RuntimeError("connection lost"), Later(0.01, "look-up too early"), Later(0.01, unsure=False), None)

    await lanes.put(job("a"))

    await settled(lanes, done=1)
    assert [seen.unsure for seen in work.jobs("a")] == [False, True, True, False]


async def test_an_unknown_kind_waits_for_a_handler(lanes: Lanes, work: Work) -> None:
    """A job without a handler is put off, not lost, and does not become unsure."""
    await lanes.put(Job("quick:1", "unheard-of", "u"), job("a"))

    await work.saw("a")
    await settled(lanes, done=1, ready=1, begun=0)  # looked at together: it is tried again and again


async def test_hold_stops_the_lane(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A hold stops all jobs of the lane; the probing job keeps its place, the others their first try."""
    work.plan("h0", Hold(3600, "503"), None)
    await lanes.put(*(job(f"h{n}", "one:1") for n in range(5)))
    await turns(lanes, 5)
    assert work.keys == ["h0"]
    assert list(await lanes.held()) == ["one:1"]

    clock.ahead_ms += 3_700_000

    await settled(lanes, done=5)
    assert work.keys == ["h0", "h0", "h1", "h2", "h3", "h4"]
    assert [work.jobs(f"h{n}")[-1].tries for n in range(5)] == [2, 1, 1, 1, 1]
    assert not any(seen.unsure for lot in work.lots for seen in lot)


async def test_a_hold_never_shortens_a_pause(lanes: Lanes, work: Work) -> None:
    """A handler at work answers Hold after its lane was paused: the pause stands."""
    release = asyncio.Event()

    async def hold(_: Sequence[Job]) -> None:
        await release.wait()
        raise Hold(0.01)

    work.plan("a", hold)
    await lanes.put(job("a"))
    await work.saw("a")

    await lanes.pause("quick:1")
    release.set()
    await turns(lanes, 5)

    assert await lanes.held() == {"quick:1": NEVER}


async def test_a_parked_job_waits_for_a_person(lanes: Lanes, work: Work) -> None:
    """Park keeps the job visible with its reason; re-armed, it runs again as unsure."""
    work.plan("p", Park("no such contact\x00"), None)
    await lanes.put(job("p", body='{"n":1}'))
    await settled(lanes, parked=1)
    [parked] = await lanes.parked()
    assert (parked.key, parked.lane, parked.note, parked.body) == ("p", "quick:1", "no such contact", '{"n":1}')

    assert await lanes.rearm("p")

    await settled(lanes, done=1, parked=0)
    assert work.jobs("p")[-1].unsure
    assert not await lanes.rearm("p")


async def test_a_job_out_of_time_is_parked(lanes: Lanes, work: Work, clock: HandClock) -> None:
    """A job that still fails after its last moment is parked; a hold does not park it."""
    work.plan("d", Hold(0.01, "503"), Later(0.01, "not there yet"))
    await lanes.put(job("d", dead_ms=clock.now_ms() - 1))

    await settled(lanes, parked=1)

    assert len(work.jobs("d")) == 2
    assert (await lanes.parked())[0].note == "not there yet"


async def test_a_batch_answers_for_each_job(lanes: Lanes, work: Work) -> None:
    """A backlog is handed out in batches, each job has its own outcome, and what became unsure comes alone."""
    await lanes.pause("bulk:1")
    await lanes.put(*(job(f"b{n:02}", "bulk:1") for n in range(40)))
    odd: dict[str, Done | Later] = {"b39": Later(0.01, unsure=True)}

    async def mixed(jobs: Sequence[Job]) -> dict[str, Done | Later]:
        return {seen.key: odd.get(seen.key, Done()) for seen in jobs}

    for n in range(39):
        work.plan(f"b{n:02}", mixed)

    await lanes.resume("bulk:1")

    await settled(lanes, done=40)
    sizes = [len(lot) for lot in work.lots]
    assert max(sizes) == 10
    assert sorted(set(work.keys)) == [f"b{n:02}" for n in range(40)]
    assert all(len(lot) == 1 for lot in work.lots if lot[0].unsure)
    assert [seen.unsure for seen in work.jobs("b39")] == ([False, True] if len(work.jobs("b39")) == 2 else [False])


async def test_few_jobs_are_not_batched(lanes: Lanes, work: Work) -> None:
    """Up to the threshold, jobs go one by one."""
    await lanes.pause("bulk:1")
    await lanes.put(*(job(f"b{n}", "bulk:1") for n in range(10)))

    await lanes.resume("bulk:1")

    await settled(lanes, done=10)
    assert [len(lot) for lot in work.lots] == [1] * 10
