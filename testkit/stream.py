"""The topics of a test: created, filled and read to their end."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import Message, Producer

from testkit.kafka import Kafka
from testkit.topic_reader import committed_offsets, end_offsets, read_to_end


class Topics:
    """A new set of input, output and dead letter topics on a broker, and a new group's name."""

    def __init__(self, kafka: Kafka, partitions: int = 4, **config: str) -> None:
        self._kafka = kafka
        name = f"t{uuid.uuid4().hex[:10]}"
        self.input = kafka.create_topic(f"{name}-in", partitions)
        self.output = kafka.create_topic(f"{name}-out", partitions, config)
        self.dead_letters = kafka.create_topic(f"{name}-dlq", partitions)
        self.group = f"{name}-group"

    @property
    def settings(self) -> dict[str, object]:
        """The settings of a worker for these topics."""
        return {
            "input.topic": self.input,
            "output.topic": self.output,
            "dead_letters.topic": self.dead_letters,
            "kafka.group_id": self.group,
        }

    def fill(self, values: Iterable[bytes | None], partitions: int | None = None) -> int:
        """Produce values to the input topic, keyed by their number, and return how many there were."""
        producer = Producer({"bootstrap.servers": self._kafka.bootstrap_servers, "partitioner": "murmur2_random"})
        count = 0
        failures: list[Any] = []
        for count, value in enumerate(values, 1):
            produce_waiting(
                producer,
                self.input,
                value,
                key=str(count - 1),
                on_delivery=lambda error, _: failures.append(error) if error else None,
                partition=-1 if partitions is None else (count - 1) % partitions,
            )
        assert producer.flush(60) == 0
        assert not failures, failures[0]
        return count

    def read(self, topic: str) -> list[Message]:
        """Every committed record of a topic, partition by partition, up to its present end."""
        return read_to_end(self._kafka.bootstrap_servers, topic)

    def committed(self) -> dict[int, int]:
        """Next offsets the group has committed that are not zero, by partition of the input topic."""
        offsets = committed_offsets(self._kafka.bootstrap_servers, self.group, self.input)
        return {partition: offset for partition, offset in offsets.items() if offset}

    def end(self) -> dict[int, int]:
        """End offsets of the input topic that are not zero, by partition."""
        return {p: end for p, end in end_offsets(self._kafka.bootstrap_servers, self.input).items() if end}

    def is_done(self) -> bool:
        """Whether the group has committed all of the input topic."""
        return self.committed() == self.end()


def produce_waiting(producer: Producer, topic: str, value: bytes | None, **options: Any) -> None:
    """Produce a record, waiting while the client's queue is full, and serve delivery reports."""
    while True:
        try:
            producer.produce(topic, value, **options)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def comments(count: int, start: int = 0) -> list[bytes]:
    """Comments with ids `c-<number>`; the keyword classifier flags some of them."""
    words: Sequence[str] = ("good morning", "you stupid jerk", "I will hurt you", "thanks, that helped")
    return [b'{"id":"c-%d","text":"%b"}' % (n, words[n % len(words)].encode()) for n in range(start, start + count)]
