"""Retries end in time, and their pauses grow."""

import itertools
from collections.abc import Callable

import pytest

from testkit.clock import FakeClock
from worker.errors import Retryable
from worker.kafka.client.retry import Backoff, RetryBudget, retry


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
    clock = FakeClock(100.0)
    assert retry(failing(4), limit_seconds=100, backoff=LONGEST, clock=clock, sleep=clock.sleep) == "done"
    assert clock.slept == [1, 2, 4, 8]


def test_the_time_is_never_overrun() -> None:
    clock = FakeClock(100.0)
    with pytest.raises(Retryable):
        retry(failing(1000), limit_seconds=10, backoff=LONGEST, clock=clock, sleep=clock.sleep)
    assert sum(clock.slept) < 10


def test_other_faults_are_not_retried() -> None:
    def call() -> None:
        raise ValueError

    clock = FakeClock(100.0)
    with pytest.raises(ValueError, match=r"^$"):
        retry(call, limit_seconds=10, backoff=LONGEST, clock=clock, sleep=clock.sleep)
    assert clock.slept == []


def test_pauses_are_drawn_between_nothing_and_a_bound_that_doubles() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    list(itertools.islice(Backoff(0.5, 3, uniform).pauses(), 5))
    assert drawn == [(0, 0.5), (0, 1), (0, 2), (0, 3), (0, 3)]


def test_patience_pauses_longer_after_each_failure_and_ends_with_its_time() -> None:
    clock = FakeClock(100.0)
    budget = RetryBudget(10, LONGEST, clock)
    waited = []
    while budget.wait(paused=True):
        begun = clock.now
        while budget.pausing:
            clock.advance(0.5)
        waited.append(clock.now - begun)
    assert waited == [1, 2, 4, 8]


def test_patience_does_not_pause_for_what_is_under_way_yet_counts_its_time() -> None:
    clock = FakeClock(100.0)
    budget = RetryBudget(10, LONGEST, clock)
    assert budget.wait(paused=False)
    assert not budget.pausing
    clock.advance(10)
    assert not budget.wait(paused=False)


def test_patience_is_whole_again_after_a_success() -> None:
    clock = FakeClock(100.0)
    budget = RetryBudget(10, LONGEST, clock)
    assert budget.wait(paused=True)
    clock.advance(9)
    budget.renew()
    clock.advance(9)
    assert budget.wait(paused=True)
    clock.advance(1)
    assert not budget.pausing, "the first pause is the short one"
