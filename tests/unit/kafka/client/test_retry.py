"""Retries end in time, and their pauses grow."""

import itertools
from collections.abc import Callable

import pytest

from worker.errors import Retryable
from worker.kafka.client.retry import Backoff, RetryBudget, retry


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def failing(times: int) -> Callable[[], str]:
    left = itertools.count(times, -1)

    def call() -> str:
        if next(left) > 0:
            message = "not yet"
            raise Retryable(message)
        return "done"

    return call


LONGEST = Backoff(1, 8, uniform=lambda _, high: high)


def test_a_call_is_repeated_until_it_succeeds() -> None:
    time = Time()
    assert retry(failing(4), limit_seconds=100, backoff=LONGEST, clock=time.clock, sleep=time.sleep) == "done"
    assert time.slept == [1, 2, 4, 8]


def test_the_time_is_never_overrun() -> None:
    time = Time()
    with pytest.raises(Retryable):
        retry(failing(1000), limit_seconds=10, backoff=LONGEST, clock=time.clock, sleep=time.sleep)
    assert sum(time.slept) < 10


def test_other_faults_are_not_retried() -> None:
    def call() -> None:
        raise ValueError

    time = Time()
    with pytest.raises(ValueError, match=r"^$"):
        retry(call, limit_seconds=10, backoff=LONGEST, clock=time.clock, sleep=time.sleep)
    assert time.slept == []


def test_pauses_are_drawn_between_nothing_and_a_bound_that_doubles() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    list(itertools.islice(Backoff(0.5, 3, uniform).pauses(), 5))
    assert drawn == [(0, 0.5), (0, 1), (0, 2), (0, 3), (0, 3)]


def test_patience_pauses_longer_after_each_failure_and_ends_with_its_time() -> None:
    time = Time()
    budget = RetryBudget(10, LONGEST, time.clock)
    waited = []
    while budget.wait(paused=True):
        begun = time.now
        while budget.pausing:
            time.sleep(0.5)
        waited.append(time.now - begun)
    assert waited == [1, 2, 4, 8]


def test_patience_does_not_pause_for_what_is_under_way_yet_counts_its_time() -> None:
    time = Time()
    budget = RetryBudget(10, LONGEST, time.clock)
    assert budget.wait(paused=False)
    assert not budget.pausing
    time.sleep(10)
    assert not budget.wait(paused=False)


def test_patience_is_whole_again_after_a_success() -> None:
    time = Time()
    budget = RetryBudget(10, LONGEST, time.clock)
    assert budget.wait(paused=True)
    time.sleep(9)
    budget.renew()
    time.sleep(9)
    assert budget.wait(paused=True)
    time.sleep(1)
    assert not budget.pausing, "the first pause is the short one"
