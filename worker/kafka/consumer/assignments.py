"""State that belongs to a partition while the worker holds it, created afresh in one place at each assignment.

State that survives a rebalance is how other workers lost or duplicated records (arroyo#299, parallel-consumer#857,
connect#4009). Here it ends with its `Assignment`.
"""

from collections.abc import Iterable, Mapping

from worker.types import Assignment


class Assignments:
    """The partitions of one topic that are currently held, and how far each is committed.

    Attributes:
        topic: The topic they belong to.
        current: The assignment of each partition held, by partition number.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._epoch = 0
        self._staged: dict[Assignment, int] = {}
        self._confirmed: dict[Assignment, int] = {}
        self.current: dict[int, Assignment] = {}

    def begin(self, partitions: Iterable[int], topic_id: str = "") -> list[Assignment]:
        """Create assignments for these partitions of the log with this id, discarding any earlier state."""
        begun = []
        partitions = list(partitions)
        self.end(partitions)
        for partition in partitions:
            self._epoch += 1
            assignment = Assignment(self.topic, partition, self._epoch, topic_id=topic_id)
            self.current[partition] = assignment
            begun.append(assignment)
        return begun

    def of(self, partitions: Iterable[int]) -> list[Assignment]:
        """Return the current assignments of those of these partitions that are held."""
        return [self.current[partition] for partition in partitions if partition in self.current]

    def end(self, partitions: Iterable[int]) -> list[Assignment]:
        """End the assignments of these partitions: mark them as no longer owned and forget them."""
        ended = []
        for partition in partitions:
            assignment = self.current.pop(partition, None)
            if assignment is not None:
                assignment.owned = False
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

    def committed(self) -> dict[int, int | None]:
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
