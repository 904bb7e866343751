"""What each threshold of a label would flag, and what of that would be right: the table behind a choice."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from worker.quality.figures import Vector
from worker.quality.threshold_rules import Choice, highest_at_recall, point
from worker.quality.tiers import LabelTiers

RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Recalls whose thresholds stand in the table."""

_CURVE_POINTS = 200


class Row(NamedTuple):
    """One line of the table: a threshold with its figures, and the tiers that begin at it."""

    tiers: tuple[str, ...]
    choice: Choice


def trade_off(scores: Vector, truth: Vector, weights: Vector, tiers: LabelTiers) -> list[Row]:
    """The thresholds of a few recalls and those of both tiers, highest first; none for a label that no text has."""
    chosen = [(name, choice) for name, choice in (("act", tiers.act), ("review", tiers.review))]
    found: dict[float, Choice] = {}
    for choice in (*(highest_at_recall(scores, truth, weights, recall) for recall in RECALLS), tiers.act, tiers.review):
        if choice.threshold is not None:
            found[choice.threshold] = choice
    return [
        Row(tuple(name for name, choice in chosen if choice.threshold == threshold), found[threshold])
        for threshold in sorted(found, reverse=True)
    ]


def table(label: str, texts: int, tiers: LabelTiers, rows: list[Row]) -> Iterator[str]:
    """The lines of one label's table."""
    yield f"{label}: {tiers.positives:,} of {texts:,} texts have it"
    if rows:
        yield "  tier        threshold  flagged of 1,000  precision  at least  recall"
    for row in rows:
        choice = row.choice
        cells = (f"{choice.threshold:.4g}", f"{1000 * choice.flagged:.1f}", *_shares(choice))
        shown = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, (9, 16, 9, 8, 6), strict=True))
        yield f"  {'+'.join(row.tiers):<10}  {shown}"
    for name, choice in (("act", tiers.act), ("review", tiers.review)):
        if choice.threshold is None:
            yield f"  {name}: never"


def curve(scores: Vector, truth: Vector, weights: Vector) -> list[Choice]:
    """Figures at thresholds from the lowest score to the highest, for a plot."""
    distinct = np.unique(scores)
    picks = np.unique(np.linspace(0, len(distinct) - 1, min(_CURVE_POINTS, len(distinct))).round().astype(int))
    return [point(float(distinct[pick]), scores, truth, weights) for pick in picks]


def _shares(choice: Choice) -> Iterator[str]:
    for share in (choice.precision, choice.precision_lower_bound, choice.recall):
        yield "-" if share is None else f"{share:.3f}"
