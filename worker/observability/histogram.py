"""A Prometheus histogram that observes a whole batch at a time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

_MANY_A_BOUND = 3
"""From so many values for each bound on, searching for the bounds among the sorted values is cheaper, measured."""


class Cells:
    """Counts and sum of one child; `observe_many` takes the lock once, however many values it is given."""

    __slots__ = ("_bounds", "_counts", "_lock", "_sum", "exemplars")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()
        self.exemplars: dict[int, Exemplar] = {}

    def observe_many(self, values: Iterable[float]) -> None:
        """Count each value into the first bucket whose upper bound it does not exceed."""
        bounds, counts, ordered = self._bounds, self._counts, sorted(values)
        with self._lock:
            self._sum += sum(ordered)
            if len(ordered) < _MANY_A_BOUND * len(bounds):
                for value in ordered:
                    counts[bisect_left(bounds, value)] += 1
                return
            below = 0
            for bucket, bound in enumerate(bounds):
                reached = bisect_right(ordered, bound, below)
                counts[bucket] += reached - below
                below = reached
            counts[-1] += len(ordered) - below

    def exemplify(self, value: float, labels: dict[str, str], timestamp: float) -> None:
        """Name one value that was observed; the latest of each bucket is shown to scrapers of OpenMetrics."""
        self.exemplars[bisect_left(self._bounds, value)] = Exemplar(labels, value, timestamp)

    def snapshot(self) -> tuple[list[int], float]:
        """Counts of each bucket (not cumulative, the last one unbounded) and the sum, of one moment."""
        with self._lock:
            return list(self._counts), self._sum


class Distribution(Collector):
    """A histogram for values that come a batch at a time.

    `prometheus_client.Histogram.observe` takes two locks and a linear search for each value, 1.2 us measured with 13
    buckets; with a score for each label of each record that would be the most expensive step outside the model. Here a
    batch takes one lock, and a value 0.13 us for its binary search, or 0.05 us in a full batch. What is scraped is an
    ordinary histogram.

    Args:
        name: Full metric name, unit included.
        documentation: What one value is, with its unit.
        label: Name of its one label, or None for a histogram without labels.
        bounds: Upper bounds of the buckets, strictly increasing, without infinity.
        registry: Where it is registered.

    Raises:
        ValueError: `bounds` is empty or not strictly increasing, or the name is taken.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        *,
        bounds: Sequence[float],
        registry: CollectorRegistry,
        label: str | None = None,
    ) -> None:
        if not bounds or any(low >= high for low, high in pairwise(bounds)):
            message = f"{name}: bounds must be strictly increasing, got {list(bounds)}"
            raise ValueError(message)
        self._name = name
        self._documentation = documentation
        self._label = label
        self._bounds = tuple(float(bound) for bound in bounds)
        self._children: dict[str, Cells] = {} if label else {"": Cells(self._bounds)}
        registry.register(self)

    def labels(self, value: str) -> Cells:
        """The child of this label value, made on first use."""
        if self._label is None:
            message = f"{self._name} has no label"
            raise ValueError(message)
        child = self._children.get(value)
        return child if child is not None else self._children.setdefault(value, Cells(self._bounds))

    def observe(self, value: float) -> None:
        """Observe one value; as `observe_many`."""
        self.observe_many((value,))

    def observe_many(self, values: Iterable[float]) -> None:
        """Observe the values of one batch; only for a distribution without labels.

        Raises:
            ValueError: This distribution has a label.
        """
        if self._label is not None:
            message = f"{self._name} has the label {self._label}: observe through labels()"
            raise ValueError(message)
        self._children[""].observe_many(values)

    def exemplify(self, value: float, labels: dict[str, str], timestamp: float) -> None:
        """As `Cells.exemplify`, of a distribution without labels.

        Args:
            value: The value.
            labels: Of the exemplar, at most 128 characters (OpenMetrics), for example `trace_id`.
            timestamp: Seconds since the epoch.
        """
        self._children[""].exemplify(value, labels, timestamp)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Name and help without values, so that registering costs no scrape."""
        yield self._family()

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Cumulative buckets, count and sum of every child, each child of one moment."""
        family = self._family()
        edges = [*map(floatToGoString, self._bounds), "+Inf"]
        for value, cells in list(self._children.items()):
            counts, total = cells.snapshot()
            running = 0
            buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
            for index, (edge, count) in enumerate(zip(edges, counts, strict=True)):
                running += count
                exemplar = cells.exemplars.get(index)
                buckets.append((edge, float(running)) if exemplar is None else (edge, float(running), exemplar))
            family.add_metric([value] if self._label else [], buckets=buckets, sum_value=total)
        yield family

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=[self._label] if self._label else [])
