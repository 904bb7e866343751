"""Sends comments to the input topic: `sluice produce` and the demo."""

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.comments.file_comment import FileComment, Layout
from worker.documents.comment_reader import CommentReader, PassedOver
from worker.documents.unreadable import Unreadable
from worker.errors import Fatal, SettingsInvalid
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import describe, error_of
from worker.kafka.client.producing import produce
from worker.kafka.client.properties import make_client, producer_properties
from worker.settings import Settings
from worker.types import Outgoing

_SETTLE_WAIT_SECONDS = 0.2


def _home(settings: Settings) -> str:
    """The topic that comments are sent to: the first of several.

    Raises:
        SettingsInvalid: A pattern names the input topics.
    """
    if settings.input.is_pattern:
        message = f"input.topic = {settings.input.topic} is a pattern: name the topic to send to with --input-topic"
        raise SettingsInvalid(message)
    return settings.input.topics[0]


class CommentSender:
    """A producer of comments, keyed by their id as a Java producer would; every delivery report is checked.

    Attributes:
        sent: Comments handed to the producer.
        delivered: Comments the broker has acknowledged.
        topic: The topic they are sent to.
        passed_over: Comments sent for which the worker publishes nothing, since they do not meet `input.where`.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The input topic does not exist, or the broker refuses this client.
        SettingsInvalid: `kafka.properties` holds a property that can't be set, or `input.topic` is a pattern.
    """

    def __init__(self, settings: Settings) -> None:
        self.sent = 0
        self.delivered = 0
        self.passed_over = 0
        self.topic = _home(settings)
        self._reader = CommentReader(settings.input)
        self._layout = Layout(settings.input)
        self._failure: KafkaError | None = None
        errors = ConnectionErrors()
        self._producer: Producer = make_client(Producer, producer_properties(settings), error_cb=errors.serve)
        if self.topic not in list_topics(self._producer, settings, errors).topics:
            message = f"topic {self.topic} does not exist; `sluice topics` creates it"
            raise Fatal(message)

    def send(self, comment: FileComment) -> None:
        """Hand one comment to the producer, waiting while its queue is full.

        Raises:
            Fatal: This comment, or one before it, could not be delivered.
            SettingsInvalid: The worker could not read the comment: its id is of another kind, for example, or a JSON
                pointer leads through a value of the comment that can't hold another.
        """
        try:
            self.send_value(comment.id.encode(), self._value(comment))
        except KafkaException as error:
            message = f"the comment of line {comment.line} could not be sent: {describe(error_of(error))}"
            raise Fatal(message) from None

    def send_value(self, key: bytes, value: bytes) -> None:
        """Hand one record to the producer, as it is.

        Raises:
            KafkaException: The producer does not take it.
            Fatal: A record before it could not be delivered.
        """
        produce(self._producer, Outgoing(self.topic, key, value, [], 0), self._report, self.serve)
        self.sent += 1
        self.serve()

    def _value(self, comment: FileComment) -> bytes:
        try:
            found = self._reader.read(comment.document(self._layout))
            value = comment.value(self._layout)
        except (ValueError, Unreadable) as error:
            message = f"the comment of line {comment.line} cannot be sent so that the worker reads it: {error}"
            raise SettingsInvalid(message) from None
        self.passed_over += isinstance(found, PassedOver)
        return value

    def serve(self, timeout_seconds: float = 0.0) -> None:
        """Serve the delivery reports that have arrived.

        Raises:
            Fatal: A comment could not be delivered.
        """
        self._producer.poll(timeout_seconds)
        if self._failure is not None:
            message = (
                f"a comment could not be delivered to {self.topic}: {describe(self._failure)}. "
                f"{self.delivered} of {self.sent} comments were delivered"
            )
            raise Fatal(message)

    def settle(self) -> int:
        """Wait briefly for reports; return how many are still missing. The producer's own deadline ends each of them.

        Raises:
            Fatal: A comment could not be delivered.
        """
        if self.sent > self.delivered:
            self._producer.flush(_SETTLE_WAIT_SECONDS)
            self.serve()
        return self.sent - self.delivered

    def close(self) -> None:
        """Drop what is still queued. Safe to call twice."""
        self._producer.purge()
        self._producer.flush(_SETTLE_WAIT_SECONDS)

    def _report(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.delivered += 1
        elif self._failure is None:
            self._failure = error
