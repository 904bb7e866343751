import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from tests.deploy.files import DEPLOY, load_yaml, run_tool
from worker.observability.metrics import NAMESPACE, Metrics
from worker.types import ModelIdentity

RULES: dict[str, Any] = load_yaml(DEPLOY / "prometheus" / "rules.yml")
RULE_TESTS = ["rules_test.yml", "objective_test.yml", "drift_test.yml"]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
ALL_RULES: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Recorded names contain colons, so they are not metrics of the catalogue.
METRIC = re.compile(rf"(?<![\w:])(?:{NAMESPACE}|process)_\w+(?!\w*:)")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def exported() -> dict[str, Metric]:
    """Every series name that a worker can export, with its family."""
    metrics = Metrics(CollectorRegistry())
    metrics.describe_model(ModelIdentity("m", "1", "sha256:0", "float32"), ["toxic"])
    names: dict[str, Metric] = {}
    for family in metrics.registry.collect():
        names.update({family.name + suffix: family for suffix in SUFFIXES.get(family.type, ())})
    return names


CATALOGUE = exported()


def _queries() -> Iterator[tuple[str, str]]:
    for rule in ALL_RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]["query"]


QUERIES = list(_queries())


@pytest.mark.parametrize(("title", "expression"), QUERIES)
def test_each_queried_metric_is_exported(title: str, expression: str) -> None:
    asked = set(METRIC.findall(expression))
    recorded = any(rule.get("record", "\0") in expression for rule in ALL_RULES)
    of_the_cluster = "kube_" in expression  # what kube-state-metrics exports about a pod that has ended
    assert asked or recorded or of_the_cluster, f"{title} asks for nothing"
    assert asked <= CATALOGUE.keys()


@pytest.mark.parametrize(("title", "expression"), QUERIES)
def test_counters_are_queried_as_rates(title: str, expression: str) -> None:
    for name in METRIC.findall(expression):
        if CATALOGUE[name].type == "counter" or name.endswith("_bucket"):
            assert re.search(rf"(rate|increase)\({name}\b", expression), f"{title}: {name}"


def test_each_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {
        CATALOGUE[name].name for panel in PANELS for one in panel["targets"] for name in METRIC.findall(one["expr"])
    }
    ours = {family.name for family in CATALOGUE.values() if family.name.startswith(NAMESPACE)}
    # The consumption of the topic equals the sum of the outcomes; the breaker ends the worker, so it is an alert.
    assert ours - shown == {f"{NAMESPACE}_records_consumed", f"{NAMESPACE}_breaker_open"}


def test_alerts_say_what_happened_and_what_to_do() -> None:
    for rule in ALL_RULES:
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
            assert {"summary", "description"} <= rule["annotations"].keys(), rule["alert"]


def test_each_alert_has_a_page_in_the_runbook_that_its_link_leads_to() -> None:
    pages = re.findall(r"^### (Sluice\w+)$", (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8"), re.MULTILINE)
    alerts = [rule for rule in ALL_RULES if "alert" in rule]
    assert sorted(pages) == sorted(rule["alert"] for rule in alerts)
    for rule in alerts:
        assert rule["annotations"]["runbook_url"].endswith(f"/RUNBOOK.md#{rule['alert'].lower()}")


def test_series_of_two_namespaces_are_never_summed() -> None:
    for title, expression in QUERIES:
        for labels in re.findall(r"\bby \(([^)]*)\)", expression):
            if "job" in labels:
                assert "namespace" in labels or title not in {
                    rule.get("alert") or rule.get("record") for rule in ALL_RULES
                }


def test_alerts_use_recordings_of_the_same_evaluation() -> None:
    for group in RULES["groups"]:
        recorded: set[str] = set()
        for rule in group["rules"]:
            asked = set(re.findall(r"\b\w+:\w+:\w+", rule["expr"]))
            assert asked <= recorded, f"{rule} is evaluated before, or beside, what it asks for"
            recorded |= {rule["record"]} if "record" in rule else set()


def test_each_alert_is_tested_firing_and_silent() -> None:
    files = [load_yaml(DEPLOY / "prometheus" / name) for name in RULE_TESTS]
    cases = [case for file in files for test in file["tests"] for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in ALL_RULES if "alert" in rule}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


def test_panels_have_distinct_ids_places_and_descriptions() -> None:
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)
    assert all(panel["description"] for panel in PANELS)
    for one, other in combinations((panel["gridPos"] for panel in everything), 2):
        apart_across = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_down = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_across or apart_down


def test_panels_use_the_selected_data_source() -> None:
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}


def test_promtool_accepts_the_configuration_and_its_tests() -> None:
    folder = DEPLOY / "prometheus"
    run_tool("promtool", "check", "config", "prometheus.yml", cwd=folder)
    run_tool("promtool", "test", "rules", *RULE_TESTS, cwd=folder)
