"""Sends the events, whatever the brokers do, and notes the place that each is given."""

from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.events import Event
from tests.chaos.places import Places


class EventNotSent(Exception):
    """The run's own producer could not deliver: the run says nothing about the worker."""


class Feed:
    """An idempotent producer that gives no event up.

    Attributes:
        held: Whether a fault wants no more events to be sent for now.
    """

    def __init__(self, bootstrap_servers: str, topic: str, places: Places) -> None:
        self._servers = bootstrap_servers
        self._topic = topic
        self._places = places
        self._waiting = 0
        self._failure: KafkaError | None = None
        self._producer = self._new_producer()
        self.held = False

    def hold(self) -> None:
        """Send no more until `resume`."""
        self.held = True

    @property
    def is_empty(self) -> bool:
        """Whether every event sent is acknowledged."""
        return not self._waiting

    def resume(self) -> None:
        """Send again, with a new producer: the old one's sequence numbers belong to a topic that is gone."""
        self._producer = self._new_producer()
        self.held = False

    def send(self, events: list[Event]) -> None:
        """Queue these."""
        self._places.sent(len(events))
        self._waiting += len(events)
        for number, key, value, headers in events:
            sent: Any = headers  # the stub's list is invariant
            report = partial(self._report, number)
            while True:
                try:
                    self._producer.produce(self._topic, value, key, on_delivery=report, headers=sent)
                    break
                except BufferError:
                    self.serve(0.1)

    def serve(self, timeout_seconds: float) -> None:
        """Serve delivery reports.

        Raises:
            EventNotSent: One was not delivered.
        """
        self._producer.poll(timeout_seconds)
        if self._failure is not None:
            message = f"an event could not be sent to {self._topic}: {self._failure.str()}"
            raise EventNotSent(message)

    def _report(self, number: int, error: KafkaError | None, record: Message) -> None:
        self._waiting -= 1
        if error is None:
            self._places.acknowledge(number, record.partition() or 0, record.offset() or 0)
        else:
            self._failure = error

    def _new_producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._servers,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "topic.metadata.refresh.interval.ms": 3000,  # partitions that a fault adds are written to soon
                "delivery.timeout.ms": 600_000,
                "linger.ms": 10,
                "compression.type": "lz4",
                "log_level": 0,
            }
        )
