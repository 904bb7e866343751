"""From windows of tokens to the classification of a text."""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate, compress
from typing import TYPE_CHECKING, NamedTuple

import torch

from worker.classifier.company import turnable
from worker.types import Classification, TextFacts, Unscorable
from worker.verdicts import ThresholdSet

if TYPE_CHECKING:
    from worker.classifier.forward.forward import Marks
    from worker.classifier.forward.out_of_memory import MemoryBound

log = logging.getLogger(__name__)

DECIMALS = 6
"""Decimals of a score in an event. Scores are rounded before they are compared with their threshold, so that an event
never disagrees with itself."""


class Evidence(NamedTuple):
    """Where the scores of a flagged text are from.

    Attributes:
        windows: For each label of the model the index of the window with its highest logit.
        marks: By index of a window what the token head says of its tokens; empty where there is no head.
    """

    windows: tuple[int, ...]
    marks: "Marks"


class LogitScorer:
    """Logits, maximum over windows, sigmoid, thresholds: all in float32, rounded once.

    The maximum is taken per label: a text is as bad as its worst window. (It also raises the false positives of very
    long texts, which is why the number of windows is in every event.)

    A text whose verdict its batch could turn is computed again, alone (`worker.classifier.company`). Several
    threads may score at once.

    Attributes:
        labels: Names of the labels, in the model's order.
        retries: Texts computed again in float32, for a score was not finite.
        computed_alone: Texts computed again by themselves, near a threshold.
    """

    def __init__(
        self,
        forward: "MemoryBound",
        labels: Sequence[str],
        thresholds: ThresholdSet,
        reference: "Callable[[], MemoryBound] | None",
        tolerance: float,
    ) -> None:
        """Score with `forward`, whose logits differ by no more than `tolerance` between two batches.

        `reference` gives a float32 forward pass for retries; None where `forward` is that already.
        """
        self._forward = forward
        self.labels = tuple(labels)
        tiers = (thresholds.lowest_flagged, thresholds.lowest_acted)
        self._lowest = torch.tensor([[lowest(label) for label in labels] for lowest in tiers], dtype=torch.float64)
        self._reference = reference
        self._tolerance = tolerance
        self._counting = threading.Lock()
        self._referring = threading.Lock()
        self.retries = 0
        self.computed_alone = 0

    def judging_by(self, thresholds: ThresholdSet) -> "LogitScorer":
        """One with another threshold set that shares the forward pass."""
        other = LogitScorer(self._forward, self.labels, thresholds, self._reference, self._tolerance)
        other._referring = self._referring  # of the reference, which is shared too
        return other

    def score(
        self,
        texts: Sequence[tuple[Sequence[Sequence[int]], TextFacts]],
        evidence: dict[int, Evidence] | None = None,
    ) -> list[Classification | Unscorable]:
        """Classification of each text, given its windows (at least one) and facts, in input order.

        Args:
            texts: The texts.
            evidence: Takes, by index of a flagged text, where its scores are from.
        """
        if not texts:
            return []
        marks: Marks | None = None if evidence is None else {}
        logits, places = self._worst(self._forward, [windows for windows, _ in texts], marks)
        alone_marks: dict[int, Marks] = {}
        settled = {0} if len(texts) == 1 else set()
        for index in (~torch.isfinite(logits).all(dim=1)).nonzero().flatten().tolist():
            with self._counting:
                self.retries += 1
            logits[index], places[index], alone_marks[index] = self._by_itself(texts[index][0])
            settled.add(index)
        for index in turnable(logits, self._verdicts, self._tolerance):
            if index not in settled:
                with self._counting:
                    self.computed_alone += 1
                alone, places[index], alone_marks[index] = self._by_itself(texts[index][0])
                self._compare(alone, logits[index])
                logits[index] = alone
        unscorable = set((~torch.isfinite(logits).all(dim=1)).nonzero().flatten().tolist())
        scores = _scores(logits)
        flags, acts = self._verdicts(logits).unbind(1)
        results: list[Classification | Unscorable] = []
        for index, (row, flagged, acted, (_, facts)) in enumerate(
            zip(scores.tolist(), flags.tolist(), acts.tolist(), texts, strict=True)
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
        if evidence is not None and marks is not None:
            firsts = [0, *accumulate(len(windows) for windows, _ in texts)]
            for index in flags.any(dim=1).nonzero().flatten().tolist():
                if index not in unscorable:
                    first, after = firsts[index], firsts[index + 1]
                    own = {window - first: marks[window] for window in range(first, after) if window in marks}
                    evidence[index] = Evidence(tuple(places[index].tolist()), alone_marks.get(index, own))
        return results

    def _verdicts(self, logits: torch.Tensor) -> torch.Tensor:
        """Whether each label is flagged, and whether it is acted on: bool [texts, 2, labels]."""
        return _scores(logits)[:, None] >= self._lowest

    def _by_itself(self, windows: Sequence[Sequence[int]]) -> "tuple[torch.Tensor, torch.Tensor, Marks]":
        """Highest logits of a text computed alone, their windows, its marks; in float32 where they are not finite."""
        marks: Marks = {}
        logits, places = self._worst(self._forward, [windows], marks)
        if self._reference is not None and not bool(torch.isfinite(logits).all()):
            log.warning("a score was not finite in low precision: computing that text in float32")
            marks.clear()
            with self._referring:  # it is loaded once
                logits, places = self._worst(self._reference(), [windows], marks)
        return logits[0], places[0], marks

    def _compare(self, alone: torch.Tensor, in_company: torch.Tensor) -> None:
        """Widen the tolerance, and log it, where the model proves to be less exact."""
        difference = float((alone - in_company).abs().max())
        with self._counting:
            if not self._tolerance < difference < math.inf:
                return
            tolerance = self._tolerance = 2 * difference
        log.warning(
            "a logit differs by %.3g when its text is computed alone: this model is less exact than others. Texts "
            "within %.3g of a threshold are computed alone from now on; in float32 they are fewer "
            "(SLUICE_MODEL__PRECISION)",
            *(difference, tolerance),
        )

    def _worst(
        self, forward: "MemoryBound", texts: Sequence[Sequence[Sequence[int]]], marks: "Marks | None" = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Highest logit of each label over each text's windows, and which window has it: both [texts, labels]."""
        logits = forward.logits([window for windows in texts for window in windows], marks)
        counts = [len(windows) for windows in texts]
        if len(logits) == len(texts):
            return logits, torch.zeros_like(logits, dtype=torch.long)
        # A text of one window has nothing to compare: of a thousand texts, a few dozen have more.
        firsts = torch.tensor([0, *accumulate(counts[:-1])])
        highest, places = logits[firsts], torch.zeros(len(counts), logits.shape[1], dtype=torch.long)
        for text, (first, count) in enumerate(zip(firsts.tolist(), counts, strict=True)):
            if count > 1:
                highest[text], places[text] = logits[first : first + count].max(dim=0)
        return highest, places


def _scores(logits: torch.Tensor) -> torch.Tensor:
    """The scores as events have them: float64, rounded."""
    return torch.round(torch.sigmoid(logits).double(), decimals=DECIMALS)
