"""The rules per kind of lane, and the pacing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.lanes.kinds import BACKOFF_MOST_S, Kinds, LaneKind, Pace, doubling


def test_a_kind_is_the_word_before_the_colon() -> None:
    """`amo:7` has the rules of `amo`; an unknown kind has the defaults."""
    kinds = Kinds({"amo": LaneKind(width=2)})

    assert kinds.of("amo:7").width == 2
    assert kinds.of("other:7") == LaneKind()


def test_only_a_backlog_of_batches_is_fetched_deep() -> None:
    """A lane fetches little ahead, since every job begun costs a look-up after a crash; a backlog to batch, more."""
    assert LaneKind(depth=8, width=4).fetch(deep=True) == 12
    assert LaneKind(depth=8, width=4, batch=50, batch_over=50).fetch(deep=False) == 12
    assert LaneKind(depth=8, width=4, batch=50, batch_over=50).fetch(deep=True) == 100


def test_the_backoff_doubles_to_its_limit() -> None:
    """2, 4, 8 seconds ... 15 minutes, also after a thousand tries."""
    assert [doubling(n) for n in (1, 2, 3)] == [2, 4, 8]
    assert doubling(1000) == BACKOFF_MOST_S


@given(st.floats(0.1, 100), st.lists(st.floats(0, 5), min_size=2, max_size=50))
def test_no_two_starts_are_closer_than_the_rate_allows(rate: float, pauses: list[float]) -> None:
    """Whenever somebody asks, and waits as told, starts are at least 1/rate apart."""
    pace, now, starts = Pace(rate), 0.0, []
    for pause in pauses:
        now += pause
        now += pace.wait(now)
        pace.spend(now)
        starts.append(now)

    assert all(b - a >= 1 / rate - 1e-6 for a, b in pairwise(starts))


def test_an_idle_lane_saves_nothing_up() -> None:
    """After a long silence there is no burst: the second start waits again."""
    pace = Pace(2.0)
    pace.spend(0.0)

    assert pace.wait(100.0) == 0
    pace.spend(100.0)
    assert pace.wait(100.0) == 0.5


def test_slow_halves_the_rate_for_a_while() -> None:
    """After a 429 the lane runs at half its rate until the given moment."""
    pace = Pace(2.0)
    pace.slow(10.0)

    pace.spend(0.0)
    assert pace.wait(0.0) == 1.0
    pace.spend(20.0)
    assert pace.wait(20.0) == 0.5


def test_a_spent_pace_can_be_forgotten() -> None:
    """It matters until its next start is allowed and its slow time is over."""
    pace = Pace(2.0)
    pace.spend(0.0)
    pace.slow(3.0)

    assert not pace.is_spent(0.1)
    assert not pace.is_spent(2.0)
    assert pace.is_spent(3.0)


def test_no_rate_means_no_waiting() -> None:
    """Rate 0 is no limit."""
    pace = Pace(0.0)
    pace.spend(5.0)

    assert pace.wait(5.0) == 0
