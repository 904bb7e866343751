"""Every figure of a report, label by label; the page shows these, and the JSON beside it holds them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from worker.quality.evaluation import LabelQuality, evaluate_label
from worker.quality.figures import Vector, reliability
from worker.quality.report.bands import HIGHEST, LOWEST, RESAMPLES, SEED, Ranking, rank
from worker.quality.report.mistakes import Mistakes, worst
from worker.quality.report.outcomes import Outcome, outcome
from worker.quality.report.slices import Slice, by_language, by_length, slices
from worker.quality.threshold_rules import Choice
from worker.quality.trade_off import curve

Matrix = NDArray[np.float64]

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts

FORMAT = 1
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of similar scores: their mean score, the share of them that has the label, and their share of all."""

    mean_score: float
    positives: float
    share: float


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What a report says of one label.

    Attributes:
        quality: Its figures at the threshold from which it is flagged.
        ranking: ROC and precision-recall with bands; None where all texts have the label, or none.
        reliability: Scores against shares, for the bins that hold a text.
        sweep: Figures at thresholds from the lowest score to the highest.
        review: What the tier review makes of the texts: everything that is flagged.
        act: What the tier act makes of them.
        by_language: Figures by language.
        by_length: Figures by length, in characters.
        mistakes: The worst ones at the threshold from which it is flagged.
    """

    quality: LabelQuality
    ranking: Ranking | None
    reliability: list[Bin]
    sweep: list[Choice]
    review: Outcome
    act: Outcome
    by_language: list[Slice]
    by_length: list[Slice]
    mistakes: Mistakes


@dataclass(frozen=True, slots=True)
class Report:
    """All of it.

    Attributes:
        origin: Model, threshold set, file, date and numbers of texts.
        labels: One for each label.
        confusion: For each label that texts have (rows), the share of them that is flagged with each label (columns),
            by weight; NaN where no text has it. The last row is of the texts without any label.
    """

    origin: dict[str, Any]
    labels: list[LabelReport]
    confusion: Matrix

    def as_json(self) -> dict[str, Any]:
        """The figures as JSON values; what cannot be known is null."""
        return {
            "format": FORMAT,
            **self.origin,
            "bands": {
                "method": "bootstrap over texts, percentiles, pointwise",
                "resamples": RESAMPLES,
                "seed": SEED,
                "percentiles": [LOWEST, HIGHEST],
            },
            "labels": {one.quality.label: _plain(asdict(one)) for one in self.labels},
            "confusion": _plain(self.confusion),
        }


def make_report(scored: "ScoredTexts", languages: Sequence[str], origin: dict[str, Any], *, with_texts: bool) -> Report:
    """Compute a report.

    Args:
        scored: Scores beside the truth, with ids and texts.
        languages: Language of each text; empty where it is not certain.
        origin: Model, threshold set, file, date and numbers of texts, as JSON values.
        with_texts: Whether the worst mistakes are shown with their texts.
    """
    names = by_language(languages), by_length(scored.texts)
    labels = [_label(scored, column, names, with_texts=with_texts) for column in range(len(scored.labels))]
    return Report(origin, labels, _confusion(scored))


def _label(scored: "ScoredTexts", column: int, names: tuple[list[str], list[str]], *, with_texts: bool) -> LabelReport:
    label, weights = scored.labels[column], scored.weights
    scores, truth = scored.scores[:, column], scored.truth[:, column]
    lowest = scored.thresholds.lowest_flagged(label)
    languages, lengths = (list(slices(one, label, scores, truth, weights, lowest)) for one in names)
    return LabelReport(
        evaluate_label(label, scores, truth, weights, lowest),
        rank(scores, truth, weights, np.random.default_rng(SEED)),
        list(_bins(scores, truth, weights)),
        curve(scores, truth, weights),
        outcome(scores, truth, weights, scored.thresholds.values.get(label)),
        outcome(scores, truth, weights, scored.thresholds.act.get(label)),
        languages,
        lengths,
        worst(scores, truth, lowest, scored.ids, scored.texts if with_texts else None),
    )


def _bins(scores: Vector, truth: Vector, weights: Vector) -> list[Bin]:
    rows = zip(*(part.tolist() for part in reliability(scores, truth, weights)), strict=True)
    return [Bin(*row) for row in rows if row[-1] > 0]


def _confusion(scored: "ScoredTexts") -> Matrix:
    flagged = scored.scores >= np.array([scored.thresholds.lowest_flagged(label) for label in scored.labels])
    without = 1 - scored.truth.max(axis=1, keepdims=True)
    has = np.hstack((scored.truth, without)) * scored.weights[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((has.T @ flagged) / np.sum(has, axis=0, keepdims=True).T, dtype=np.float64)


def _plain(value: Any) -> Any:
    """JSON values: arrays as lists, numbers with six decimals, null for what is not finite."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, _DECIMALS) if np.isfinite(value) else None
    return value
