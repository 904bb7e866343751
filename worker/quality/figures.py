"""Quality figures of weighted, labelled scores: ranking, precision against recall, calibration.

All functions take `scores` and 0/1 `truth` of one label and a weight for each text, shape [texts].
"""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

RELIABILITY_BINS = 15


def roc_auc(scores: Vector, truth: Vector, weights: Vector) -> float:
    """Probability that a text with the label outscores one without, ties counting half; NaN if one kind is absent."""
    positive, negative = _tie_masses(scores, truth, weights)
    below = np.cumsum(negative) - negative
    total = positive.sum() * negative.sum()
    return float((positive * (below + negative / 2)).sum() / total) if total else float("nan")


def average_precision(scores: Vector, truth: Vector, weights: Vector) -> float:
    """Precision averaged over the recall gained at each distinct score, highest first; NaN without positives."""
    precision, recall, _ = precision_recall(scores, truth, weights)
    return float((precision * np.diff(recall, prepend=0.0)).sum())


def precision_recall(scores: Vector, truth: Vector, weights: Vector) -> tuple[Vector, Vector, Vector]:
    """Precision and recall at each distinct score (flagged at or above it), and those scores, highest first."""
    positive, negative = (mass[::-1] for mass in _tie_masses(scores, truth, weights))
    hits, flagged = np.cumsum(positive), np.cumsum(positive + negative)
    with np.errstate(invalid="ignore"):
        return hits / flagged, hits / positive.sum(), np.unique(scores)[::-1]


def recall_at_precision(scores: Vector, truth: Vector, weights: Vector, precision: float) -> float:
    """Highest recall at any threshold whose precision is at least `precision`; 0 if there is no such threshold."""
    reached, recall, _ = precision_recall(scores, truth, weights)
    return float(recall[reached >= precision].max(initial=0.0))


def brier(probabilities: Vector, truth: Vector, weights: Vector) -> float:
    """Mean squared difference between probability and truth (Brier 1950)."""
    return float(np.average((probabilities - truth) ** 2, weights=weights))


def reliability(probabilities: Vector, truth: Vector, weights: Vector) -> tuple[Vector, Vector, Vector]:
    """Mean probability, share of positives and share of the weight in each of `RELIABILITY_BINS` bins of equal width.

    The first two are NaN where a bin is empty.
    """
    bins = np.minimum((probabilities * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    mass = np.bincount(bins, weights, RELIABILITY_BINS)
    with np.errstate(invalid="ignore"):
        return (
            np.bincount(bins, weights * probabilities, RELIABILITY_BINS) / mass,
            np.bincount(bins, weights * truth, RELIABILITY_BINS) / mass,
            mass / weights.sum(),
        )


def calibration_error(probabilities: Vector, truth: Vector, weights: Vector) -> float:
    """Expected calibration error: the mean gap over the bins of `reliability` (Guo et al. 2017, arXiv:1706.04599)."""
    expected, found, share = reliability(probabilities, truth, weights)
    return float(np.nansum(np.abs(expected - found) * share))


def _tie_masses(scores: Vector, truth: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Weight of positives and of negatives at each distinct score, ascending."""
    distinct, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place, weights * truth, len(distinct))
    negative = np.bincount(place, weights * (1 - truth), len(distinct))
    return positive.astype(np.float64), negative.astype(np.float64)
