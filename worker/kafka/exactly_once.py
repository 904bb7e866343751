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
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from worker.errors import Fatal, NoBroker, Retryable
from worker.kafka.faults import TOO_LARGE, error_of
from worker.kafka.oversize import dead_letter_of
from worker.kafka.retry import Backoff, Sleep, Uniform, retry
from worker.kafka.transactional_producer import (
    TransactionalProducer,
    TransactionFailed,
    UnderWay,
    generation,
    not_taken,
)
from worker.outcome import Assignment, Batch, Outcome
from worker.protocols import Clock, Encode, Outgoing
from worker.settings import Settings

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_WAIT_SECONDS = 0.02
_REPORT_POLL_SECONDS = 0.002
_WAIT_FOR_OFFSETS_SECONDS = 5.0


class TransactionalSource(Protocol):
    """What a transaction asks of the source: who the group thinks we are, and what it has committed."""

    def group_metadata(self) -> bytes:
        """Member and generation as of now."""

    def committed(self, assignments: Sequence[Assignment], timeout_seconds: float) -> dict[Assignment, int]:
        """Next offsets committed; raises Retryable."""


_Position = tuple[Assignment, int | None]


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
        self._encode = encode
        self._transactional_id = transactional_id
        self._clock = clock
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._pauses = self._backoff.pauses()
        self._not_before = clock()
        self._failing_since: float | None = None
        self._waiting: deque[Batch] = deque()
        self._open: list[Batch] = []
        self._offsets: dict[Assignment, int] = {}
        self._step = _Step.IDLE
        self._end_unknown = False
        self._metadata: bytes | None = None
        self._suspects: set[_Position] = set()
        self._too_large: dict[_Position, Outgoing] = {}
        self._closed = False
        self.transactions = {"committed": 0, "aborted": 0}
        self._producer = TransactionalProducer(settings, transactional_id)
        limit_seconds = settings.kafka.no_broker_seconds
        try:
            for call in (self._producer.check_cluster, self._producer.begin_life):
                retry(call, limit_seconds=limit_seconds, backoff=self._backoff, clock=clock, sleep=sleep)
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
        if self.pending == 0 or self._clock() < self._not_before:
            self._producer.poll(timeout_seconds)
            return []
        try:
            settled = self._go_on()
        except Retryable as fault:
            self._wait_after(fault)
            return []
        except TransactionFailed as fault:
            self._wait_after(fault)
            log.warning("a transaction failed and will be made again: %s", fault)
            self._replace_producer()
            return []
        self._failing_since = None
        self._pauses = self._backoff.pauses()
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
            if self._end_unknown and self._was_committed():
                return self._end_open()
            self._end_unknown = False
            self._step = _Step.IDLE
        if self._step is _Step.IDLE and not self._begin():
            return self._end_open()
        if self._step is _Step.DELIVERING:
            self._wait_for_reports()
        if self._step is _Step.SENDING_OFFSETS:
            self._send_offsets()
        self._producer.commit()
        self.transactions["committed"] += 1
        return self._end_open()

    def _begin(self) -> bool:
        """Open a transaction with all that waits and is still owned; False when there is nothing of that kind."""
        self._open += self._waiting
        self._waiting.clear()
        self._offsets = {}
        for batch in self._open:
            self._offsets |= {a: offset for a, offset in batch.offsets.items() if a.owned}
        if not self._offsets:
            return False
        self._metadata = None
        self._producer.begin()
        self._step = _Step.DELIVERING
        for batch in self._open:
            for outcome in batch.outcomes:
                if outcome.assignment.owned:
                    self._produce(outcome)
        return True

    def _produce(self, outcome: Outcome) -> None:
        position = (outcome.assignment, outcome.record.offset())
        # The broker refuses a whole request for one large record; sent alone, those refused tell which it is.
        alone = position in self._suspects
        if alone:
            self._producer.flush()
        while True:
            outgoing = self._outgoing(outcome, position)
            if outgoing is None:
                return
            try:
                self._producer.produce(outgoing, partial(self._serve_report, position, outgoing, alone))
                break
            except KafkaException as fault:
                if error_of(fault).code() != TOO_LARGE:
                    raise not_taken(error_of(fault)) from None
                self._too_large[position] = outgoing
        if alone:
            self._producer.flush()

    def _outgoing(self, outcome: Outcome, position: _Position) -> Outgoing | None:
        """The outcome's record, or a dead letter if that was too large; Fatal if both were."""
        refused = self._too_large.get(position)
        if refused is not None:
            outcome = dead_letter_of(outcome, refused, self._settings.dead_letters.topic)
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

    def _wait_for_reports(self) -> None:
        """Leave when every record is reported: the coordinator is done with the last transaction then.

        Asked for the offsets before that, it says so again and again, for as long as the markers of the last
        transaction take, and the call blocks the thread that polls.
        """
        self._producer.poll(_REPORT_POLL_SECONDS)
        if waiting := self._producer.undelivered:
            message = f"{waiting} records are not acknowledged yet"
            raise UnderWay(message)
        self._step = _Step.SENDING_OFFSETS

    def _send_offsets(self) -> None:
        gone = [a for a in self._offsets if not a.owned]
        if gone:
            message = f"{len(gone)} partitions of the transaction went to another worker"
            raise TransactionFailed(message)
        if self._metadata is None:
            metadata = self._source.group_metadata()
            if generation(metadata) < 1:
                message = "the worker is not in its group at this moment"
                raise Retryable(message)
            self._metadata = metadata  # a call that is made again must have the same arguments
        offsets = [TopicPartition(a.topic, a.partition, offset) for a, offset in self._offsets.items()]
        self._producer.send_offsets(offsets, self._metadata)
        self._step = _Step.COMMITTING

    def _replace_producer(self) -> None:
        self.transactions["aborted"] += 1
        self._end_unknown |= self._step is _Step.COMMITTING
        self._step = _Step.REPLACING_PRODUCER
        self._producer.discard()
        self._producer = TransactionalProducer(self._settings, self._transactional_id)

    def _was_committed(self) -> bool:
        """How the old producer's transaction ended: the new one's beginning has waited for that end.

        All of a transaction is visible or none of it, so one partition that is still owned tells for all.
        """
        owned = [a for a in self._offsets if a.owned][:1]
        if not owned:
            return False  # nothing of it is ours to deliver again either
        committed = self._source.committed(owned, _WAIT_FOR_OFFSETS_SECONDS)
        return committed.get(owned[0], -1) >= self._offsets[owned[0]]

    def _end_open(self) -> list[Batch]:
        ended, self._open, self._offsets = self._open, [], {}
        self._step = _Step.IDLE
        self._end_unknown = False
        self._suspects.clear()
        self._too_large.clear()
        return ended

    def _wait_after(self, fault: Exception) -> None:
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        limit_seconds = self._settings.delivery.timeout_seconds
        if now - self._failing_since < limit_seconds:
            self._not_before = now if isinstance(fault, UnderWay) else now + next(self._pauses)
            return
        message = f"a transaction could not be committed within delivery.timeout_seconds = {limit_seconds:g}: {fault}. "
        message += "Nothing of it is visible or committed; its records will be read again"
        raise NoBroker(message) if self._producer.brokers_down else Fatal(message)
