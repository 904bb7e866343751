"""Partitions that a member gains and gives up, handled inside `poll`, where librdkafka waits for it.

During a revoke the old owner may still commit; nothing is committed for a lost partition. Pausing is handled here too,
because librdkafka tracks it by partition, not by assignment. So are holds, for partitions with no start offset yet.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.kafka.consumer.positions import Starts, key
from worker.protocols import RebalanceListener
from worker.types import Assignment

log = structlog.stdlib.get_logger(__name__)

_LOGGED = {"assign": "partitions assigned", "revoke": "partitions revoked", "lost": "partitions lost"}


class StartFinder(Protocol):
    """Knows where partitions begin; implemented by `worker.kafka.consumer.positions.Positions`."""

    def starts(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> Starts:
        """Return where these begin according to the group's offsets."""

    def begun(self, assignments: Sequence[Assignment], starts: Starts) -> list[Assignment]:
        """Record where these began; return those that must not be read until they have a start offset."""


class Rebalances:
    """Handles `assign`, `revoke` and `lost`, and notifies the listener.

    Args:
        topic: The setting `input.topic`, for log lines about no partition.
        assignments: The assignments begun and ended here.
        availability: Notified on each rebalance, since it means that the coordinator responds.
        positions: Knows where assignments begin.

    Attributes:
        counts: How often each was handled.
        fault: What the listener raised; None if it has raised nothing.
    """

    def __init__(
        self, topic: str, assignments: Assignments, availability: BrokerAvailability, positions: StartFinder
    ) -> None:
        self._input = topic
        self._assignments = assignments
        self._availability = availability
        self._positions = positions
        self._on_hold: set[Assignment] = set()
        self._listener: RebalanceListener | None = None
        self._paused = False
        self.counts = {"assign": 0, "revoke": 0, "lost": 0}
        self.fault: Exception | None = None

    def set_listener(self, listener: RebalanceListener) -> None:
        """Notify this listener from now on."""
        self._listener = listener

    def pause(self, consumer: Consumer) -> None:
        """Stop fetching from every partition held and from any assigned later."""
        self._paused = True
        consumer.pause(partitions_of(self._held()))

    def resume(self, consumer: Consumer) -> None:
        """Undo `pause`."""
        self._paused = False
        consumer.resume(partitions_of([a for a in self._held() if a not in self._on_hold]))

    def finish(self) -> None:
        """End all assignments after the listener has finished them."""
        held = self._held()
        self._call(lambda listener: listener.on_revoked(held))
        self._assignments.end([assignment.key for assignment in held])

    def end(self) -> None:
        """End all assignments and drop the listener, so that it does not hear of the rebalance that closing causes."""
        self._listener = None
        self._assignments.end(list(self._assignments.current))

    def serve_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin these partitions, each under a new assignment."""
        self._count("assign", partitions)
        self._availability.answered()
        starts = self._positions.starts(consumer, partitions)
        consumer.incremental_assign(starts.offsets)
        _have_epochs_checked(consumer, starts.offsets)
        begun = self._assignments.begin(map(key, partitions), starts.topic_ids)
        held = self._positions.begun(begun, starts)
        self._on_hold |= set(held)
        if stopped := begun if self._paused else held:
            consumer.pause(partitions_of(stopped))  # a new assignment begins unpaused
        self._call(lambda listener: listener.on_assigned(begun))

    def restart(
        self, consumer: Consumer, assignments: Sequence[Assignment], topic_ids: Mapping[str, str]
    ) -> list[Assignment]:
        """Replace these assignments after the listener has finished them; the new ones are on hold until `move`."""
        ending = [assignment.key for assignment in assignments]
        self._call(lambda listener: listener.on_revoked(assignments))
        self._assignments.end(ending)
        consumer.pause(partitions_of(assignments))
        begun = self._assignments.begin(ending, topic_ids)
        self._on_hold = {a for a in self._on_hold if a.owned} | set(begun)
        self._call(lambda listener: listener.on_assigned(begun))
        return begun

    def move(self, consumer: Consumer, assignment: Assignment, offset: int) -> None:
        """Continue reading a partition from this offset, whatever librdkafka was doing with it."""
        at = [TopicPartition(assignment.topic, assignment.partition, offset)]
        self._unassign(consumer, at)
        consumer.incremental_assign(at)
        assignment.next_offset = offset
        self._on_hold.discard(assignment)
        if self._paused:
            consumer.pause(at)

    def serve_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Give these up once the listener has finished with them."""
        self._count("revoke", partitions)
        ending = [key(p) for p in partitions]
        self._call(lambda listener: listener.on_revoked(self._assignments.of(ending)))
        self._assignments.end(ending)
        self._unassign(consumer, partitions)

    def serve_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """End these before notifying the listener: they are already lost."""
        self._count("lost", partitions)
        lost = self._assignments.end(map(key, partitions))
        self._unassign(consumer, partitions)
        self._call(lambda listener: listener.on_lost(lost))

    def _unassign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        held = {assignment.key for assignment in self._on_hold}
        if self._paused or any(key(p) in held for p in partitions):
            # librdkafka would keep the pause when it is next assigned these, and never read from them again. Resuming
            # them then is too late: close to the start of a fetch, it makes librdkafka read from the beginning.
            consumer.resume(partitions)
        consumer.incremental_unassign(partitions)

    def _held(self) -> list[Assignment]:
        return list(self._assignments.current.values())

    def _count(self, event: str, partitions: list[TopicPartition]) -> None:
        self.counts[event] += 1
        by_topic: dict[str, list[int]] = {} if partitions else {self._input: []}
        for topic, number in sorted(map(key, partitions)):
            by_topic.setdefault(topic, []).append(number)
        for topic, numbers in by_topic.items():
            log.info(_LOGGED[event], topic=topic, partitions=numbers)

    def _call(self, notify: Callable[[RebalanceListener], None]) -> None:
        """Call the listener; what it raises is kept until librdkafka has its response, and raised after `poll`."""
        if self._listener is None:
            return
        try:
            notify(self._listener)
        except Exception as error:
            self.fault = error


def _have_epochs_checked(consumer: Consumer, offsets: Sequence[TopicPartition]) -> None:
    """Have librdkafka ask whether the log still holds what was committed before these offsets (KIP-320).

    It asks when a leader changes while it reads, and after a seek, but not when a partition is assigned whose leader it
    knows already (2.16.0: "skipping offset validation in fetch state none"). A group that was away while its log lost
    its end would go on behind records that it has never seen.
    """
    for partition in offsets:
        if partition.offset >= 0 and (-1 if partition.leader_epoch is None else partition.leader_epoch) >= 0:
            with suppress(KafkaException):  # the partition may be gone again
                consumer.seek(partition)


def partitions_of(assignments: Sequence[Assignment]) -> list[TopicPartition]:
    """Return the same partitions in the form that librdkafka expects."""
    return [TopicPartition(assignment.topic, assignment.partition) for assignment in assignments]
