"""A cheap classifier for tests of the stream: it scores a text by its words and does not need torch."""

from collections.abc import Sequence
from typing import NamedTuple

from worker.errors import Poison
from worker.facts import ModelFacts
from worker.types import Classification, ModelIdentity, TextFacts, Unscorable
from worker.verdicts import ThresholdSet

LABELS = ("toxic", "insult", "threat")
WORDS = {"toxic": "stupid", "insult": "jerk", "threat": "hurt"}

POISON = "makes-the-model-fail"
UNSCORABLE = "has-no-finite-score"
UNTOKENIZABLE = "makes-the-tokenizer-fail"


class Words(NamedTuple):
    """A text, split into words."""

    words: frozenset[str]
    tokens: int


class KeywordClassifier:
    """Implements `worker.protocols.Classifier`; a text with `POISON` or `UNTOKENIZABLE` in it fails its whole batch."""

    labels = LABELS
    identity = ModelIdentity("keywords", "1", "sha256:" + "ab" * 32, "float32")
    thresholds = ThresholdSet("default@1", dict.fromkeys(LABELS, 0.5))
    view = None
    pass_tokens = 2048
    lanes = 1

    def encode(self, texts: Sequence[str]) -> list[Words]:
        """Split the texts into words; each word is a token."""
        split = [text.lower().split() for text in texts]
        if any(UNTOKENIZABLE in words for words in split):
            message = "one of these texts makes the tokenizer fail"
            raise ValueError(message)
        return [Words(frozenset(words), len(words) + 2) for words in split]

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        """Score 1 for a label whose word is in the text, else 0."""
        if any(POISON in text.words for text in encoded):
            message = "one of these texts makes the model fail"
            raise Poison(message)
        return [self._score(text) for text in encoded]

    def facts(self) -> ModelFacts:
        """It counts nothing."""
        return ModelFacts()

    def _score(self, text: Words) -> Classification | Unscorable:
        if UNSCORABLE in text.words:
            return Unscorable("NonFiniteScore", "the score is not finite")
        scores = {label: float(WORDS[label] in text.words) for label in LABELS}
        return Classification(
            scores, tuple(label for label in LABELS if scores[label]), TextFacts(text.tokens, 1, False)
        )
