"""Rules that choose, for one label, the score from which it is flagged.

All take `scores` and 0/1 `truth` of one label with a weight for each text, shape [texts].
"""

from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector, precision_recall

RESAMPLES = 200
DECIMALS = 3

ONE_SIDED_95 = 1.6448536269514722
"""Standard normal quantile: a bound that holds with 95 % confidence on one side."""

NEVER = 1.0
"""Threshold of a label that no lower one suits: only a score that rounds to 1 is flagged."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and what it gives on the texts it was chosen on.

    Attributes:
        threshold: Lowest score that is flagged; None where the rule has nothing to go by.
        precision: Share of the flagged that have the label; None when nothing is flagged.
        precision_lower_bound: What the precision is at least, with 95 % confidence.
        recall: Share of those with the label that are flagged.
        reached: Whether the rule's aim was reached.
    """

    threshold: float | None
    precision: float | None
    precision_lower_bound: float | None
    recall: float | None
    reached: bool


def best_f1(scores: Vector, truth: Vector, weights: Vector, random: np.random.Generator) -> Choice:
    """The threshold with the best F1, as the median over bootstrap resamples.

    F1 weighs a missed text and a false flag alike, which suits a review queue. The median keeps one lucky text from
    deciding for a label with a dozen positives: the plain maximiser is known to be unstable there (Lipton et al. 2014,
    arXiv:1402.1892).
    """
    if not truth.any():
        return Choice(None, None, None, None, reached=False)
    candidates: list[float] = []
    while len(candidates) < RESAMPLES:
        picks = random.integers(len(scores), size=len(scores))
        if truth[picks].any():
            candidates.append(_best_f1_threshold(scores[picks], truth[picks], weights[picks]))
    return _choice(round(float(np.median(candidates)), DECIMALS), scores, truth, weights, reached=True)


def lowest_at_precision(scores: Vector, truth: Vector, weights: Vector, precision: float) -> Choice:
    """The lowest threshold whose precision is at least `precision` with 95 % confidence: the most recall there is.

    The confidence is that of Wilson's bound (1927) for one threshold; choosing among many makes it a little optimistic,
    so the figure is best confirmed on texts that were not chosen on. Where no threshold reaches it, it is `NEVER`.
    """
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    mass = weights[order]
    bounds = _wilson(np.cumsum(mass * truth[order]), np.cumsum(mass), np.cumsum(mass**2))
    suited = scores[order][last_of_ties & (bounds >= precision)]
    if not len(suited):
        return _choice(NEVER, scores, truth, weights, reached=False)
    return _choice(float(suited[-1]), scores, truth, weights, reached=True)


def wilson_lower_bound(truth: Vector, weights: Vector) -> float:
    """What the share of positives is at least, with 95 % confidence (Wilson 1927); 0 for no texts.

    Weighted texts count as so many as carry the same information (Kish 1965): the squared sum of the weights over the
    sum of their squares.
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
    """Halfway between the lowest score flagged and the highest not flagged, where F1 is highest."""
    precision, recall, at = precision_recall(scores, truth, weights)
    best = int((2 * precision * recall / np.maximum(precision + recall, 1e-12)).argmax())
    below = at[best + 1] if best + 1 < len(at) else at[best]
    return float((at[best] + below) / 2)


def _choice(threshold: float, scores: Vector, truth: Vector, weights: Vector, *, reached: bool) -> Choice:
    flagged = scores >= threshold
    hits, positives = float((weights * truth * flagged).sum()), float((weights * truth).sum())
    any_flagged = bool(flagged.any())
    return Choice(
        threshold,
        precision=hits / float((weights * flagged).sum()) if any_flagged else None,
        precision_lower_bound=wilson_lower_bound(truth[flagged], weights[flagged]) if any_flagged else None,
        recall=hits / positives if positives else None,
        reached=reached,
    )
