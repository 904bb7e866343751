"""Sends the events, however the brokers fare, and never far ahead of what has come out."""

from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.events import Event


class EventNotSent(Exception):
    """The run's own producer could not deliver: the run says nothing about the worker."""


class Feed:
    """An idempotent producer that gives no event up.

    Attributes:
        acknowledged: Events that the broker has.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self.acknowledged = 0
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": 600_000,
                "linger.ms": 10,
                "compression.type": "lz4",
                "log_level": 0,
            }
        )

    def send(self, events: list[Event]) -> None:
        """Queue these."""
        for key, value, headers in events:
            sent: Any = headers  # the stub's list is invariant
            while True:
                try:
                    self._producer.produce(self._topic, value, key, on_delivery=self._report, headers=sent)
                    break
                except BufferError:
                    self.serve(0.1)

    def serve(self, timeout_seconds: float) -> None:
        """Serve reports.

        Raises:
            EventNotSent: One was not delivered.
        """
        self._producer.poll(timeout_seconds)
        if self._failure is not None:
            message = f"an event could not be sent to {self._topic}: {self._failure.str()}"
            raise EventNotSent(message)

    def _report(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.acknowledged += 1
        else:
            self._failure = error
