"""Puts batches that were scored side by side back into the order of each partition."""

from collections.abc import Set as AbstractSet

from worker.types import Assignment, Batch


class PartitionOrder:
    """Holds a scored batch back while an earlier one that shares a partition with it is still being scored.

    A batch of other partitions does not wait. Not thread-safe.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._held: dict[int, tuple[AbstractSet[Assignment], Batch | None]] = {}

    def taken(self, assignments: AbstractSet[Assignment]) -> int:
        """A batch with records of these assignments goes into the model, after those before; returns its number."""
        self._taken += 1
        self._held[self._taken] = (assignments, None)
        return self._taken

    def scored(self, batch: Batch) -> list[Batch]:
        """A batch has left the model; returns those that nothing holds back any more, in order."""
        self._held[batch.number] = (self._held[batch.number][0], batch)
        ready: list[Batch] = []
        awaited: set[Assignment] = set()
        for assignments, one in self._held.values():
            if one is None or not awaited.isdisjoint(assignments):
                awaited |= assignments
            else:
                ready.append(one)
        for one in ready:
            del self._held[one.number]
        return ready
