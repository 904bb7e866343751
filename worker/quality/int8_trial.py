"""Score labelled texts in float32 and in int8, and compare."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.classifier import Classifier
from worker.classifier.checkpoint.int8_gate import GateResult
from worker.errors import ModelFault
from worker.quality.evaluation import text_weights
from worker.quality.figures import average_precision, roc_auc
from worker.quality.labelled import read_labelled
from worker.quality.scores import score_texts
from worker.settings import Precision, Settings
from worker.terminal.progress import progress

Matrix = NDArray[np.float64]


def try_int8(settings: Settings, path: Path, clean_weight: float) -> GateResult:
    """How the model that the settings name does in int8 on a file of labelled texts; progress goes to stderr.

    Args:
        settings: Their model, and how many tokens it computes at once.
        path: The labelled texts.
        clean_weight: What a text without any label counts.

    Raises:
        SettingsInvalid: The file is wrong, or int8 cannot be had for this model or on this machine.
        ModelFault: The model can't be loaded, or can score none of the texts.
    """
    scores = []
    # int8 first: if it cannot be had, that is told before the slower float32.
    for precision in (Precision.INT8, Precision.FLOAT32):
        classifier = Classifier.load(settings.model, gated=False, precision=precision)
        labelled = read_labelled(path, classifier.labels)
        with progress(f"texts in {precision.value}", len(labelled.texts), stream=sys.stderr) as advance:
            scores.append(score_texts(classifier, labelled.texts, labelled.labels, advance))
    tried, exact = scores
    known = ~(np.isnan(tried) | np.isnan(exact)).any(axis=1)
    if not known.any():
        message = f"model {classifier.identity.id!r} could score none of the texts of {path}"
        raise ModelFault(message)
    limits = np.array([classifier.thresholds.values[label] for label in labelled.labels])
    weights = text_weights(labelled.truth[known], clean_weight)
    return compare(
        classifier.identity.digest, exact[known], tried[known], labelled.truth[known], weights=weights, limits=limits
    )


def compare(
    digest: str,
    exact: Matrix,
    tried: Matrix,
    truth: Matrix,
    *,
    weights: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> GateResult:
    """The gate's figures of two sets of scores of the same texts.

    A label that no text has, or every text, ranks nothing and is left out of the means; if that is all of them, the
    losses are not a number, and the gate stays shut.

    Args:
        digest: Of the checkpoint.
        exact: Scores in float32, shape [texts, labels].
        tried: Scores in int8, likewise.
        truth: 0 or 1, likewise.
        weights: What each text counts, shape [texts].
        limits: Threshold of each label, shape [labels].
    """
    ranked = [label for label in range(truth.shape[1]) if 0 < truth[:, label].sum() < len(truth)]
    losses = [
        np.mean([figure(exact[:, i], truth[:, i], weights) - figure(tried[:, i], truth[:, i], weights) for i in ranked])
        if ranked
        else np.nan
        for figure in (roc_auc, average_precision)
    ]
    return GateResult(
        digest=digest,
        texts=len(truth),
        roc_auc_loss=float(losses[0]),
        average_precision_loss=float(losses[1]),
        flag_agreement=float(((exact >= limits) == (tried >= limits)).mean()),
        largest_difference=float(np.abs(exact - tried).max()),
    )
