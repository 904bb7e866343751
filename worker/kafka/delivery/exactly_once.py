"""Exactly-once delivery: label events, dead letters and offsets in one transaction, all visible or none.

Batches that are waiting when no transaction is open go into the next one together, so no transaction is open while the
worker is idle, and a busy worker does not pay for a commit per batch. Inference is finished by then. A step that the
broker does not answer at once is resumed by the next `settle`; the consumer is polled in between. Readers must use
`read_committed`.

Known gap: librdkafka does not implement KIP-890, so a request delayed in the network for longer than a transaction
lives can still land in a later transaction of the same epoch (librdkafka#5423). A new producer with a new epoch after
every failure confines that to transactions that all succeed; it does not close the gap.
"""

from collections import deque
from collections.abc import Sequence

import structlog

from worker.errors import Fatal, NoBroker, Retryable
from worker.facts import DeliveryFacts
from worker.kafka.client.retry import Backoff, RetryBudget, Sleep, Uniform, retry
from worker.kafka.delivery.transaction import Recovery, Transaction
from worker.kafka.delivery.transaction_offsets import TransactionalSource, TransactionOffsets
from worker.kafka.delivery.transaction_records import Refusals
from worker.kafka.delivery.transactional_producer import TransactionalProducer, TransactionFailed, UnderWay
from worker.kafka.delivery.trial import Trial
from worker.protocols import Clock, Encode, RejectionLimit
from worker.settings import Settings
from worker.types import Batch, Settled

log = structlog.stdlib.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class ExactlyOncePublisher:
    """Delivers batches in transactions; implements `worker.protocols.Publisher`.

    A batch waits, then belongs to the attempt under way (a transaction, or a trial of records that were refused), and
    if that fails to its recovery, until it is settled.

    Args:
        settings: The worker's settings.
        source: The consumer whose group the offsets belong to.
        encode: Makes the record of an outcome.
        limit: Asked about the rejections of each transaction before its commit.
        transactional_id: Unique among live workers (two with the same id would fence each other for ever), the same for
            the life of this process.
        clock: Monotonic seconds.
        sleep: Waits between attempts to reach the coordinator at the start.
        uniform: Draws the length of those waits.

    Raises:
        SettingsInvalid: The broker is the embedded one, or a property is refused.
        NoBroker: No broker initialized the producer within `kafka.no_broker_seconds`.
    """

    def __init__(
        self,
        settings: Settings,
        source: TransactionalSource,
        encode: Encode,
        limit: RejectionLimit,
        *,
        transactional_id: str,
        clock: Clock,
        sleep: Sleep,
        uniform: Uniform,
    ) -> None:
        self._settings = settings
        self._source = source
        self._encode = encode
        self._limit = limit
        self._transactional_id = transactional_id
        self._clock = clock
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._retry_budget = RetryBudget(settings.delivery.timeout_seconds, backoff, clock)
        self._waiting: deque[Batch] = deque()
        self._attempt: Transaction | Trial | None = None
        self._recovery: Recovery | None = None
        self._committed = 0
        self._aborted = 0
        self._closed = False
        self._producer = TransactionalProducer(settings, transactional_id)
        limit_seconds = settings.kafka.no_broker_seconds
        try:
            for call in (self._producer.check_cluster, self._producer.initialize):
                retry(call, limit_seconds=limit_seconds, backoff=backoff, clock=clock, sleep=sleep)
        except Retryable as error:
            message = f"no broker initialized a transactional producer within {limit_seconds:g} s: {error}"
            raise NoBroker(message) from None
        except TransactionFailed as error:
            message = f"no transactional producer could be made: {error}"
            raise Fatal(message) from None

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""
        begun = self._attempt or (self._recovery and self._recovery.failed)
        return len(self._waiting) + (len(begun.batches) if begun else 0)

    def publish(self, batch: Batch) -> None:
        """Add the batch to the next transaction."""
        self._waiting.append(batch)

    def settle(self, timeout_seconds: float) -> list[Settled]:
        """Continue the transaction; return its batches once it is committed.

        May take some milliseconds longer than the timeout, and a second longer when the producer is replaced. Batches
        of which nothing is owned any more are returned too: there is nothing left to do for them.

        Raises:
            Fatal: The outcomes can't be delivered; nothing of them is visible or committed.
            NoBroker: Likewise, because no broker answered for `delivery.timeout_seconds`.
            BreakerOpen: Too many events were refused; nothing of the transaction is visible or committed.
        """
        if self.pending == 0 or self._retry_budget.pausing:
            self._producer.poll(timeout_seconds)
            return []
        try:
            settled = self._advance()
        except Retryable as error:
            self._spend(error)
            if isinstance(self._attempt, Transaction) and self._attempt.is_overdue(self._clock()):
                self._start_over(error)
            return []
        except TransactionFailed as error:
            if self._attempt is None or not self._attempt.has_learned:
                self._spend(error)
            else:
                self._retry_budget.renew()  # progress: the next one knows a refused record more
            self._start_over(error)
            return []
        self._retry_budget.renew()
        return settled

    def facts(self) -> DeliveryFacts:
        """How transactions ended so far."""
        return DeliveryFacts(self._committed, self._aborted)

    def close(self) -> None:
        """Abandon what is open: it is never committed. Never raises; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self._attempt = None
        self._recovery = None
        self._producer.discard()

    def _advance(self) -> list[Settled]:
        """Take the remaining steps, from where the last call stopped."""
        if self._recovery is not None:
            self._recovery.advance()
            recovery, self._recovery = self._recovery, None
            if recovery.committed is not None:
                return self._ended(recovery.committed)
            self._aborted += 1
            self._attempt = self._next_attempt(recovery.failed.batches, recovery.failed.learned())
        attempt = self._attempt = self._attempt or self._next_attempt((), Refusals())
        if isinstance(attempt, Trial):
            attempt.advance()
            return []
        if not attempt.offsets:  # nothing of it is owned any more
            self._attempt = None
            return attempt.settled
        attempt.advance()
        return self._ended(attempt)

    def _next_attempt(self, batches: Sequence[Batch], known: Refusals) -> Transaction | Trial:
        """A trial of the suspects among these batches; without any, a transaction of these and all waiting batches."""
        if known.suspects:
            return Trial(
                batches, known, producer=self._producer, encode=self._encode, limit=self._limit, clock=self._clock
            )
        together = (*batches, *self._waiting)
        self._waiting.clear()
        return Transaction(
            together,
            TransactionOffsets(self._source, together),
            known,
            producer=self._producer,
            encode=self._encode,
            limit=self._limit,
            deadline=self._clock() + self._settings.delivery.transaction_timeout_seconds,
        )

    def _ended(self, transaction: Transaction) -> list[Settled]:
        """Settle the batches of a committed transaction."""
        self._attempt = None
        self._committed += 1
        transaction.offsets.confirm()
        settled = transaction.settled
        for one in settled:
            self._limit.admit(one.outcomes)
        log.debug("transaction committed", batches=len(settled), records=sum(one.batch.records for one in settled))
        return settled

    def _start_over(self, error: Exception) -> None:
        """Find out with a new producer how the attempt ended; if it was not committed, its records go into another.

        If the producer of a recovery fails, the recovery starts over with another one.
        """
        failed = self._attempt or (self._recovery and self._recovery.failed)
        assert failed  # noqa: S101 - only their calls raise
        log.warning("transaction failed", cause=str(error), batches=len(failed.batches))
        self._producer.discard()
        self._producer = TransactionalProducer(self._settings, self._transactional_id)
        self._attempt = None
        self._recovery = Recovery(failed, self._producer)

    def _spend(self, error: Exception) -> None:
        """Record a failure; the next attempt follows at once if the broker merely has not answered yet.

        Raises:
            Fatal: There have been only failures for `delivery.timeout_seconds`.
            NoBroker: Likewise, and no broker answers.
        """
        if self._retry_budget.wait(paused=not isinstance(error, UnderWay)):
            return
        settings = self._settings
        cause = self._producer.why_undelivered(settings.output.topic, settings.dead_letters.topic) or str(error)
        message = (
            "a transaction could not be committed within delivery.timeout_seconds = "
            f"{settings.delivery.timeout_seconds:g}: {cause}. Nothing of it is visible or committed; its records "
            "will be read again"
        )
        raise NoBroker(message) if self._producer.brokers_down else Fatal(message)
