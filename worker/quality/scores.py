"""The scores of many texts, as an array."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.protocols import Classifier, E
from worker.stream.isolation import classify_isolating
from worker.types import Unscorable

TEXTS_AT_ONCE = 256


def score_texts(
    classifier: Classifier[E],
    texts: Sequence[str],
    labels: Sequence[str],
    progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Scores of `labels`, shape [texts, labels]; a row of NaN for a text that can't be scored.

    Args:
        classifier: Scores them.
        texts: What to score.
        labels: Which of its labels, in this order.
        progress: Told how many more texts are done.

    Raises:
        SluiceError: The model or its device is broken.
    """
    scores = np.full((len(texts), len(labels)), np.nan)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        chunk = texts[start : start + TEXTS_AT_ONCE]
        for row, found in enumerate(classify_isolating(classifier, chunk), start):
            if not isinstance(found, Unscorable):
                scores[row] = [found.scores[label] for label in labels]
        progress(len(chunk))
    return scores
