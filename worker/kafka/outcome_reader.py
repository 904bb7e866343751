"""Follows the worker's output: label events and dead letters. Joins no group and commits nothing."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition

from schemas.label import LabelEvent
from worker.errors import Fatal
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import describe, refused
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.rights import Right
from worker.kafka.dead_letters.reader import DeadLetter, dead_letter
from worker.settings import Settings
from worker.types import Record

_READ_AT_ONCE = 500


class Published(NamedTuple):
    """A label event, and the bytes it came in."""

    event: LabelEvent
    value: bytes


class OutcomeReader:
    """Reads the output topic and, on request, the dead letters, as records arrive.

    Args:
        settings: Where the broker is and what the topics are called.
        dead_letters: Read the dead letters as well.
        from_start: Start with the records already there, not with the next to arrive.
        read_event: The JSON of a label event's record, or a `ValueError`; by default the record's value.

    Attributes:
        unreadable: Records of the output topic that were skipped because they are not label events.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: A topic does not exist, or the broker refuses this client.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        dead_letters: bool,
        from_start: bool,
        read_event: Callable[[Record], bytes] = lambda record: record.value() or b"",
    ) -> None:
        self.unreadable = 0
        self._read_event = read_event
        self._dead_letters = settings.dead_letters.topic
        topics = [settings.output.topic, *([self._dead_letters] if dead_letters else [])]
        properties = client_properties(settings) | {
            "group.id": settings.kafka.group_id,  # required of every consumer; none is joined
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
        errors = ConnectionErrors()
        self._consumer: Consumer = make_client(Consumer, properties, error_cb=errors.serve)
        try:
            offset = OFFSET_BEGINNING if from_start else OFFSET_END
            self._consumer.assign(
                [TopicPartition(topic, number, offset) for topic, number in self._partitions(settings, topics, errors)]
            )
        except BaseException:
            self._consumer.close()
            raise

    def read(self, timeout_seconds: float) -> list[Published | DeadLetter]:
        """The records that have arrived, waiting up to the timeout for the first.

        Raises:
            Fatal: A topic can't be read.
        """
        found: list[Published | DeadLetter] = []
        polled: list[Any] = self._consumer.consume(_READ_AT_ONCE, timeout_seconds)  # a Message is a Record
        for record in polled:
            error = record.error()
            if error is not None:
                if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    topic = str(record.topic())
                    raise refused(error, f"to let this client read {topic}", Right("Read", "topic", topic))
                if not error.fatal():
                    continue  # the client carries on; a topic that can't be read at all is not found at the start
                message = f"{record.topic()} can't be read: {describe(error)}"
                raise Fatal(message)
            if (outcome := self._outcome(record)) is not None:
                found.append(outcome)
        return found

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()

    def _outcome(self, record: Record) -> Published | DeadLetter | None:
        if record.topic() == self._dead_letters:
            return dead_letter(record)
        if record.value() is None:
            return None  # a deletion that was forwarded
        try:
            value = self._read_event(record)
            return Published(LabelEvent.model_validate_json(value), value)
        except ValueError:  # pydantic's is one
            self.unreadable += 1
            return None

    def _partitions(self, settings: Settings, topics: Sequence[str], errors: ConnectionErrors) -> list[tuple[str, int]]:
        described = list_topics(self._consumer, settings, errors).topics
        if absent := [topic for topic in topics if topic not in described]:
            message = f"topic {', '.join(absent)} does not exist; `sluice topics` creates it"
            raise Fatal(message)
        return [(topic, number) for topic in topics for number in described[topic].partitions]
