"""What source, model and publisher count for themselves reaches the metrics once, as it grows."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from testkit.clock import FakeClock
from worker.facts import DeliveryFacts, FlagRate, GroupFacts, ModelFacts, Ordinary
from worker.observability.health import Health, HealthLimits
from worker.observability.metrics import Metrics
from worker.observability.watcher import Watcher

WALL_SECONDS = 1_795_348_800.0


class Known:
    """Source, publisher or classifier, as far as a watcher asks."""

    def __init__(self, facts: Any) -> None:
        self.known = facts

    def facts(self) -> Any:
        return self.known

    def change(self, **facts: Any) -> None:
        self.known = self.known._replace(**facts)


def known(facts: Any) -> Any:
    return Known(facts)


class Watched:
    """A watcher, and the three that it watches."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.health = Health(self.clock, HealthLimits(progress_seconds=100))
        self.source: Any = known(GroupFacts("steady", True, True, {("comments", 0): 5, ("comments", 1): 7}, 0, 0))
        self.publisher: Any = known(DeliveryFacts())
        self.classifier: Any = known(ModelFacts())
        self.flag_rates: dict[str, FlagRate] = {}
        self.watcher = Watcher(
            metrics=Metrics(self.registry),
            health=self.health,
            source=self.source,
            publisher=self.publisher,
            classifier=self.classifier,
            flag_rates=lambda: self.flag_rates,
            clock=self.clock,
            wall_clock=lambda: WALL_SECONDS,
        )

    def look(self, after_seconds: float = 0.0) -> None:
        self.clock.advance(after_seconds)
        self.watcher.look()

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"sluice_{name}", labels)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_growing_counts_are_added_once(watched: Watched) -> None:
    watched.source.change(commits_succeeded=2, commits_failed=1)
    watched.publisher.change(transactions_committed=4)
    watched.look()
    watched.look()  # too soon: nothing is read, nothing is counted twice
    assert watched.value("commits_total", result="ok") == 2
    assert watched.value("commits_total", result="failed") == 1
    assert watched.value("transactions_total", result="committed") == 4
    watched.source.change(commits_succeeded=5)
    watched.publisher.change(transactions_committed=6, transactions_aborted=1)
    watched.look(after_seconds=2)
    assert watched.value("commits_total", result="ok") == 5
    assert watched.value("transactions_total", result="committed") == 6
    assert watched.value("transactions_total", result="aborted") == 1
    assert watched.value("last_commit_timestamp_seconds") == WALL_SECONDS


def test_lag_is_exported_by_partition(watched: Watched) -> None:
    watched.look()
    assert watched.value("consumer_lag_records", topic="comments", partition="1") == 7


@pytest.mark.parametrize(
    ("fact", "metric", "labels"),
    [
        ("windows", "windows_computed_total", {}),
        ("computed_tokens", "tokens_computed_total", {}),
        ("padded_tokens", "tokens_padded_total", {}),
        ("duplicate_texts", "texts_deduplicated_total", {}),
        ("cache_hits", "cache_hits_total", {}),
        ("viewed_texts", "texts_viewed_total", {}),
        ("truncated_texts", "texts_truncated_total", {}),
        ("unscorable_texts", "texts_unscorable_total", {}),
        ("float32_retries", "retries_total", {"stage": "INFERENCE"}),
        ("memory_halvings", "memory_halvings_total", {}),
        ("texts_alone", "texts_alone_total", {}),
    ],
)
def test_everything_the_model_counts_has_a_metric(
    watched: Watched, fact: str, metric: str, labels: dict[str, str]
) -> None:
    watched.classifier.change(**{fact: 3})
    watched.look()
    watched.classifier.change(**{fact: 5})
    watched.look(after_seconds=2)
    assert watched.value(metric, **labels) == 5


def test_no_fact_of_the_model_is_left_out() -> None:
    (mark,) = test_everything_the_model_counts_has_a_metric.pytestmark  # type: ignore[attr-defined] # pytest sets it
    assert {fact for fact, _, _ in mark.args[1]} == set(ModelFacts._fields)


def test_membership_makes_ready(watched: Watched) -> None:
    watched.health.model_loaded()
    watched.source.change(is_member=False)
    watched.look()
    assert watched.health.ready().reasons == ("not a member of the consumer group yet",)
    watched.source.change(is_member=True)
    watched.look(after_seconds=2)
    assert watched.health.ready().ok


@pytest.mark.parametrize(("part", "count"), [("source", "commits_succeeded"), ("publisher", "transactions_committed")])
def test_only_commits_that_the_broker_took_are_progress(watched: Watched, part: str, count: str) -> None:
    watched.health.model_loaded()
    watched.health.in_flight(3)
    watched.source.change(commits_failed=1)
    watched.look(after_seconds=101)
    assert "no offset was committed" in watched.health.ready().reasons[0]
    getattr(watched, part).change(**{count: 1})
    watched.look(after_seconds=2)
    assert watched.health.ready().ok


def test_a_share_out_of_the_ordinary_is_a_metric_that_says_against_what(watched: Watched) -> None:
    def alarms() -> tuple[float | None, float | None]:
        return tuple(watched.value("flag_rate_alarm", label="toxic", against=one) for one in ("past", "band"))  # type: ignore[return-value] # of two

    watched.look()
    assert watched.value("flagged_ratio", label="toxic") is None
    for ordinary, expected in (
        (Ordinary.NOT_FOR_ITS_PAST, (1, 0)),
        (Ordinary.NOT_FOR_ITS_BAND, (0, 1)),
        (Ordinary.YES, (0, 0)),
    ):
        watched.flag_rates = {"toxic": FlagRate(0.4, 0.05, ordinary)}
        watched.look(after_seconds=2)
        assert alarms() == expected
    assert watched.value("flagged_ratio", label="toxic") == 0.4
    assert watched.value("past_flagged_ratio", label="toxic") == 0.05
