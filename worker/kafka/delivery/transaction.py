"""One transaction, and how the end of one that failed is found out. Both are made new each time."""

from collections import deque
from collections.abc import Callable, Sequence

from worker.kafka.delivery.transaction_offsets import TransactionOffsets
from worker.kafka.delivery.transaction_records import Refusals, TransactionRecords
from worker.kafka.delivery.transactional_producer import TransactionalProducer, UnderWay
from worker.protocols import Encode, RejectionLimit
from worker.types import Batch, Settled

_REPORT_POLL_SECONDS = 0.002


class Steps:
    """Calls to be made one after the other, by a caller that comes back as often as it takes.

    A call that raises is made again by the next `go_on`; those before it are not.

    Args:
        calls: In order.
    """

    def __init__(self, *calls: Callable[[], None]) -> None:
        self._left = deque(calls)

    def go_on(self) -> None:
        """Make the calls that are left; all are made when this returns."""
        while self._left:
            self._left[0]()
            self._left.popleft()


class Transaction:
    """Brings some batches to the broker and moves their offsets, all or nothing.

    Args:
        batches: In order; of what is no longer owned nothing is delivered.
        offsets: Theirs.
        known: What earlier transactions with these batches learned about refused records.
        producer: Whose transaction it is; it has none open.
        encode: From an outcome to its record.
        limit: Asked before anything is committed, counts once it is.
        deadline: When the coordinator aborts it, on the worker's clock.

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
        self._records = TransactionRecords(producer, encode, known)
        self._limit = limit
        self._deadline = deadline
        self._steps = Steps(
            producer.begin, self._add_records, self._check_rejections, self._wait_for_reports, self._send_offsets
        )

    @property
    def settled(self) -> list[Settled]:
        """The batches, with their outcomes as they are delivered."""
        return [Settled(batch, self._records.refusals.outcomes(batch)) for batch in self.batches]

    def go_on(self) -> None:
        """Take the steps that remain; the transaction is committed when this returns.

        Raises:
            Retryable: Call again.
            TransactionFailed: It is over, or its end unknown.
            BreakerOpen: Too many records would be rejected.
            Fatal: A person must help.
        """
        self._steps.go_on()
        self.end_unknown = True
        self._producer.commit()
        self.end_unknown = False

    def is_overdue(self, now: float) -> bool:
        """The coordinator aborts it about now.

        librdkafka may not notice: a call that had lost the coordinator's broker was seen to wait for ever.
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
        """Whether that is more than it knew at its beginning; raises as `learned`."""
        return self.learned() != self._known

    def _add_records(self) -> None:
        for batch in self.batches:
            self._records.add(batch.outcomes)

    def _check_rejections(self) -> None:
        self._limit.check([outcome for settled in self.settled for outcome in settled.outcomes])

    def _wait_for_reports(self) -> None:
        """Leave when every record is reported: the coordinator is done with the last transaction then.

        Asked for the offsets before that, it says so again and again, for as long as the markers of the last
        transaction take, and the call blocks the thread that polls.
        """
        self._producer.poll(_REPORT_POLL_SECONDS)
        self._records.raise_failure()
        if waiting := self._producer.undelivered:
            message = f"{waiting} records are not acknowledged yet"
            raise UnderWay(message)

    def _send_offsets(self) -> None:
        self.offsets.send(self._producer)


class Recovery:
    """Finds out how a transaction ended that failed, by a new producer of the same id.

    Args:
        failed: That transaction.
        producer: New: its life begins when the coordinator has ended what the old one left.

    Attributes:
        failed: As given.
        committed: Whether it was committed after all; known once `go_on` returns.
    """

    def __init__(self, failed: Transaction, producer: TransactionalProducer) -> None:
        self.failed = failed
        self.committed = False
        self._steps = Steps(producer.begin_life, self._find_end)

    def go_on(self) -> None:
        """Take the steps that remain.

        Raises:
            Retryable: Call again.
            TransactionFailed: Another producer must be made.
        """
        self._steps.go_on()

    def _find_end(self) -> None:
        self.committed = self.failed.end_unknown and self.failed.offsets.were_committed()
