"""Comparisons as metrics, and as examples where they are asked for."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from worker.observability.shadow_metrics import ShadowMetrics
from worker.settings import ExamplesKept
from worker.shadow.comparison import By, Compared, Flag, Labels
from worker.shadow.sampled import Scorer

Example = tuple[Compared, Sequence[Flag]]
"""A comparison that is published, with the flags in which the two differ."""

Publish = Callable[[Scorer, Sequence[Example]], None]
"""Publishes examples of the comparison with this candidate; never raises."""


class ExamplesOutlet(Protocol):
    """Where examples go; used by the shadow's thread, and never raises."""

    def publish(self, candidate: Scorer, examples: Sequence[Example]) -> None:
        """Leave these to be sent."""

    def serve(self) -> None:
        """Count what became of those left before; waits for nothing."""

    def close(self) -> None:
        """Send what is left, within a second or so."""


class Tally:
    """Counts comparisons with one candidate; on the shadow's thread.

    Args:
        metrics: Where it counts.
        candidate: Who is compared.
        kept: Which comparisons are examples.
        publish: Publishes an example; None where no topic is named.
    """

    def __init__(self, metrics: ShadowMetrics, candidate: Scorer, kept: ExamplesKept, publish: Publish | None) -> None:
        self._metrics = metrics
        self._candidate = candidate
        self._kept = kept
        self._publish = publish
        self._incumbent: Scorer | None = None
        self._labels = Labels((), {})

    def describe(self, incumbent: Scorer) -> None:
        """Begin the series of comparisons with this incumbent, unless they have begun."""
        if incumbent == self._incumbent:
            return
        self._incumbent = incumbent
        candidate = self._candidate
        self._labels = Labels.of(incumbent, candidate)
        identities = {
            f"{who}_{what}": getattr(scorer.identity, what)
            for who, scorer in (("incumbent", incumbent), ("candidate", candidate))
            for what in ("id", "digest", "precision")
        }
        self._metrics.describe(
            (incumbent.name, candidate.name),
            identities,
            shared=self._labels.shared,
            only_in={str(by): labels for by, labels in self._labels.only_in.items()},
        )

    def count(self, compared: Sequence[Compared]) -> None:
        """Count the comparisons, and publish those that are examples."""
        by_incumbent: defaultdict[Scorer, list[Compared]] = defaultdict(list)
        for one in compared:
            by_incumbent[one.sampled.incumbent].append(one)
        for incumbent, of_one in by_incumbent.items():
            self.describe(incumbent)
            self._count(incumbent, of_one)

    def _count(self, incumbent: Scorer, compared: Sequence[Compared]) -> None:
        metrics, pair = self._metrics, {"incumbent": incumbent.name, "candidate": self._candidate.name}
        flags: Counter[Flag] = Counter()
        scores: defaultdict[tuple[str, str], float] = defaultdict(float)
        for one in compared:
            flags.update(one.flags)
            for label, shift in one.shifts.items():
                metrics.score_difference.labels(label=label, **pair).observe(shift)
                scores[label, By.INCUMBENT.value] += one.sampled.verdict.scores[label]
                scores[label, By.CANDIDATE.value] += one.candidate.scores[label]
        for (label, tier, by), number in flags.items():
            metrics.flagged.labels(label=label, tier=tier.value, by=by.value, **pair).inc(number)
        for (label, who), total in scores.items():
            metrics.score.labels(label=label, by=who, **pair).inc(total)
        metrics.compared.labels(**pair).inc(len(compared))
        if self._publish is not None:
            examples = [(one, one.differing(self._labels.shared)) for one in compared]
            if self._kept is ExamplesKept.DIFFERING:
                examples = [(one, differing) for one, differing in examples if differing]
            if examples:
                self._publish(self._candidate, examples)
