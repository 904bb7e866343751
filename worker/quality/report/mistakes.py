"""The worst mistakes of a label: the surest of the false flags, and the surest of the misses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector

MOST = 10
"""Mistakes of each kind that are shown."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One text whose score is wrong.

    Attributes:
        id: Its id in the file, else file and line.
        score: Its score.
        text: The text; None where it was not asked for.
    """

    id: str
    score: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The worst of a label, worst first.

    Attributes:
        false: Texts without the label, those with the highest scores.
        missed: Texts with the label, those with the lowest scores.
    """

    false: list[Mistake]
    missed: list[Mistake]


def worst(scores: Vector, truth: Vector, threshold: float, ids: Sequence[str], texts: Sequence[str] | None) -> Mistakes:
    """The worst mistakes at a threshold.

    Args:
        scores: Scores, shape [texts].
        truth: 0 or 1, shape [texts].
        threshold: Lowest score that is flagged; infinity for a label that never is.
        ids: Ids of the texts.
        texts: The texts, where they are to be shown.
    """
    order = np.argsort(-scores, kind="stable")
    flagged, has = scores[order] >= threshold, truth[order] > 0

    def shown(places: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> list[Mistake]:
        return [Mistake(ids[at], float(scores[at]), None if texts is None else texts[at]) for at in places.tolist()]

    return Mistakes(shown(order[flagged & ~has][:MOST]), shown(order[~flagged & has][::-1][:MOST]))
