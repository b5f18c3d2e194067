"""How answers become entries, and how entries survive a turn that fails."""

import pytest

from server.core.jobs import Done, Hold, Job, Later, Park
from server.lanes.kinds import LaneKind
from server.lanes.ledger import NOTE_CHARS, Ledger, failure, outcomes, put_off
from server.lanes.schema import State

NOW = 1_000_000
JOB = Job("amo:1", "x", "k", id=7, tries=3, due_ms=500, dead_ms=NOW + 1)


def test_done_enters_its_follow_ups() -> None:
    """Done and its follow-ups are entries of one settlement."""
    ledger = Ledger()

    ledger.record(JOB, Done((Job("amo:2", "y", "k2"),)), NOW)

    taken = ledger.take()
    assert (taken.done, [each.key for each in taken.follow_ups]) == ([7], ["k2"])
    assert (taken.ids(), taken.lanes()) == ({7}, {"amo:2"})
    assert not ledger.take()


def test_a_failed_turn_gives_everything_back() -> None:
    """What a failed turn had taken comes before what happened since; nothing is lost."""
    ledger = Ledger()
    ledger.record(JOB, Done(), NOW)
    ledger.entries.released["amo:1"] = 5
    taken = ledger.take()
    ledger.record(Job("amo:1", "x", "k8", id=8, dead_ms=NOW), Done(), NOW)
    ledger.entries.unsent.append(Job("amo:2", "x", "k9", id=9))

    ledger.give_back(taken)

    again = ledger.take()
    assert again.done == [7, 8]
    assert (again.released, again.ids()) == ({"amo:1": 5}, {7, 8, 9})


@pytest.mark.parametrize(
    ("came_unsure", "says", "state"),
    [
        (False, None, State.READY),
        (True, None, State.BEGUN),
        (False, True, State.BEGUN),
        (True, False, State.READY),
    ],
)
def test_later_keeps_or_sets_the_mark(came_unsure: bool, says: bool | None, state: State) -> None:
    """Unless it says so, Later neither makes a job unsure nor takes the mark away."""
    job = Job("amo:1", "x", "k", id=7, tries=3, dead_ms=NOW + 1, unsure=came_unsure)

    put = put_off(job, Later(1.5, "not yet", unsure=says), NOW)

    assert (put.to, put.due_ms, put.attempt, put.note) == (state, NOW + 1500, 3, "not yet")


def test_hold_keeps_the_place_and_never_parks() -> None:
    """A held job keeps its due moment, even when its time is over: the fault is not its own."""
    put = put_off(JOB, Hold(60, "503"), NOW + 10_000)

    assert (put.to, put.due_ms) == (State.READY, 500)


def test_out_of_time_parks() -> None:
    """A job put off after its last moment is parked, with the reason it gave."""
    assert put_off(JOB, Later(1, "no contact"), NOW + 2).to is State.PARKED
    assert put_off(JOB, Later(1), NOW + 2).note == "out of time"


def test_a_note_can_be_stored_whatever_it_quotes() -> None:
    """NUL, half characters and long answers of a remote side do not reach the database."""
    put = put_off(JOB, Park("a\x00b\ud800" + "x" * 1000), NOW)

    assert put.note.startswith("ab?xxx")
    assert len(put.note) < NOTE_CHARS


def test_a_failure_is_unsure_and_backs_off() -> None:
    """An unknown exception: its effect may exist; the wait is the kind's, by the number of tries."""
    outcome = failure(JOB, RuntimeError("reset"), LaneKind(backoff=lambda tries: tries * 10))

    assert (outcome.after_s, outcome.unsure, outcome.note) == (30, True, "RuntimeError: reset")


def test_answers_are_read_per_job() -> None:
    """None and follow-ups speak for all jobs, a mapping for each by its key, silence for none."""
    two, more = [Job("a", "x", "1"), Job("a", "x", "2")], [Job("a", "y", "3")]
    later = Later(1)

    assert outcomes(two, None) == [Done(), Done()]
    assert outcomes(two, more) == [Done(tuple(more)), Done()]
    assert outcomes(two, []) == [Done(), Done()]
    assert outcomes(two, {"2": later}) == [None, later]
