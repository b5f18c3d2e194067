"""When an account's lane is held: amoCRM is down, not when one answer got lost."""

import pytest

from server.core.errors import CrmRateLimited, CrmRefused, CrmUnavailable
from server.core.jobs import Hold, Job, Later, Park
from server.services.outage import QUIET_S, TRIPS, Breaker

JOB = Job("amo:1", "log", "k", tries=1)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def breaker(clock: Hand) -> Breaker:
    return Breaker(clock)


def failed(breaker: Breaker, account_id: int = 1) -> Later | Park:
    return breaker.answer(account_id, CrmUnavailable(), JOB)


def test_one_lost_answer_stops_one_job(breaker: Breaker) -> None:
    """It is tried again soon, and looked for before it is sent; the others go on."""
    breaker.succeeded(1)

    answer = failed(breaker)

    assert (type(answer), answer.after_s, answer.unsure) == (Later, 2, True)  # type: ignore[union-attr]


def test_failures_in_a_row_hold_the_account(breaker: Breaker) -> None:
    """And no other; a success ends it."""
    answers = [type(failed(breaker)) for _ in range(TRIPS)]
    assert answers == [Later] * (TRIPS - 1) + [Hold]
    assert type(failed(breaker, account_id=2)) is Later

    breaker.succeeded(1)
    assert type(failed(breaker)) is Later


def test_failures_among_successes_hold_nothing(breaker: Breaker, clock: Hand) -> None:
    """A third of all answers lost slows a backlog down; it does not stop it. Silence does."""
    breaker.succeeded(1)
    assert {type(failed(breaker)) for _ in range(3 * TRIPS)} == {Later}

    clock.now += QUIET_S
    assert type(failed(breaker)) is Hold


def test_who_fails_again_waits_longer(breaker: Breaker) -> None:
    """Up to a minute."""
    breaker.succeeded(1)
    waits = [breaker.answer(1, CrmUnavailable(), Job("amo:1", "log", "k", tries=tries)).after_s for tries in (1, 2, 9)]  # type: ignore[union-attr]
    assert waits == [2, 5, 60]


def test_what_amocrm_says_plainly_is_taken_at_its_word(breaker: Breaker) -> None:
    """A limit holds the lane at once, a refusal parks the job."""
    assert type(breaker.answer(1, CrmRateLimited(), JOB)) is Hold
    assert type(breaker.answer(1, CrmRefused(), JOB)) is Park
