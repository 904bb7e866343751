"""One transaction, and the recovery of one that failed. Both objects are made new each time."""

from collections import deque
from collections.abc import Callable, Sequence

from worker.kafka.delivery.transaction_offsets import TransactionOffsets
from worker.kafka.delivery.transaction_records import Refusals, TransactionRecords
from worker.kafka.delivery.transactional_producer import TransactionalProducer, UnderWay
from worker.kafka.delivery.trial import Trial
from worker.protocols import Encode, RejectionLimit
from worker.types import Batch, Outcome, Settled

_REPORT_POLL_SECONDS = 0.002


class Steps:
    """Calls that are made one after the other, resumed by the caller until all are done.

    A call that raises is made again by the next `advance`; those before it are not.

    Args:
        calls: In order.
    """

    def __init__(self, *calls: Callable[[], None]) -> None:
        self._left = deque(calls)

    def advance(self) -> None:
        """Make the remaining calls; all are done when this returns."""
        while self._left:
            self._left[0]()
            self._left.popleft()


class Transaction:
    """Delivers some batches and commits their offsets, all or nothing.

    Args:
        batches: In order; outcomes that are no longer owned are not delivered.
        offsets: The offsets of the batches.
        known: What earlier transactions with these batches learned about refused records.
        producer: Its transaction this is; it has no other open.
        encode: Makes the record of an outcome.
        limit: Asked about the rejections before anything is committed.
        deadline: When the coordinator aborts the transaction, on the worker's clock.

    Attributes:
        batches: As given.
        offsets: As given.
        end_unknown: The coordinator was asked to commit and has not answered.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        offsets: TransactionOffsets,
        known: Refusals,
        *,
        producer: TransactionalProducer,
        encode: Encode,
        limit: RejectionLimit,
        deadline: float,
    ) -> None:
        self.batches = batches
        self.offsets = offsets
        self.end_unknown = False
        self._known = known
        self._producer = producer
        self._added: list[Sequence[Outcome]] = [()] * len(batches)
        self._records = TransactionRecords(producer, encode, known)
        self._limit = limit
        self._deadline = deadline
        self._steps = Steps(
            producer.begin, self._add_records, self._check_rejections, self._wait_for_reports, self._send_offsets
        )

    @property
    def settled(self) -> list[Settled]:
        """The batches, with their outcomes as they are delivered; none of a batch that was not added to it."""
        outcomes = self._records.refusals.outcomes
        return [Settled(batch, outcomes(added)) for batch, added in zip(self.batches, self._added, strict=True)]

    def advance(self) -> None:
        """Take the remaining steps; the transaction is committed when this returns.

        Raises:
            Retryable: Call again.
            TransactionFailed: It is over, or nobody knows how it ended.
            BreakerOpen: Too many records would be rejected.
            Fatal: A person must help.
        """
        self._steps.advance()
        self.end_unknown = True
        self._producer.commit()
        self.end_unknown = False

    def is_overdue(self, now: float) -> bool:
        """Whether the coordinator has aborted it by now.

        librdkafka may not notice: a call was seen to wait for ever after it had lost the coordinator's broker.
        """
        return now >= self._deadline

    def learned(self) -> Refusals:
        """What the next transaction with these batches must know about refused records.

        Raises:
            Fatal: A dead letter is refused, and nothing can take its place.
        """
        return self._records.learned()

    @property
    def has_learned(self) -> bool:
        """Whether that is more than was known at its beginning; raises as `learned`."""
        return self.learned() != self._known

    def _add_records(self) -> None:
        for number, batch in enumerate(self.batches):
            self._added[number] = batch.owned_outcomes()
            self._records.add(self._added[number])

    def _check_rejections(self) -> None:
        self._limit.check([outcome for settled in self.settled for outcome in settled.outcomes])

    def _wait_for_reports(self) -> None:
        """Return once every record is reported: the coordinator has finished the previous transaction then.

        If it is asked for the offsets earlier, librdkafka repeats the request for as long as the end markers of the
        previous transaction take.
        """
        self._producer.poll(_REPORT_POLL_SECONDS)
        self._records.raise_failure()
        if waiting := self._producer.undelivered:
            message = f"{waiting} records are not acknowledged yet"
            raise UnderWay(message)

    def _send_offsets(self) -> None:
        self.offsets.send(self._producer)


class Recovery:
    """Finds out how a failed transaction ended, with a new producer of the same id.

    Args:
        failed: The transaction, or the trial, which commits nothing.
        producer: A new one: `initialize` returns when the coordinator has ended what the old one left open.

    Attributes:
        failed: As given.
        committed: The transaction if it was committed after all; known once `advance` returns.
    """

    def __init__(self, failed: Transaction | Trial, producer: TransactionalProducer) -> None:
        self.failed = failed
        self.committed: Transaction | None = None
        self._steps = Steps(producer.initialize, self._find_end)

    def advance(self) -> None:
        """Take the remaining steps.

        Raises:
            Retryable: Call again.
            TransactionFailed: Another producer must be made.
        """
        self._steps.advance()

    def _find_end(self) -> None:
        failed = self.failed
        if isinstance(failed, Transaction) and failed.end_unknown and failed.offsets.were_committed():
            self.committed = failed
