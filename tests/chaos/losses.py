"""Which events may be lost: those that a fault removed and that a worker reported as gone. Any other loss is a failure.

Two parties must agree. The fault says what it removed: offsets below a cut (retention), or the uncommitted rest of a
log (the topic was deleted). A worker says what it did not find: it logs, at level ERROR, each position that moved, and
counts it. Logs outlive a killed worker, its counters do not: the logs decide, and the counters are compared with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.chaos.places import Places
from tests.chaos.worker_logs import Move

BELOW_START = "below_start"
RECREATED = "recreated"


@dataclass(slots=True)
class _Deletion:
    """A log that was deleted.

    Attributes:
        committed: The group's next offsets in it when it was deleted, by partition: what lies before was delivered.
        reported: Whether a worker has reported it, or none lived that could.
    """

    committed: Mapping[int, int]
    reported: bool = False


@dataclass(slots=True)
class Losses:
    """What is removed, what is reported, and which events are explained by both.

    Attributes:
        moves: Every move of a position that a worker has reported.
        explained: Numbers of the lost events that are explained, by reason.
        unseen: How many deletions no worker lived to see, so that none could be reported.
    """

    places: Places
    moves: list[Move] = field(default_factory=list)
    explained: dict[str, set[int]] = field(default_factory=lambda: {BELOW_START: set(), RECREATED: set()})
    unseen: int = 0
    _cuts: dict[tuple[int, int], int] = field(default_factory=dict)
    _deletions: dict[int, _Deletion] = field(default_factory=dict)

    def cut(self, offsets: Mapping[int, int]) -> None:
        """Retention has removed what lies before these offsets of the present log, by partition."""
        log = len(self.places.topic_ids) - 1
        for partition, offset in offsets.items():
            self._cuts[log, partition] = max(offset, self._cuts.get((log, partition), 0))

    def deleted(self, committed: Mapping[int, int]) -> None:
        """The present log is deleted; the group had committed these offsets."""
        self._deletions[len(self.places.topic_ids) - 1] = _Deletion(committed)

    def reported(self, move: Move) -> None:
        """A worker has reported that a position moved."""
        self.moves.append(move)
        if move.reason == RECREATED and self._deletions:
            self._deletions[max(self._deletions)].reported = True

    def unobserved(self) -> None:
        """No worker lived through the latest deletion: the group started afresh, and nobody could know."""
        self.unseen += 1
        self._deletions[max(self._deletions)].reported = True

    @property
    def unreported(self) -> bool:
        """Whether the latest deletion still waits for a worker's report."""
        return bool(self._deletions) and not self._deletions[max(self._deletions)].reported

    @property
    def count(self) -> int:
        """How many lost events are explained; retention may have taken one whose log was deleted then."""
        return len(set().union(*self.explained.values()))

    def explain(self, missing: NDArray[np.int64]) -> None:
        """Look through the events that have not come out."""
        for (log, partition), cut in self._cuts.items():
            for move in self.moves:
                begin = 0 if move.reason == RECREATED else move.begin
                if move.reason in (BELOW_START, RECREATED) and move.partition == partition and begin is not None:
                    found = self.places.between(missing, log, partition, begin, min(move.end, cut))
                    self.explained[BELOW_START].update(found.tolist())
        for log, deletion in self._deletions.items():
            if deletion.reported:
                self.explained[RECREATED].update(self.places.beyond(missing, log, deletion.committed).tolist())

    def came_out(self, number: int) -> None:
        """An event that was given up for lost has come out after all."""
        for numbers in self.explained.values():
            numbers.discard(number)
