"""The partitions that have no place to be read from, until each has one.

They wait until a broker has said where the log begins and ends and which log it is; then the start is committed, and
only when that is confirmed is it read. So a group has a place from its first moment, and nothing is read from a place
that a crash would forget.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import KafkaException

from worker.kafka.client.commit_note import CommitNote
from worker.kafka.client.log_queries import LogEnds, LogEndsAnswer, LogQueries, committed_notes
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.place_reports import Placed, no_place, report
from worker.kafka.consumer.start_rules import MOVES, Found, out_of_range, where_to_begin, without_offset
from worker.kafka.consumer.topic_watch import TopicWatch
from worker.protocols import Clock
from worker.settings import Start
from worker.types import Assignment

_BETWEEN_QUESTIONS_SECONDS = 0.5
_FRESH_WITHIN_SECONDS = 3.0


@dataclass(slots=True)
class _Waiting:
    """A partition without a place.

    Attributes:
        since: When that was noticed.
        found: Why, if it is known already.
        position: The group's offset, if it had one.
        begin: The offset decided on, which is being committed; None before.
        goes_back: The assignment must end first, with what is in flight of it.
    """

    since: float
    found: Found | None
    position: int | None
    begin: int | None = None
    goes_back: bool = False


class _Question(NamedTuple):
    ends: LogEndsAnswer
    group: Future[Any]

    def done(self) -> bool:
        return self.ends.done() and self.group.done()


class PlaceSearch:
    """Finds places by the rules; used by the consumer's thread, and never waits.

    Args:
        start: The setting `input.start`.
        assignments: Where a start is staged to be committed.
        watch: Knows which log the topic's name stands for.
        queries: Asks where logs begin and end.
        clock: Monotonic seconds.

    Attributes:
        waiting: What has no place yet.
        moved: How often a position of the group was given up, by reason.
        skipped: Offsets that were gone before they were read, by reason.
        fault: Set when `input.start` asks for an exit.
    """

    def __init__(
        self, start: Start, assignments: Assignments, watch: TopicWatch, queries: LogQueries, clock: Clock
    ) -> None:
        self._start = start
        self._assignments = assignments
        self._watch = watch
        self._queries = queries
        self._clock = clock
        self._question: _Question | None = None
        self._not_before = clock()
        self.waiting: dict[Assignment, _Waiting] = {}
        self.moved: dict[str, int] = {found.value: 0 for found in Found if found in MOVES}
        self.skipped = {"retention": 0}
        self.fault: Exception | None = None

    def add(self, assignment: Assignment, found: Found | None, position: int | None) -> None:
        """A partition has lost its place, or never had one; `found` says why where that is known."""
        if assignment not in self.waiting:
            self.waiting[assignment] = _Waiting(self._clock(), found, position)
            self._watch.look_soon()

    def going_back(self) -> dict[Assignment, int | None]:
        """Those that go back within their log, from where: what is in flight of them is finished and ended first."""
        return {a: w.position for a, w in self.waiting.items() if w.goes_back}

    def serve(self) -> dict[Assignment, int]:
        """Search on; those that have a place now, with the offset to read them from."""
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
        """The place is committed; where retention has overtaken work in flight, that work's commits come first."""
        return waiting.found is Found.BELOW_START or self._assignments.is_confirmed(assignment, begin)

    def _ask(self) -> None:
        undecided = [a.partition for a, w in self.waiting.items() if w.begin is None]
        if not undecided or self._clock() < self._not_before:
            return
        self._not_before = self._clock() + _BETWEEN_QUESTIONS_SECONDS
        known = self._watch.known
        everything = range(max(max(undecided) + 1, known.partitions if known else 0))
        self._question = _Question(self._queries.ends(undecided), self._queries.group_offsets(everything))

    def _decide(self, question: _Question) -> None:
        try:
            group = [CommitNote.read(p.metadata) for p in committed_notes(question.group.result(0))]
        except KafkaException:
            return  # asked again
        placed = []
        for partition, ends in question.ends.result().items():
            assignment = self._assignments.current.get(partition)
            waiting = self.waiting.get(assignment) if assignment is not None else None
            if assignment is None or waiting is None or waiting.begin is not None or not self._is_fresh(waiting):
                continue
            if (place := self._place(assignment, waiting, ends, group)) is not None:
                placed.append(place)
        report(placed)

    def _is_fresh(self, waiting: _Waiting) -> bool:
        """Whether the topic's id was asked for after the place was lost; without an answer it is taken as it was."""
        return self._watch.as_of >= waiting.since or self._clock() - waiting.since > _FRESH_WITHIN_SECONDS

    def _place(
        self, assignment: Assignment, waiting: _Waiting, ends: LogEnds, group: list[CommitNote]
    ) -> Placed | None:
        """Decide on a place and stage it."""
        began_with = max((note.partitions for note in group if note.partitions is not None), default=None)
        found, position = waiting.found, waiting.position
        if found is None and position is None:
            found = without_offset(assignment.partition, group_has_offsets=bool(group), began_with=began_with)
        elif found is None and position is not None:
            found = out_of_range(position, ends)
            if found is None:
                waiting.begin = position  # the log holds it: it was one broker that did not
                return None
            waiting.goes_back = found is Found.ABOVE_END
            if waiting.goes_back:
                return None
        assert found is not None  # noqa: S101 - both ways to have none are above
        begin = where_to_begin(found, self._start, position, ends)
        if begin is None:
            self.fault = no_place(assignment, position, ends)
            return None
        assignment.commit_note = str(self._note(assignment, found, began_with))
        waiting.found, waiting.begin = found, begin.offset
        if found is not Found.BELOW_START or self._assignments.is_confirmed(assignment, position or 0):
            self._assignments.stage({assignment: begin.offset})
        if found in MOVES:
            self.moved[found.value] += 1
            self.skipped["retention"] += begin.skipped
        return Placed(assignment, found, position, begin.offset, begin.skipped)

    def _note(self, assignment: Assignment, found: Found, began_with: int | None) -> CommitNote:
        """What the commits of this assignment say from now on."""
        if found is Found.NO_OFFSET and began_with is None:
            began_with = self._watch.known.partitions if self._watch.known else None
        elif found is Found.RECREATED:
            began_with = 0  # a group that reads a log from its beginning has left no partition of it out
        elif found is not Found.NO_OFFSET and found is not Found.NEW_PARTITION:
            began_with = CommitNote.read(assignment.commit_note).partitions
        return CommitNote(assignment.topic_id, began_with)
