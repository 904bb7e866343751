"""What travels through the worker: records, comments, and what became of each record.

Every record that is polled ends as exactly one outcome: `Labelled`, `Rejected` or `Skipped`. Outcomes keep the
order of consumption, and each names the `Assignment` it was polled under, so the offset to commit travels with the
data (arroyo's `committable` is the model) and is never asked of the consumer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from worker.reasons.spans import Reasons
from worker.verdicts import Language, Tier

Headers = Sequence[tuple[str, bytes | None]]

Partition = tuple[str, int]
"""A partition of any topic: the topic's name and the partition's number."""


class Record(Protocol):
    """What the worker reads from a consumed record; `confluent_kafka.Message` satisfies it."""

    def topic(self) -> str | None: ...  # noqa: D102 - the names of confluent_kafka.Message

    def partition(self) -> int | None: ...  # noqa: D102 - as confluent-kafka's `Message` promises

    def offset(self) -> int | None: ...  # noqa: D102 - as confluent-kafka's `Message` promises

    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102 - as confluent-kafka's `Message` promises

    def key(self) -> bytes | None: ...  # noqa: D102 - as confluent-kafka's `Message` promises

    def value(self) -> bytes | None: ...  # noqa: D102 - as confluent-kafka's `Message` promises

    def headers(self) -> list[tuple[str, bytes | None]] | None: ...  # noqa: D102 - as confluent-kafka's `Message` promises


@dataclass(slots=True, eq=False)
class Assignment:
    """One partition for as long as this worker holds it.

    Made new each time the group assigns the partition, so nothing of an earlier ownership can leak into a later one.
    Compared by identity: the same partition assigned twice gives two assignments.

    Attributes:
        topic: Topic of the partition.
        partition: Number of the partition.
        epoch: Counts the assignments of this worker; a later one has a higher epoch.
        owned: True until the partition is revoked or lost; work of an assignment no longer owned is neither
            published nor committed (the coordinator checks the member, not the partition). Written by the thread that
            polls, read by the inference threads too, which only saves work by it.
        topic_id: Id of the topic the partition belongs to (KIP-516), which a topic created again under the same name
            does not share; empty when the broker gives none.
        commit_note: Metadata that is committed with each offset (`worker.kafka.client.commit_note`).
        leader_epoch: Epoch of the leader that appended the newest record polled (KIP-320); -1 when none is known.
            Committed with each offset, so that a log that loses its end is noticed.
        next_offset: The offset after the newest record polled; before the first one, where reading began. None while
            that is unknown.
    """

    topic: str
    partition: int
    epoch: int
    owned: bool = True
    topic_id: str = ""
    commit_note: str = ""
    leader_epoch: int = -1
    next_offset: int | None = None

    @property
    def key(self) -> Partition:
        """The partition it is of."""
        return (self.topic, self.partition)


class TextFacts(NamedTuple):
    """How a text was read: `tokens` scored, special tokens included; in how many `windows`; whether it was cut."""

    tokens: int
    windows: int
    truncated: bool


class ViewFacts(NamedTuple):
    """The canonical reading that was scored beside the text as it was written.

    Attributes:
        transforms: Names of what was undone, in the order in which it was.
        tokens: Tokens of the reading, special tokens included.
    """

    transforms: tuple[str, ...]
    tokens: int


class Classification(NamedTuple):
    """Labels of one text.

    Attributes:
        scores: Independent sigmoid scores in [0, 1], rounded to six decimals, one per label in the model's order; of
            a text with two readings the higher one, label by label.
        labels: Names of the labels at or above their lowest threshold, in the model's order.
        text: How the text was read as it was written.
        view: Its canonical reading; None where that has the same tokens, or where none is asked for.
        acted: Those among the labels that reached their act threshold, unless `needs_review`.
        language: The text's language; None where it is not detected.
        needs_review: True for a text surely in a language the model does not know, where the settings say that a person
            must see it whatever its scores are.
        reasons: The words that carry the labels; None for a text without labels, or where none are asked for or found.
    """

    scores: dict[str, float]
    labels: tuple[str, ...]
    text: TextFacts
    view: ViewFacts | None = None
    acted: tuple[str, ...] = ()
    language: Language | None = None
    needs_review: bool = False
    reasons: Reasons | None = None

    @property
    def flagged(self) -> bool:
        """True when at least one label reached a threshold."""
        return bool(self.labels)

    @property
    def tier(self) -> Tier:
        """The highest tier that a label reached; at least, and at most, review where the text needs one."""
        if self.acted:
            return Tier.ACT
        return Tier.REVIEW if self.labels or self.needs_review else Tier.NONE


class Unscorable(NamedTuple):
    """One text the model cannot score (say, a score that is not finite after an fp32 retry), and why."""

    error: str
    reason: str


class ModelIdentity(NamedTuple):
    """Names what computed a score, so that it can be reproduced.

    Attributes:
        id: Hub name, folder name or embedded name.
        revision: Revision asked for or recorded in the checkpoint; None when unknown.
        digest: `sha256:` and the digest of the weights, configuration and tokenizer files.
        precision: `float32`, `bfloat16` or `int8`: what the linear layers computed in.
    """

    id: str
    revision: str | None
    digest: str
    precision: str


class Stage(StrEnum):
    """Where a record failed; the value of the header `__connect.errors.stage`."""

    DECODE = "DECODE"
    VALIDATE = "VALIDATE"
    TOKENIZE = "TOKENIZE"
    INFERENCE = "INFERENCE"
    PRODUCE = "PRODUCE"


class IdSource(StrEnum):
    """Where the id of a comment is from; the value of the label event's `comment_id.source`."""

    FIELD = "field"
    KEY = "key"
    POSITION = "position"
    CLOUDEVENT = "cloudevent"


class Comment(NamedTuple):
    """A record that decoded to a comment and waits for its labels.

    Attributes:
        text: What is scored: what a reader sees of the record's text.
        id_source: Where the id is from.
        document: The comment as JSON, where that is not the record's value as it came.
    """

    record: Record
    assignment: Assignment
    id: str
    text: str
    id_source: IdSource = IdSource.FIELD
    document: bytes | None = None


class Labelled(NamedTuple):
    """A comment with its classification: becomes a label event."""

    record: Record
    assignment: Assignment
    id: str
    text: str
    classification: Classification
    id_source: IdSource = IdSource.FIELD
    document: bytes | None = None


class Rejected(NamedTuple):
    """A record that cannot be labelled: becomes a dead letter with its bytes untouched.

    Attributes:
        error: Class of the fault, one word in CamelCase ("InvalidJson"): the header
            `__connect.errors.exception.class.name` and the metric label.
        reason: One sentence for a person; never quotes the payload.
    """

    record: Record
    assignment: Assignment
    stage: Stage
    error: str
    reason: str


class Skipped(NamedTuple):
    """A record that is not labelled: passed over, or a deletion that is forwarded. Its offset is committed.

    Attributes:
        filtered: True for a record that does not meet `input.where`, False for a deletion (a tombstone).
        forwarded: True for a deletion whose tombstone is published to the output topic.
    """

    record: Record
    assignment: Assignment
    filtered: bool = False
    forwarded: bool = False


Outcome = Labelled | Rejected | Skipped
Decoded = Comment | Rejected | Skipped


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Outcomes of records that are consecutive in each partition, in order; the unit of publishing and committing.

    Compared by identity: what is delivered of it is a value of its own (`Settled`), never written back.

    Attributes:
        outcomes: One outcome for each record.
        offsets: For each assignment the next offset to commit once every outcome is acknowledged.
        records: Records polled for this batch, those dropped because their partition went away included.
        value_bytes: Bytes of those records' values.
        number: Counts the batches of a worker in the order in which they went into the model.
    """

    outcomes: Sequence[Outcome]
    offsets: Mapping[Assignment, int]
    records: int = 0
    value_bytes: int = 0
    number: int = 0

    def owned_outcomes(self) -> Sequence[Outcome]:
        """The outcomes that may still be published: those whose assignment has not ended."""
        if all(assignment.owned for assignment in self.offsets):
            return self.outcomes
        return [outcome for outcome in self.outcomes if outcome.assignment.owned]


class Settled(NamedTuple):
    """A batch whose outcomes are all acknowledged.

    Attributes:
        batch: As it was published.
        outcomes: As they were delivered: an event that its topic refused is a `Rejected` here, and those whose
            assignment had ended before they were published are left out, as the partition's new owner delivers them.
    """

    batch: Batch
    outcomes: Sequence[Outcome]


class Outgoing(NamedTuple):
    """A record to produce; `timestamp_ms` 0 means now."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp_ms: int


def next_offsets(items: Sequence[Outcome | Decoded]) -> dict[Assignment, int]:
    """Next offset to commit for each assignment, given items in order of consumption."""
    offsets: dict[Assignment, int] = {}
    for assignment, record in {item.assignment: item.record for item in items}.items():
        offset = record.offset()
        assert offset is not None  # noqa: S101 - a consumed record has an offset
        offsets[assignment] = offset + 1
    return offsets
