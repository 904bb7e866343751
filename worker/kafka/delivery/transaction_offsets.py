"""The group's offsets that a transaction moves, and what they say of an end that is unknown."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from worker.errors import Retryable
from worker.kafka.client.commit_note import to_commit
from worker.kafka.client.group_metadata import generation
from worker.kafka.delivery.transactional_producer import TransactionalProducer, TransactionFailed
from worker.types import Assignment, Batch

_WAIT_SECONDS = 5.0


class TransactionalSource(Protocol):
    """What a transaction asks of the source: who the group thinks we are, and what it has committed."""

    def group_metadata(self) -> bytes:
        """Member and generation as of now."""

    def committed(self, assignments: Sequence[Assignment], timeout_seconds: float) -> dict[Assignment, int]:
        """Next offsets committed; raises Retryable."""

    def confirm(self, offsets: dict[Assignment, int]) -> None:
        """A transaction has committed these next offsets."""


class TransactionOffsets:
    """Next offsets of the batches of one transaction, of what is owned when it begins.

    Args:
        source: The consumer whose group they belong to.
        batches: In order.
    """

    def __init__(self, source: TransactionalSource, batches: Iterable[Batch]) -> None:
        self._source = source
        self._metadata: bytes | None = None
        self._next: dict[Assignment, int] = {}
        for batch in batches:
            self._next |= {a: offset for a, offset in batch.offsets.items() if a.owned}

    def __bool__(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._next)

    def send(self, producer: TransactionalProducer) -> None:
        """Add them to the open transaction.

        Raises:
            TransactionFailed: A partition has gone to another worker meanwhile.
            Retryable: The worker is not in its group now, or the coordinator has not answered.
        """
        gone = [a for a in self._next if not a.owned]
        if gone:
            message = f"{len(gone)} partitions of the transaction went to another worker"
            raise TransactionFailed(message)
        if self._metadata is None:
            metadata = self._source.group_metadata()
            if generation(metadata) < 1:
                message = "the worker is not in its group at this moment"
                raise Retryable(message)
            self._metadata = metadata  # a retried call must have the same arguments
        producer.send_offsets([to_commit(a, offset) for a, offset in self._next.items()], self._metadata)

    def confirm(self) -> None:
        """Let the source know that they are committed."""
        self._source.confirm(self._next)

    def were_committed(self) -> bool:
        """How the old producer's transaction ended: the new one's beginning has waited for that end.

        All of a transaction is visible or none of it, so one partition that is still owned answers for all.

        Raises:
            Retryable: The coordinator has not answered.
        """
        owned = next((a for a in self._next if a.owned), None)
        if owned is None:
            return False  # nothing of it is ours to deliver again either
        return self._source.committed([owned], _WAIT_SECONDS).get(owned, -1) >= self._next[owned]
