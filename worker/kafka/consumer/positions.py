"""Decides where each partition is read from, by the rules of `start_rules` and not by those of librdkafka.

librdkafka begins at the group's offsets, provided they belong to the current log, and reports the partitions that it
cannot continue to read (`auto.offset.reset=error`), which then stay idle. `PlaceSearch` finds start offsets for those.
The topic's id is watched: a log that replaces another is read from its beginning.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from worker.input_settings import Start
from worker.kafka.client.commit_note import CommitNote
from worker.kafka.client.log_queries import LogQueries
from worker.kafka.client.truncation import Truncation
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.place_search import PlaceSearch
from worker.kafka.consumer.start_rules import Found, Lost
from worker.kafka.consumer.topic_watch import TopicWatch
from worker.protocols import Clock
from worker.types import Assignment

CALL_SECONDS = 2.0
"""How long a rebalance waits for the group's offsets, and as long for the topic's id; usually milliseconds."""

NO_PLACE = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}  # noqa: SLF001
)
"""Errors with which librdkafka reports that it has no offset to read a partition from."""


class Starts(NamedTuple):
    """What is known about partitions that are being assigned.

    Attributes:
        topic_id: The id of the log they belong to.
        offsets: Where librdkafka is to begin reading.
        notes: The notes committed with the group's offsets, by partition; only for partitions that have an offset.
        recreated: Partitions whose offset was in another log.
    """

    topic_id: str
    offsets: list[TopicPartition]
    notes: Mapping[int, CommitNote] = {}
    recreated: frozenset[int] = frozenset()


class Mover(Protocol):
    """Moves partitions to other offsets; implemented by `worker.kafka.consumer.rebalances.Rebalances`."""

    def restart(self, consumer: Consumer, assignments: Sequence[Assignment], topic_id: str) -> list[Assignment]:
        """Replace these assignments after the listener has finished them; the new ones are on hold until `move`."""

    def move(self, consumer: Consumer, assignment: Assignment, offset: int) -> None:
        """Continue reading a partition from this offset."""


class Positions:
    """Knows where partitions begin. Used only from the consumer's thread.

    Args:
        start: The setting `input.start`.
        assignments: Where start offsets are staged to be committed.
        watch: Knows which log the topic's name refers to.
        queries: Queries where logs begin and end.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self, start: Start, assignments: Assignments, watch: TopicWatch, queries: LogQueries, clock: Clock
    ) -> None:
        self._assignments = assignments
        self._watch = watch
        self._search = PlaceSearch(start, assignments, watch, queries, clock)

    @property
    def moved(self) -> Mapping[str, int]:
        """How often the group's position was abandoned, by reason."""
        return self._search.moved

    @property
    def skipped(self) -> Mapping[str, int]:
        """Number of offsets removed before they were read, by reason."""
        return self._search.skipped

    @property
    def fault(self) -> Exception | None:
        """The error to exit with, when `input.start` demands an exit; otherwise None."""
        return self._search.fault

    @property
    def busy(self) -> bool:
        """Whether any partition has no start offset yet."""
        return bool(self._search.waiting)

    def waits(self, assignment: Assignment) -> bool:
        """Whether a partition has no start offset yet; records that still arrive from it predate the loss."""
        return assignment in self._search.waiting

    def starts(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> Starts:
        """Return where these begin according to the group's offsets; usually takes milliseconds, see `CALL_SECONDS`."""
        if not partitions:
            return Starts("", [])
        known = self._watch.look_now(CALL_SECONDS)
        topic_id = known.topic_id if known else ""
        try:
            found = consumer.committed(list(partitions), timeout=CALL_SECONDS)
        except KafkaException:
            found = []
        if not found or any(p.error is not None for p in found):
            # An open transaction, or a coordinator that is moving: better that librdkafka waits than a rebalance.
            return Starts(topic_id, list(partitions))
        notes = {p.partition: CommitNote.read(p.metadata) for p in found if p.offset >= 0}
        others = {number for number, note in notes.items() if topic_id and note.topic_id not in ("", topic_id)}
        if self._watch.was_replaced:
            others |= {p.partition for p in found if p.offset < 0}
        offsets = [_first(p) if p.partition in others else p for p in found]
        return Starts(topic_id, offsets, notes, frozenset(others))

    def begun(self, assignments: Sequence[Assignment], starts: Starts) -> list[Assignment]:
        """Record where these began; return those that must not be read until they have a start offset."""
        offsets = {p.partition: p.offset for p in starts.offsets}
        held = []
        for assignment in assignments:
            offset = offsets[assignment.partition]
            if assignment.partition in starts.recreated:
                self._search.add(assignment, Lost(Found.RECREATED))
                held.append(assignment)
            elif offset >= 0:
                note = starts.notes.get(assignment.partition, CommitNote())
                assignment.commit_note = str(CommitNote(assignment.topic_id, note.partitions))
                self._assignments.confirm({assignment: offset})
        return held

    def lost(self, assignment: Assignment, position: int | None) -> None:
        """Record that a partition can't be read at its position or has no offset."""
        self._search.add(assignment, Lost(None, position))

    def truncated(self, assignment: Assignment, found: Truncation) -> None:
        """Record that a partition's log lost its end; what is in flight of it is finished before it is read again."""
        self._search.add(assignment, Lost(Found.TRUNCATED, found.position, found.cut), goes_back=True)

    def keep(self, consumer: Consumer, mover: Mover) -> None:
        """Check which log is being read, and find start offsets in it for the partitions that have none."""
        self._watch.look()
        if others := self._of_another_log():
            for begun in self._restart(consumer, mover, others):
                self._search.add(begun, Lost(Found.RECREATED))
        if not self._search.waiting:
            return
        if back := self._search.going_back():
            for begun, lost in zip(self._restart(consumer, mover, list(back)), back.values(), strict=True):
                self._search.add(begun, lost)
        for assignment, offset in self._search.serve().items():
            mover.move(consumer, assignment, offset)

    def _of_another_log(self) -> list[Assignment]:
        """Return the assignments whose log is no longer the topic's."""
        known = self._watch.known
        if known is None or not known.topic_id:
            return []
        others: list[Assignment] = []
        for assignment in self._assignments.current.values():
            if not assignment.topic_id:
                assignment.topic_id = known.topic_id  # the broker had not reported it in time
            elif assignment.topic_id != known.topic_id:
                others.append(assignment)
        return others

    def _restart(self, consumer: Consumer, mover: Mover, assignments: list[Assignment]) -> list[Assignment]:
        known = self._watch.known
        begun = mover.restart(consumer, assignments, known.topic_id if known else "")
        for old, new in zip(assignments, begun, strict=True):
            new.commit_note = old.commit_note
        return begun


def _first(partition: TopicPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition, OFFSET_BEGINNING)
