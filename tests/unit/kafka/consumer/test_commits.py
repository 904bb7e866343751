"""What a commit that is waited for makes of the broker's answers."""

import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from testkit.clock import FakeClock
from worker.errors import OwnershipLost, Rebalancing, Retryable
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.kafka.consumer.commits import Commits
from worker.protocols import Clock
from worker.settings import KafkaSettings


class _Refusing:
    """A consumer whose first commits the coordinator answers with these errors."""

    def __init__(self, *codes: int) -> None:
        self._errors = [KafkaError(code) for code in codes]
        self.asked = 0

    def commit(self, offsets: list[Any], *, asynchronous: bool) -> list[Any]:
        del asynchronous
        self.asked += 1
        if self._errors:
            raise KafkaException(self._errors.pop())
        return offsets


def _staged(clock: Clock = time.monotonic) -> tuple[Assignments, Commits]:
    assignments = Assignments("t")
    (assignment,) = assignments.begin([("t", 0)])
    assignments.stage({assignment: 5})
    return assignments, Commits("g", "t", assignments, BrokerAvailability(KafkaSettings(), clock), clock)


def test_a_member_whose_epoch_is_behind_commits_again_what_is_still_its_own() -> None:
    assignments, commits = _staged()
    consumer: Any = _Refusing(KafkaError.STALE_MEMBER_EPOCH)
    with pytest.raises(Retryable):
        commits.send_and_wait(consumer)
    commits.send_and_wait(consumer)
    assert assignments.uncommitted() == {}


@pytest.mark.parametrize("code", [KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS])
def test_a_commit_between_two_generations_is_tried_again_for_a_second(code: int) -> None:
    clock = FakeClock()
    assignments, commits = _staged(clock)
    consumer: Any = _Refusing(code, code, code, code)
    commits.begin_wait()
    with pytest.raises(Rebalancing):
        commits.send_and_wait(consumer)
    clock.now += 0.9
    with pytest.raises(Rebalancing):
        commits.send_and_wait(consumer)
    clock.now += 0.2
    with pytest.raises(OwnershipLost):
        commits.send_and_wait(consumer)
    assert assignments.uncommitted()
    assert commits.failed == 1, "one wait is one failure"

    commits.begin_wait()
    with pytest.raises(Rebalancing):
        commits.send_and_wait(consumer)
    commits.send_and_wait(consumer)
    assert assignments.uncommitted() == {}


def test_a_member_that_is_put_out_while_it_tries_again_gives_up_at_once() -> None:
    _, commits = _staged(FakeClock())
    consumer: Any = _Refusing(KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION)  # the last comes first
    commits.begin_wait()
    with pytest.raises(Rebalancing):
        commits.send_and_wait(consumer)
    with pytest.raises(OwnershipLost):
        commits.send_and_wait(consumer)
    assert commits.failed == 2


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_MEMBER_EPOCH])
def test_a_member_that_the_group_has_put_out_does_not_try_again(code: int) -> None:
    assignments, commits = _staged()
    consumer: Any = _Refusing(code)
    with pytest.raises(OwnershipLost):
        commits.send_and_wait(consumer)
    assert assignments.uncommitted()


def test_a_refused_commit_is_not_sent_again_at_every_turn_of_the_loop() -> None:
    clock = FakeClock()
    _, commits = _staged(clock)
    consumer: Any = _Refusing(KafkaError.REBALANCE_IN_PROGRESS)
    for _ in range(100):
        commits.send(consumer)
        clock.now += 0.001
    assert (consumer.asked, commits.failed) == (1, 1)
    clock.now += 1
    commits.send(consumer)
    assert consumer.asked == 2
