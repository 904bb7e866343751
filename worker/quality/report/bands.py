"""ROC and precision-recall curves on a fixed grid, with bands of confidence from a bootstrap over texts.

Each resample draws as many texts as there are, with replacement (Efron 1979), and a curve is computed from it. A band
runs from the 2.5th to the 97.5th percentile of the resamples at each place of the grid. It is pointwise: it says where
the curve lies at one place, not that the whole curve lies within it. Exact intervals are not defined for texts of
different weights, and the bootstrap holds for the areas below the curves as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from worker.quality.figures import Vector

RESAMPLES = 200
SEED = 0
LOWEST, HIGHEST = 2.5, 97.5
GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A curve over `GRID` with the percentiles of its resamples, each of shape [places]."""

    value: Vector
    low: Vector
    high: Vector


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the percentiles of its resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well the scores of a label rank the texts.

    Attributes:
        roc: Share of the texts with the label that are found, over the share of the others that are flagged.
        precision: Precision over recall.
        roc_auc: Area below the first.
        average_precision: Precision averaged over the recall gained at each score.
        resamples: Resamples behind the bands; those without a text of either kind say nothing and are left out.
    """

    roc: Band
    precision: Band
    roc_auc: Interval
    average_precision: Interval
    resamples: int


class _Curves(NamedTuple):
    roc: Vector
    precision: Vector
    roc_auc: float
    average_precision: float


def rank(scores: Vector, truth: Vector, weights: Vector, random: np.random.Generator) -> Ranking | None:
    """The curves of one label with their bands; None where all texts have it, or none.

    Args:
        scores: Scores, shape [texts].
        truth: 0 or 1, shape [texts].
        weights: Weight of each text, shape [texts].
        random: Draws the resamples.
    """
    if not 0 < truth.sum() < len(truth):
        return None
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    truth, weights = truth[order], weights[order]
    whole = _curves(truth, weights, last_of_ties)
    drawn = [_curves(truth, weights * counts, last_of_ties) for counts in _resamples(truth, random)]
    return Ranking(
        Band(whole.roc, *_percentiles([one.roc for one in drawn])),
        Band(whole.precision, *_percentiles([one.precision for one in drawn])),
        Interval(whole.roc_auc, *map(float, _percentiles([one.roc_auc for one in drawn]))),
        Interval(whole.average_precision, *map(float, _percentiles([one.average_precision for one in drawn]))),
        len(drawn),
    )


def _resamples(truth: Vector, random: np.random.Generator) -> Iterator[Vector]:
    """How often each text is drawn; a resample without both kinds of texts is left out."""
    texts = len(truth)
    for _ in range(RESAMPLES):
        counts = np.bincount(random.integers(texts, size=texts), minlength=texts).astype(np.float64)
        if 0 < (counts * truth).sum() < texts:
            yield counts


def _curves(truth: Vector, mass: Vector, last_of_ties: np.ndarray[tuple[int], np.dtype[np.intp]]) -> _Curves:
    """The curves of texts in order of their scores, highest first, with so much weight each."""
    hits, flagged = np.cumsum(mass * truth)[last_of_ties], np.cumsum(mass)[last_of_ties]
    misses = flagged - hits
    recall, false_share = hits / hits[-1], misses / misses[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(flagged > 0, hits / flagged, 1.0)
    gained = np.diff(recall, prepend=0.0)
    area = float((np.diff(false_share, prepend=0.0) * (recall + np.append(0.0, recall[:-1])) / 2).sum())
    # At a recall, the best precision of all thresholds that reach it: the curve is not drawn through points that
    # another threshold beats on both counts (Davis & Goadrich 2006).
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.minimum(np.searchsorted(recall, GRID - 1e-12), len(recall) - 1)
    return _Curves(
        np.interp(GRID, np.append(0.0, false_share), np.append(0.0, recall)),
        best_from_here[reached],
        area,
        float((precision * gained).sum()),
    )


def _percentiles(drawn: list[Vector] | list[float]) -> tuple[Vector, Vector]:
    low, high = np.percentile(np.asarray(drawn), (LOWEST, HIGHEST), axis=0)
    return low, high
