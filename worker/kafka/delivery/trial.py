"""Finds out which records of a refused request are at fault, without making any of them visible.

Each suspect is sent alone, in a transaction that is aborted. A refused record fails its transaction, so each record at
fault costs one abort, some milliseconds. Every request is answered before an abort, so none can arrive late; a trial
still ends like a failed transaction, and a new producer with a new epoch makes the next one.
"""

from collections import deque
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException

from worker.errors import Retryable
from worker.events.refused_record import Form
from worker.kafka.client.error_codes import error_of
from worker.kafka.delivery.refusals import REFUSALS
from worker.kafka.delivery.transaction_records import Position, Refusals
from worker.kafka.delivery.transactional_producer import TransactionalProducer, TransactionFailed, not_taken
from worker.protocols import Clock, Encode, RejectionLimit
from worker.types import Batch, Outcome, Outgoing

_AT_ONCE_SECONDS = 0.2
_REPORT_POLL_SECONDS = 0.05


class Trial:
    """Tries the suspects of some batches; made new for each trial.

    Args:
        batches: Of a transaction that failed.
        known: What is known of their refused records; the suspects among them are tried.
        producer: It has no transaction open.
        encode: Makes the record of an outcome.
        limit: Asked about the rejections found so far.
        clock: Monotonic seconds.

    Attributes:
        batches: As given.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        known: Refusals,
        *,
        producer: TransactionalProducer,
        encode: Encode,
        limit: RejectionLimit,
        clock: Clock,
    ) -> None:
        self.batches = batches
        self._forms = dict(known.forms)
        self._known = known
        self._producer = producer
        self._encode = encode
        self._limit = limit
        self._clock = clock
        self._is_open = False
        self._left: deque[tuple[Position, Outcome]] = deque()
        for batch in batches:
            for outcome in batch.outcomes:
                position = (outcome.assignment, outcome.record.offset())
                if outcome.assignment.owned and position in known.suspects:
                    self._left.append((position, outcome))

    def advance(self) -> None:
        """Try suspects for a fraction of a second.

        Raises:
            TransactionFailed: All are tried, or the transaction they are tried in has failed.
            BreakerOpen: With those found at fault, too many records would be rejected.
            Fatal: A dead letter is refused, and nothing can take its place.
        """
        until = self._clock() + _AT_ONCE_SECONDS
        found_before = len(self._forms)
        while self._left and self._clock() < until:
            self._try(*self._left[0])
            self._left.popleft()
        if len(self._forms) > found_before:
            learned = self.learned()
            owned = [outcome for batch in self.batches for outcome in batch.owned_outcomes()]
            self._limit.check(learned.outcomes(owned))
        if not self._left:
            message = f"{len(self._forms)} of its records are refused, each when it was tried alone"
            raise TransactionFailed(message)

    def learned(self) -> Refusals:
        """What the next attempt with these batches must know about refused records."""
        suspects = frozenset(position for position, _ in self._left)
        alone = self._known.alone | (self._known.suspects - suspects - self._forms.keys())
        return Refusals(suspects, alone, self._forms)

    @property
    def has_learned(self) -> bool:
        """Whether that is more than was known at its beginning."""
        return self.learned() != self._known

    def _try(self, position: Position, outcome: Outcome) -> None:
        form = self._forms.get(position) or Form(outcome)
        outgoing = form.encoded(self._encode)
        assert outgoing is not None  # noqa: S101 - only what publishes something is refused
        try:
            if not self._is_open:
                self._producer.begin()
                self._is_open = True
            error = self._send(outgoing)
            if error is None:
                return
            refusal = REFUSALS.get(error.code())
            if refusal is None:
                raise not_taken(error, outgoing.topic)
            self._forms[position] = form.after(refusal, outgoing)
            self._producer.abort()
            self._is_open = False
        except Retryable as unanswered:
            raise TransactionFailed(str(unanswered)) from None

    def _send(self, outgoing: Outgoing) -> KafkaError | None:
        """Send a record alone and wait for its report: bounded by `delivery.timeout.ms`."""
        reports: list[KafkaError | None] = []
        try:
            self._producer.produce(outgoing, lambda error, _: reports.append(error))
        except KafkaException as exception:
            return error_of(exception)
        while not reports:
            self._producer.flush(_REPORT_POLL_SECONDS)
        return reports[0]
