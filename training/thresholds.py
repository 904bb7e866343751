"""The default threshold set: for each label, the score from which it is flagged.

Rule: the threshold at which calibrated scores promise the best F1. F1 weighs a missed comment and a false flag alike,
which suits a review queue. When scores are probabilities, flagging everything from a threshold on has the expected F1
of `2 * (sum of flagged scores) / (number flagged + sum of all scores)`, and the best threshold is half of the best
value (Lipton et al. 2014, arXiv:1402.1892). Every comment has a say in it through its score; picking the maximum of F1
counted on labels would leave the choice to a handful of comments for a label with a dozen positives.
"""

import numpy as np

from worker.quality.figures import Vector

SET_NAME = "default@2"
RULE = "best expected F1 of the calibrated scores on validation: half of that F1 (Lipton et al. 2014)"
DECIMALS = 3


def best_expected_f1(scores: Vector) -> float:
    """Highest F1 that a threshold on calibrated `scores`, shape [comments], promises.

    Raises:
        ValueError: There are no scores, or all are 0, so that no threshold promises anything.
    """
    if not scores.any():
        message = "a threshold needs scores above 0; there is none"
        raise ValueError(message)
    highest_first = np.sort(scores)[::-1]
    flagged = np.arange(1, len(scores) + 1)
    return float((2 * np.cumsum(highest_first) / (flagged + scores.sum())).max())


def choose_thresholds(scores: Vector) -> list[float]:
    """One threshold for each label by the rule above, rounded; `scores` has shape [comments, labels].

    Raises:
        ValueError: As for `best_expected_f1`.
    """
    return [round(best_expected_f1(scores[:, label]) / 2, DECIMALS) for label in range(scores.shape[1])]
