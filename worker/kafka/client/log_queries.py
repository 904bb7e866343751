"""Queries about topics' logs and a group's offsets in them, answered without blocking the caller.

The consumer's own calls block, and answer from metadata that may be minutes old; those of an admin client ask a broker
each time and return futures. The group's offsets are the exception: an admin client that asks for them crashes the
process if their coordinator has just moved (librdkafka#5040), so a consumer that joins no group asks, on a thread.

Each answer has a deadline of our own. librdkafka removes a broker that leaves the cluster while a request waits for it,
and that request is then never answered, not even by its timeout (2.16.0, seen with the old leader after an election). A
client whose request has timed out is replaced: it would go on asking the broker that was the controller when it looked.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from worker.kafka.client.error_codes import error_of
from worker.kafka.client.properties import client_properties, consumer_properties, make_client
from worker.protocols import Clock
from worker.settings import Settings
from worker.types import Partition

REQUEST_SECONDS = 5.0
ANSWER_SECONDS = 2 * REQUEST_SECONDS
"""How long an answer is waited for; the request's own timeout should end it before."""

_NO_ID = frozenset({"", "None", "AAAAAAAAAAAAAAAAAAAAAA"})
"""The zero id comes from brokers before 2.8, which have no topic ids."""

_QUIET = {"log_level": 0}
"""The consumer already reports problems with the same connections; reporting them twice would be noise."""


class LogEnds(NamedTuple):
    """The offsets at which a partition's log begins, and at which its readable part currently ends."""

    first: int
    end: int


class Answer:
    """What a query returns: done when the broker has answered, or when there is no point in waiting any longer.

    Args:
        future: Where the client puts the broker's answer.
        clock: Returns monotonic seconds.
        give_up: Called once, when the request has timed out or the deadline has passed.
    """

    def __init__(self, future: Future[Any], clock: Clock, give_up: Callable[[], None] = lambda: None) -> None:
        self._future = future
        self._clock = clock
        self._give_up: Callable[[], None] | None = give_up
        self._until = clock() + ANSWER_SECONDS
        self._is_over = False

    def done(self) -> bool:
        """Whether `result` returns or raises at once."""
        if not self._is_over and (self._future.done() or self._clock() >= self._until):
            self._is_over = True
            give_up, self._give_up = self._give_up, None  # it refers to the client, which must not live on with this
            if give_up is not None and self._timed_out():
                give_up()
        return self._is_over

    def _timed_out(self) -> bool:
        if not self._future.done():
            return True
        error = self._future.exception()
        return isinstance(error, KafkaException) and error_of(error).code() == KafkaError._TIMED_OUT

    def result(self, timeout_seconds: float = 0.0) -> Any:
        """The broker's answer.

        Raises:
            KafkaException: The query failed, or its deadline has passed.
            TimeoutError: There is no answer within `timeout_seconds`; there may be one later.
        """
        if self.done() and not self._future.done():
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return self._future.result(timeout_seconds)


class LogQueries:
    """Queries about topics and the worker's group.

    Args:
        settings: Names the cluster and the group.
        clock: Returns monotonic seconds.

    Raises:
        SettingsInvalid: librdkafka rejects a property.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._properties = client_properties(settings) | _QUIET
        # All of the worker's own: what a user gives, such as a short max.poll.interval.ms or a small
        # receive.message.max.bytes, suits these and may not suit librdkafka's defaults.
        self._group_properties = {
            **consumer_properties(settings),
            **_QUIET,
            "statistics.interval.ms": 0,
            "isolation.level": "read_uncommitted",  # the offsets of an open transaction are not waited for
        }
        self._admin = self._new_client()

    def _new_client(self) -> AdminClient:
        client: AdminClient = make_client(AdminClient, self._properties, error_cb=lambda _: None)
        return client

    def describe(self, topics: Iterable[str]) -> dict[str, Answer]:
        """Each topic's description, a `confluent_kafka.admin.TopicDescription`, by one request for at least one topic.

        A topic that does not exist, or that this principal may not describe, fails by itself.
        """
        admin = self._admin
        admin.poll(0)  # serves the client's callbacks, which would pile up otherwise
        described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=REQUEST_SECONDS)
        return {topic: self._answer(admin, future) for topic, future in described.items()}

    def ends(self, partitions: Iterable[Partition]) -> "LogEndsAnswer":
        """Where these partitions begin and end."""
        asked = [TopicPartition(*partition) for partition in partitions]
        limits = {"request_timeout": REQUEST_SECONDS, "isolation_level": IsolationLevel.READ_COMMITTED}
        first: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # untyped in the package
        end: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call] # untyped in the package
        return LogEndsAnswer(
            self._answers(self._admin.list_offsets(dict.fromkeys(asked, first), **limits)),
            self._answers(self._admin.list_offsets(dict.fromkeys(asked, end), **limits)),
        )

    def group_offsets(self, partitions: Iterable[Partition]) -> Answer:
        """The group's committed offsets, `TopicPartition`s of those partitions that have one."""
        asked = [TopicPartition(*partition) for partition in partitions]
        future: Future[list[TopicPartition]] = Future()
        Thread(target=self._ask_group, args=(asked, future), name="group-offsets", daemon=True).start()
        return Answer(future, self._clock)

    def _answers(self, futures: Mapping[TopicPartition, Future[Any]]) -> dict[Partition, Answer]:
        return {(p.topic, p.partition): self._answer(self._admin, future) for p, future in futures.items()}

    def _answer(self, client: AdminClient, future: Future[Any]) -> Answer:
        return Answer(future, self._clock, lambda: self._replace(client))

    def _replace(self, client: AdminClient) -> None:
        if client is self._admin:  # else another query of the same client has been given up before
            self.renew()

    def renew(self) -> None:
        """Ask with a new client from now on, which knows only brokers that are there and logs that exist."""
        replaced = [self._admin]
        self._admin = self._new_client()
        Thread(target=replaced.clear, name="replaced-client", daemon=True).start()  # its destruction may block

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
    """The answer to `LogQueries.ends`, complete once every part of it has arrived or been given up."""

    def __init__(self, first: Mapping[Partition, Answer], end: Mapping[Partition, Answer]) -> None:
        self._first = first
        self._end = end

    def done(self) -> bool:
        """Whether there is nothing left to wait for."""
        return all(answer.done() for side in (self._first, self._end) for answer in side.values())

    def result(self) -> dict[Partition, LogEnds]:
        """Where each partition begins and ends; those that could not be queried are left out."""
        first, end = _offsets(self._first), _offsets(self._end)
        return {partition: LogEnds(first[partition], end[partition]) for partition in first.keys() & end.keys()}


def topic_id(description: Any) -> str:
    """The id of a described topic; empty for a broker that gives none."""
    found = str(description.topic_id)
    return "" if found in _NO_ID else found


def _offsets(answers: Mapping[Partition, Answer]) -> dict[Partition, int]:
    offsets = {}
    for partition, answer in answers.items():
        try:
            offset = answer.result().offset
        except KafkaException:
            continue
        if offset >= 0:
            offsets[partition] = offset
    return offsets
