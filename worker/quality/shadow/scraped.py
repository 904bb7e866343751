"""The shadow's findings from the metrics of workers."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from worker.observability.shadow_metrics import DIFFERENCES
from worker.quality.shadow.comparison import Comparison, Findings

_PREFIX = "sluice_shadow_"
_MODELS = ("incumbent", "candidate")
_ABOUT_A_MODEL = ("id", "digest", "precision")

Pairs = dict[tuple[str, str], Comparison]


def read_metrics(bodies: Mapping[str, str]) -> Findings:
    """The findings of several workers, summed.

    Args:
        bodies: What each worker's /metrics answered (Prometheus text), by where it is from.

    Raises:
        ValueError: One of them is not in that format or lacks a label; the message says which.
    """
    pairs: Pairs = {}
    current: set[tuple[str, str]] = set()
    missed: Counter[str] = Counter()
    sampled = 0
    for source, body in bodies.items():
        for sample in _samples(source, body):
            name, labels = sample.name.removeprefix(_PREFIX), sample.labels
            try:
                if name == "sampled_total":
                    sampled += int(sample.value)
                elif name == "missed_total":
                    missed[labels["reason"]] += int(sample.value)
                elif "incumbent" in labels:
                    pair = labels["incumbent"], labels["candidate"]
                    one = pairs.setdefault(pair, Comparison(*pair))
                    if name == "info":
                        current.add(pair)
                        one.models = _models(labels)
                    else:
                        _add(one, name, labels, sample.value)
            except KeyError as error:
                message = f"{source} holds {sample.name} without the label {error}"
                raise ValueError(message) from None
    ordered = sorted(pairs, key=lambda pair: (pair not in current, pair))
    found = [pairs[pair] for pair in ordered]
    for one in found:
        _uncumulated(one)
    return Findings(found, sampled, {reason: count for reason, count in missed.items() if count}, list(bodies))


def _samples(source: str, body: str) -> Iterator[Sample]:
    try:
        for family in text_string_to_metric_families(body):
            if family.name.startswith(_PREFIX):
                yield from family.samples
    except (ValueError, KeyError, IndexError):
        message = f"{source} does not hold metrics in the Prometheus text format"
        raise ValueError(message) from None


def _models(labels: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {who: {what: labels[f"{who}_{what}"] for what in _ABOUT_A_MODEL} for who in _MODELS}


def _add(one: Comparison, name: str, labels: Mapping[str, str], value: float) -> None:
    if name == "compared_total":
        one.compared = (one.compared or 0) + int(value)
    elif name == "flagged_total":
        flags = one.of(labels["label"]).flags(labels["tier"])
        setattr(flags, labels["by"], getattr(flags, labels["by"]) + int(value))
    elif name == "unmatched_labels":
        one.of(labels["label"])
        alone = one.only_in[labels["only_in"]]
        if labels["label"] not in alone:
            alone.append(labels["label"])
    elif name == "score_total":
        one.of(labels["label"]).total_difference += value if labels["by"] == "candidate" else -value
    elif name == "score_difference_bucket" and (bound := float(labels["le"])) != math.inf:
        one.of(labels["label"]).differences[bisect_left(DIFFERENCES, bound)] += int(value)


def _uncumulated(one: Comparison) -> None:
    """Buckets of Prometheus hold everything up to their bound; here each holds its own."""
    for label in one.labels.values():
        counts = label.differences
        label.differences = [count - below for count, below in zip(counts, [0, *counts[:-1]], strict=True)]
