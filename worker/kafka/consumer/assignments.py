"""State that belongs to a partition while the worker holds it, created afresh in one place at each assignment.

State that survives a rebalance is how other workers lost or duplicated records (arroyo#299, parallel-consumer#857,
connect#4009). Here it ends with its `Assignment`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from worker.types import Assignment, Partition, Record

_NO_IDS: Mapping[str, str] = {}


class Assignments:
    """The partitions that are currently held, and how far each is committed.

    Args:
        only_topic: The topic that is read, where it is one by name.

    Attributes:
        current: The assignment of each partition held.
        by_number: The same by the partition's number alone, where only one topic is read: one look-up less a record.
    """

    def __init__(self, only_topic: str | None = None) -> None:
        self._epoch = 0
        self._staged: dict[Assignment, int] = {}
        self._confirmed: dict[Assignment, int] = {}
        self.current: dict[Partition, Assignment] = {}
        self.by_number: dict[int, Assignment] | None = {} if only_topic is not None else None

    def begin(self, partitions: Iterable[Partition], topic_ids: Mapping[str, str] = _NO_IDS) -> list[Assignment]:
        """Create assignments for these partitions, discarding any earlier state.

        Args:
            partitions: The partitions.
            topic_ids: The id of each topic's log, where it is known.
        """
        begun = []
        partitions = list(partitions)
        self.end(partitions)
        for topic, number in partitions:
            self._epoch += 1
            assignment = Assignment(topic, number, self._epoch, topic_id=topic_ids.get(topic, ""))
            self.current[topic, number] = assignment
            if self.by_number is not None:
                self.by_number[number] = assignment
            begun.append(assignment)
        return begun

    def of(self, partitions: Iterable[Partition]) -> list[Assignment]:
        """Return the current assignments of those of these partitions that are held."""
        return [self.current[partition] for partition in partitions if partition in self.current]

    def end(self, partitions: Iterable[Partition]) -> list[Assignment]:
        """End the assignments of these partitions: mark them as no longer owned and forget them."""
        ended = []
        for partition in partitions:
            assignment = self.current.pop(partition, None)
            if assignment is not None:
                assignment.owned = False
                if self.by_number is not None:
                    del self.by_number[assignment.partition]
                self._staged.pop(assignment, None)
                self._confirmed.pop(assignment, None)
                ended.append(assignment)
        return ended

    def stage(self, offsets: Mapping[Assignment, int]) -> None:
        """Stage next offsets to be committed; ended assignments are skipped, and no offset moves backwards."""
        for assignment, offset in offsets.items():
            if assignment.owned and offset > self._staged.get(assignment, -1):
                self._staged[assignment] = offset

    def uncommitted(self) -> dict[Assignment, int]:
        """Return the staged offsets that the broker has not confirmed."""
        confirmed = self._confirmed
        return {a: offset for a, offset in self._staged.items() if confirmed.get(a, -1) < offset}

    def committed(self) -> dict[Partition, int | None]:
        """Return the next offset known to be committed for each partition held; None before the first commit."""
        return {partition: self._confirmed.get(assignment) for partition, assignment in self.current.items()}

    def is_confirmed(self, assignment: Assignment, offset: int) -> bool:
        """Whether everything below this offset is known to be committed."""
        return self._confirmed.get(assignment, -1) >= offset

    def confirm(self, offsets: dict[Assignment, int]) -> None:
        """Record that the broker has committed these next offsets; ended assignments are ignored."""
        for assignment, offset in offsets.items():
            if assignment.owned:
                self._confirmed[assignment] = max(offset, self._confirmed.get(assignment, -1))


def polled(records: Iterable[tuple[Record, Assignment]]) -> list[Assignment]:
    """Note on the assignments of these records, in order of consumption, how far they have been polled; return them."""
    newest = {assignment: record for record, assignment in records}
    for assignment, record in newest.items():
        assignment.leader_epoch = _epoch_of(record)
        assignment.next_offset = (record.offset() or 0) + 1
    return list(newest)


def _epoch_of(message: Any) -> int:
    """The epoch of the leader that appended a record; -1 when the broker gives none."""
    epoch: int | None = message.leader_epoch()
    return -1 if epoch is None else epoch
