"""How a candidate differs from the model in use, in figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from worker.observability.shadow_metrics import DIFFERENCES

_TWO_SIDED_95 = 1.959964


@dataclass
class Flags:
    """Compared comments that reach a tier of a label, by whom: by one of the two only, or by both."""

    incumbent: int = 0
    candidate: int = 0
    both: int = 0


class Change(NamedTuple):
    """Change of the share of comments that reach a tier: candidate minus incumbent, with its 95 % interval."""

    value: float
    low: float
    high: float


def change_of(flags: Flags, compared: int) -> Change | None:
    """The change of a share among `compared` comments, each seen by both models.

    Only the comments on which the two differ carry it: those that both flag are the same share twice. The interval is
    Wald's for pairs with half a comment added to each of the four cases (Agresti and Min 2005, Statistics in Medicine
    24:729), so that models that have not differed yet are not said to be surely the same.
    """
    if not compared:
        return None
    only, net, all_of_them = flags.incumbent + flags.candidate + 1, flags.candidate - flags.incumbent, compared + 2
    reach = _TWO_SIDED_95 * math.sqrt(max(0.0, only - net * net / all_of_them)) / all_of_them
    middle = net / all_of_them
    return Change(net / compared, middle - reach, middle + reach)


@dataclass
class LabelComparison:
    """One label.

    Attributes:
        label: Its name in the model in use.
        review: Flags of the tier review: the label is assigned.
        act: Flags of the tier act.
        differences: Score of the candidate minus that of the incumbent: counts between the bounds of `DIFFERENCES`.
        total_difference: Their sum.
    """

    label: str
    review: Flags = field(default_factory=Flags)
    act: Flags = field(default_factory=Flags)
    differences: list[int] = field(default_factory=lambda: [0] * len(DIFFERENCES))
    total_difference: float = 0.0

    @property
    def mean_difference(self) -> float | None:
        """The mean difference of the scores; None for a label that only one of the two has."""
        count = sum(self.differences)
        return self.total_difference / count if count else None

    def flags(self, tier: str) -> Flags:
        """The flags of a tier."""
        return self.act if tier == "act" else self.review


@dataclass
class Comparison:
    """A candidate and the model in use.

    Attributes:
        incumbent: Short name of the model in use (`short_name`).
        candidate: The same of the candidate.
        models: By `incumbent` and `candidate` what is known of each model; empty for one that is no longer compared.
        compared: Comments that both have scored; None where only those on which they differ are known.
        labels: Every label that one of them or both have.
        only_in: By `incumbent` and `candidate` the labels that only this one has.
    """

    incumbent: str
    candidate: str
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    compared: int | None = 0
    labels: dict[str, LabelComparison] = field(default_factory=dict)
    only_in: dict[str, list[str]] = field(default_factory=lambda: {"incumbent": [], "candidate": []})

    def name_of(self, who: str) -> str:
        """The `incumbent` or the `candidate` for a person: its model's id where that is known, and the short name."""
        short = self.candidate if who == "candidate" else self.incumbent
        model = self.models.get(who)
        return f"{model['id']} ({short})" if model else short

    def of(self, label: str) -> LabelComparison:
        """The figures of a label, which begin at zero."""
        return self.labels.setdefault(label, LabelComparison(label))

    def shared(self) -> list[LabelComparison]:
        """The labels that both have."""
        alone = {label for labels in self.only_in.values() for label in labels}
        return [one for one in self.labels.values() if one.label not in alone]

    def share(self, label: LabelComparison, tier: str, who: str) -> float | None:
        """The share of the compared comments that reach a tier by `incumbent` or by `candidate`.

        None where this one does not have the label, or where nobody knows how many comments were compared.
        """
        other = "candidate" if who == "incumbent" else "incumbent"
        if not self.compared or label.label in self.only_in[other]:
            return None
        flags = label.flags(tier)
        own: int = getattr(flags, who)
        return (own + flags.both) / self.compared

    def as_json(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "incumbent": {"name": self.incumbent, **self.models.get("incumbent", {})},
            "candidate": {"name": self.candidate, **self.models.get("candidate", {})},
            "compared": self.compared,
            "only_in": self.only_in,
            "labels": {label: self._label_as_json(one) for label, one in self.labels.items()},
        }

    def _label_as_json(self, one: LabelComparison) -> dict[str, Any]:
        alone = one not in self.shared()
        tiers = {
            tier: {**asdict(flags), "change": _as_json(None if alone else change_of(flags, self.compared or 0))}
            for tier, flags in (("review", one.review), ("act", one.act))
        }
        differences = {"bounds": DIFFERENCES, "counts": one.differences, "mean": one.mean_difference}
        return {**tiers, "differences": None if alone else differences}


def _as_json(change: Change | None) -> dict[str, float] | None:
    return None if change is None else change._asdict()


@dataclass
class Findings:
    """All that was read.

    Attributes:
        comparisons: Each pair that was compared; the one compared now comes first.
        sampled: Label events that were chosen; None where the source does not say.
        missed: By reason those that were not compared.
        sources: What was read, for a person.
    """

    comparisons: Sequence[Comparison]
    sampled: int | None
    missed: Mapping[str, int]
    sources: Sequence[str]

    @property
    def waiting(self) -> int | None:
        """Comments that still wait for the candidate; None where the source does not say."""
        if self.sampled is None:
            return None
        return max(0, self.sampled - sum(self.missed.values()) - sum(one.compared or 0 for one in self.comparisons))

    def as_json(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return {
            "sources": list(self.sources),
            "sampled": self.sampled,
            "waiting": self.waiting,
            "missed": dict(self.missed),
            "comparisons": [one.as_json() for one in self.comparisons],
        }
