"""From what a token head says of tokens to a weight of each word for each label."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.reasons.words import Word

Floats = NDArray[np.float32]


class MarkRule(NamedTuple):
    """When a word counts as marked; chosen with the head, on texts it did not learn from.

    Attributes:
        method: Name and version of the head.
        least: Lowest probability of a word that is marked.
        relative: A word is not marked below this share of the likeliest word's probability.
        of_label: A marked word carries a label from this share of the label's heaviest word on.
    """

    method: str
    least: float
    relative: float
    of_label: float


WEAKEST_EFFECT = 0.01
"""What a marked word weighs for a label at least, times its probability: a label always has the words that the text is
flagged for, also where the head finds no effect of any on it."""


LARGEST_EFFECT = 100.0
"""Logits; no word of a model whose scores are not all 0 or 1 adds as much."""


def marked_words(words: Sequence[Word], places: Sequence[Word], marks: Floats, rule: MarkRule) -> Floats:
    """Weight of each word for each label, [words, labels]; 0 for a word that is not marked.

    A word is as likely marked as its likeliest token, and weighs the mean of its tokens' effects. Where no word reaches
    the lowest probability the likeliest is marked.

    Args:
        words: In order.
        places: Where each token is; in the order of the text.
        marks: Of each token the logit of being marked, then its effect on the logit of each label.
        rule: When a word counts as marked.
    """
    weights = np.zeros((len(words), marks.shape[1] - 1), np.float32)
    probabilities = np.zeros(len(words), np.float32)
    marked = 1 / (1 + np.exp(-np.clip(np.nan_to_num(marks[:, 0]), -30, 30)))
    effects = np.clip(np.nan_to_num(marks[:, 1:], posinf=0.0), 0, LARGEST_EFFECT)
    first = 0
    for index, (begin, end) in enumerate(words):
        while first < len(places) and places[first][1] <= begin:
            first += 1
        after = first
        while after < len(places) and places[after][0] < end:
            after += 1
        if after > first:
            probabilities[index] = marked[first:after].max()
            weights[index] = effects[first:after].mean(axis=0)
    highest = probabilities.max(initial=0.0)
    bound = min(max(rule.least, rule.relative * highest), highest)
    found: Floats = np.maximum(weights, WEAKEST_EFFECT * probabilities[:, None])
    found[(probabilities < bound) | (probabilities == 0)] = 0
    return found
