"""The default threshold set, chosen on validation by the rule of `sluice thresholds`.

`act` begins where nine in ten comments are right with 95 % confidence, `review` where four in five labelled
comments are found. A label with too few comments for either has no such tier: `threat`, with 13, is never acted on.
"""

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from training.data import LABELS, Comments
from worker.quality.figures import Vector
from worker.quality.scored_texts import ScoredTexts
from worker.quality.threshold_set import provenance, threshold_set
from worker.quality.tiers import Few, Rule, Targets, choose_tiers
from worker.types import ModelIdentity
from worker.verdicts import ThresholdSet

SET_NAME = "default@3"
TARGETS = Targets(Rule.TIERS, precision=0.9, recall=0.8)
DECIMALS = 6
"""Decimals of a score in an event."""


def choose_set(
    identity: ModelIdentity, validation: Comments, scores: Vector, source: Path, today: date
) -> dict[str, Any]:
    """The set as JSON.

    Args:
        identity: The shipped model.
        validation: The comments to choose on.
        scores: Its calibrated scores of them, shape [comments, labels].
        source: The file the comments are from, which the set names with its digest.
        today: The date that the set names.
    """
    scored = ScoredTexts(
        identity,
        ThresholdSet("none", {}),
        LABELS,
        scores.round(DECIMALS),
        validation.labels.astype(float),
        validation.weights(),
        unscorable=0,
    )
    origin = provenance(scored, source, TARGETS, validation.clean_weight, today)
    return threshold_set(SET_NAME, choose_tiers(scored, TARGETS, Few.NEVER), origin)


def lowest_flagged(content: Mapping[str, Any]) -> list[float]:
    """The score from which each label is flagged, in the order of `LABELS`; infinity for one that never is."""
    tiers = [content["labels"][label] for label in LABELS]
    return [min((value for value in values.values() if value is not None), default=math.inf) for values in tiers]


def lowest_acted(content: Mapping[str, Any]) -> list[float]:
    """The score from which each label is acted on, likewise."""
    values = [content["labels"][label]["act"] for label in LABELS]
    return [math.inf if value is None else value for value in values]
