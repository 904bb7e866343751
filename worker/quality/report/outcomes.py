"""What a threshold makes of labelled texts: the four counts of its confusion matrix, precision and recall."""

from dataclasses import dataclass

import numpy as np

from worker.quality.figures import Vector

TWO_SIDED_95 = 1.959963984540054
"""Standard normal quantile of an interval with 95 % confidence."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with Wilson's interval of 95 % confidence (1927).

    Weighted texts count as their effective sample size (Kish 1965).
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the texts at one threshold.

    Attributes:
        threshold: Lowest score that reaches the tier; None for a tier that no score reaches.
        found: Texts with the label that reach it.
        false: Texts without the label that reach it.
        missed: Texts with the label that do not.
        passed: Texts without the label that do not.
        precision: Share of what reaches it that has the label, by weight; None where nothing does.
        recall: Share of the texts with the label that reach it, by weight; None where no text has it.
        false_share: Share of the texts without the label that reach it, by weight; None where all texts have it.
        flagged: Share of all texts that reach it, by weight.
    """

    threshold: float | None
    found: int
    false: int
    missed: int
    passed: int
    precision: Share | None
    recall: Share | None
    false_share: Share | None
    flagged: float


def outcome(scores: Vector, truth: Vector, weights: Vector, threshold: float | None) -> Outcome:
    """What the threshold makes of one label of the texts; all arrays have the shape [texts]."""
    reached = np.zeros(len(scores), dtype=bool) if threshold is None else scores >= threshold
    has = truth > 0
    return Outcome(
        threshold,
        found=int((reached & has).sum()),
        false=int((reached & ~has).sum()),
        missed=int((~reached & has).sum()),
        passed=int((~reached & ~has).sum()),
        precision=share(has[reached], weights[reached]),
        recall=share(reached[has], weights[has]),
        false_share=share(reached[~has], weights[~has]),
        flagged=float((weights * reached).sum() / weights.sum()),
    )


def share(hits: "np.ndarray[tuple[int], np.dtype[np.bool_]]", weights: Vector) -> Share | None:
    """The share of hits, by weight; None for no texts."""
    mass = float(weights.sum())
    if not mass:
        return None
    value, count, z = float((weights * hits).sum()) / mass, mass**2 / float((weights**2).sum()), TWO_SIDED_95
    centre = value + z * z / (2 * count)
    margin = z * float(np.sqrt(value * (1 - value) / count + z * z / (4 * count * count)))
    low, high = ((centre + side) / (1 + z * z / count) for side in (-margin, margin))
    return Share(value, max(low, 0.0), min(high, 1.0))
