"""Finds a start offset for each partition that has none.

Such a partition waits until a broker has reported where the log begins and ends and which log it is. The start offset
is then committed, and the partition is read only once that commit is confirmed. So a group has an offset from the
outset, and nothing is read from an offset that a crash would lose.
"""

from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import KafkaException, TopicPartition

from worker.kafka.client.commit_note import CommitNote
from worker.kafka.client.log_queries import Answer, LogEnds, LogEndsAnswer, LogQueries
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.place_reports import Placed, no_place, report
from worker.kafka.consumer.start_rules import (
    MOVES,
    Found,
    Lost,
    began_with,
    out_of_range,
    where_to_begin,
    without_offset,
)
from worker.kafka.consumer.topic_watches import TopicWatches
from worker.protocols import Clock
from worker.settings import Start
from worker.types import Assignment, Partition

_BETWEEN_QUESTIONS_SECONDS = 0.5
_FRESH_WITHIN_SECONDS = 3.0


@dataclass(slots=True)
class _Waiting:
    """A partition without a start offset.

    Attributes:
        since: When it was found to have none.
        lost: What is known about why.
        begin: The chosen offset, which is being committed; None until one is chosen.
        goes_back: Whether the partition goes back within its log, so that its assignment must finish and end first.
    """

    since: float
    lost: Lost
    begin: int | None = None
    goes_back: bool = False


class _Question(NamedTuple):
    ends: LogEndsAnswer
    group: Answer

    def done(self) -> bool:
        return self.ends.done() and self.group.done()


class PlaceSearch:
    """Finds start offsets by the rules in `start_rules`. Never blocks; used only from the consumer's thread.

    Args:
        start: The setting `input.start`.
        assignments: Where start offsets are staged to be committed.
        watches: Know which log each topic's name refers to.
        queries: Queries where logs begin and end.
        clock: Returns monotonic seconds.

    Attributes:
        waiting: Partitions that have no start offset yet.
        moved: How often the group's position was abandoned, by reason.
        skipped: Number of offsets removed before they were read, by reason.
        fault: The error to exit with, when `input.start` demands an exit; otherwise None.
    """

    def __init__(
        self, start: Start, assignments: Assignments, watches: TopicWatches, queries: LogQueries, clock: Clock
    ) -> None:
        self._start = start
        self._assignments = assignments
        self._watches = watches
        self._queries = queries
        self._clock = clock
        self._question: _Question | None = None
        self._not_before = clock()
        self.waiting: dict[Assignment, _Waiting] = {}
        self.moved: dict[str, int] = {found.value: 0 for found in Found if found in MOVES}
        self.skipped = {"retention": 0}
        self.fault: Exception | None = None

    def add(self, assignment: Assignment, lost: Lost, *, goes_back: bool = False) -> None:
        """Add a partition that has lost its offset or never had one."""
        if assignment not in self.waiting:
            self.waiting[assignment] = _Waiting(self._clock(), lost, goes_back=goes_back)
            self._watches.of(assignment.topic).look_soon()

    def going_back(self) -> dict[Assignment, Lost]:
        """Return the assignments that go back within their log; they must finish and end first."""
        return {a: w.lost for a, w in self.waiting.items() if w.goes_back}

    def serve(self) -> dict[Assignment, int]:
        """Continue the search; return the assignments that are now ready, with the offset to read each from."""
        for gone in [a for a in self.waiting if not a.owned]:
            del self.waiting[gone]
        if self._question is None:
            self._ask()
        elif self._question.done():
            question, self._question = self._question, None
            self._decide(question)
        ready = {a: w.begin for a, w in self.waiting.items() if w.begin is not None and self._is_safe(a, w.begin, w)}
        for assignment in ready:
            del self.waiting[assignment]
        return ready

    def _is_safe(self, assignment: Assignment, begin: int, waiting: _Waiting) -> bool:
        """Whether the start is committed; if retention has overtaken work in flight, that work's commits come first."""
        return waiting.lost.found is Found.BELOW_START or self._assignments.is_confirmed(assignment, begin)

    def _ask(self) -> None:
        undecided = [a.key for a, w in self.waiting.items() if w.begin is None]
        if not undecided or self._clock() < self._not_before:
            return
        self._not_before = self._clock() + _BETWEEN_QUESTIONS_SECONDS
        self._question = _Question(
            self._queries.ends(undecided), self._queries.group_offsets(self._all_partitions(undecided))
        )

    def _all_partitions(self, undecided: list[Partition]) -> list[Partition]:
        """Every partition of the topics of these."""
        counts: dict[str, int] = {}
        for topic, number in undecided:
            known = self._watches.of(topic).known
            counts[topic] = max(counts.get(topic, 0), number + 1, known.partitions if known else 0)
        return [(topic, number) for topic, count in counts.items() for number in range(count)]

    def _decide(self, question: _Question) -> None:
        try:
            committed: list[TopicPartition] = question.group.result()
        except KafkaException:
            return  # the next `serve` asks again
        placed = []
        for partition, ends in question.ends.result().items():
            assignment = self._assignments.current.get(partition)
            waiting = self.waiting.get(assignment) if assignment is not None else None
            if assignment is None or waiting is None or waiting.begin is not None or waiting.goes_back:
                continue
            if not self._is_fresh(assignment, waiting):
                continue
            group = [CommitNote.read(p.metadata) for p in committed if p.topic == assignment.topic]
            if (place := self._place(assignment, waiting, ends, group)) is not None:
                placed.append(place)
        report(placed)

    def _is_fresh(self, assignment: Assignment, waiting: _Waiting) -> bool:
        """Whether the topic's id was queried since the offset was lost; with no response, the last known id is used."""
        as_of = self._watches.of(assignment.topic).as_of
        return as_of >= waiting.since or self._clock() - waiting.since > _FRESH_WITHIN_SECONDS

    def _place(
        self, assignment: Assignment, waiting: _Waiting, ends: LogEnds, group: list[CommitNote]
    ) -> Placed | None:
        """Choose a start offset and stage it."""
        begun_with = began_with(note.partitions for note in group)
        found, position, cut = waiting.lost
        if found is None and position is None:
            found = without_offset(assignment.partition, group_has_offsets=bool(group), began_with=begun_with)
            if found is Found.NO_OFFSET and self._watches.appeared(assignment.topic):
                found = Found.NEW_TOPIC
        elif found is None and position is not None:
            found = out_of_range(position, ends)
            if found is None:
                waiting.begin = position  # the log has this offset; a single broker did not
                return None
            waiting.goes_back = found is Found.ABOVE_END
            waiting.lost = Lost(found, position)
            if waiting.goes_back:
                return None
        assert found is not None  # noqa: S101 - both cases without one are handled above
        begin = where_to_begin(found, self._start, position, ends, cut)
        if begin is None:
            self.fault = no_place(assignment, position, ends)
            return None
        assignment.commit_note = str(self._note(assignment, found, begun_with))
        waiting.lost, waiting.begin = Lost(found, position, cut), begin.offset
        if found is not Found.BELOW_START or self._assignments.is_confirmed(assignment, position or 0):
            self._assignments.stage({assignment: begin.offset})
        if begin.skipped and found not in MOVES:  # retention was faster than a group that had yet to begin here
            found, position = Found.BELOW_START, 0
        if found in MOVES:
            self.moved[found.value] += 1
            self.skipped["retention"] += begin.skipped
        return Placed(assignment, found, position, begin.offset, begin.skipped)

    def _note(self, assignment: Assignment, found: Found, begun_with: int | None) -> CommitNote:
        """Return the note that this assignment's commits carry from now on."""
        if found is Found.NO_OFFSET and begun_with is None:
            known = self._watches.of(assignment.topic).known
            begun_with = known.partitions if known else None
        elif found is Found.RECREATED or found is Found.NEW_TOPIC:
            begun_with = 0  # a group that reads a log from its beginning has skipped none of its partitions
        elif found is not Found.NO_OFFSET and found is not Found.NEW_PARTITION:
            begun_with = CommitNote.read(assignment.commit_note).partitions
        return CommitNote(assignment.topic_id, begun_with)
