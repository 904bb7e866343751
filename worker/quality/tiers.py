"""Chooses the two tiers of each label from labelled texts, by a rule, and refuses where there are too few of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from worker.errors import SettingsInvalid
from worker.quality.threshold_rules import (
    NOTHING_FLAGGED,
    Choice,
    best_f1,
    highest_at_recall,
    lowest_at_precision,
    positives_for_precision,
    positives_for_recall,
)

if TYPE_CHECKING:
    from worker.quality.figures import Vector
    from worker.quality.scored_texts import ScoredTexts

SEED = 0
CONFIDENCE = 0.95


class Rule(Enum):
    """How the values of a label are chosen."""

    TIERS = "tiers"
    BEST_F1 = "best-f1"
    PRECISION = "precision"


class Few(Enum):
    """What becomes of a tier for which a label has too few positives."""

    REFUSE = "refuse"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Targets:
    """A rule and what it must reach.

    Attributes:
        rule: Which tiers are chosen, and how: `tiers` has both, `best-f1` review only, `precision` act only.
        precision: Precision of the tier act, at least, with 95 % confidence.
        recall: Recall of the tier review, at least.
    """

    rule: Rule = Rule.TIERS
    precision: float = 0.9
    recall: float = 0.9

    @property
    def needs(self) -> Mapping[str, int]:
        """For each tier the positives that a label must have."""
        for_precision = {"act": positives_for_precision(self.precision)}
        if self.rule is Rule.BEST_F1:
            return {"review": 1}
        return for_precision | ({"review": positives_for_recall(self.recall)} if self.rule is Rule.TIERS else {})

    def described(self) -> dict[str, Any]:
        """The rule as a threshold set has it."""
        act = {"precision": self.precision, "confidence": CONFIDENCE, "bound": "wilson"}
        if self.rule is Rule.BEST_F1:
            return {"name": self.rule.value, "review": {"best": "f1", "seed": SEED}}
        review = {"review": {"recall": self.recall}} if self.rule is Rule.TIERS else {}
        return {"name": self.rule.value, **review, "act": act}


@dataclass(frozen=True, slots=True)
class LabelTiers:
    """What was chosen for one label.

    Attributes:
        positives: Texts that have the label.
        review: The tier review; its threshold is None where that tier is never reached.
        act: The tier act, likewise.
    """

    positives: int
    review: Choice
    act: Choice


def choose_tiers(scored: "ScoredTexts", targets: Targets, few: Few) -> dict[str, LabelTiers]:
    """The two tiers of each label of the scored texts.

    A label of which the rule can say nothing else gets the act value as its review value, too: what is acted on is
    never looked at later than that.

    Raises:
        SettingsInvalid: A label has too few positives for a tier, and `few` refuses that; the message has every such
            label, how many positives it has and how many it takes.
    """
    if few is Few.REFUSE and (lacking := list(_lacking(scored, targets))):
        message = (
            f"too few texts with a label to choose by this rule:\n{chr(10).join(lacking)}\n"
            "Add labelled texts that have it, ask for less, or leave such a tier out with --few never."
        )
        raise SettingsInvalid(message)
    chosen = {}
    for column, label in enumerate(scored.labels):
        chosen[label] = _of_label(scored.scores[:, column], scored.truth[:, column], scored.weights, targets)
    return chosen


def _lacking(scored: "ScoredTexts", targets: Targets) -> Iterator[str]:
    for label, positives in zip(scored.labels, scored.truth.sum(axis=0).astype(int).tolist(), strict=True):
        for tier, needed in targets.needs.items():
            if positives < needed:
                target = f"precision {targets.precision:g}" if tier == "act" else f"recall {targets.recall:g}"
                what = "" if targets.rule is Rule.BEST_F1 else f" at {target}"
                yield f"  {label}: {positives} texts have it, the tier {tier}{what} takes {needed}"


def _of_label(scores: "Vector", truth: "Vector", weights: "Vector", targets: Targets) -> LabelTiers:
    positives, needs = int(truth.sum()), targets.needs
    act = review = NOTHING_FLAGGED
    if positives >= needs.get("act", positives + 1):
        act = lowest_at_precision(scores, truth, weights, targets.precision)
    if positives >= needs.get("review", positives + 1):
        if targets.rule is Rule.BEST_F1:
            review = best_f1(scores, truth, weights, np.random.default_rng(SEED))
        else:
            review = highest_at_recall(scores, truth, weights, targets.recall)
    if review.threshold is not None and act.threshold is not None and review.threshold > act.threshold:
        review = act  # a ranking so good that everything worth a look can be acted on
    return LabelTiers(positives, review, act)
