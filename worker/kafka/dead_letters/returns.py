"""The way back of dead letters: sent together, and alone where their topic refuses a whole request for one of them."""

from functools import partial
from typing import NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Message, Producer

from worker.errors import Fatal
from worker.events.dead_letter import REPLAY_COUNT_HEADER, strip_failure
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
    """A letter that its topic does not take back, whatever it is sent along with.

    Attributes:
        letter: It stays where it is.
        topic: What it was sent to.
        reason: The broker's error.
    """

    letter: DeadLetter
    topic: str
    reason: str


class Returns:
    """The producer of replayed records; every delivery report is looked at.

    Args:
        settings: The worker's settings.

    Raises:
        SettingsInvalid: A property is refused.
    """

    def __init__(self, settings: Settings) -> None:
        self._suspects: list[RefusedReturn] = []
        self._failure: Fatal | None = None
        self._producer: Producer = make_client(Producer, producer_properties(settings))

    def send(self, letter: DeadLetter, topic: str) -> None:
        """Begin to send a letter back.

        Raises:
            Fatal: This one, or one before it, can't be delivered, for a reason that is not its own.
        """
        report = partial(self._serve_report, letter, topic)
        try:
            produce(self._producer, _as_it_was(letter, topic), report, self._producer.poll)
        except KafkaException as error:
            self._take_in(letter, topic, error_of(error))
        self._producer.poll(0)
        self._raise_failure()

    def settle(self) -> list[RefusedReturn]:
        """Wait until the broker has answered for all that was sent; the letters that it does not take even alone.

        Raises:
            Fatal: Some letter can't be delivered, for a reason that is not its own.
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
        """What a letter was answered with: something against it, or against all."""
        if error.code() in REFUSALS:
            self._suspects.append(RefusedReturn(letter, topic, describe(error)))
        elif self._failure is None:
            self._failure = _undelivered(error, topic)


def _as_it_was(letter: DeadLetter, topic: str) -> Outgoing:
    """The record as it was read, with one more hop counted."""
    record = letter.record
    headers = [h for h in strip_failure(headers_of(record)) if h[0] != REPLAY_COUNT_HEADER]
    headers.append((REPLAY_COUNT_HEADER, b"%d" % (letter.replays + 1)))
    kind, milliseconds = record.timestamp()
    timestamp = 0 if kind == TIMESTAMP_NOT_AVAILABLE else max(0, milliseconds)
    return Outgoing(topic, record.key(), record.value(), headers, timestamp)


def _undelivered(error: KafkaError, topic: str) -> Fatal:
    if error.code() in REFUSED:
        return refused(error, f"to let this client write to {topic}", Right("Write", "topic", topic))
    return Fatal(
        f"a dead letter could not be sent back to {topic} ({describe(error)}). All are still in the dead letter topic; "
        "those before it may have been sent and would be sent twice"
    )
