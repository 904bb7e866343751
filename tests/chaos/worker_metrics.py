"""The counters of every worker that lived, as its own `/metrics` gave them last."""

import re
import urllib.request
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPException

_SERIES = re.compile(r"^(sluice_\w+_total)(\{.*?\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="(.*?)"')
_ANSWER_SECONDS = 1.0

Counts = Counter[tuple[str, ...]]
"""Values by the counter's name, without `sluice_` and `_total`, and its labels' values in the order of their names."""


def scrape(port: int) -> Counts | None:
    """The counters of the worker that serves this port; None if it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_ANSWER_SECONDS) as answer:
            return read_counts(answer.read().decode())
    except (OSError, ValueError, HTTPException):
        return None  # it starts, it ends, maybe in the middle of its answer, or it is frozen


def read_counts(text: str) -> Counts:
    """The counters in Prometheus's text format that are not zero."""
    found: Counts = Counter()
    for name, labels, count in _SERIES.findall(text):
        key = (
            name.removeprefix("sluice_").removesuffix("_total"),
            *(label for _, label in sorted(_LABEL.findall(labels))),
        )
        if float(count):
            found[key] += int(float(count))
    return found


def total(counts: Iterable[Counts], *key: str) -> int:
    """The sum over workers of the counters whose name and first labels are these."""
    return sum(value for each in counts for found, value in each.items() if found[: len(key)] == key)
