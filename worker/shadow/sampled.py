"""What the shadow keeps of a label event, and of the model that made it."""

from hashlib import blake2b
from typing import Any, NamedTuple, Self

from worker.observability.shadow_metrics import short_name
from worker.protocols import Classifier
from worker.types import Classification, Labelled, ModelIdentity


class Scorer(NamedTuple):
    """A model and its threshold set: one of the two that are compared.

    Attributes:
        identity: The model.
        threshold_set: Name of the set.
        limits: Digest of the set's values.
        view: Name and version of its second reading.
        labels: The model's labels; the candidate's by the names they have in the model in use.
    """

    identity: ModelIdentity
    threshold_set: str
    limits: str
    view: str | None
    labels: tuple[str, ...]

    @classmethod
    def of(cls, model: Classifier[Any]) -> Self:
        """The model behind a classifier."""
        return cls(model.identity, model.thresholds.name, limits_of(model), model.view, model.labels)

    @property
    def name(self) -> str:
        """The short name, for metrics."""
        return short_name(self.identity.digest, self.identity.precision, self.view, self.threshold_set)

    def scores_as(self, other: "Scorer") -> bool:
        """Whether both give every text the same verdict."""
        mine, theirs = self.identity, other.identity
        return (mine.digest, mine.precision, self.limits, self.view) == (
            theirs.digest,
            theirs.precision,
            other.limits,
            other.view,
        )


def limits_of(model: Classifier[Any]) -> str:
    """A digest of the scores from which the model's labels are flagged and acted on: a name stands for no values."""
    thresholds = model.thresholds
    limits = [
        (label, float(thresholds.lowest_flagged(label)), float(thresholds.lowest_acted(label)))
        for label in model.labels
    ]
    return blake2b(repr(limits).encode(), digest_size=8).hexdigest()


class Verdict(NamedTuple):
    """What one model says of a text.

    Attributes:
        scores: A score in [0, 1] for each label.
        labels: Those assigned (tier review or act).
        acted: Those among them of tier act.
    """

    scores: dict[str, float]
    labels: tuple[str, ...]
    acted: tuple[str, ...]

    @classmethod
    def of(cls, found: Classification) -> Self:
        """The part of a classification that is compared."""
        return cls(found.scores, found.labels, found.acted)


class Sampled(NamedTuple):
    """A label event that is compared.

    Attributes:
        topic: The record's topic.
        topic_id: Id of that topic; empty where the broker gives none.
        partition: The record's partition.
        offset: The record's offset.
        comment_id: The comment's id.
        text: What was scored.
        verdict: What the model in use said of it.
        incumbent: That model.
    """

    topic: str
    topic_id: str
    partition: int
    offset: int
    comment_id: str
    text: str
    verdict: Verdict
    incumbent: Scorer


class Incumbent:
    """Names the model in use, which may be another one later; on the poll thread, where it changes."""

    def __init__(self, model: Classifier[Any]) -> None:
        self._model = model
        self._scorer = Scorer.of(model)
        self._seen = (model.identity, model.thresholds)

    def now(self) -> Scorer:
        """The model whose outcomes are settled now: nothing of the one before is in flight once it has changed."""
        identity, thresholds = self._model.identity, self._model.thresholds
        if identity is not self._seen[0] or thresholds is not self._seen[1]:
            self._seen = (identity, thresholds)
            self._scorer = Scorer.of(self._model)
        return self._scorer


def sampled(outcome: Labelled, incumbent: Scorer) -> Sampled:
    """What is kept of an outcome."""
    record, assignment = outcome.record, outcome.assignment
    return Sampled(
        assignment.topic,
        assignment.topic_id,
        record.partition() or 0,
        record.offset() or 0,
        outcome.id,
        outcome.text,
        Verdict.of(outcome.classification),
        incumbent,
    )
