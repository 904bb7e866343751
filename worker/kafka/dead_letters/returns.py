"""Sends dead letters back: together, or one by one if their topic refuses a whole request because of one of them."""

from functools import partial
from typing import NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Message, Producer

from worker.errors import Fatal
from worker.events.dead_letter import REPLAY_COUNT_HEADER, TIMESTAMP_HEADER, strip_failure
from worker.events.headers import headers_of
from worker.kafka.client.error_codes import REFUSED, describe, error_of, refused
from worker.kafka.client.producing import produce
from worker.kafka.client.properties import make_client, producer_properties
from worker.kafka.client.rights import Right
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.delivery.refusals import REFUSALS
from worker.settings import Settings
from worker.types import Outgoing


class RefusedReturn(NamedTuple):
    """A letter that its topic refuses, whatever it is sent with.

    Attributes:
        letter: The letter, which stays where it is.
        topic: The topic it was sent to.
        reason: The broker's error.
    """

    letter: DeadLetter
    topic: str
    reason: str


class Returns:
    """The producer of replayed records; every delivery report is checked.

    Args:
        settings: The worker's settings.

    Raises:
        SettingsInvalid: librdkafka rejects a property.
    """

    def __init__(self, settings: Settings) -> None:
        self._suspects: list[RefusedReturn] = []
        self._failure: Fatal | None = None
        self._producer: Producer = make_client(Producer, producer_properties(settings))

    def send_record(self, record: Outgoing) -> None:
        """Start sending a record that is not in the dead letter topic as it stands, such as a corrected one.

        Raises:
            Fatal: This record, or an earlier one, can't be delivered.
        """

        def report(error: KafkaError | None, _: Message) -> None:
            if error is not None and self._failure is None:
                self._failure = _undelivered(error, record.topic)

        try:
            produce(self._producer, record, report, self._producer.poll)
        except KafkaException as error:
            self._failure = self._failure or _undelivered(error_of(error), record.topic)
        self._producer.poll(0)
        self._raise_failure()

    def send(self, letter: DeadLetter, topic: str) -> None:
        """Start sending a letter back.

        Raises:
            Fatal: This letter, or an earlier one, can't be delivered, for a reason that does not lie in the letter.
        """
        report = partial(self._serve_report, letter, topic)
        try:
            produce(self._producer, as_it_was(letter, topic), report, self._producer.poll)
        except KafkaException as error:
            self._take_in(letter, topic, error_of(error))
        self._producer.poll(0)
        self._raise_failure()

    def settle(self) -> list[RefusedReturn]:
        """Wait until the broker has answered for every letter sent; return those it refuses even when sent alone.

        Raises:
            Fatal: A letter can't be delivered, for a reason that does not lie in the letter.
        """
        self._flush()
        suspects, self._suspects = self._suspects, []
        for suspect in suspects:
            self.send(suspect.letter, suspect.topic)
            self._flush()
        refused_alone, self._suspects = self._suspects, []
        return refused_alone

    def _flush(self) -> None:
        self._producer.flush()  # bounded by delivery.timeout_seconds, after which each record is reported
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _serve_report(self, letter: DeadLetter, topic: str, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._take_in(letter, topic, error)

    def _take_in(self, letter: DeadLetter, topic: str, error: KafkaError) -> None:
        """Record an error: one with this letter, or one that affects all."""
        if error.code() in REFUSALS:
            self._suspects.append(RefusedReturn(letter, topic, describe(error)))
        elif self._failure is None:
            self._failure = _undelivered(error, topic)


def as_it_was(letter: DeadLetter, topic: str) -> Outgoing:
    """The record as it was read, timestamp included, with its replay count raised by one."""
    record, received = letter.record, headers_of(letter.record)
    headers = [h for h in strip_failure(received) if h[0] != REPLAY_COUNT_HEADER]
    headers.append((REPLAY_COUNT_HEADER, b"%d" % (letter.replays + 1)))
    kind, milliseconds = record.timestamp()
    timestamp = 0 if kind == TIMESTAMP_NOT_AVAILABLE else max(0, milliseconds)
    original = next((value for name, value in reversed(received) if name == TIMESTAMP_HEADER), None)
    if original is not None and original.isdigit():
        timestamp = int(original)  # the letter could not carry it: its topic refused it
    return Outgoing(topic, record.key(), record.value(), headers, timestamp)


def _undelivered(error: KafkaError, topic: str) -> Fatal:
    if error.code() in REFUSED:
        return refused(error, f"to let this client write to {topic}", Right("Write", "topic", topic))
    return Fatal(
        f"a dead letter could not be sent back to {topic} ({describe(error)}). All are still in the dead letter topic; "
        "those before it may have been sent and would be sent twice"
    )
