"""Loads a model and scores labelled texts with it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.classifier import Classifier
from worker.errors import ModelFault
from worker.quality.evaluation import text_weights
from worker.quality.labelled import LabelledFile, LabelledTexts, read_labelled
from worker.quality.scores import score_texts
from worker.settings import Settings
from worker.terminal.progress import progress
from worker.types import ModelIdentity
from worker.verdicts import ThresholdSet

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoredTexts:
    """Scores beside the truth, for the texts that could be scored.

    Attributes:
        identity: The model that computed the scores.
        thresholds: The model's current thresholds.
        labels: Labels of the columns.
        scores: Scores, shape [texts, labels].
        truth: 0 or 1, shape [texts, labels].
        weights: Weight of each text, shape [texts].
        unscorable: Number of texts left out.
        texts: The texts.
        ids: Their ids, else file and line.
        languages: Their languages as the file has them; empty where it has none.
    """

    identity: ModelIdentity
    thresholds: ThresholdSet
    labels: tuple[str, ...]
    scores: Matrix
    truth: Matrix
    weights: NDArray[np.float64]
    unscorable: int
    texts: Sequence[str] = ()
    ids: Sequence[str] = ()
    languages: Sequence[str] = ()


def load_and_score(settings: Settings, file: LabelledFile, clean_weight: float) -> ScoredTexts:
    """Score every text of a file of labelled texts; progress goes to stderr.

    Raises:
        SettingsInvalid: The file is wrong.
        ModelFault: The model cannot be loaded, or can score none of the texts.
    """
    classifier = Classifier.load(settings.model)
    labelled = read_labelled(file, classifier.labels)
    scores = score_labelled(classifier, labelled, "texts")
    scored = scored_rows(scores, classifier, file.path)
    truth = labelled.truth[scored]
    return ScoredTexts(
        classifier.identity,
        classifier.thresholds,
        labelled.labels,
        scores[scored],
        truth,
        text_weights(truth, clean_weight),
        int((~scored).sum()),
        *(list(compress(column, scored)) for column in (labelled.texts, labelled.ids, labelled.languages)),
    )


def score_labelled(classifier: Classifier, labelled: LabelledTexts, what: str) -> Matrix:
    """The scores of the labelled texts, shape [texts, labels], with NaN for texts that cannot be scored.

    Progress goes to stderr and counts `what`.
    """
    with progress(what, len(labelled.texts), stream=sys.stderr) as advance:
        return score_texts(classifier, labelled.texts, labelled.labels, advance)


def scored_rows(scores: Matrix, classifier: Classifier, path: Path) -> NDArray[np.bool_]:
    """Which texts of the file `path` have all their scores, shape [texts].

    Raises:
        ModelFault: No text has.
    """
    scored: NDArray[np.bool_] = np.asarray(~np.isnan(scores).any(axis=1))
    if not scored.any():
        message = f"model {classifier.identity.id!r} could score none of the texts of {path}. Check the file's texts."
        raise ModelFault(message)
    return scored
