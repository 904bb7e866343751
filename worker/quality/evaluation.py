"""The quality of a model's scores against the truth, label by label."""

import math
from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector, average_precision, brier, calibration_error, recall_at_precision, roc_auc

HIGH_PRECISION = 0.9
"""Precision at which recall is reported: a common requirement for automatic actions."""


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """Figures of one label; None where the texts do not determine one (no positives, nothing flagged, ...).

    Attributes:
        label: Name of the label.
        positives: Texts that have it, which is the evidence behind the figures.
        average_precision: Precision averaged over recall.
        roc_auc: Probability that a text with the label outscores one without it.
        threshold: The threshold of the next three figures; None for a label that is never flagged.
        precision: Share of the flagged texts that have the label.
        recall: Share of the texts with the label that are flagged.
        f1: Harmonic mean of precision and recall.
        recall_at_high_precision: Highest recall at a precision of `HIGH_PRECISION` or more.
        brier: Mean squared difference between score and truth.
        calibration_error: Mean gap between score and share of positives, over 15 bins.
    """

    label: str
    positives: int
    average_precision: float | None
    roc_auc: float | None
    threshold: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    recall_at_high_precision: float | None
    brier: float
    calibration_error: float


def evaluate_label(label: str, scores: Vector, truth: Vector, weights: Vector, threshold: float) -> LabelQuality:
    """Compute the figures of one label.

    Args:
        label: Name of the label.
        scores: Scores in [0, 1], shape [texts].
        truth: 0 or 1, shape [texts].
        weights: Weight of each text, shape [texts].
        threshold: Lowest score that is flagged; infinity for a label that never is.
    """
    flagged = scores >= threshold
    hits = float((weights * truth * flagged).sum())
    precision, recall = _ratio(hits, (weights * flagged).sum()), _ratio(hits, (weights * truth).sum())
    return LabelQuality(
        label=label,
        positives=int(truth.sum()),
        average_precision=_finite(average_precision(scores, truth, weights)),
        roc_auc=_finite(roc_auc(scores, truth, weights)),
        threshold=_finite(threshold),
        precision=precision,
        recall=recall,
        f1=None if recall is None else _ratio(2 * hits, (weights * (flagged + truth)).sum()),
        recall_at_high_precision=(recall_at_precision(scores, truth, weights, HIGH_PRECISION) if truth.any() else None),
        brier=brier(scores, truth, weights),
        calibration_error=calibration_error(scores, truth, weights),
    )


def text_weights(truth: Vector, clean_weight: float) -> Vector:
    """Weight of each text: 1 with a label, `clean_weight` without any; `truth` has shape [texts, labels].

    Collections of labelled texts often hold only a fraction of the clean texts. Giving each of them the weight of the
    texts it stands for makes figures such as precision hold at the natural rate.
    """
    return np.where(truth.any(axis=1), 1.0, clean_weight)


def mean(values: list[float | None]) -> float | None:
    """Mean of a figure over the labels that have it; None when none has."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
