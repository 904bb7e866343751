"""The records of one transaction, and what it learns about refused ones.

The broker refuses a whole request because of one record in it, and that fails the transaction. If the request had one
record, that record is at fault; otherwise a trial finds those that are (`worker.kafka.delivery.trial`). The transaction
after that sends replacements for them (`worker.events.refused_record`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from worker.events.refused_record import Form, Refusal
from worker.kafka.client.error_codes import error_of
from worker.kafka.delivery.refusals import REFUSALS
from worker.kafka.delivery.transactional_producer import TransactionalProducer, not_taken
from worker.protocols import Encode
from worker.types import Assignment, Outcome, Outgoing

_REPORT_POLL_SECONDS = 0.05

Position = tuple[Assignment, int | None]
"""Where a record was read: its assignment and offset."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """What is known about refused records, for the next transaction with the same batches.

    Attributes:
        suspects: Refused together with the rest of their request: to be tried alone.
        alone: Tried alone and not refused: to be sent alone, since a topic's `max.message.bytes` bounds a whole request
            to a partition, and many small records together may exceed it.
        forms: The replacements of those at fault.
    """

    suspects: frozenset[Position] = frozenset()
    alone: frozenset[Position] = frozenset()
    forms: Mapping[Position, Form] = field(default_factory=dict)

    def with_form(self, position: Position, form: Form) -> "Refusals":
        """The same, with a replacement for one record."""
        return Refusals(self.suspects - {position}, self.alone - {position}, {**self.forms, position: form})

    def outcomes(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """These outcomes as they are delivered."""
        forms = self.forms
        if not forms:
            return outcomes
        found = ((outcome, forms.get((outcome.assignment, outcome.record.offset()))) for outcome in outcomes)
        return [outcome if form is None else form.outcome for outcome, form in found]


class TransactionRecords:
    """Adds the outcomes of a transaction to it; made new for each transaction.

    Args:
        producer: Has the transaction open.
        encode: Makes the record of an outcome.
        known: What earlier transactions with these outcomes learned.

    Attributes:
        refusals: What is known now; grows in `add`, because the client refuses some records by itself.
    """

    def __init__(self, producer: TransactionalProducer, encode: Encode, known: Refusals) -> None:
        self._producer = producer
        self._encode = encode
        self._failure: tuple[KafkaError, str] | None = None
        self._refused: dict[Position, tuple[Form, Outgoing, Refusal]] = {}
        self.refusals = known

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add the records of the outcomes to the open transaction.

        Raises:
            Fatal: A dead letter is refused by the client, or the broker refuses this principal.
            TransactionFailed: The transaction takes no more.
        """
        alone = self.refusals.alone
        for outcome in outcomes:
            position = (outcome.assignment, outcome.record.offset())
            if position in alone:
                self._wait_for_reports()
                self._add(position, outcome)
                self._wait_for_reports()
            else:
                self._add(position, outcome)

    def raise_failure(self) -> None:
        """Raise if a record could not be delivered: librdkafka keeps those behind it until they time out.

        Raises:
            TransactionFailed: One could not.
            Fatal: The broker refuses this principal.
        """
        if self._failure is not None:
            raise not_taken(*self._failure)

    def learned(self) -> Refusals:
        """What the next transaction with these outcomes must know.

        Raises:
            Fatal: A dead letter is refused, and nothing can take its place.
        """
        if len(self._refused) != 1:
            known = self.refusals
            return Refusals(known.suspects | self._refused.keys(), known.alone, known.forms)
        ((position, (form, outgoing, refusal)),) = self._refused.items()
        return self.refusals.with_form(position, form.after(refusal, outgoing))

    def _add(self, position: Position, outcome: Outcome) -> None:
        while True:
            form = self.refusals.forms.get(position)
            outgoing = self._encode(outcome) if form is None else form.encoded(self._encode)
            if outgoing is None:
                return
            try:
                self._producer.produce(outgoing, partial(self._serve_report, position, outcome, outgoing))
            except KafkaException as exception:
                error = error_of(exception)
                refusal = REFUSALS.get(error.code())
                if refusal is None:
                    raise not_taken(error, outgoing.topic) from None
                instead = (form or Form(outcome)).after(refusal, outgoing)
                self.refusals = self.refusals.with_form(position, instead)
            else:
                return

    def _wait_for_reports(self) -> None:
        """Wait for the report of every record added so far: bounded by `delivery.timeout.ms`."""
        while self._producer.undelivered:
            self._producer.flush(_REPORT_POLL_SECONDS)
            self.raise_failure()

    def _serve_report(
        self, position: Position, outcome: Outcome, outgoing: Outgoing, error: KafkaError | None, _: Message
    ) -> None:
        """Record a failure; all records of one request are reported together."""
        if error is None:
            return
        self._failure = self._failure or (error, outgoing.topic)
        if (refusal := REFUSALS.get(error.code())) is not None:
            form = self.refusals.forms.get(position) or Form(outcome)
            self._refused[position] = (form, outgoing, refusal)
