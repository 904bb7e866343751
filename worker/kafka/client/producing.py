"""Hands a record to a producer whose queue may be full."""

from collections.abc import Callable

from confluent_kafka import KafkaError, Message, Producer

from worker.types import Outgoing

_MAKE_ROOM_SECONDS = 0.1

Report = Callable[[KafkaError | None, Message], None]
"""Called with the delivery report of one record."""


def produce(producer: Producer, outgoing: Outgoing, report: Report, make_room: Callable[[float], object]) -> None:
    """Enqueue a record; while the queue is full, `make_room(seconds)` serves the reports that empty it.

    Raises:
        KafkaException: The producer does not accept the record.
    """
    topic, key, value, headers, timestamp_ms = outgoing
    while True:
        try:
            producer.produce(topic, value, key, -1, report, None, timestamp_ms, headers)  # type: ignore[arg-type] # the stub's list is invariant
        except BufferError:
            make_room(_MAKE_ROOM_SECONDS)
        else:
            return
