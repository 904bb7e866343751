"""Words that tell abuse from the rest, counted from labelled comments, so that none has to be written down here."""

import re
from collections import Counter

import numpy as np

from training.data import Comments

FEWEST_COMMENTS = 6
SMALLEST_RATIO = 12.0
"""How many times likelier the word is in a labelled comment than in one without labels."""

_WORD = re.compile(r"[^\W\d_]{3,}")


def foul_words(comments: Comments) -> frozenset[str]:
    """Lower-case words of at least three letters that are typical of labelled comments."""
    labelled = np.asarray(comments.labels.any(axis=1))
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text, positive in zip(comments.texts, labelled, strict=True):
        counts[int(positive)].update(words_of(text))
    clean_total, labelled_total = (~labelled).sum() + 1, labelled.sum() + 1
    return frozenset(
        word
        for word, count in counts[1].items()
        if count >= FEWEST_COMMENTS
        and (count / labelled_total) / ((counts[0][word] + 0.5) / clean_total) >= SMALLEST_RATIO
    )


def words_of(text: str) -> set[str]:
    """The lower-case words of a text."""
    return {match.group().lower() for match in _WORD.finditer(text)}
