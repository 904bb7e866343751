"""Decides where each partition is read from, by the rules of `start_rules` and not by those of librdkafka.

librdkafka begins at the group's offsets, provided they belong to the current log, and reports the partitions that it
cannot continue to read (`auto.offset.reset=error`), which then stay idle. `PlaceSearch` finds start offsets for those.
The topic's id is watched: a log that replaces another is read from its beginning.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from worker.kafka.client.commit_note import CommitNote
from worker.kafka.client.log_queries import LogQueries
from worker.kafka.client.truncation import Truncation
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.place_search import PlaceSearch
from worker.kafka.consumer.start_rules import Found, Lost
from worker.kafka.consumer.topic_watches import TopicWatches
from worker.protocols import Clock
from worker.settings import Start
from worker.types import Assignment, Partition

CALL_SECONDS = 2.0
"""How long a rebalance waits for the group's offsets, and as long for the topic's id; usually milliseconds."""

_BETWEEN_CALLS_SECONDS = 1.0

NO_PLACE = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}  # noqa: SLF001 - the names of librdkafka's own errors
)
"""Errors with which librdkafka reports that it has no offset to read a partition from."""


class Starts(NamedTuple):
    """What is known about partitions that are being assigned.

    Attributes:
        topic_ids: The id of each topic's log, where it is known.
        offsets: Where librdkafka is to begin reading.
        notes: The notes committed with the group's offsets; only for partitions that have an offset.
        recreated: Partitions whose offset was in another log.
    """

    topic_ids: Mapping[str, str]
    offsets: list[TopicPartition]
    notes: Mapping[Partition, CommitNote] = {}
    recreated: frozenset[Partition] = frozenset()


class Mover(Protocol):
    """Moves partitions to other offsets; implemented by `worker.kafka.consumer.rebalances.Rebalances`."""

    def restart(
        self, consumer: Consumer, assignments: Sequence[Assignment], topic_ids: Mapping[str, str]
    ) -> list[Assignment]:
        """Replace these assignments after the listener has finished them; the new ones are on hold until `move`."""

    def move(self, consumer: Consumer, assignment: Assignment, offset: int) -> None:
        """Continue reading a partition from this offset."""


class Positions:
    """Knows where partitions begin. Used only from the consumer's thread.

    Args:
        start: The setting `input.start`.
        assignments: Where start offsets are staged to be committed.
        watches: Know which log each topic's name refers to.
        queries: Queries where logs begin and end.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self, start: Start, assignments: Assignments, watches: TopicWatches, queries: LogQueries, clock: Clock
    ) -> None:
        self._assignments = assignments
        self._watches = watches
        self._clock = clock
        self._nameless: set[Assignment] = set()
        self._not_before = clock()
        self._search = PlaceSearch(start, assignments, watches, queries, clock)
        self._replacements = 0

    @property
    def outdated(self) -> bool:
        """Whether a topic has been created again since the client was made, so that another client has to read it.

        librdkafka keeps the leader epochs of the old log and ignores what brokers report of the new one while its
        epochs are lower (2.16.0): it reads nothing of a partition whose leader is no longer the one that it knows.
        """
        return self._watches.replacements != self._replacements

    def renewed(self) -> None:
        """Record that there is a new client."""
        self._replacements = self._watches.replacements

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
        return bool(self._search.waiting or self._nameless)

    def waits(self, assignment: Assignment) -> bool:
        """Whether a partition has no start offset yet; records that arrive from it meanwhile are read again from it."""
        return assignment in self._search.waiting or assignment in self._nameless

    def starts(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> Starts:
        """Return where these begin according to the group's offsets; usually takes milliseconds, see `CALL_SECONDS`."""
        if not partitions:
            return Starts({}, [])
        self._note_what_is_there(consumer)
        known = self._watches.look_now({p.topic for p in partitions}, CALL_SECONDS)
        topic_ids = {topic: log.topic_id for topic, log in known.items()}
        # An open transaction, or a coordinator that is moving: better that librdkafka waits than a rebalance.
        return self._by_group(consumer, partitions, topic_ids) or Starts(topic_ids, list(partitions))

    def _by_group(
        self, consumer: Consumer, partitions: Sequence[TopicPartition], topic_ids: Mapping[str, str]
    ) -> Starts | None:
        """Where these begin according to the group's offsets; None if those are not known in time."""
        try:
            found = consumer.committed(list(partitions), timeout=CALL_SECONDS)
        except KafkaException:
            return None
        if any(p.error is not None for p in found):
            return None
        notes = {key(p): CommitNote.read(p.metadata) for p in found if p.offset >= 0}
        others = {
            partition for partition, note in notes.items() if _differs(note.topic_id, topic_ids.get(partition[0], ""))
        }
        others |= {key(p) for p in found if p.offset < 0 and self._watches.of(p.topic).was_replaced}
        offsets = [_first(p) if key(p) in others else p for p in found]
        return Starts(topic_ids, offsets, notes, frozenset(others))

    def _note_what_is_there(self, consumer: Consumer) -> None:
        """With a pattern: note the cluster's topics, once, so that later ones are known as new."""
        if self._watches.knows_what_was_there:
            return
        try:
            self._watches.there_at_start(consumer.list_topics(timeout=CALL_SECONDS).topics)
        except KafkaException:
            return  # at the next rebalance; until then no topic counts as new

    def begun(self, assignments: Sequence[Assignment], starts: Starts) -> list[Assignment]:
        """Record where these began; return those that must not be read until they have a start offset."""
        offsets = {key(p): p.offset for p in starts.offsets}
        held = []
        for assignment in assignments:
            offset = offsets[assignment.key]
            if not self._watches.of(assignment.topic).answered:
                self._nameless.add(assignment)
                held.append(assignment)
            elif assignment.key in starts.recreated:
                self._search.add(assignment, Lost(Found.RECREATED))
                held.append(assignment)
            elif offset >= 0:
                note = starts.notes.get(assignment.key, CommitNote())
                assignment.commit_note = str(CommitNote(assignment.topic_id, note.partitions))
                assignment.next_offset = offset
                self._assignments.confirm({assignment: offset})
        return held

    def lost(self, assignment: Assignment, position: int | None) -> None:
        """Record that a partition can't be read at its position or has no offset."""
        if assignment in self._nameless:
            return  # it is placed once its log is known
        self._search.add(assignment, Lost(None, position))

    def truncated(self, assignment: Assignment, found: Truncation) -> None:
        """Record that a partition's log lost its end; what is in flight of it is finished before it is read again."""
        self._search.add(assignment, Lost(Found.TRUNCATED, found.position, found.cut), goes_back=True)

    def keep(self, consumer: Consumer, mover: Mover) -> None:
        """Check which log is being read, and find start offsets in it for the partitions that have none."""
        self._watches.look()
        if self._nameless and self._clock() >= self._not_before:
            self._begin_named(consumer, mover)
        if self.outdated:
            return
        self._name_logs()
        if not self._search.waiting:
            return
        if back := self._search.going_back():
            for begun, lost in zip(self._restart(consumer, mover, list(back)), back.values(), strict=True):
                self._search.add(begun, lost)
        for assignment, offset in self._search.serve().items():
            mover.move(consumer, assignment, offset)

    def _begin_named(self, consumer: Consumer, mover: Mover) -> None:
        """Begin the partitions whose topic's id was not reported in time and is known by now.

        They were not read meanwhile: the id is part of their events' ids, and without it nobody knows whether the
        group's offset belongs to this log.
        """
        self._nameless = {a for a in self._nameless if a.owned}
        named = [a for a in self._nameless if self._watches.of(a.topic).answered]
        if not named:
            return
        logs = {a.topic: self._watches.of(a.topic).known for a in named}
        topic_ids = {topic: known.topic_id for topic, known in logs.items() if known is not None}
        partitions = [TopicPartition(assignment.topic, assignment.partition) for assignment in named]
        starts = self._by_group(consumer, partitions, topic_ids)
        if starts is None:
            self._not_before = self._clock() + _BETWEEN_CALLS_SECONDS
            return
        self._nameless.difference_update(named)
        for assignment in named:
            assignment.topic_id = topic_ids.get(assignment.topic, "")
        self.begun(named, starts)
        offsets = {key(p): p.offset for p in starts.offsets}
        for assignment in named:
            if assignment.key in starts.recreated:
                continue
            if offsets[assignment.key] >= 0:
                mover.move(consumer, assignment, offsets[assignment.key])
            else:
                self._search.add(assignment, Lost())

    def _name_logs(self) -> None:
        """Give an id to those assignments whose topic could not be described when they were assigned."""
        for assignment in self._assignments.current.values():
            if not assignment.topic_id and (known := self._watches.of(assignment.topic).known) is not None:
                assignment.topic_id = known.topic_id

    def _restart(self, consumer: Consumer, mover: Mover, assignments: list[Assignment]) -> list[Assignment]:
        known = {assignment.topic: self._watches.of(assignment.topic).known for assignment in assignments}
        topic_ids = {topic: log.topic_id for topic, log in known.items() if log is not None}
        begun = mover.restart(consumer, assignments, topic_ids)
        for old, new in zip(assignments, begun, strict=True):
            new.commit_note = old.commit_note
        return begun


def key(partition: TopicPartition) -> Partition:
    """Topic and number of a partition as librdkafka gives it."""
    return (partition.topic, partition.partition)


def _differs(noted: str, now: str) -> bool:
    """Whether an offset was committed in another log, as far as the ids of both are known."""
    return bool(noted and now) and noted != now


def _first(partition: TopicPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition, OFFSET_BEGINNING)
