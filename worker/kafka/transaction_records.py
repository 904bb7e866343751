"""The records of a transaction, and what takes the place of those that are too large.

The broker refuses a whole request for one large record in it, and the transaction fails. When it is made again, each
record of that request is sent alone: those refused then are too large indeed, and the third time a dead letter goes in
the place of each.
"""

from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from worker.kafka.faults import TOO_LARGE, error_of
from worker.kafka.oversize import dead_letter_of
from worker.kafka.transactional_producer import TransactionalProducer, not_taken
from worker.outcome import Assignment, Outcome
from worker.protocols import Encode, Outgoing

_Position = tuple[Assignment, int | None]


class TransactionRecords:
    """Adds outcomes to a transaction, and remembers from one attempt to the next which were too large.

    Args:
        encode: From an outcome to its record.
        dead_letter_topic: Where what is too large goes.
    """

    def __init__(self, encode: Encode, dead_letter_topic: str) -> None:
        self._encode = encode
        self._dead_letter_topic = dead_letter_topic
        self._suspects: set[_Position] = set()
        self._too_large: dict[_Position, Outgoing] = {}

    def add(self, producer: TransactionalProducer, outcome: Outcome) -> None:
        """Add an outcome's record to the open transaction of this producer.

        Raises:
            Fatal: Its dead letter is too large too.
            TransactionFailed: The producer takes no more.
        """
        position = (outcome.assignment, outcome.record.offset())
        alone = position in self._suspects
        if alone:
            producer.flush()
        while True:
            outgoing = self._outgoing(outcome, position)
            if outgoing is None:
                return
            try:
                producer.produce(outgoing, partial(self._serve_report, position, outgoing, alone))
                break
            except KafkaException as fault:
                if error_of(fault).code() != TOO_LARGE:
                    raise not_taken(error_of(fault)) from None
                self._too_large[position] = outgoing
        if alone:
            producer.flush()

    def end(self) -> None:
        """The transaction is over: the next one has other records."""
        self._suspects.clear()
        self._too_large.clear()

    def _outgoing(self, outcome: Outcome, position: _Position) -> Outgoing | None:
        """The outcome's record, or a dead letter if that was too large; Fatal if both were."""
        refused = self._too_large.get(position)
        if refused is not None:
            outcome = dead_letter_of(outcome, refused, self._dead_letter_topic)
        return self._encode(outcome)

    def _serve_report(
        self, position: _Position, outgoing: Outgoing, alone: bool, error: KafkaError | None, _: Message
    ) -> None:
        """Only what was too large matters: any other failed delivery fails the transaction by itself."""
        if error is None or error.code() != TOO_LARGE:
            return
        if alone:
            self._too_large[position] = outgoing
        else:
            self._suspects.add(position)
