"""Reads one record of a topic again, by its coordinates."""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from worker.errors import NoBroker
from worker.kafka.client.error_codes import describe, error_of
from worker.kafka.client.properties import client_properties, make_client
from worker.page.tail import READ_PROPERTIES
from worker.protocols import Clock
from worker.settings import Settings

_READ_SECONDS = 6.0


class NoSuchRecord(Exception):
    """There is no record at these coordinates, or no longer."""


def record_at(settings: Settings, topic: str, partition: int, offset: int, clock: Clock = time.monotonic) -> Any:
    """The record (`confluent_kafka.Message`).

    Raises:
        NoSuchRecord: Retention, compaction or a deletion has taken it, or it never was.
        NoBroker: No broker answered in time.
    """
    properties = client_properties(settings) | READ_PROPERTIES
    properties |= {
        "group.id": settings.kafka.group_id,  # required of every consumer; none is joined
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "log_level": 0,
    }
    consumer: Consumer = make_client(Consumer, properties, error_cb=lambda _: None)
    try:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_READ_SECONDS)
        if not first <= offset < end:
            message = f"{topic}/{partition} holds the offsets {first} to {end - 1} now"
            raise NoSuchRecord(message)
        consumer.assign([TopicPartition(topic, partition, offset)])
        until = clock() + _READ_SECONDS
        while clock() < until:
            for found in consumer.consume(1, 0.5):
                error = found.error()
                if error is None and found.offset() == offset:
                    return found
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    message = f"{topic}/{partition} has no record at {offset} any more: it was compacted or deleted"
                    raise NoSuchRecord(message)
    except KafkaException as error:
        message = f"{topic}/{partition} can't be read: {describe(error_of(error))}"
        raise NoBroker(message) from None
    finally:
        consumer.close()
    message = f"{topic}/{partition} was not read within {_READ_SECONDS:g} s; is this client allowed to Read it?"
    raise NoBroker(message)
