"""What source, model and publisher count for themselves reaches the metrics once, as it grows."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from worker.observability.health import Health, HealthLimits
from worker.observability.metrics import Metrics
from worker.observability.watcher import Watcher


def test_growing_counts_are_added_once_and_lag_is_told_by_partition() -> None:
    registry = CollectorRegistry()
    group: Any = SimpleNamespace(
        lag_records={0: 5, 1: 7},
        join_state="steady",
        commits_succeeded=2,
        commits_failed=1,
        broker_answers=True,
        is_member=True,
    )
    model: Any = SimpleNamespace(
        computed_tokens=100, padded_tokens=10, duplicate_texts=3, cache_hits=0, float32_retries=4
    )
    transactions = {"committed": 4, "aborted": 0}
    now = [0.0]
    watcher = Watcher(
        Metrics(registry),
        Health(lambda: now[0]),
        "comments",
        group,
        model,
        transactions,
        lambda: now[0],
        lambda: 1_795_348_800.0,
    )

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"sluice_{name}", labels)

    watcher.look()
    watcher.look()  # too soon: nothing is read, nothing is counted twice
    assert value("commits_total", result="ok") == 2
    assert value("commits_total", result="failed") == 1
    assert value("transactions_total", result="committed") == 4
    assert value("tokens_computed_total") == 100
    assert value("texts_deduplicated_total") == 3
    assert value("retries_total", stage="INFERENCE") == 4
    assert value("consumer_lag_records", topic="comments", partition="1") == 7
    now[0], group.commits_succeeded, transactions["committed"] = 2.0, 5, 6
    watcher.look()
    assert value("commits_total", result="ok") == 5
    assert value("transactions_total", result="committed") == 6
    assert value("last_commit_timestamp_seconds") == 1_795_348_800.0


def test_commits_that_the_broker_took_are_progress_and_membership_makes_ready() -> None:
    now = [0.0]
    health = Health(lambda: now[0], HealthLimits(progress_seconds=100))
    group: Any = SimpleNamespace(
        lag_records={0: 5},
        join_state="init",
        commits_succeeded=0,
        commits_failed=0,
        broker_answers=True,
        is_member=False,
    )
    transactions = {"committed": 0, "aborted": 0}
    watcher = Watcher(
        Metrics(CollectorRegistry()), health, "comments", group, None, transactions, lambda: now[0], lambda: 0.0
    )
    health.model_loaded()
    health.in_flight(3)
    watcher.look()
    assert health.ready().reasons == ("not a member of the consumer group yet",)
    group.is_member = True
    for counts, name in ((vars(group), "commits_succeeded"), (transactions, "committed")):
        now[0] += 101
        group.commits_failed += 1
        watcher.look()
        assert "no offset was committed" in health.ready().reasons[0]
        now[0] += 1
        counts[name] += 1
        watcher.look()
        assert health.ready().ok
