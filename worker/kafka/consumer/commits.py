"""Offset commits: one in flight at a time, carrying the newest offset of every partition.

After a transient failure the next commit carries the offsets again. Lost ownership needs no handling of its own: a
rebalance follows, and the next owner rereads what was not committed. A response that arrives after all its partitions
have been given away counts as neither a success nor a failure.
"""

from collections.abc import Mapping

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from worker.errors import Fatal, OwnershipLost, Rebalancing, Retryable
from worker.kafka.client.commit_note import to_commit
from worker.kafka.client.error_codes import (
    BETWEEN_GENERATIONS,
    EPOCH_BEHIND,
    OWNERSHIP_LOST,
    REFUSED,
    describe,
    error_of,
    known_cause,
    refused,
)
from worker.kafka.client.rights import right_to_read
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.kafka.consumer.positions import key
from worker.protocols import Clock
from worker.types import Assignment

log = structlog.stdlib.get_logger(__name__)


_PAUSE_SECONDS = 0.2
"""How long to wait after a failure: a group that is rebalancing refuses commits as fast as they are sent."""

_BETWEEN_SECONDS = 1.0
"""How long a commit that is waited for is tried again, from the first that was refused between two generations: until
the group's leader has handed out the partitions. The time before that does not count, in which the commit waits behind
this member's request to join, on the same connection."""


class Commits:
    """Commits what `Assignments` has staged. Used only from the consumer's thread.

    Args:
        group: The consumer group.
        topic: The setting `input.topic`, for a message about a refusal.
        assignments: Holds the staged offsets and records the confirmed ones.
        availability: Notified when a broker responds.
        clock: Returns monotonic seconds.

    Attributes:
        succeeded: Commits that the broker accepted while at least one of their partitions was still owned.
        failed: Commits that failed while at least one of their partitions was still owned.
        fault: The error that retrying cannot fix; None if there is none.
    """

    def __init__(
        self, group: str, topic: str, assignments: Assignments, availability: BrokerAvailability, clock: Clock
    ) -> None:
        self._group = group
        self._topic = topic
        self._assignments = assignments
        self._availability = availability
        self._clock = clock
        self._not_before = float("-inf")
        self._asked: dict[Assignment, int] | None = None
        self._refused_at: float | None = None
        self.succeeded = 0
        self.failed = 0
        self.fault: Exception | None = None

    def forget(self) -> None:
        """Do not wait any longer for the response to a commit, because the client that sent it is gone."""
        self._asked = None

    def send(self, consumer: Consumer) -> None:
        """Send what is staged, unless a commit is in flight or has just failed; `serve` gets the response."""
        if self._asked is not None or self._clock() < self._not_before:
            return
        offsets = self._assignments.uncommitted()
        if not offsets:
            return
        self._asked = offsets
        try:
            consumer.commit(offsets=_to_commit(offsets), asynchronous=True)
        except KafkaException as error:
            self._asked = None
            self._note(error_of(error), offsets)

    def serve(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Handle the response to a commit. Synchronous commits are reported here too; those are ignored."""
        asked = self._asked
        if asked is None:
            return
        if partitions and {key(p): p.offset for p in partitions} != {a.key: o for a, o in asked.items()}:
            return
        self._asked = None
        failed = error or next((p.error for p in partitions if p.error is not None), None)
        if failed is None:
            self._confirm(asked)
            self._availability.answered()
        else:
            self._note(failed, asked)

    def begin_wait(self) -> None:
        """Forget the refusals so far: those that follow are of a wait that begins now."""
        self._refused_at = None

    def send_and_wait(self, consumer: Consumer) -> None:
        """Send what is staged and wait for the response; `begin_wait` comes before the first of several attempts.

        Raises:
            OwnershipLost: The group has put this member out, or has been between two generations for a second.
            Rebalancing: It is between two generations.
            Retryable: Another attempt may succeed.
            Fatal: The broker refuses the commit.
        """
        offsets = self._assignments.uncommitted()
        if not offsets:
            return
        if self._availability.is_down:
            message = "no broker is responding: the offsets are not committed, so their records will be read again"
            raise Retryable(message)  # librdkafka would block until it finds a coordinator
        failed: KafkaError | None
        try:
            answered = consumer.commit(offsets=_to_commit(offsets), asynchronous=False)
            failed = next((p.error for p in answered if p.error is not None), None)
        except KafkaException as error:
            failed = error_of(error)
        if failed is None:
            self._confirm(offsets)
            return
        is_between = failed.code() in BETWEEN_GENERATIONS
        if not is_between or self._refused_at is None:  # one wait counts as one failure
            self._note(failed, offsets)
        if self.fault is not None:
            raise self.fault
        if is_between:
            now = self._clock()
            self._refused_at = now if self._refused_at is None else self._refused_at
            if now - self._refused_at < _BETWEEN_SECONDS:
                raise Rebalancing(describe(failed))
        if failed.code() in OWNERSHIP_LOST and failed.code() != EPOCH_BEHIND:
            raise OwnershipLost(describe(failed))
        raise Retryable(describe(failed))

    def _confirm(self, offsets: dict[Assignment, int]) -> None:
        self.succeeded += _any_owned(offsets)
        self._assignments.confirm(offsets)

    def _note(self, error: KafkaError, offsets: Mapping[Assignment, int]) -> None:
        self.failed += _any_owned(offsets)
        self._not_before = self._clock() + _PAUSE_SECONDS
        code = known_cause(error, REFUSED)
        if code in REFUSED:
            right = right_to_read(code, self._topic, self._group)
            self.fault = refused(error, "the commit of this group's offsets", right)
        elif error.fatal():
            self.fault = Fatal(f"the consumer can't continue: {describe(error)}")
        elif _any_owned(offsets):
            log.warning(
                "commit failed",
                cause=describe(error),
                offsets={f"{a.topic}/{a.partition}": offset for a, offset in offsets.items()},
                next="the next commit includes the offsets of partitions still owned",
            )


def _any_owned(offsets: Mapping[Assignment, int]) -> bool:
    return any(assignment.owned for assignment in offsets)


def _to_commit(offsets: Mapping[Assignment, int]) -> list[TopicPartition]:
    return [to_commit(assignment, offset) for assignment, offset in offsets.items()]
