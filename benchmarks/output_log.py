"""What the output topic holds, and when the broker appended it (its topics keep LogAppendTime, in milliseconds).

The broker's own time is the moment of the acknowledged label: it holds neither a reader's fetch nor the reader's share
of the cores. On one machine it is the same clock as the sender's.
"""

import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from benchmarks.live import LiveWorker
from testkit.kafka import Kafka
from testkit.stream import Topics

LOG_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}
FROM, TO = 0.1, 0.9
"""The part of a run that a rate is taken from: before it caches fill, after it some partitions are done."""

_AT_ONCE = 2000


class AppendedEvent(NamedTuple):
    """A label event: number of its comment, its partition, and when it was appended, in seconds since the epoch."""

    number: int
    partition: int
    at: float


class OutputLog:
    """Reads the label events of `topics` from their beginning; between two calls of `read` it costs nothing."""

    def __init__(self, kafka: Kafka, topics: Topics, partitions: int) -> None:
        self._properties = {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": f"{topics.group}-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
        self._topic = topics.output
        self._next = dict.fromkeys(range(partitions), 0)
        self._seen: set[int] = set()

    def read(self, count: int, workers: Sequence[LiveWorker], limit_seconds: float) -> list[AppendedEvent]:
        """The next so many events; of a comment that was labelled twice the first.

        The benchmark ends where they don't come within the limit, or a worker ends by itself.
        """
        found: list[AppendedEvent] = []
        deadline = time.monotonic() + limit_seconds
        consumer = Consumer(self._properties)
        try:
            consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self._next.items()])
            while len(found) < count:
                for worker in workers:
                    worker.check()
                if time.monotonic() > deadline:
                    sys.exit(f"{count - len(found)} of {count} comments had no label after {limit_seconds:g} s")
                for message in consumer.consume(_AT_ONCE, 0.2):
                    if message.error() is not None:
                        sys.exit(f"{self._topic} can't be read: {message.error()}")
                    partition, number = message.partition() or 0, int(message.key() or b"")
                    self._next[partition] = (message.offset() or 0) + 1
                    if number not in self._seen:
                        self._seen.add(number)
                        found.append(AppendedEvent(number, partition, message.timestamp()[1] / 1000))
        finally:
            consumer.close()
        return found


def rate(events: Iterable[AppendedEvent]) -> float:
    """Events a second between a tenth and nine tenths of them: the slope of their count over time.

    A slope, since events are appended a batch at a time: from first to last would count a batch too many or too few.
    """
    times = sorted(event.at for event in events)
    kept = times[int(FROM * len(times)) : int(TO * len(times))]
    return statistics.linear_regression(kept, range(len(kept))).slope


def longest_gap(events: Iterable[AppendedEvent], partitions: Iterable[int], begin: float, end: float) -> float:
    """Longest time, in seconds, without an event of one of these partitions, among the gaps that reach into the window.

    Args:
        events: In any order.
        partitions: Each is looked at by itself.
        begin: Of the window, seconds since the epoch.
        end: Of the window.
    """
    times: dict[int, list[float]] = {partition: [] for partition in partitions}
    for event in events:
        if event.partition in times:
            times[event.partition].append(event.at)
    gaps = [
        later - earlier
        for of_one in (sorted(each) for each in times.values())
        for earlier, later in pairwise(of_one)
        if later > begin and earlier < end
    ]
    return max(gaps, default=0.0)
