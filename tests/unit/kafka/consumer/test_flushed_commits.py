"""A stop or a revoke waits for its last commit, and a group that is rebalancing is no reason to call it unanswered."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from testkit.clock import FakeClock
from testkit.scripted_consumer import OneLog, ScriptedConsumer
from worker.kafka.consumer.source import KafkaSource
from worker.settings import Settings
from worker.types import Assignment

BETWEEN = KafkaError.ILLEGAL_GENERATION


class Listener:
    def on_assigned(self, assignments: list[Assignment]) -> None:
        del assignments

    on_revoked = on_lost = on_assigned


class Coordinated(ScriptedConsumer):
    """Answers each commit that is waited for with the next of these codes, after so many seconds; then it accepts."""

    def __init__(self, clock: FakeClock, answers: Sequence[tuple[int, float]]) -> None:
        super().__init__(one_partition, "comments")
        self._clock = clock
        self._answers = list(answers)

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> Any:
        if asynchronous:
            return super().commit(offsets, asynchronous=asynchronous)
        if self._answers:
            code, seconds = self._answers.pop(0)
            self._clock.now += seconds
            raise KafkaException(KafkaError(code))
        return offsets


def one_partition(consumer: ScriptedConsumer) -> Iterator[Message | None]:
    consumer.assign(0)
    while True:
        yield None


@pytest.mark.parametrize(
    ("answers", "answered", "failures"),
    [
        ([(BETWEEN, 3.0)], True, 1),  # behind the request to join; then accepted
        ([(BETWEEN, 0.1)] * 50, True, 1),  # not settled within a second: refused, which is an answer
        ([(BETWEEN, 12.0)] * 2, True, 1),  # the time is over at the first refusal, which is one all the same
        ([(KafkaError.UNKNOWN_MEMBER_ID, 0.1)] * 2, True, 1),
        ([(KafkaError._TIMED_OUT, 6.0)] * 5, False, 2),
    ],
    ids=["accepted", "not-settled", "late", "put-out", "silent"],
)
def test_only_a_commit_that_nobody_answers_is_unanswered(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[tuple[int, float]], answered: bool, failures: int
) -> None:
    clock = FakeClock()
    consumer = Coordinated(clock, answers)
    monkeypatch.setattr("worker.kafka.consumer.source.make_client", lambda *_, **given: consumer.made_with(**given))
    queries: Any = OneLog()
    source = KafkaSource(Settings(), clock=clock, sleep=lambda _: None, uniform=lambda low, _: low, queries=queries)
    listener: Any = Listener()
    source.subscribe(listener)
    source.poll(1, 0.0)
    (assignment,) = source.assigned
    source.commit({assignment: 5})
    assert source.flush_commits(30) is answered
    assert source.facts().commits_failed == failures
