"""The default threshold set: for each label, the score from which it is flagged.

Rule: the threshold with the best F1 on validation, as the median over bootstrap resamples. F1 weighs a missed comment
and a false flag alike, which suits a review queue; the median keeps one lucky comment from deciding for a label with
a dozen positives (the plain maximiser is known to be unstable there: Lipton et al. 2014, arXiv:1402.1892).
"""

import numpy as np
from numpy.typing import NDArray

from training.figures import Vector, precision_recall

SET_NAME = "default@1"
RULE = "best F1 on validation, median over 200 bootstrap resamples"
RESAMPLES = 200
DECIMALS = 3


def best_f1_threshold(scores: Vector, truth: Vector, weights: Vector) -> float:
    """Threshold halfway between the lowest score flagged and the highest not flagged, where F1 is highest.

    Raises:
        ValueError: No comment has the label.
    """
    if not truth.any():
        message = "a threshold needs comments that have the label; there is none"
        raise ValueError(message)
    precision, recall, at = precision_recall(scores, truth, weights)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(f1.argmax())
    below = at[best + 1] if best + 1 < len(at) else at[best]
    return float((at[best] + below) / 2)


def choose_thresholds(scores: Vector, labels: NDArray[np.float32], seed: int) -> list[float]:
    """One threshold for each label by the rule above, rounded; arguments have shape [comments, labels].

    Raises:
        ValueError: A label has no positives.
    """
    draw = np.random.default_rng(seed)
    chosen: list[float] = []
    for label in range(labels.shape[1]):
        candidates: list[float] = []
        while len(candidates) < RESAMPLES:
            picks = draw.integers(len(scores), size=len(scores))
            truth = labels[picks, label].astype(float)
            if truth.any() or not labels[:, label].any():
                candidates.append(best_f1_threshold(scores[picks, label], truth, np.ones(len(picks))))
        chosen.append(round(float(np.median(candidates)), DECIMALS))
    return chosen
