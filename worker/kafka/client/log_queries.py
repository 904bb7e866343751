"""Queries about topics' logs and a group's offsets in them, answered without blocking the caller.

The consumer's own calls block, and answer from metadata that may be minutes old; those of an admin client ask a broker
each time and return futures. The group's offsets are the exception: an admin client that asks for them crashes the
process if their coordinator has just moved (librdkafka#5040), so a consumer that joins no group asks, on a thread.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from worker.kafka.client.properties import client_properties, make_client
from worker.settings import Settings
from worker.types import Partition

REQUEST_SECONDS = 5.0
_NO_ID = frozenset({"", "None", "AAAAAAAAAAAAAAAAAAAAAA"})
"""The zero id comes from brokers before 2.8, which have no topic ids."""

_OF_MEMBERS = frozenset({"max.poll.interval.ms", "session.timeout.ms", "heartbeat.interval.ms", "group.instance.id"})

_QUIET = {"log_level": 0}
"""The consumer already reports problems with the same connections; reporting them twice would be noise."""


class LogEnds(NamedTuple):
    """The offsets at which a partition's log begins, and at which its readable part currently ends."""

    first: int
    end: int


class LogQueries:
    """Queries about topics and the worker's group.

    Args:
        settings: Names the cluster and the group.

    Raises:
        SettingsInvalid: librdkafka rejects a property.
    """

    def __init__(self, settings: Settings) -> None:
        properties = client_properties(settings) | _QUIET
        # What a user gives for the membership, such as a short max.poll.interval.ms, may not suit the defaults here.
        self._group_properties = {n: value for n, value in properties.items() if n not in _OF_MEMBERS} | {
            "group.id": settings.kafka.group_id,
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",  # the offsets of an open transaction are not waited for
        }
        self._admin: AdminClient = make_client(AdminClient, properties, error_cb=lambda _: None)

    def describe(self, topic: str) -> Future[Any]:
        """A topic's description, a `confluent_kafka.admin.TopicDescription`."""
        self._admin.poll(0)  # serves the client's callbacks, which would pile up otherwise
        described = self._admin.describe_topics(TopicCollection([topic]), request_timeout=REQUEST_SECONDS)
        future: Future[Any] = described[topic]
        return future

    def ends(self, partitions: Iterable[Partition]) -> "LogEndsAnswer":
        """Where these partitions begin and end."""
        asked = [TopicPartition(*partition) for partition in partitions]
        limits = {"request_timeout": REQUEST_SECONDS, "isolation_level": IsolationLevel.READ_COMMITTED}
        first: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # untyped in the package
        end: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call] # untyped in the package
        return LogEndsAnswer(
            self._admin.list_offsets(dict.fromkeys(asked, first), **limits),
            self._admin.list_offsets(dict.fromkeys(asked, end), **limits),
        )

    def group_offsets(self, partitions: Iterable[Partition]) -> "Future[list[TopicPartition]]":
        """The group's committed offsets, of those partitions that have one."""
        asked = [TopicPartition(*partition) for partition in partitions]
        future: Future[list[TopicPartition]] = Future()
        Thread(target=self._ask_group, args=(asked, future), name="group-offsets", daemon=True).start()
        return future

    def _ask_group(self, asked: list[TopicPartition], future: "Future[list[TopicPartition]]") -> None:
        try:
            consumer: Consumer = make_client(Consumer, self._group_properties, error_cb=lambda _: None)
            try:
                found = consumer.committed(asked, timeout=REQUEST_SECONDS)
            finally:
                consumer.close()
            for partition in found:
                if partition.error is not None:
                    raise KafkaException(partition.error)  # noqa: TRY301 - as a failed call
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result([partition for partition in found if partition.offset >= 0])


class LogEndsAnswer:
    """The answer to `LogQueries.ends`, complete once every part of it has arrived."""

    def __init__(self, first: Mapping[TopicPartition, Future[Any]], end: Mapping[TopicPartition, Future[Any]]) -> None:
        self._first = {(partition.topic, partition.partition): future for partition, future in first.items()}
        self._end = {(partition.topic, partition.partition): future for partition, future in end.items()}

    def done(self) -> bool:
        """Whether the broker has answered."""
        return all(future.done() for side in (self._first, self._end) for future in side.values())

    def result(self) -> dict[Partition, LogEnds]:
        """Where each partition begins and ends; those that could not be queried are left out."""
        first, end = _offsets(self._first), _offsets(self._end)
        return {partition: LogEnds(first[partition], end[partition]) for partition in first.keys() & end.keys()}


def topic_id(description: Any) -> str:
    """The id of a described topic; empty for a broker that gives none."""
    found = str(description.topic_id)
    return "" if found in _NO_ID else found


def _offsets(futures: Mapping[Partition, Future[Any]]) -> dict[Partition, int]:
    offsets = {}
    for partition, future in futures.items():
        try:
            offset = future.result(0).offset
        except KafkaException:
            continue
        if offset >= 0:
            offsets[partition] = offset
    return offsets
