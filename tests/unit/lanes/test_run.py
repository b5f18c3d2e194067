"""One leased lane in memory."""

from server.core.jobs import Job
from server.lanes.kinds import LaneKind, Pace
from server.lanes.run import Run


def job(number: int, *, kind: str = "x", unsure: bool = False, due_ms: int = 0) -> Job:
    return Job("bulk:1", kind, f"k{number}", id=number, unsure=unsure, due_ms=due_ms)


def run(*jobs: Job, batch: int = 3, batch_over: int = 0) -> Run:
    kind = LaneKind(batch=batch, batch_over=batch_over)
    lane = Run(lane="bulk:1", kind=kind, pace=Pace(0), lease_until=100.0)
    lane.receive(list(jobs), has_more=False)
    return lane


def lots(lane: Run) -> list[list[int]]:
    taken = []
    while lane.queue:
        taken.append([each.id for each in lane.take_lot()])
    return taken


def test_batches_hold_one_kind() -> None:
    """A batch ends where another kind of job comes, so that due order stays."""
    assert lots(run(job(1), job(2), job(3, kind="y"), job(4), job(5), job(6), job(7))) == [[1, 2], [3], [4, 5, 6], [7]]


def test_an_unsure_job_goes_alone() -> None:
    """What may have been sent is looked up by itself, never sent within a batch."""
    assert lots(run(job(1), job(2, unsure=True), job(3), job(4))) == [[1], [2], [3, 4]]


def test_a_small_backlog_is_not_batched() -> None:
    """At or under the threshold jobs go one by one; over it, the whole fetch goes in batches."""
    few = [job(n) for n in range(4)]

    assert lots(run(*few, batch_over=4)) == [[0], [1], [2], [3]]
    assert lots(run(*few, job(4), batch_over=4)) == [[0, 1, 2], [3, 4]]


def test_an_earlier_job_goes_first() -> None:
    """A job put late but due early overtakes what was fetched before."""
    lane = run(job(1, due_ms=10), job(2, due_ms=20), batch=1)

    lane.receive([job(3, due_ms=15)], has_more=True)

    assert lots(lane) == [[1], [3], [2]]


def test_a_stale_lease_starts_nothing() -> None:
    """After its lease, a lane may not start, nor is it alive."""
    lane = run(job(1))

    assert lane.may_start(99.0)
    assert not lane.may_start(100.0)
    assert not lane.is_alive(100.0)


def test_a_lost_lane_starts_nothing() -> None:
    """A lane that another node owns starts nothing, whatever the lease said."""
    lane = run(job(1))
    lane.is_lost = True

    assert not lane.may_start(0.0)


def test_draining_takes_only_what_is_asked() -> None:
    """Jobs taken out leave the others in their order."""
    lane = run(job(1), job(2), job(3))

    assert [each.id for each in lane.drain(lambda each: each.id == 2)] == [2]
    assert [each.id for each in lane.queue] == [1, 3]
