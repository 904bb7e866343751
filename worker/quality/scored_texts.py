"""Loads a model and scores labelled texts with it."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.classifier import Classifier
from worker.errors import ModelFault
from worker.quality.evaluation import text_weights
from worker.quality.labelled import read_labelled
from worker.quality.scores import score_texts
from worker.settings import Settings
from worker.terminal.progress import progress
from worker.types import ModelIdentity, ThresholdSet


@dataclass(frozen=True, slots=True)
class ScoredTexts:
    """Scores beside the truth, for the texts that could be scored.

    Attributes:
        identity: What computed the scores.
        thresholds: What the model flags at now.
        labels: Labels of the columns.
        scores: Shape [texts, labels].
        truth: Likewise, 0 or 1.
        weights: What each text counts, shape [texts].
        unscorable: Texts left out.
    """

    identity: ModelIdentity
    thresholds: ThresholdSet
    labels: tuple[str, ...]
    scores: NDArray[np.float64]
    truth: NDArray[np.float64]
    weights: NDArray[np.float64]
    unscorable: int


def load_and_score(settings: Settings, path: Path, clean_weight: float) -> ScoredTexts:
    """Score every text of a file of labelled texts; progress goes to stderr.

    Raises:
        SettingsInvalid: The file is wrong.
        ModelFault: The model can't be loaded, or can score none of the texts.
    """
    classifier = Classifier.load(settings.model)
    labelled = read_labelled(path, classifier.labels)
    with progress("texts", len(labelled.texts), stream=sys.stderr) as advance:
        scores = score_texts(classifier, labelled.texts, labelled.labels, advance)
    known = ~np.isnan(scores).any(axis=1)
    if not known.any():
        message = f"model {classifier.identity.id!r} could score none of the texts of {path}"
        raise ModelFault(message)
    truth = labelled.truth[known]
    return ScoredTexts(
        classifier.identity,
        classifier.thresholds,
        labelled.labels,
        scores[known],
        truth,
        text_weights(truth, clean_weight),
        int((~known).sum()),
    )
