"""Reads what is in a topic now, once, and ends. Joins no group and commits nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from worker.errors import Fatal, NoBroker
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import describe, error_of, refused
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.rights import Right
from worker.protocols import Clock
from worker.settings import Settings
from worker.types import Record

_READ_AT_ONCE = 500
_WAIT_SECONDS = 0.2

Starts = Callable[[Sequence[int]], Mapping[int, int]]
"""Where to start in these partitions; those left out are read from their beginning."""


def present_records(settings: Settings, topic: str, *, clock: Clock, starts: Starts | None = None) -> Iterator[Record]:
    """Yield the committed records that are in the topic when this begins, partition by partition in order.

    Args:
        settings: Where the broker is.
        topic: The topic's name.
        clock: Monotonic seconds.
        starts: Where to start; None starts with the oldest.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist or can't be read, or the broker refuses this client.
    """
    limit_seconds = settings.kafka.no_broker_seconds
    properties = client_properties(settings) | {
        "group.id": settings.kafka.group_id,  # required of every consumer; no group is joined and nothing is committed
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",  # retention may overtake a start before the first fetch
    }
    errors = ConnectionErrors()
    consumer: Consumer = make_client(Consumer, properties, error_cb=errors.serve)
    try:
        spans = _spans(consumer, settings, topic, errors)
        if starts is not None:
            spans = _begun_at(starts(list(spans)), spans)
        ends = {partition: end for partition, (start, end) in spans.items() if start < end}
        consumer.assign([TopicPartition(topic, partition, spans[partition][0]) for partition in ends])
        silent_since = clock()
        while ends:
            messages = consumer.consume(_READ_AT_ONCE, _WAIT_SECONDS)
            if not messages and clock() - silent_since > limit_seconds:
                message = f"{topic} can't be read: no broker answered for {limit_seconds:g} s"
                raise NoBroker(message)
            for found in messages:
                yield from _serve(found, ends, topic)
            if messages:
                silent_since = clock()  # time the caller spent on these was not the broker's silence
    finally:
        consumer.close()


def _serve(found: Any, ends: dict[int, int], topic: str) -> Iterator[Record]:
    """The record in a message; a partition read to its end at the start leaves `ends`."""
    error, partition = found.error(), found.partition()
    if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return  # no group is joined here
    if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise refused(error, f"to let this client read {topic}", Right("Read", "topic", topic))
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        message = f"{topic} can't be read: {describe(error)}"
        raise Fatal(message)
    end = ends.get(partition)
    if end is None:
        return  # written since the start: a replay that read its own returns would never end
    if error is None and found.offset() < end:
        yield found
    if error is not None or found.offset() + 1 >= end:
        del ends[partition]


def _begun_at(starts: Mapping[int, int], spans: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """The spans from these starts on; a start outside its span is from another topic of this name and is ignored."""
    return {p: (starts[p] if start <= starts.get(p, -1) <= end else start, end) for p, (start, end) in spans.items()}


def _spans(consumer: Consumer, settings: Settings, topic: str, errors: ConnectionErrors) -> dict[int, tuple[int, int]]:
    """The offsets at which each partition currently starts and ends."""
    limit_seconds = settings.kafka.no_broker_seconds
    described = list_topics(consumer, settings, errors).topics.get(topic)
    if described is None:
        message = f"topic {topic} does not exist; `sluice topics` creates it"
        raise Fatal(message)
    spans = {}
    try:
        for partition in sorted(described.partitions):
            start, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=limit_seconds)
            spans[partition] = (start, end)
    except KafkaException as error:
        message = f"no broker answered within {limit_seconds:g} s: {describe(error_of(error))}"
        raise NoBroker(message) from None
    return spans
