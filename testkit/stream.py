"""Fills topics and reads them to their end, as a test's producer and reader."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from testkit.kafka import Kafka, eventually

READ_SECONDS = 120

_NO_COORDINATOR_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError._WAIT_COORD,
        KafkaError._TIMED_OUT,
    }
)


class Topics:
    """Names of a fresh trio of topics and a group on a broker."""

    def __init__(self, kafka: Kafka, partitions: int = 4, **config: str) -> None:
        self._kafka = kafka
        name = f"t{uuid.uuid4().hex[:10]}"
        self.input = kafka.create_topic(f"{name}-in", partitions)
        self.output = kafka.create_topic(f"{name}-out", partitions, config)
        self.dead_letters = kafka.create_topic(f"{name}-dlq", partitions)
        self.group = f"{name}-group"

    @property
    def settings(self) -> dict[str, object]:
        """Settings that point a worker here."""
        return {
            "input.topic": self.input,
            "output.topic": self.output,
            "dead_letters.topic": self.dead_letters,
            "kafka.group_id": self.group,
        }

    def fill(self, values: Iterable[bytes | None], partitions: int | None = None) -> int:
        """Produce values to the input topic, keyed by their number; how many."""
        producer = Producer({"bootstrap.servers": self._kafka.bootstrap_servers, "partitioner": "murmur2_random"})
        count = 0
        failures: list[Any] = []
        for count, value in enumerate(values, 1):
            partition = -1 if partitions is None else (count - 1) % partitions
            while True:
                try:
                    producer.produce(
                        self.input,
                        value,
                        key=str(count - 1),
                        on_delivery=lambda error, _: failures.append(error) if error else None,
                        partition=partition,
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(60) == 0
        assert not failures, failures[0]
        return count

    def read(self, topic: str, isolation: str = "read_committed") -> list[Message]:
        """Every record of a topic, partition after partition, up to its end as of now.

        A reader of committed records comes to an end where the oldest open transaction begins. The one that a killed
        worker left is ended by the coordinator only when its time is over, so what comes after it is waited for.
        """
        ends = self._ends(topic)
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka.bootstrap_servers,
                "group.id": f"reader-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "isolation.level": isolation,
            }
        )
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
            messages: list[Message] = []
            while ends:
                message = consumer.poll(READ_SECONDS)
                assert message is not None, "the broker does not answer, or a transaction does not end"
                partition, offset = message.partition() or 0, message.offset() or 0
                if message.error() is None:
                    messages.append(message)
                elif offset >= ends.get(partition, 0):
                    ends.pop(partition, None)
            return messages
        finally:
            consumer.close()

    def committed(self) -> dict[int, int]:
        """Next offsets the group has committed, by partition of the input topic."""
        consumer = Consumer({"bootstrap.servers": self._kafka.bootstrap_servers, "group.id": self.group})
        try:
            partitions = consumer.list_topics(self.input, timeout=30).topics[self.input].partitions
            asked = [TopicPartition(self.input, p) for p in partitions]
            found: list[TopicPartition] = []

            def answered() -> bool:
                try:
                    found[:] = consumer.committed(asked, timeout=30)
                except KafkaException as error:
                    if error.args[0].code() not in _NO_COORDINATOR_YET:
                        raise
                    return False  # a new broker's coordinator is still being made
                return True

            assert eventually(answered, READ_SECONDS), "no coordinator answers"
            return {p.partition: p.offset for p in found if p.offset >= 0}
        finally:
            consumer.close()

    def end(self) -> dict[int, int]:
        """End offsets of the input topic that are not zero, by partition."""
        return {partition: end for partition, end in self._ends(self.input).items() if end}

    def _ends(self, topic: str) -> dict[int, int]:
        """Offset after the last record of each partition, records of open transactions included."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka.bootstrap_servers,
                "group.id": self.group,
                "isolation.level": "read_uncommitted",
            }
        )
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in partitions}
        finally:
            consumer.close()

    def is_done(self) -> bool:
        """True when the group has committed all of the input topic."""
        return self.committed() == self.end()


def comments(count: int, start: int = 0) -> list[bytes]:
    """Comments with ids `c-<number>`, some of which the keyword classifier flags."""
    words: Sequence[str] = ("good morning", "you stupid jerk", "I will hurt you", "thanks, that helped")
    return [b'{"id":"c-%d","text":"%b"}' % (n, words[n % len(words)].encode()) for n in range(start, start + count)]
