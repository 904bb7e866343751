"""What source, model and publisher count for themselves reaches the metrics once, as it grows."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from worker.observability.health import Health
from worker.observability.metrics import Metrics
from worker.observability.watcher import Watcher


def test_growing_counts_are_added_once_and_lag_is_told_by_partition() -> None:
    registry = CollectorRegistry()
    group: Any = SimpleNamespace(
        lag_records={0: 5, 1: 7}, join_state="steady", commits_succeeded=2, commits_failed=1, broker_answers=True
    )
    model: Any = SimpleNamespace(computed_tokens=100, padded_tokens=10, duplicate_texts=3, cache_hits=0)
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
    assert value("consumer_lag_records", topic="comments", partition="1") == 7
    now[0], group.commits_succeeded, transactions["committed"] = 2.0, 5, 6
    watcher.look()
    assert value("commits_total", result="ok") == 5
    assert value("transactions_total", result="committed") == 6
    assert value("last_commit_timestamp_seconds") == 1_795_348_800.0
