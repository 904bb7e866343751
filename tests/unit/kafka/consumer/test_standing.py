"""A partition that brings one error again and again is known, with its cause and cure."""

import pytest
from confluent_kafka import KafkaError

from worker.kafka.consumer.standing import STANDING_SECONDS, StandingPartitions

BAD = KafkaError(KafkaError._BAD_COMPRESSION)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def repeat(standing: StandingPartitions, clock: Clock, seconds: float, offset: int = 5) -> None:
    for _ in range(int(seconds * 2)):
        standing.failed(("comments", 3), offset, BAD)
        clock.now += 0.5
    standing.failed(("comments", 3), offset, BAD)


def test_one_error_at_one_offset_for_long_is_a_standing_partition_and_reported_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    standing = StandingPartitions(clock)
    repeat(standing, clock, STANDING_SECONDS - 1)
    assert standing.now() == ()
    repeat(standing, clock, STANDING_SECONDS)
    (found,) = standing.now()
    assert (found.topic, found.partition, found.seconds) == ("comments", 3, clock.now)
    assert "offset 5" in found.cause
    assert "receive.message.max.bytes" in found.cause
    (said,) = [r.getMessage() for r in caplog.records]
    assert said.startswith("partition 3 of comments is stuck at offset 5")


def test_a_record_ends_it(clock: Clock) -> None:
    standing = StandingPartitions(clock)
    repeat(standing, clock, STANDING_SECONDS)
    standing.moved(("comments", 3))
    assert standing.now() == ()


def test_errors_at_different_offsets_are_progress(clock: Clock) -> None:
    standing = StandingPartitions(clock)
    for offset in range(10):
        repeat(standing, clock, STANDING_SECONDS / 2, offset)
    assert standing.now() == ()


def test_an_error_that_stopped_coming_is_forgotten(clock: Clock) -> None:
    standing = StandingPartitions(clock)
    repeat(standing, clock, STANDING_SECONDS)
    clock.now += 60
    assert standing.now() == ()
    assert not standing
