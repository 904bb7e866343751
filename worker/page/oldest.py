"""The age of the oldest comment that has no label event yet: the timestamp of the record the group is to settle next.

No request tells the timestamp at an offset, so that record is read: one of each partition that has a lag, at most.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, TopicPartition

from worker.kafka.client.log_queries import LogEnds
from worker.kafka.client.properties import client_properties, make_client
from worker.settings import Settings
from worker.types import Partition

_EVERY_SECONDS = 5.0
_READ_SECONDS = 2.0
_MOST_PARTITIONS = 24

_PROPERTIES = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    # One record is wanted: the smallest fetch that brings one.
    "queued.min.messages": 1,
    "queued.max.messages.kbytes": 256,
    "max.partition.fetch.bytes": 16 * 1024,
    "fetch.wait.max.ms": 50,
}


class OldestUnscored:
    """Finds it every few seconds. Used by one thread.

    Args:
        settings: The worker's settings.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        properties = client_properties(settings) | {"group.id": settings.kafka.group_id, "log_level": 0} | _PROPERTIES
        self._consumer: Consumer = make_client(Consumer, properties, error_cb=lambda _: None)
        self._looked_at = -_EVERY_SECONDS
        self._found: float | str = 0.0

    def seconds(
        self, ends: Mapping[Partition, LogEnds] | str, committed: Mapping[Partition, int] | str, inputs: Sequence[str]
    ) -> float | str:
        """Its age; 0 where the group has settled everything, and the reason where the age is not known."""
        if isinstance(ends, str):
            return ends
        if isinstance(committed, str):
            return committed
        if self._clock() - self._looked_at < _EVERY_SECONDS:
            return self._found
        self._looked_at = self._clock()
        behind = {
            place: max(found.first, committed.get(place, 0))
            for place, found in ends.items()
            if place[0] in inputs and max(found.first, committed.get(place, 0)) < found.end
        }
        self._found = self._read(dict(list(behind.items())[:_MOST_PARTITIONS])) if behind else 0.0
        return self._found

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()

    def _read(self, places: dict[Partition, int]) -> float | str:
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in places.items()])
        oldest: int | None = None
        until = self._clock() + _READ_SECONDS
        while places and self._clock() < until:
            records: list[Any] = self._consumer.consume(10, 0.1)
            for record in records:
                place = (record.topic() or "", record.partition() or 0)
                if record.error() is not None or places.pop(place, None) is None:
                    continue
                kind, milliseconds = record.timestamp()
                if kind != TIMESTAMP_NOT_AVAILABLE:
                    oldest = milliseconds if oldest is None else min(oldest, milliseconds)
        self._consumer.unassign()
        if oldest is None:
            return "the next record of no partition could be read; its right is Read on the input topic"
        return max(0.0, self._wall_clock() - oldest / 1000)
