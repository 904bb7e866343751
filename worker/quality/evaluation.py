"""What a model's scores are worth against the truth, label by label."""

import math
from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector, average_precision, brier, calibration_error, recall_at_precision, roc_auc

HIGH_PRECISION = 0.9
"""Precision at which recall is told: what a queue of automatic actions is often held to."""


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """Figures of one label; None where the texts don't give one (no positives, nothing flagged, ...).

    Attributes:
        label: Its name.
        positives: Texts that have it: how much evidence is behind the figures.
        average_precision: Precision averaged over recall.
        roc_auc: Chance that a text with the label outscores one without.
        threshold: What the next three are taken at.
        precision: Share of the flagged that have the label.
        recall: Share of those with the label that are flagged.
        f1: Harmonic mean of the two.
        recall_at_high_precision: Highest recall at a precision of `HIGH_PRECISION` or more.
        brier: Mean squared difference between score and truth.
        calibration_error: Mean gap between score and share of positives, over 15 bins.
    """

    label: str
    positives: int
    average_precision: float | None
    roc_auc: float | None
    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    recall_at_high_precision: float | None
    brier: float
    calibration_error: float


def evaluate_label(label: str, scores: Vector, truth: Vector, weights: Vector, threshold: float) -> LabelQuality:
    """Figures of one label.

    Args:
        label: Its name.
        scores: In [0, 1], shape [texts].
        truth: 0 or 1, shape [texts].
        weights: What each text counts, shape [texts].
        threshold: Lowest score that is flagged.
    """
    flagged = scores >= threshold
    hits = float((weights * truth * flagged).sum())
    precision, recall = _ratio(hits, (weights * flagged).sum()), _ratio(hits, (weights * truth).sum())
    return LabelQuality(
        label=label,
        positives=int(truth.sum()),
        average_precision=_finite(average_precision(scores, truth, weights)),
        roc_auc=_finite(roc_auc(scores, truth, weights)),
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=None if recall is None else _ratio(2 * hits, (weights * (flagged + truth)).sum()),
        recall_at_high_precision=(recall_at_precision(scores, truth, weights, HIGH_PRECISION) if truth.any() else None),
        brier=brier(scores, truth, weights),
        calibration_error=calibration_error(scores, truth, weights),
    )


def text_weights(truth: Vector, clean_weight: float) -> Vector:
    """What each text counts: 1 with a label, `clean_weight` without any; `truth` has shape [texts, labels].

    Collections of labelled texts often hold a fraction of the clean ones only. Giving each of these the weight of those
    it stands for makes figures such as precision hold at the natural rate.
    """
    return np.where(truth.any(axis=1), 1.0, clean_weight)


def mean(values: list[float | None]) -> float | None:
    """Mean over the labels that have the figure."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
