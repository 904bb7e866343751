"""The metrics page, from the catalogue `worker.observability.metrics`."""

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from docgen.markdown import code, page, sentence, table
from worker.observability.metrics import NAMESPACE, Metrics
from worker.types import ModelIdentity

_INTRODUCTION = f"""\
`/metrics` on `http.port` serves these in the Prometheus text format. Names follow the Prometheus conventions (base
units; counters end in `_total`). No label holds a key, an offset or a text. Series whose labels are known beforehand
exist from the start, at zero. `deploy/prometheus/rules.yml` alerts on them, and
`deploy/grafana/dashboard.json` draws them.

The process, platform and garbage-collection metrics of `prometheus_client` (`process_*`, `python_*`) are served beside
these `{NAMESPACE}_*` ones."""

_SUFFIX = {"counter": "_total"}


def render() -> str:
    """The page."""
    rows = [
        [code(family.name + _SUFFIX.get(family.type, "")), family.type, ", ".join(map(code, labels)), _help(family)]
        for family, labels in catalogue()
    ]
    return page("Metrics", _INTRODUCTION, table(["metric", "type", "labels", "what"], rows))


def catalogue() -> list[tuple[Metric, list[str]]]:
    """Every metric of a worker with the names of its labels, in the order of the catalogue."""
    metrics = Metrics(CollectorRegistry())
    metrics.describe_model(ModelIdentity("m", "1", "sha256:0", "float32"), ["toxic"])
    found = []
    for name, collector in (*vars(metrics).items(), *vars(metrics.shadow).items()):
        if name != "registry" and hasattr(collector, "collect"):
            (family,) = collector.collect()
            found.append((family, _labels(collector)))
    return found


def _help(family: Metric) -> str:
    return sentence(family.documentation)


def _labels(collector: Collector) -> list[str]:
    # prometheus_client keeps the names of labels to itself; a family without series shows none.
    named = getattr(collector, "_labelnames", None)
    if named is not None:
        return list(named)
    return sorted(
        {label for family in collector.collect() for sample in family.samples for label in sample.labels} - {"le"}
    )
