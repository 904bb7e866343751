"""What a settled batch adds to the metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from worker.observability.metrics import Metrics
from worker.types import Classification, Labelled, Outcome, Rejected, Skipped

MILLISECONDS = 1000.0
# confluent_kafka.TIMESTAMP_NOT_AVAILABLE; the value is the protocol's, so no client is needed to know it.
TIMESTAMP_NOT_AVAILABLE = 0


class BatchCounts(NamedTuple):
    """How many outcomes of each kind.

    Attributes:
        labelled: Comments labelled.
        flagged: Those among them with at least one label.
        rejected: Dead letters.
        skipped: Tombstones, passed over or forwarded.
        dead: Dead letters by stage and error; of one batch only, a sum leaves it empty.
    """

    labelled: int = 0
    flagged: int = 0
    rejected: int = 0
    skipped: int = 0
    dead: Mapping[tuple[str, str], int] = MappingProxyType({})

    @property
    def settled(self) -> int:
        """Records with an outcome."""
        return self.labelled + self.rejected + self.skipped

    def plus(self, other: "BatchCounts") -> "BatchCounts":
        """The sum, without the detail of the dead letters."""
        return BatchCounts(
            self.labelled + other.labelled,
            self.flagged + other.flagged,
            self.rejected + other.rejected,
            self.skipped + other.skipped,
        )


def record_settled(metrics: Metrics, outcomes: Sequence[Outcome], wall_seconds: float) -> BatchCounts:
    """Count outcomes, dead letters, labels, scores and latencies of a batch that is acknowledged; return the counts.

    Every metric is touched once per batch and label, never once per record.

    Args:
        metrics: The catalogue.
        outcomes: Acknowledged outcomes of one batch.
        wall_seconds: Time of the acknowledgement, seconds since the epoch.
    """
    scored = [outcome.classification for outcome in outcomes if type(outcome) is Labelled]
    kinds = {"labelled": len(scored), "rejected": 0, "skipped": 0, "forwarded": 0, "filtered": 0}
    dead: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes if len(scored) < len(outcomes) else ():
        if isinstance(outcome, Rejected):
            kinds["rejected"] += 1
            dead[outcome.stage.value, outcome.error] += 1
        elif isinstance(outcome, Skipped):
            kinds["filtered" if outcome.filtered else "forwarded" if outcome.forwarded else "skipped"] += 1
    for name, count in kinds.items():
        if count:
            metrics.records_processed.labels(name).inc(count)
    for (stage, error), count in dead.items():
        metrics.dead_letters.labels(stage, error).inc(count)
    metrics.record_latency_seconds.observe_many(_latencies(outcomes, wall_seconds))
    flagged = _record_scores(metrics, scored) if scored else 0
    return BatchCounts(kinds["labelled"], flagged, kinds["rejected"], kinds["skipped"] + kinds["forwarded"], dead)


def _latencies(outcomes: Sequence[Outcome], wall_seconds: float) -> list[float]:
    """Seconds from each record's timestamp to now; producers' clocks that run ahead of ours give 0.

    A negative latency would break the histogram's sum.
    """
    timestamps = [outcome.record.timestamp() for outcome in outcomes]
    return [
        latency if (latency := wall_seconds - milliseconds / MILLISECONDS) > 0.0 else 0.0
        for kind, milliseconds in timestamps
        if kind != TIMESTAMP_NOT_AVAILABLE
    ]


def _record_scores(metrics: Metrics, scored: Sequence[Classification]) -> int:
    """Observe scores and count labels; return how many have at least one label."""
    # Every classification holds all labels of the model, in the model's order.
    by_label = zip(*[result.scores.values() for result in scored], strict=True)
    for label, of_label in zip(scored[0].scores, by_label, strict=True):
        metrics.scores.labels(label).observe_many(of_label)
    assigned: Counter[str] = Counter()
    combinations = Counter([result.labels for result in scored])
    for labels, count in combinations.items():
        assigned.update(dict.fromkeys(labels, count))
    for label, count in assigned.items():
        metrics.labels_assigned.labels(label).inc(count)
    return len(scored) - combinations[()]
