import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from worker.observability.histogram import Cells, Distribution
from worker.observability.metrics import Metrics
from worker.types import ModelIdentity


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_attribute_is_named_as_its_metric(metrics: Metrics) -> None:
    scraped = generate_latest(metrics.registry).decode()
    of_the_shadow = (f"shadow_{attribute}" for attribute in vars(metrics.shadow))
    for attribute in (*vars(metrics), *of_the_shadow):
        if attribute not in {"registry", "shadow"}:
            assert re.search(rf"^# HELP sluice_{attribute}(_total)? \S", scraped, re.MULTILINE), attribute


def test_every_metric_has_help_and_a_base_unit(metrics: Metrics) -> None:
    for family in metrics.registry.collect():
        assert family.documentation
        assert not re.search(r"(_ms|_millis|_milliseconds|_kb|_mb|_percent|_minutes)$", family.name), family.name


def test_partition_is_a_label_of_gauges_only(metrics: Metrics) -> None:
    metrics.set_lag("comments", 3, 10)
    for family in metrics.registry.collect():
        if any("partition" in one.labels for one in family.samples):
            assert family.type == "gauge", family.name


def test_known_series_exist_before_their_first_event(metrics: Metrics) -> None:
    assert sample(metrics, "sluice_records_processed_total", outcome="rejected") == 0
    assert sample(metrics, "sluice_commits_total", result="failed") == 0
    assert sample(metrics, "sluice_loop_seconds_total", phase="idle") == 0


def test_lag_of_a_revoked_partition_is_gone(metrics: Metrics) -> None:
    metrics.set_lag("comments", 0, 7)
    metrics.set_lag("comments", 1, 8)
    metrics.forget_lag("comments", 0)
    metrics.forget_lag("comments", 0)
    assert sample(metrics, "sluice_consumer_lag_records", topic="comments", partition="0") is None
    assert sample(metrics, "sluice_consumer_lag_records", topic="comments", partition="1") == 8


def test_unknown_lag_is_not_exported(metrics: Metrics) -> None:
    metrics.set_lag("comments", 0, 7)
    metrics.set_lag("comments", 0, -1)
    assert sample(metrics, "sluice_consumer_lag_records", topic="comments", partition="0") is None


def test_a_described_model_is_the_only_one_and_its_labels_begin_at_zero(metrics: Metrics) -> None:
    metrics.describe_model(ModelIdentity("old", None, "sha256:0", "float32"), ["toxic"])
    metrics.describe_model(ModelIdentity("mini", "1", "sha256:1", "bfloat16"), ["toxic", "insult"])
    infos = [one.labels for family in metrics.model_info.collect() for one in family.samples]
    assert infos == [{"model_id": "mini", "revision": "1", "digest": "sha256:1", "precision": "bfloat16"}]
    assert sample(metrics, "sluice_labels_assigned_total", label="insult") == 0
    assert sample(metrics, "sluice_scores_count", label="insult") == 0


def test_a_registry_holds_one_catalogue(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(metrics.registry)


def test_a_distribution_is_scraped_as_a_histogram() -> None:
    registry = CollectorRegistry()
    one = Distribution("wait_seconds", "Seconds waited", bounds=(1, 2.5), registry=registry)
    one.observe_many([0.5, 1.0, 2.0, 99.0])
    one.observe_many([])
    (family,) = text_string_to_metric_families(generate_latest(registry).decode())
    assert family.type == "histogram"
    samples = {(one.name, one.labels.get("le")): one.value for one in family.samples}
    assert samples == {
        ("wait_seconds_bucket", "1.0"): 2,
        ("wait_seconds_bucket", "2.5"): 3,
        ("wait_seconds_bucket", "+Inf"): 4,
        ("wait_seconds_count", None): 4,
        ("wait_seconds_sum", None): 102.5,
    }


def test_a_labelled_distribution_keeps_its_children_apart() -> None:
    registry = CollectorRegistry()
    scores = Distribution("scores", "Scores", bounds=(0.5,), registry=registry, label="label")
    scores.labels("toxic").observe_many([0.1, 0.9])
    scores.labels("insult").observe_many([0.2])
    assert registry.get_sample_value("scores_bucket", {"label": "toxic", "le": "0.5"}) == 1
    assert registry.get_sample_value("scores_count", {"label": "insult"}) == 1
    with pytest.raises(ValueError, match="through labels"):
        scores.observe_many([0.3])


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0, 2.0]), max_size=40))
def test_a_whole_batch_is_counted_as_its_values_one_by_one(values: list[float]) -> None:
    together, one_by_one = Cells((0.1, 0.5, 1.0)), Cells((0.1, 0.5, 1.0))
    together.observe_many(values)
    for value in values:
        one_by_one.observe_many([value])
    assert together.snapshot()[0] == one_by_one.snapshot()[0]
    assert together.snapshot()[1] == pytest.approx(one_by_one.snapshot()[1])


@pytest.mark.parametrize("bounds", [(), (1.0, 1.0), (2.0, 1.0)])
def test_bounds_must_rise(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        Distribution("x", "X", bounds=bounds, registry=CollectorRegistry())
