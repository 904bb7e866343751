"""Reads what is in a topic and what a group has committed, with a new client for each question."""

import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from testkit.kafka import eventually

LIMIT_SECONDS = 240.0
_ANSWER_SECONDS = 30.0

_NO_COORDINATOR_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError._WAIT_COORD,
        KafkaError._TIMED_OUT,
    }
)


def read_to_end(servers: str, topic: str, *, isolation: str = "read_committed") -> list[Any]:
    """Every record of a topic up to its present end, partition by partition.

    A reader of committed records stops where the oldest open transaction begins. The coordinator ends the transaction
    of a killed worker only at its timeout, and answers a commit before its markers are in every partition; so this
    waits until it has read up to the end that a reader of uncommitted records sees now.
    """
    ends = end_offsets(servers, topic)
    consumer = _consumer(servers, {"enable.partition.eof": True, "isolation.level": isolation})
    found: list[Any] = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        deadline = time.monotonic() + LIMIT_SECONDS
        while ends:
            assert time.monotonic() < deadline, f"{topic}: the broker does not answer, or a transaction does not end"
            for message in consumer.consume(1000, 0.1):
                error = message.error()
                partition, offset = message.partition() or 0, message.offset() or 0
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF and offset >= ends.get(partition, 0):
                    ends.pop(partition, None)
    finally:
        consumer.close()
    return sorted(found, key=lambda message: (message.partition(), message.offset()))


def end_offsets(servers: str, topic: str) -> dict[int, int]:
    """The offset after the last record of each partition, records of open transactions included."""
    consumer = _consumer(servers, {"isolation.level": "read_uncommitted"})
    try:
        partitions = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        return {
            p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=_ANSWER_SECONDS)[1]
            for p in sorted(partitions)
        }
    finally:
        consumer.close()


def committed_offsets(servers: str, group: str, topic: str) -> dict[int, int]:
    """The next offsets that a group has committed, by partition; partitions without a commit are left out."""
    with CommittedOffsets(servers, group, topic) as committed:
        return committed.read()


class CommittedOffsets:
    """Asks for a group's committed offsets again and again over one connection; a context manager."""

    def __init__(self, servers: str, group: str, topic: str) -> None:
        self._consumer = _consumer(servers, {}, group)
        partitions = self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        self._asked = [TopicPartition(topic, partition) for partition in partitions]

    def read(self) -> dict[int, int]:
        """The next offsets, by partition, without those of partitions that have no commit."""
        found: list[TopicPartition] = []

        def answered() -> bool:
            try:
                found[:] = self._consumer.committed(self._asked, timeout=_ANSWER_SECONDS)
            except KafkaException as error:
                if error.args[0].code() not in _NO_COORDINATOR_YET:
                    raise
                return False  # the coordinator of a new broker is still being elected
            return True

        assert eventually(answered, LIMIT_SECONDS), "no coordinator answers"
        return {p.partition: p.offset for p in found if p.offset >= 0}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()


def _consumer(servers: str, properties: Mapping[str, Any], group: str | None = None) -> Consumer:
    """A consumer that joins no group; `group` only names whose offsets it asks for."""
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group or f"reader-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 20,
            "log_level": 0,
            **properties,
        }
    )
