from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from testkit.clock import FakeClock
from testkit.records import ASSIGNMENT, comment_record
from worker.observability.health import Health, HealthLimits
from worker.observability.metrics import Metrics
from worker.observability.observer import WorkerObserver
from worker.types import Assignment, Batch, Settled

if TYPE_CHECKING:
    from worker.protocols import LoopObserver, ScoringObserver


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock, HealthLimits(tick_seconds=10, inference_seconds=50, progress_seconds=100))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def observer(metrics: Metrics, health: Health, clock: FakeClock) -> WorkerObserver:
    return WorkerObserver(metrics, health, "comments", clock, lambda: 1_700_000_000.0)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"sluice_{name}", labels)


def empty_batch() -> Batch:
    return Batch([], {}, 0, 0)


def test_it_is_what_the_loop_and_the_model_report_to(observer: WorkerObserver) -> None:
    loop: LoopObserver = observer
    scoring: ScoringObserver = observer
    loop.consumed([(comment_record("c-1", "hi"), ASSIGNMENT)])
    scoring.scoring_started(1, 1)


def test_records_of_several_topics_are_counted_for_each(metrics: Metrics, health: Health, clock: FakeClock) -> None:
    observer = WorkerObserver(metrics, health, None, clock, lambda: 1_700_000_000.0)
    message = comment_record("c-1", "hi")
    observer.consumed([(message, Assignment(topic, 0, 1)) for topic in ("a", "b", "a")])
    assert value(metrics, "records_consumed_total", topic="a") == 2
    assert value(metrics, "records_consumed_total", topic="b") == 1


def test_publishing_is_timed_to_the_last_acknowledgement(
    observer: WorkerObserver, metrics: Metrics, clock: FakeClock
) -> None:
    first, second = empty_batch(), empty_batch()
    observer.published(first)
    clock.now = 1.0
    observer.published(second)
    clock.now = 3.0
    observer.settled(Settled(first, ()))
    observer.settled(Settled(second, ()))
    assert value(metrics, "produce_duration_seconds_count") == 2
    assert value(metrics, "produce_duration_seconds_sum") == 5.0


def test_a_batch_dropped_at_a_rebalance_is_not_kept(
    observer: WorkerObserver, metrics: Metrics, clock: FakeClock
) -> None:
    dropped = empty_batch()
    observer.turned(1, 10)
    observer.published(dropped)
    observer.turned(0, 0)
    clock.now = 1000.0
    observer.settled(Settled(dropped, ()))
    assert value(metrics, "produce_duration_seconds_count") == 0


def test_assigned_partitions_follow_the_rebalances_and_lag_goes_with_them(
    observer: WorkerObserver, metrics: Metrics
) -> None:
    first, second, again = (Assignment("comments", number, epoch) for number, epoch in ((0, 1), (1, 1), (0, 2)))
    observer.rebalanced("assign", [first, second], 0.0)
    metrics.set_lag("comments", 0, 5)
    observer.rebalanced("revoke", [first], 1.5)
    assert value(metrics, "assigned_partitions") == 1
    assert value(metrics, "consumer_lag_records", topic="comments", partition="0") is None
    assert value(metrics, "rebalance_drain_seconds_sum") == 1.5
    observer.rebalanced("assign", [again], 0.0)
    observer.rebalanced("lost", [again, second], 0.0)
    assert value(metrics, "assigned_partitions") == 0
    assert value(metrics, "rebalances_total", event="assign") == 2
    assert value(metrics, "rebalances_total", event="lost") == 1


def test_a_poll_with_nothing_in_flight_is_idle_time(observer: WorkerObserver, metrics: Metrics) -> None:
    observer.phase("poll", 2.0)
    observer.turned(5, 50)
    observer.phase("poll", 0.5)
    observer.phase("decode", 0.25)
    assert value(metrics, "loop_seconds_total", phase="idle") == 2.0
    assert value(metrics, "loop_seconds_total", phase="poll") == 0.5
    assert value(metrics, "loop_seconds_total", phase="decode") == 0.25
    assert value(metrics, "last_poll_timestamp_seconds") == 1_700_000_000.0


def test_each_turn_of_the_loop_keeps_the_worker_alive(
    observer: WorkerObserver, health: Health, clock: FakeClock
) -> None:
    observer.turned(0, 0)
    clock.now = 11.0
    assert not health.live().ok
    observer.turned(0, 0)
    assert health.live().ok


def test_work_that_never_settles_is_a_fault_and_a_batch_whose_commit_may_be_refused_is_no_progress(
    observer: WorkerObserver, health: Health, clock: FakeClock
) -> None:
    observer.turned(3, 30)
    clock.now = 101.0
    observer.settled(Settled(empty_batch(), ()))
    observer.turned(3, 30)
    assert not health.live().ok
    observer.turned(0, 0)
    assert health.live().ok


def test_a_scored_batch_is_measured_and_one_without_texts_is_not(
    observer: WorkerObserver, metrics: Metrics, health: Health, clock: FakeClock
) -> None:
    observer.scoring_started(1, 4)
    clock.now = 51.0
    assert not health.live().ok
    observer.scoring_finished(1, 4, 120, 0.5)
    observer.scoring_started(2, 0)
    observer.scoring_finished(2, 0, 0, 0.0)
    clock.now = 1000.0
    assert health.live().ok
    assert value(metrics, "batches_total") == 1
    assert value(metrics, "batch_size_records_sum") == 4
    assert value(metrics, "batch_tokens_sum") == 120
    assert value(metrics, "inference_duration_seconds_sum") == 0.5


def test_pausing_and_draining_are_reported(observer: WorkerObserver, metrics: Metrics, health: Health) -> None:
    observer.paused(True)
    assert value(metrics, "consumer_paused") == 1
    observer.draining()
    assert "draining for shutdown" in health.ready().reasons
