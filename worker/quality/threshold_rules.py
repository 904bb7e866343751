"""Rules that choose a label's threshold: the lowest score that reaches a tier.

All functions take `scores` and 0/1 `truth` of one label and a weight for each text, shape [texts].
"""

import math
from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector, precision_recall

RESAMPLES = 200
FEWEST_DECIMALS, MOST_DECIMALS = 3, 6
"""Decimals of a threshold: as few as say the same, at most as many as a score has."""

ONE_SIDED_95 = 1.6448536269514722
"""Standard normal quantile of a one-sided bound with 95 % confidence."""

_ROUNDING = 1e-9
"""Keeps 9 of 10 a recall of 0.9 where floating point disagrees."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and its figures on the texts it was chosen on.

    Attributes:
        threshold: Lowest score that is flagged; None where no threshold meets the rule.
        flagged: Share of all texts that are flagged.
        precision: Share of the flagged texts that have the label; None when nothing is flagged.
        precision_lower_bound: Lower bound of the precision, with 95 % confidence.
        recall: Share of the texts with the label that are flagged.
    """

    threshold: float | None
    flagged: float
    precision: float | None
    precision_lower_bound: float | None
    recall: float | None


NOTHING_FLAGGED = Choice(None, 0.0, None, None, None)
"""What is chosen where no threshold meets the rule."""


def positives_for_precision(precision: float) -> int:
    """How many positives it takes for a precision to be certain: as many hits in a row, without a miss, prove it.

    Wilson's lower bound of n hits in n texts is n / (n + z^2).
    """
    return math.ceil(ONE_SIDED_95**2 * precision / (1 - precision) - _ROUNDING)


def positives_for_recall(recall: float) -> int:
    """How many positives it takes for a recall below 1 to mean something: with fewer, none may be missed."""
    return math.ceil(1 / (1 - recall) - _ROUNDING)


def best_f1(scores: Vector, truth: Vector, weights: Vector, random: np.random.Generator) -> Choice:
    """The threshold with the best F1, as the median over bootstrap resamples.

    F1 weighs a missed text and a false flag equally, which suits a review queue. The median keeps a single text from
    deciding the threshold of a label with a dozen positives, where the plain maximiser is known to be unstable (Lipton
    et al. 2014, arXiv:1402.1892).
    """
    if not truth.any():
        return NOTHING_FLAGGED
    highest_negative = float(scores[truth == 0].max(initial=-1.0))
    lowest_positive = float(scores[truth > 0].min())
    if highest_negative < lowest_positive:
        # Nothing to estimate: every threshold between the two has an F1 of 1.
        between = (max(highest_negative, 0.0) + lowest_positive) / 2
        return point(_between_scores(between, scores), scores, truth, weights)
    candidates: list[float] = []
    while len(candidates) < RESAMPLES:
        picks = random.integers(len(scores), size=len(scores))
        if truth[picks].any():
            candidates.append(_best_f1_threshold(scores[picks], truth[picks], weights[picks]))
    return point(_between_scores(float(np.median(candidates)), scores), scores, truth, weights)


def lowest_at_precision(scores: Vector, truth: Vector, weights: Vector, precision: float) -> Choice:
    """The lowest threshold whose precision is at least `precision` with 95 % confidence, which has the highest recall.

    The confidence is that of Wilson's bound (1927) for one threshold; choosing among many makes it slightly optimistic,
    so confirm the figure on other texts than those the threshold was chosen on. Where no threshold reaches the
    precision, the result is `NOTHING_FLAGGED`.
    """
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    mass = weights[order]
    bounds = _wilson(np.cumsum(mass * truth[order]), np.cumsum(mass), np.cumsum(mass**2))
    suited = scores[order][last_of_ties & (bounds >= precision)]
    if not len(suited):
        return NOTHING_FLAGGED
    return point(_between_scores(float(suited[-1]), scores), scores, truth, weights)


def highest_at_recall(scores: Vector, truth: Vector, weights: Vector, recall: float) -> Choice:
    """The highest threshold that flags at least the share `recall` of the texts with the label.

    Of all that do, it has the highest precision that the ranking allows near it, and gives a reader the least to read.
    """
    if not truth.any():
        return NOTHING_FLAGGED
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum((weights * truth)[order])
    enough = int(np.flatnonzero(found >= recall * found[-1] - _ROUNDING)[0])
    return point(_between_scores(float(scores[order][enough]), scores), scores, truth, weights)


def _between_scores(threshold: float, scores: Vector) -> float:
    """The threshold in as few decimals as keep every score on its side of it.

    Scores of rare labels can all lie below 0.0005, where three decimals would make the threshold 0: everything flagged.
    """
    lowest_flagged = float(scores[scores >= threshold].min(initial=1.0))
    highest_unflagged = float(scores[scores < threshold].max(initial=0.0))
    for decimals in range(FEWEST_DECIMALS, MOST_DECIMALS + 1):
        rounded = round(threshold, decimals)
        if highest_unflagged < rounded <= lowest_flagged:
            return rounded
    return lowest_flagged


def wilson_lower_bound(truth: Vector, weights: Vector) -> float:
    """Lower bound of the share of positives, with 95 % confidence (Wilson 1927); 0 for no texts.

    Weighted texts count as their effective sample size (Kish 1965): the squared sum of the weights over the sum of
    their squares.
    """
    if not len(truth):
        return 0.0
    return float(_wilson((weights * truth).sum(), weights.sum(), (weights**2).sum()))


def _wilson(hits: Vector, mass: Vector, squares: Vector) -> Vector:
    share, count, z = hits / mass, mass**2 / squares, ONE_SIDED_95
    centre = share + z * z / (2 * count)
    margin = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    bound: Vector = (centre - margin) / (1 + z * z / count)
    return bound


def _best_f1_threshold(scores: Vector, truth: Vector, weights: Vector) -> float:
    """The threshold with the highest F1: halfway between the lowest flagged and the highest unflagged score."""
    precision, recall, at = precision_recall(scores, truth, weights)
    best = int((2 * precision * recall / np.maximum(precision + recall, 1e-12)).argmax())
    below = at[best + 1] if best + 1 < len(at) else at[best]
    return float((at[best] + below) / 2)


def point(threshold: float, scores: Vector, truth: Vector, weights: Vector) -> Choice:
    """A threshold with its figures."""
    flagged = scores >= threshold
    hits, positives = float((weights * truth * flagged).sum()), float((weights * truth).sum())
    any_flagged = bool(flagged.any())
    return Choice(
        threshold,
        flagged=float((weights * flagged).sum() / weights.sum()),
        precision=hits / float((weights * flagged).sum()) if any_flagged else None,
        precision_lower_bound=wilson_lower_bound(truth[flagged], weights[flagged]) if any_flagged else None,
        recall=hits / positives if positives else None,
    )
