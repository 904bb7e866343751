"""The day before the page began: a few label events of each stretch of it, so that a day's scores are there at once.

The topic's own index of times says where each stretch begins (`offsets_for_times`), and how many records it holds; the
few that are read stand for the rest. Reading all of a day would take as long as the worker took to write it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from worker.kafka.client.error_codes import describe, error_of
from worker.kafka.client.properties import client_properties, make_client
from worker.page.kept_event import EventKeeper
from worker.page.sample import Sample
from worker.page.tail import READ_PROPERTIES
from worker.page.times import HOUR_MS, MINUTE_MS
from worker.protocols import Clock
from worker.settings import Settings

STRETCHES_MS = (
    *(hour * HOUR_MS for hour in range(24, 1, -1)),
    *(minutes * MINUTE_MS for minutes in range(60, 0, -5)),
)
"""How long ago each stretch began: an hour each, and five minutes each of the last hour."""

EACH = 60
"""Events that are read of a stretch."""

_ASK_SECONDS = 5.0
_READ_SECONDS = 2.0
_END = -1

log = structlog.stdlib.get_logger(__name__)

Offsets = Mapping[int, int]


def read_past(
    settings: Settings,
    before: Offsets,
    keeper: EventKeeper,
    sample: Sample,
    *,
    clock: Clock = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> None:
    """Add a few events of each stretch of the last day to the sample; without them where the cluster can't say.

    Args:
        settings: Name the cluster and the output topic.
        before: Where the page's reader began, by partition: what comes then it reads itself.
        keeper: Turns records into what is kept; not shared with another thread.
        sample: Gets the events.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
    """
    properties = client_properties(settings) | {"group.id": settings.kafka.group_id, "log_level": 0} | READ_PROPERTIES
    consumer: Consumer = make_client(Consumer, properties, error_cb=lambda _: None)
    try:
        reader = _Reader(consumer, settings.output.topic, clock)
        places = [*reader.places(before, wall_clock() * 1000), before]
        for begin, end in pairwise(places):
            records = sum(max(0, end[number] - begin[number]) for number in before)
            events = [event for one in reader.some_of(begin, end) if (event := keeper.keep(one)) is not None]
            events = [event for event in events if event.problem is None]
            sample.add_past(events, max(0, records - len(events)))
    except KafkaException as error:
        log.info("the day before is not read", cause=describe(error_of(error)))
    finally:
        consumer.close()


class _Reader:
    """Reads a few records from places of one topic."""

    def __init__(self, consumer: Consumer, topic: str, clock: Clock) -> None:
        self._consumer = consumer
        self._topic = topic
        self._clock = clock

    def places(self, before: Offsets, now_ms: float) -> Sequence[Offsets]:
        """Where each stretch begins, none of them behind `before`."""
        first = {
            number: self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=_ASK_SECONDS)[0]
            for number in before
        }
        if all(first[number] >= offset for number, offset in before.items()):
            return []  # the page's reader began at the first record
        places = []
        for ago_ms in STRETCHES_MS:
            asked = [TopicPartition(self._topic, number, int(now_ms - ago_ms)) for number in before]
            found = self._consumer.offsets_for_times(asked, timeout=_ASK_SECONDS)
            offsets = {one.partition: one.offset for one in found if one.error is None}
            places.append(
                {
                    number: end if offsets.get(number, _END) < 0 else min(end, max(first[number], offsets[number]))
                    for number, end in before.items()
                }
            )
        return places

    def some_of(self, begin: Offsets, end: Offsets) -> list[Any]:
        """The first records of a stretch, about `EACH` over all partitions."""
        left = {number: end[number] for number in begin if begin[number] < end[number]}
        if not left:
            return []
        self._consumer.assign([TopicPartition(self._topic, number, begin[number]) for number in left])
        quota = dict.fromkeys(left, max(1, EACH // len(left)))
        found: list[Any] = []
        until = self._clock() + _READ_SECONDS
        while quota and self._clock() < until:
            for record in self._consumer.consume(EACH, 0.2):
                number, offset = record.partition() or 0, record.offset() or 0
                if record.error() is not None or number not in quota:
                    continue
                if offset < left[number]:
                    found.append(record)
                    quota[number] -= 1
                if offset + 1 >= left[number] or quota[number] <= 0:
                    del quota[number]
        self._consumer.unassign()
        return found
