"""The partitions a member is given and gives away, served where librdkafka waits for it: inside `poll`.

The old owner may still commit in a revoke; nothing of a lost partition is committed. A pause lives here too, for
librdkafka keeps it by partition, not by assignment.
"""

from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import Consumer, TopicPartition

from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.protocols import RebalanceListener
from worker.types import Assignment

log = structlog.stdlib.get_logger(__name__)

_LOGGED = {"assign": "partitions assigned", "revoke": "partitions revoked", "lost": "partitions lost"}


class Rebalances:
    """Serves `assign`, `revoke` and `lost`, and tells the listener.

    Args:
        assignments: Begun and ended here.
        availability: A rebalance is the coordinator's answer.

    Attributes:
        counts: How often each was served.
        fault: What the listener raised; None while it raised nothing.
    """

    def __init__(self, assignments: Assignments, availability: BrokerAvailability) -> None:
        self._assignments = assignments
        self._availability = availability
        self._listener: RebalanceListener | None = None
        self._paused = False
        self.counts = {"assign": 0, "revoke": 0, "lost": 0}
        self.fault: Exception | None = None

    def set_listener(self, listener: RebalanceListener) -> None:
        """From now on this one is told."""
        self._listener = listener

    def pause(self, consumer: Consumer) -> None:
        """Stop fetching from every partition held, and from those assigned later."""
        self._paused = True
        consumer.pause(partitions_of(self._held()))

    def resume(self, consumer: Consumer) -> None:
        """Undo `pause`."""
        self._paused = False
        consumer.resume(partitions_of(self._held()))

    def end(self) -> None:
        """All that is held is over, and nobody is left to tell of the rebalance that closing brings."""
        self._listener = None
        self._assignments.end(list(self._assignments.current))

    def serve_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """These begin, each under a new assignment."""
        self._count("assign", partitions)
        self._availability.answered()
        consumer.incremental_assign(partitions)
        begun = self._assignments.begin(p.partition for p in partitions)
        if self._paused and begun:
            consumer.pause(partitions_of(begun))  # a new assignment begins unpaused
        self._call(lambda listener: listener.on_assigned(begun))

    def serve_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """These go once the listener has finished with them."""
        self._count("revoke", partitions)
        numbers = [p.partition for p in partitions]
        self._call(lambda listener: listener.on_revoked(self._assignments.of(numbers)))
        self._assignments.end(numbers)
        self._unassign(consumer, partitions)

    def serve_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """These have gone: they end before the listener hears of it."""
        self._count("lost", partitions)
        lost = self._assignments.end(p.partition for p in partitions)
        self._unassign(consumer, partitions)
        self._call(lambda listener: listener.on_lost(lost))

    def _unassign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._paused:
            # librdkafka would keep the pause for the next time it is given these, and read nothing of them ever after.
            # To resume them then is too late: next to the start of a fetch it makes librdkafka read from the beginning.
            consumer.resume(partitions)
        consumer.incremental_unassign(partitions)

    def _held(self) -> list[Assignment]:
        return list(self._assignments.current.values())

    def _count(self, event: str, partitions: list[TopicPartition]) -> None:
        self.counts[event] += 1
        numbers = sorted(p.partition for p in partitions)
        log.info(_LOGGED[event], topic=self._assignments.topic, partitions=numbers)

    def _call(self, tell: Callable[[RebalanceListener], None]) -> None:
        """Call the listener; what it raises is kept for after `poll`, once librdkafka has had its answer."""
        if self._listener is None:
            return
        try:
            tell(self._listener)
        except Exception as fault:
            self.fault = fault


def partitions_of(assignments: Sequence[Assignment]) -> list[TopicPartition]:
    """The same partitions, as librdkafka wants them."""
    return [TopicPartition(assignment.topic, assignment.partition) for assignment in assignments]
