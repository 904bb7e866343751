"""Parts of the texts that are looked at by themselves: by language and by length."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from worker.quality.evaluation import LabelQuality, evaluate_label
from worker.quality.figures import Vector

LENGTHS = (50, 200, 1000)
"""Characters at which a slice by length ends."""

LENGTH_NAMES = (
    f"up to {LENGTHS[0]:,}",
    *(f"{low + 1:,} to {high:,}" for low, high in pairwise(LENGTHS)),
    f"over {LENGTHS[-1]:,}",
)
"""Names of the slices by length, in their order."""

MOST_LANGUAGES = 12
"""Languages with a slice of their own; the rarer ones share one."""

OTHERS = "others"
UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Slice:
    """One label's figures on a part of the texts.

    Attributes:
        name: Of the part.
        texts: How many there are.
        flagged: Share of them that is flagged, by weight.
        false_share: Share of those without the label that is flagged, by weight; None without such a text.
        quality: The label's figures on them.
    """

    name: str
    texts: int
    flagged: float
    false_share: float | None
    quality: LabelQuality


def by_length(texts: Sequence[str]) -> list[str]:
    """For each text the name of its slice by length."""
    return [LENGTH_NAMES[int(np.searchsorted(LENGTHS, len(text)))] for text in texts]


def by_language(languages: Sequence[str]) -> list[str]:
    """For each text the name of its slice by language: the most frequent ones, and the others together."""
    known = [language or UNCERTAIN for language in languages]
    frequent = {language for language, _ in Counter(known).most_common(MOST_LANGUAGES)}
    return [language if language in frequent else OTHERS for language in known]


def slices(
    names: Sequence[str], label: str, scores: Vector, truth: Vector, weights: Vector, threshold: float
) -> Iterator[Slice]:
    """The label's figures on each slice: those by length from short to long, others from many texts to few.

    Args:
        names: For each text the name of its slice.
        label: Name of the label.
        scores: Scores in [0, 1], shape [texts].
        truth: 0 or 1, shape [texts].
        weights: Weight of each text, shape [texts].
        threshold: Lowest score that is flagged; infinity for a label that never is.
    """
    of_text, counts = np.array(names), Counter(names)
    ordered = [name for name in LENGTH_NAMES if name in counts] or [name for name, _ in counts.most_common()]
    for name in ordered:
        own = of_text == name
        flagged, clean = scores[own] >= threshold, truth[own] == 0
        mass = weights[own]
        yield Slice(
            name,
            counts[name],
            float((mass * flagged).sum() / mass.sum()),
            float((mass * (flagged & clean)).sum() / (mass * clean).sum()) if clean.any() else None,
            evaluate_label(label, scores[own], truth[own], mass, threshold),
        )
