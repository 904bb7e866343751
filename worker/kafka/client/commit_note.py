"""What a commit says beside its offset: which log it belongs to.

An offset means something in one log only, and a topic deleted and created again has the same name and another log. The
metadata field of a committed offset, which Kafka keeps and does not read, holds the topic's id (KIP-516), so that
whoever is assigned the partition next can tell. It also holds how many partitions the topic had when the group began:
one with a higher number was added later, and all of it is new to the group.
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
        topic_id: Of the log the offset belongs to; empty when unknown.
        partitions: How many the topic had when the group began to read it; None when unknown.
    """

    topic_id: str = ""
    partitions: int | None = None

    @classmethod
    def read(cls, metadata: str | None) -> "CommitNote":
        """What a committed offset's metadata says; nothing known of what others have written."""
        text = metadata or ""
        topic_id, partitions = _TOPIC_ID.search(text), _PARTITIONS.search(text)
        return cls(topic_id[1] if topic_id else "", int(partitions[1]) if partitions else None)

    def __str__(self) -> str:
        """As it is committed."""
        parts = [f"topic-id={self.topic_id}"] if self.topic_id else []
        parts += [] if self.partitions is None else [f"partitions={self.partitions}"]
        return ";".join(parts)


def to_commit(assignment: Assignment, offset: int) -> TopicPartition:
    """This next offset of an assignment, with the note of the log it belongs to."""
    return TopicPartition(assignment.topic, assignment.partition, offset, assignment.commit_note)
