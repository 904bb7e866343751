"""Reads label events and dead letters during the faults, as a reader of committed records does."""

import time
import uuid
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin._listoffsets import OffsetSpec

from testkit.kafka import admin_client, eventually
from tests.chaos.oracle import Oracle

_AT_ONCE = 2000
_COMMITTED = IsolationLevel.READ_COMMITTED
_UNCOMMITTED = IsolationLevel.READ_UNCOMMITTED
_END_SECONDS = 120.0


class OutputReader:
    """Passes every record to the oracle, in order, from the topics' beginning."""

    def __init__(self, bootstrap_servers: str, output: str, dead_letters: str, oracle: Oracle) -> None:
        self._judges = {output: oracle.label_event, dead_letters: oracle.dead_letter}
        self._next: dict[tuple[str, int], int] = {}
        self._at_end: set[tuple[str, int]] = set()
        self._servers = bootstrap_servers
        self._consumer = self._new_consumer()
        for topic in self._judges:
            # A broker that is asked may not know yet of a topic that was created through another one, and the next
            # question may go to such a broker again: the answer that has partitions is the one to keep.
            assert eventually(partial(self._find_partitions, topic), _END_SECONDS), f"no topic {topic}"
        self._assign()

    def read(self, timeout_seconds: float) -> int:
        """Read what has come, and return how many records."""
        count = 0
        for message in self._consumer.consume(_AT_ONCE, timeout_seconds):
            where: Any = (message.topic(), message.partition())
            error = message.error()
            if error is None:
                count += 1
                self._next[where] = (message.offset() or 0) + 1
                self._judges[where[0]](message)
            elif error.name() == "_PARTITION_EOF":
                self._at_end.add(where)
            elif error.name() == "_AUTO_OFFSET_RESET":
                message_text = f"the reader's position in {where} is gone: {error.str()}"
                raise AssertionError(message_text)
        return count

    def start_again(self) -> int:
        """Continue at the present positions with a new client, which knows nothing of brokers that went away.

        Returns:
            Offsets that were ready to be read, transactions' markers included: above a few, this reader was at fault.
        """
        try:
            ends = self._ends(_COMMITTED)
        except (KafkaException, FutureTimeout):
            return 0  # no broker answers anybody
        unread = sum(end - self._next[partition.topic, partition.partition] for partition, end in ends.items())
        self._consumer.close()
        self._consumer = self._new_consumer()
        self._assign()
        return unread

    def read_to_the_end(self) -> None:
        """Read all there is; nobody may write any more."""
        # A killed worker's transaction stays open until its timeout, and hides what was committed after it began.
        assert eventually(self._no_transaction_is_open, _END_SECONDS, 0.5), "a transaction stays open"
        self._assign()  # so that the ends are announced again
        deadline = time.monotonic() + _END_SECONDS
        while self._at_end != self._next.keys():
            self.read(0.2)
            assert time.monotonic() < deadline, f"the end was not reached of {self._next.keys() - self._at_end}"

    def close(self) -> None:
        """Release the consumer."""
        self._consumer.close()

    def _new_consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"output-reader-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 32_768,
                "log_level": 0,
            }
        )

    def _find_partitions(self, topic: str) -> bool:
        found = self._consumer.list_topics(topic, timeout=60).topics[topic].partitions
        self._next |= {(topic, partition): 0 for partition in found}
        return bool(found)

    def _no_transaction_is_open(self) -> bool:
        try:
            return self._ends(_COMMITTED) == self._ends(_UNCOMMITTED)
        except (KafkaException, FutureTimeout):
            return False  # asked again

    def _ends(self, level: IsolationLevel) -> dict[TopicPartition, int]:
        # A new client each time: librdkafka keeps the leader epochs it learnt first, and the brokers refuse them after
        # an election, however often they are asked.
        admin = admin_client(self._servers)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # the library has no types for it
        asked = {TopicPartition(topic, partition): latest for topic, partition in self._next}
        answers = admin.list_offsets(asked, isolation_level=level, request_timeout=5)
        ends = {partition: answer.result(10).offset for partition, answer in answers.items()}
        if any(end < self._next[partition.topic, partition.partition] for partition, end in ends.items()):
            # A leader that has just been elected knows its end only when its followers have fetched.
            raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE))
        return ends

    def _assign(self) -> None:
        self._at_end.clear()
        self._consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in self._next.items()])
