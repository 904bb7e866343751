"""The two models of the fleet: the second has another digest, and a threshold set that never assigns `insult`."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from testkit.keyword_classifier import LABELS, KeywordClassifier, Words
from worker.types import Classification, ModelIdentity, Unscorable
from worker.verdicts import ThresholdSet

_NEVER = 2.0
_EVEN = dict.fromkeys(LABELS, 0.5)


class Variant(IntEnum):
    """Which of the two scores."""

    USUAL = 0
    LENIENT = 1


class Scorer(NamedTuple):
    """A model and its thresholds.

    Attributes:
        identity: Of the model, as its events give it.
        thresholds: The set, as its events name it.
    """

    identity: ModelIdentity
    thresholds: ThresholdSet


SCORERS = {
    Variant.USUAL: Scorer(KeywordClassifier.identity, KeywordClassifier.thresholds),
    Variant.LENIENT: Scorer(
        ModelIdentity("keywords", "2", "sha256:" + "cd" * 32, "float32"),
        ThresholdSet("lenient@2", _EVEN | {"insult": _NEVER}),
    ),
}


class VariantClassifier(KeywordClassifier):
    """The keyword classifier with the identity and the thresholds of a variant, two batches at a time."""

    lanes = 2

    def __init__(self, variant: Variant) -> None:
        self.identity, self.thresholds = SCORERS[variant]

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        """As the keyword classifier does, by this set's thresholds."""
        limits = self.thresholds.values
        return [
            found._replace(labels=tuple(label for label in LABELS if found.scores[label] >= limits[label]))
            if isinstance(found, Classification)
            else found
            for found in super().score(encoded)
        ]


def variant_of(digest: str, thresholds: str) -> Variant | None:
    """The variant whose events name this model and this set; None if there is none."""
    for variant, scorer in SCORERS.items():
        if (scorer.identity.digest, scorer.thresholds.name) == (digest, thresholds):
            return variant
    return None
