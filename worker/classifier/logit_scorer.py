"""From windows of tokens to the classification of a text."""

import logging
from collections.abc import Callable, Sequence
from itertools import compress
from typing import TYPE_CHECKING

import torch

from worker.types import Classification, TextFacts, Unscorable
from worker.verdicts import ThresholdSet

if TYPE_CHECKING:
    from worker.classifier.forward.out_of_memory import MemoryBound

log = logging.getLogger(__name__)

DECIMALS = 6
"""Decimals of a score in an event. Scores are rounded before they are compared with their threshold, so that an event
never disagrees with itself."""


class LogitScorer:
    """Logits, maximum over windows, sigmoid, thresholds: all in float32, rounded once.

    The maximum is taken per label: a text is as bad as its worst window. (It also raises the false positives of very
    long texts, which is why the number of windows is in every event.)

    Attributes:
        labels: Names of the labels, in the model's order.
        retries: Texts computed again in float32, for a score was not finite.
    """

    def __init__(
        self,
        forward: "MemoryBound",
        labels: Sequence[str],
        thresholds: ThresholdSet,
        reference: "Callable[[], MemoryBound] | None",
    ) -> None:
        """Score with `forward`; `reference` gives a float32 one for retries, None where `forward` is that already."""
        self._forward = forward
        self.labels = tuple(labels)
        self._flagged_from = torch.tensor([thresholds.lowest_flagged(label) for label in labels], dtype=torch.float64)
        self._acted_from = torch.tensor([thresholds.lowest_acted(label) for label in labels], dtype=torch.float64)
        self._reference = reference
        self.retries = 0

    def score(self, texts: Sequence[tuple[Sequence[Sequence[int]], TextFacts]]) -> list[Classification | Unscorable]:
        """Classification of each text, given its windows (at least one) and facts, in input order."""
        if not texts:
            return []
        logits = self._worst(self._forward, [windows for windows, _ in texts])
        unscorable = set()
        for index in (~torch.isfinite(logits).all(dim=1)).nonzero().flatten().tolist():
            logits[index] = self._again(texts[index][0])
            if not torch.isfinite(logits[index]).all():
                unscorable.add(index)
        scores = torch.round(torch.sigmoid(logits).double(), decimals=DECIMALS)
        flags = (scores >= self._flagged_from).tolist()
        acts = (scores >= self._acted_from).tolist()
        results: list[Classification | Unscorable] = []
        for index, (row, flagged, acted, (_, facts)) in enumerate(
            zip(scores.tolist(), flags, acts, texts, strict=True)
        ):
            if index in unscorable:
                results.append(Unscorable("NonFiniteScore", "the model's score of this text is not a finite number"))
                continue
            results.append(
                Classification(
                    dict(zip(self.labels, row, strict=True)),
                    labels=tuple(compress(self.labels, flagged)),
                    text=facts,
                    acted=tuple(compress(self.labels, acted)),
                )
            )
        return results

    def _worst(self, forward: "MemoryBound", texts: Sequence[Sequence[Sequence[int]]]) -> torch.Tensor:
        """Highest logit of each label over each text's windows: float32 [texts, labels]."""
        logits = forward.logits([window for windows in texts for window in windows])
        counts = [len(windows) for windows in texts]
        if len(logits) == len(texts):
            return logits
        return torch.stack([rows.amax(dim=0) for rows in torch.split(logits, counts)])

    def _again(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        self.retries += 1
        if self._reference is None:
            return self._worst(self._forward, [windows])[0]
        log.warning("a score was not finite in low precision: computing that text in float32")
        return self._worst(self._reference(), [windows])[0]
