from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from worker.observability.batch_metrics import record_settled
from worker.observability.metrics import Metrics
from worker.types import Assignment, Classification, Labelled, Outcome, Rejected, Skipped, Stage, TextFacts

NOW = 1_700_000_000.0
ASSIGNMENT = Assignment("comments", 0, 1)


@dataclass
class FakeRecord:
    """As much of a consumed record as the metrics read."""

    age_seconds: float | None

    def topic(self) -> str:
        return "comments"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return (0, -1) if self.age_seconds is None else (1, int((NOW - self.age_seconds) * 1000))

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return None


def labelled(age_seconds: float | None, **scores: float) -> Labelled:
    flagged = tuple(name for name, score in scores.items() if score >= 0.5)
    return Labelled(
        FakeRecord(age_seconds), ASSIGNMENT, "c", "some text", Classification(scores, flagged, TextFacts(3, 1, False))
    )


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_batch_is_counted_by_outcome_label_and_fault(metrics: Metrics) -> None:
    batch: list[Outcome] = [
        labelled(1.0, toxic=0.9, insult=0.6),
        labelled(2.0, toxic=0.1, insult=0.7),
        Rejected(FakeRecord(3.0), ASSIGNMENT, Stage.DECODE, "InvalidJson", "no JSON"),
        Skipped(FakeRecord(4.0), ASSIGNMENT),
    ]
    record_settled(metrics, batch, NOW)
    assert value(metrics, "sluice_records_processed_total", outcome="labelled") == 2
    assert value(metrics, "sluice_records_processed_total", outcome="rejected") == 1
    assert value(metrics, "sluice_records_processed_total", outcome="skipped") == 1
    assert value(metrics, "sluice_dead_letters_total", stage="DECODE", error="InvalidJson") == 1
    assert value(metrics, "sluice_labels_assigned_total", label="toxic") == 1
    assert value(metrics, "sluice_labels_assigned_total", label="insult") == 2
    assert value(metrics, "sluice_scores_sum", label="toxic") == pytest.approx(1.0)
    assert value(metrics, "sluice_record_latency_seconds_count") == 4
    assert value(metrics, "sluice_record_latency_seconds_sum") == pytest.approx(10.0)


def test_a_record_without_timestamp_has_no_latency(metrics: Metrics) -> None:
    record_settled(metrics, [labelled(None, toxic=0.1)], NOW)
    assert value(metrics, "sluice_record_latency_seconds_count") == 0


def test_a_timestamp_of_the_future_counts_as_no_wait(metrics: Metrics) -> None:
    record_settled(metrics, [labelled(-5.0, toxic=0.1)], NOW)
    assert value(metrics, "sluice_record_latency_seconds_sum") == 0
    assert value(metrics, "sluice_record_latency_seconds_count") == 1


def test_an_empty_batch_changes_nothing(metrics: Metrics) -> None:
    record_settled(metrics, [], NOW)
    assert value(metrics, "sluice_record_latency_seconds_count") == 0
