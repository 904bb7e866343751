"""Exactly-once delivery: label events, dead letters and offsets in one transaction, seen by `read_committed` readers.

What waits when no transaction is open goes into the next one together, so nothing is open while the worker is idle and
a busy one does not pay for a commit per batch. Inference is long over by then. Steps that the broker doesn't answer at
once are taken up again by the next `settle`, between which the consumer is polled.

Known hole: librdkafka has no KIP-890, so a request delayed in the network by more than a transaction's life can still
land in a later transaction of the same epoch (librdkafka#5423). A new producer, with a new epoch, after every failure
keeps that to transactions which all succeed; it does not close it.
"""

import logging
from collections import deque
from enum import Enum, auto

from worker.errors import Fatal, NoBroker, Retryable
from worker.kafka.client.retry import Backoff, RetryBudget, Sleep, Uniform, retry
from worker.kafka.delivery.transaction_offsets import TransactionalSource, TransactionOffsets
from worker.kafka.delivery.transaction_records import TransactionRecords
from worker.kafka.delivery.transactional_producer import TransactionalProducer, TransactionFailed, UnderWay
from worker.protocols import Clock, Encode
from worker.settings import Settings
from worker.types import Batch

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_WAIT_SECONDS = 0.02
_REPORT_POLL_SECONDS = 0.002


class _Step(Enum):
    IDLE = auto()
    DELIVERING = auto()
    SENDING_OFFSETS = auto()
    COMMITTING = auto()
    REPLACING_PRODUCER = auto()
    FINDING_THE_END = auto()


class ExactlyOncePublisher:
    """Delivers batches in transactions; implements `worker.protocols.Publisher`.

    Args:
        settings: The worker's settings.
        source: The consumer whose group the offsets belong to.
        encode: From an outcome to its record.
        transactional_id: Unique among live workers (two with one id would fence each other for ever), the same for
            the life of this process.
        clock: Monotonic seconds.
        sleep: Waits between attempts to reach the coordinator at the start.
        uniform: Draws the length of those waits.

    Attributes:
        transactions: How many were `committed`, and how many `aborted` (fenced ones included).

    Raises:
        SettingsInvalid: The broker is the embedded one, or a property is refused.
        NoBroker: No broker took the producer in within `kafka.no_broker_seconds`.
    """

    def __init__(
        self,
        settings: Settings,
        source: TransactionalSource,
        encode: Encode,
        *,
        transactional_id: str,
        clock: Clock,
        sleep: Sleep,
        uniform: Uniform,
    ) -> None:
        self._settings = settings
        self._source = source
        self._transactional_id = transactional_id
        self._clock = clock
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._retry_budget = RetryBudget(settings.delivery.timeout_seconds, backoff, clock)
        self._waiting: deque[Batch] = deque()
        self._open: list[Batch] = []
        self._offsets = TransactionOffsets(source, ())
        self._step = _Step.IDLE
        self._end_unknown = False
        self._open_until: float | None = None
        self._records = TransactionRecords(encode, settings.dead_letters.topic)
        self._closed = False
        self.transactions = {"committed": 0, "aborted": 0}
        self._producer = TransactionalProducer(settings, transactional_id)
        limit_seconds = settings.kafka.no_broker_seconds
        try:
            for call in (self._producer.check_cluster, self._producer.begin_life):
                retry(call, limit_seconds=limit_seconds, backoff=backoff, clock=clock, sleep=sleep)
        except Retryable as fault:
            message = f"no broker began a transactional producer's life within {limit_seconds:g} s: {fault}"
            raise NoBroker(message) from None
        except TransactionFailed as fault:
            message = f"no transactional producer could be made: {fault}"
            raise Fatal(message) from None

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""
        return len(self._waiting) + len(self._open)

    def publish(self, batch: Batch) -> None:
        """Take the batch into the next transaction."""
        self._waiting.append(batch)

    def settle(self, timeout_seconds: float) -> list[Batch]:
        """Go on with the transaction; return the batches of one that is committed.

        May take longer than the timeout by some milliseconds, and by a second when the producer is replaced. Batches of
        which nothing is owned any more come back too: there is nothing left to do for them.

        Raises:
            Fatal: The outcomes can't be delivered; nothing of them is visible or committed.
            NoBroker: Likewise, because no broker answered for `delivery.timeout_seconds`.
        """
        if self.pending == 0 or self._retry_budget.pausing:
            self._producer.poll(timeout_seconds)
            return []
        try:
            settled = self._go_on()
        except Retryable as fault:
            self._wait_after(fault)
            if self._is_overdue:
                self._give_up_transaction(fault)
            return []
        except TransactionFailed as fault:
            self._wait_after(fault)
            self._give_up_transaction(fault)
            return []
        self._retry_budget.renew()
        return settled

    def drain(self, timeout_seconds: float) -> bool:
        """Settle until nothing is pending; False when the time ran out."""
        deadline = self._clock() + timeout_seconds
        while self.pending:
            if self._clock() >= deadline:
                return False
            self.settle(_WAIT_SECONDS)
        return True

    def close(self) -> None:
        """Give up what is open: it is never committed. Never raises; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self._open.clear()
        self._producer.discard()

    def _go_on(self) -> list[Batch]:
        """Take the steps that remain, from wherever the last call stopped."""
        if self._step is _Step.REPLACING_PRODUCER:
            self._producer.begin_life()
            self._step = _Step.FINDING_THE_END
        if self._step is _Step.FINDING_THE_END:
            if self._end_unknown and self._offsets.were_committed():
                self._offsets.confirm()
                return self._end_open()
            self._end_unknown = False
            self._step = _Step.IDLE
        if self._step is _Step.IDLE and not self._begin():
            return self._end_open()
        if self._step is _Step.DELIVERING:
            self._wait_for_reports()
        if self._step is _Step.SENDING_OFFSETS:
            self._offsets.send(self._producer)
            self._step = _Step.COMMITTING
        self._producer.commit()
        self._offsets.confirm()
        self.transactions["committed"] += 1
        return self._end_open()

    def _begin(self) -> bool:
        """Open a transaction with all that waits and is still owned; False when there is nothing of that kind."""
        self._open += self._waiting
        self._waiting.clear()
        self._offsets = TransactionOffsets(self._source, self._open)
        if not self._offsets:
            return False
        self._producer.begin()
        self._open_until = self._clock() + self._settings.delivery.transaction_timeout_seconds
        self._records.begin()
        self._step = _Step.DELIVERING
        for batch in self._open:
            for index, outcome in enumerate(batch.outcomes):
                if outcome.assignment.owned:
                    batch.outcomes[index] = self._records.add(self._producer, outcome)
        return True

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
        self._step = _Step.SENDING_OFFSETS

    @property
    def _is_overdue(self) -> bool:
        """The coordinator aborts the open transaction about now.

        librdkafka may not notice: a call that had lost the coordinator's broker was seen to wait for ever.
        """
        return self._open_until is not None and self._clock() >= self._open_until

    def _give_up_transaction(self, fault: Exception) -> None:
        """Its records go into another one, of a new producer."""
        log.warning("a transaction failed and will be made again: %s", fault)
        self.transactions["aborted"] += 1
        self._open_until = None
        self._end_unknown |= self._step is _Step.COMMITTING
        self._step = _Step.REPLACING_PRODUCER
        self._producer.discard()
        self._producer = TransactionalProducer(self._settings, self._transactional_id)

    def _end_open(self) -> list[Batch]:
        ended, self._open = self._open, []
        self._open_until = None
        self._step = _Step.IDLE
        self._end_unknown = False
        self._records.end()
        return ended

    def _wait_after(self, fault: Exception) -> None:
        if self._retry_budget.wait(paused=not isinstance(fault, UnderWay)):
            return
        message = (
            "a transaction could not be committed within delivery.timeout_seconds = "
            f"{self._settings.delivery.timeout_seconds:g}: {fault}. Nothing of it is visible or committed; its records "
            "will be read again"
        )
        raise NoBroker(message) if self._producer.brokers_down else Fatal(message)
