"""The records of a transaction, and what takes the place of those that are too large.

The broker refuses a whole request for one large record in it, and the transaction fails. When it is made again, each
record of that request is sent alone: one refused then is too large indeed, and so is one that was the only one of its
request from the start. The next time a dead letter goes in its place.
"""

from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from worker.events.record_too_large import dead_letter_of
from worker.kafka.client.error_codes import TOO_LARGE, error_of
from worker.kafka.delivery.transactional_producer import TransactionalProducer, not_taken
from worker.protocols import Encode
from worker.types import Assignment, Outcome, Outgoing

_REPORT_POLL_SECONDS = 0.05

_Position = tuple[Assignment, int | None]


@dataclass(slots=True)
class _Attempt:
    """What was reported of one attempt's records.

    Attributes:
        failure: The first error; None while there is none.
        refused: Records that were too large, alone or with those of their request.
        alone: True once one of them was sent alone.
    """

    failure: KafkaError | None = None
    refused: dict[_Position, Outgoing] = field(default_factory=dict)
    alone: bool = False


class TransactionRecords:
    """Adds outcomes to a transaction, and remembers from one attempt to the next which were too large.

    Args:
        encode: From an outcome to its record.
        dead_letter_topic: Where what is too large goes.
    """

    def __init__(self, encode: Encode, dead_letter_topic: str) -> None:
        self._encode = encode
        self._dead_letter_topic = dead_letter_topic
        self._attempt = _Attempt()
        self._suspects: set[_Position] = set()
        self._too_large: dict[_Position, Outgoing] = {}

    def begin(self) -> None:
        """The first attempt at a transaction begins, or another one after a failure."""
        before, self._attempt = self._attempt, _Attempt()
        if before.alone or len(before.refused) == 1:
            self._too_large |= before.refused
        else:
            self._suspects |= before.refused.keys()

    def add(self, producer: TransactionalProducer, outcome: Outcome) -> Outcome:
        """Add an outcome's record to the open transaction of this producer; the outcome, or the rejection in its place.

        Raises:
            Fatal: Its dead letter is too large too.
            TransactionFailed: The producer takes no more.
        """
        position = (outcome.assignment, outcome.record.offset())
        alone = position in self._suspects
        if alone:
            self._wait_for_reports(producer)
        while True:
            outcome = self._unless_too_large(outcome, position)
            outgoing = self._encode(outcome)
            if outgoing is None:
                return outcome
            try:
                producer.produce(outgoing, partial(self._serve_report, self._attempt, position, outgoing))
                break
            except KafkaException as fault:
                if error_of(fault).code() != TOO_LARGE:
                    raise not_taken(error_of(fault)) from None
                self._too_large[position] = outgoing
        if alone:
            self._attempt.alone = True
            self._wait_for_reports(producer)
            self._attempt.alone = False
        return outcome

    def raise_failure(self) -> None:
        """Raise if a record could not be delivered: librdkafka keeps those behind it until they time out.

        Raises:
            TransactionFailed: One could not.
            Fatal: The broker refuses this principal.
        """
        if self._attempt.failure is not None:
            raise not_taken(self._attempt.failure)

    def end(self) -> None:
        """The transaction is over: the next one has other records."""
        self._attempt = _Attempt()
        self._suspects.clear()
        self._too_large.clear()

    def _wait_for_reports(self, producer: TransactionalProducer) -> None:
        """Until every record added so far is reported: bounded by `delivery.timeout.ms`."""
        while producer.undelivered:
            producer.poll(_REPORT_POLL_SECONDS)
            self.raise_failure()

    def _unless_too_large(self, outcome: Outcome, position: _Position) -> Outcome:
        """The outcome, or its rejection if its record was too large; Fatal if that one's record was, too."""
        refused = self._too_large.get(position)
        return outcome if refused is None else dead_letter_of(outcome, refused, self._dead_letter_topic)

    @staticmethod
    def _serve_report(
        attempt: _Attempt, position: _Position, outgoing: Outgoing, error: KafkaError | None, _: Message
    ) -> None:
        """All records of one request are reported together, before anything is read of the attempt."""
        if error is None:
            return
        attempt.failure = attempt.failure or error
        if error.code() == TOO_LARGE:
            attempt.refused[position] = outgoing
