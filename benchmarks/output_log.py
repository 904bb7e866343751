"""The label events in the output topic, with the time at which the broker appended each (LogAppendTime).

The broker's time is the moment of the acknowledged label: it includes neither a reader's fetch nor its share of the
cores. On one machine it is the same clock as the sender's.
"""

import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from benchmarks.live import LiveWorker
from benchmarks.steady_rate import TooShort, slope, steady
from testkit.kafka import Kafka
from testkit.stream import Topics

LOG_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}
FROM, TO = 0.1, 0.9
"""The part of a run from which a rate is taken: earlier, caches fill; later, some partitions are done."""

_AT_ONCE = 2000


class AppendedEvent(NamedTuple):
    """A label event: the number of its comment, its partition, and when it was appended (seconds since the epoch)."""

    number: int
    partition: int
    at: float


class OutputLog:
    """Reads the label events of `topics` from the beginning; it uses no resources between two calls of `read`."""

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
        """The next `count` events; only the first one of a comment that was labelled twice.

        The benchmark ends with an error if they do not arrive within the limit, or if a worker ends on its own.
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
                        sys.exit(f"{self._topic} cannot be read: {message.error()}")
                    partition, number = message.partition() or 0, int(message.key() or b"")
                    self._next[partition] = (message.offset() or 0) + 1
                    if number not in self._seen:
                        self._seen.add(number)
                        found.append(AppendedEvent(number, partition, message.timestamp()[1] / 1000))
        finally:
            consumer.close()
        return found


def event_count(watcher: Consumer, topic: str, partitions: int) -> int:
    """How many events the topic holds."""
    ends = (watcher.get_watermark_offsets(TopicPartition(topic, number), timeout=10) for number in range(partitions))
    return sum(end[1] for end in ends if end)


def rate(events: Iterable[AppendedEvent]) -> float:
    """Events a second between a tenth and nine tenths of them: the slope of their count over time.

    It is a slope because events are appended in batches: counting from the first to the last event would include a
    batch too many or too few.
    """
    times = sorted(event.at for event in events)
    kept = times[int(FROM * len(times)) : int(TO * len(times))]
    return statistics.linear_regression(kept, range(len(kept))).slope


def steady_rate(topics: Topics, comments: int) -> float:
    """Label events a second of a finished run over this many comments, the slope of its steady part.

    The benchmark ends if there is not one event for each comment, or too few for a slope.
    """
    events = sorted(message.timestamp()[1] / 1000 for message in topics.read(topics.output))
    if len(events) != comments:
        sys.exit(f"{len(events)} label events for {comments} comments")
    curve = [(at, float(number)) for number, at in enumerate(events, 1)]
    try:
        return slope(curve, *steady(curve))
    except TooShort as error:
        sys.exit(f"{error}. Raise --comments.")


def longest_gap(events: Iterable[AppendedEvent], partitions: Iterable[int], begin: float, end: float) -> float:
    """The longest time without an event of one partition, in seconds, among the gaps that overlap the window.

    Args:
        events: Events in any order.
        partitions: The partitions; gaps are taken in each separately.
        begin: Begin of the window, in seconds since the epoch.
        end: End of the window.
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
