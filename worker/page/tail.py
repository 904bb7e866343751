"""Reads a topic from shortly before its end on, at a bounded pace: of a stream that is faster, a part is passed over.

It joins no group and commits nothing. What it costs the cluster and this process depends on the pace and not on the
topic's rate: when the end has run away, the reader jumps to shortly before it and says how many records it left out.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from worker.errors import Fatal, NoBroker
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import describe, error_of, refused
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.rights import Right
from worker.protocols import Clock
from worker.settings import Settings

READS_PER_SECOND = 4
_WAIT_SECONDS = 1 / READS_PER_SECOND
_CHECK_SECONDS = 15.0
_AT_ONCE_SECONDS = 30.0
_MOST_AT_ONCE = 500
_ASK_SECONDS = 5.0

_GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})  # noqa: SLF001 - librdkafka's own codes

READ_PROPERTIES = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",  # retention may overtake a start before the first fetch
    # What is fetched and then jumped over is traffic for nothing.
    "queued.min.messages": 100,
    "queued.max.messages.kbytes": 2048,
    "fetch.max.bytes": 1024 * 1024,
    "max.partition.fetch.bytes": 256 * 1024,
    # A quiet topic is asked four times a second, not as often as it could be.
    "fetch.wait.max.ms": 250,
}


class Read(NamedTuple):
    """What one look brought.

    Attributes:
        records: `confluent_kafka.Message`s without an error.
        passed_over: Records of the topic that were left out since the look before.
    """

    records: list[Any]
    passed_over: int


class Tail:
    """Reads one topic. Used by one thread.

    Args:
        settings: Where the broker is.
        topic: The topic.
        tail_records: How many of the newest records to begin with, over all partitions.
        most_per_second: Records read in a second, at most, once those are read.
        clock: Monotonic seconds.
        read_to: Where an earlier reader of the topic has got to, by partition: what it has read is not read again.

    Attributes:
        next: Where this reader has got to.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist, or the broker refuses this client.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        *,
        tail_records: int,
        most_per_second: int,
        clock: Clock,
        read_to: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._most = most_per_second
        self._clock = clock
        self._errors = ConnectionErrors()
        self._away = ""
        properties = client_properties(settings) | {"group.id": settings.kafka.group_id} | READ_PROPERTIES
        self._consumer: Consumer = make_client(Consumer, properties, error_cb=self._serve_client_error)
        try:
            ends = self._ends(self._partitions())
            self.next = _starts(ends, tail_records, read_to)
            self._consumer.assign([TopicPartition(topic, number, offset) for number, offset in self.next.items()])
        except BaseException:
            self._consumer.close()
            raise
        self._at_once = sum(end - self.next[number] for number, (_, end) in ends.items())
        self._at_once_until = self._checked_at = clock()
        self._at_once_until += _AT_ONCE_SECONDS

    @property
    def problem(self) -> str:
        """Why there is nothing to read just now; empty while there is no reason."""
        return self._away

    def read(self) -> Read:
        """What has arrived, waiting a quarter of a second for the first.

        Raises:
            NoBroker: The topic is to be opened again: it has other partitions, or no broker answers.
            Fatal: The topic is gone, or can't be read.
        """
        self._check_now_and_then()
        at_once = self._at_once > 0 and self._clock() < self._at_once_until
        passed_over = 0 if at_once else self._jump()
        room = max(1, self._most // READS_PER_SECOND)
        if at_once:
            room = max(room, min(_MOST_AT_ONCE, self._at_once))
        records = [found for found in self._consumer.consume(room, _WAIT_SECONDS) if self._is_record(found)]
        for record in records:
            self.next[record.partition() or 0] = (record.offset() or 0) + 1
        if records:
            self._away = ""
            self._at_once -= len(records)
        return Read(records, passed_over)

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()

    def _jump(self) -> int:
        """Go to shortly before the end where that has run away; how many records that leaves out."""
        ends = {number: self._known_end(number) for number in self.next}
        if sum(max(0, ends[number] - offset) for number, offset in self.next.items()) <= 2 * self._most:
            return 0
        each = max(1, self._most // READS_PER_SECOND // len(self.next))
        passed_over = 0
        for number, offset in list(self.next.items()):
            start = ends[number] - each
            if start > offset:
                self._consumer.seek(TopicPartition(self._topic, number, start))
                passed_over += start - offset
                self.next[number] = start
        return passed_over

    def _known_end(self, number: int) -> int:
        """The end of a partition as of the last fetch; negative while there was none."""
        found = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), cached=True)
        return -1 if found is None else int(found[1])

    def _is_record(self, found: Any) -> bool:
        error = found.error()
        if error is None:
            return True
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise refused(error, f"to let this client read {self._topic}", Right("Read", "topic", self._topic))
        if error.code() in _GONE or error.fatal():
            message = f"topic {self._topic} can't be read: {describe(error)}"
            raise Fatal(message)
        return False  # the client carries on

    def _check_now_and_then(self) -> None:
        """Notice new partitions, and brokers that answer again or no longer."""
        if self._clock() - self._checked_at < _CHECK_SECONDS:
            return
        self._checked_at = self._clock()
        if self._partitions() != sorted(self.next):
            message = f"topic {self._topic} has other partitions now"
            raise NoBroker(message)
        self._away = ""

    def _partitions(self) -> list[int]:
        described = list_topics(self._consumer, self._settings, self._errors, announced=True).topics.get(self._topic)
        if described is None:
            message = f"topic {self._topic} does not exist; `sluice topics` creates it"
            raise Fatal(message)
        return sorted(described.partitions)

    def _ends(self, partitions: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Where each partition begins and ends."""
        ends = {}
        for number in partitions:
            asked = TopicPartition(self._topic, number)
            try:
                ends[number] = self._consumer.get_watermark_offsets(asked, timeout=_ASK_SECONDS)
            except KafkaException as error:
                message = f"{self._topic} can't be read: {describe(error_of(error))}"
                raise NoBroker(message) from None
        return ends

    def _serve_client_error(self, error: KafkaError) -> None:
        self._errors.serve(error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._away = f"no broker of {self._settings.kafka.bootstrap_servers} answers"


def _starts(ends: Mapping[int, tuple[int, int]], tail_records: int, read_to: Mapping[int, int]) -> dict[int, int]:
    each = tail_records // max(1, len(ends))
    starts = {}
    for number, (first, end) in ends.items():
        before = read_to.get(number, 0)
        starts[number] = max(first, end - each, before if before <= end else 0)  # beyond the end: another topic
    return starts
