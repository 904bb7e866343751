"""The metadata committed with an offset: which log the offset belongs to.

An offset is meaningful in one log only, and a topic that is deleted and recreated has the same name but another log.
The metadata field of a committed offset, which Kafka stores but does not read, holds the topic's id (KIP-516), so that
the next owner of the partition can tell. It also holds how many partitions the topic had when the group began: a
partition with a higher number was added later, and all of it is new to the group.
"""

import re
from typing import NamedTuple

from confluent_kafka import TopicPartition

from worker.types import Assignment

_TOPIC_ID = re.compile(r"(?:^|;)topic-id=([A-Za-z0-9_+/-]{22})(?:;|$)")
_PARTITIONS = re.compile(r"(?:^|;)partitions=(\d{1,9})(?:;|$)")


class CommitNote(NamedTuple):
    """The metadata of a committed offset.

    Attributes:
        topic_id: Topic id of the log the offset belongs to; empty when unknown.
        partitions: Number of partitions the topic had when the group began to read it; None when unknown.
    """

    topic_id: str = ""
    partitions: int | None = None

    @classmethod
    def read(cls, metadata: str | None) -> "CommitNote":
        """Parse a committed offset's metadata; what other clients have written there counts as unknown."""
        text = metadata or ""
        topic_id, partitions = _TOPIC_ID.search(text), _PARTITIONS.search(text)
        return cls(topic_id[1] if topic_id else "", int(partitions[1]) if partitions else None)

    def __str__(self) -> str:
        """The metadata as it is committed."""
        parts = [f"topic-id={self.topic_id}"] if self.topic_id else []
        parts += [] if self.partitions is None else [f"partitions={self.partitions}"]
        return ";".join(parts)


def to_commit(assignment: Assignment, offset: int) -> TopicPartition:
    """The next offset to commit for an assignment, with the note of the log it belongs to.

    The leader epoch may be newer than that of the record before the offset, since records are polled ahead; it must not
    be older, or the end of its epoch would look like a log that was cut off.
    """
    note, epoch = assignment.commit_note, assignment.leader_epoch
    return TopicPartition(assignment.topic, assignment.partition, offset, note, epoch)
