"""Score labelled texts in float32 and in int8, and compare."""

import numpy as np
from numpy.typing import NDArray

from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.int8_gate import LEAST_POSITIVES, LEAST_TEXTS, GateResult, forget_result
from worker.classifier.checkpoint.int8_ranges import write_ranges
from worker.classifier.forward.build import settle_precision
from worker.classifier.loading.range_finding import find_ranges
from worker.classifier.machine.hardware import choose_device
from worker.errors import SettingsInvalid
from worker.quality.evaluation import text_weights
from worker.quality.figures import average_precision, roc_auc
from worker.quality.labelled import LabelledFile, LabelledTexts, read_labelled
from worker.quality.scored_texts import Matrix, score_labelled, scored_rows
from worker.settings import Precision, Settings


def try_int8(settings: Settings, file: LabelledFile, clean_weight: float) -> GateResult:
    """Compare the model that the settings name in int8 and in float32, on a file of labelled texts.

    How far the rows of the model reach, for int8 with scales fixed beforehand, is written beside the weights first.
    Progress goes to stderr.

    Args:
        settings: Settings of the model, and how many tokens it computes at once.
        file: The labelled texts.
        clean_weight: Weight of a text without any label.

    Raises:
        SettingsInvalid: The file is wrong, or int8 is not supported for this model or on this machine.
        ModelFault: The model cannot be loaded, or can score none of the texts, or its folder cannot be written to.
    """
    checkpoint = find_checkpoint(settings.model)
    labelled = read_labelled(file, checkpoint.labels)
    _require_enough(file, labelled)
    # A machine that cannot compute int8 is reported before anything is computed or written.
    settle_precision(Precision.INT8, choose_device(settings.model.device), settings.model.threads)
    ranges = find_ranges(checkpoint, settings.model, labelled.texts)
    if ranges is not None:
        # What passed with other ranges must not stand beside these, should this trial not end.
        forget_result(checkpoint.folder)
        write_ranges(checkpoint.folder, checkpoint.digest(), ranges)
    # int8 first: if the model does not support it, that is reported before the slower float32.
    int8 = _load(settings, Precision.INT8)
    tried = score_labelled(int8, labelled, "texts in int8")
    exact = score_labelled(_load(settings, Precision.FLOAT32), labelled, "texts in float32")
    scored = scored_rows(np.hstack((tried, exact)), int8, file.path)
    truth = labelled.truth[scored]
    return compare(
        int8.identity.digest,
        exact[scored],
        tried[scored],
        truth,
        weights=text_weights(truth, clean_weight),
        limits=np.array([int8.thresholds.lowest_flagged(label) for label in labelled.labels]),
    )


def _load(settings: Settings, precision: Precision) -> Classifier:
    return Classifier.load(settings.model, gated=False, precision=precision)


def _require_enough(file: LabelledFile, labelled: LabelledTexts) -> None:
    """Return if the file has enough texts, and enough of some label, to tell whether int8 changes their order."""
    positives = dict(zip(labelled.labels, labelled.truth.sum(axis=0).astype(int).tolist(), strict=True))
    if len(labelled.texts) >= LEAST_TEXTS and max(positives.values()) >= LEAST_POSITIVES:
        return
    counts = ", ".join(f"{label} {count}" for label, count in positives.items())
    message = (
        f"{file.path}: a trial in int8 needs at least {LEAST_TEXTS} texts, and a label that at least {LEAST_POSITIVES} "
        f"of them have; the file has {len(labelled.texts)} "
        + (f"(with each label: {counts})." if any(positives.values()) else "and no label has positives.")
    )
    raise SettingsInvalid(message)


def compare(
    digest: str,
    exact: Matrix,
    tried: Matrix,
    truth: Matrix,
    *,
    weights: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> GateResult:
    """The gate's figures for two sets of scores of the same texts.

    A label that fewer than LEAST_POSITIVES texts have, or every text has, is left out of the means. If that leaves
    none, the losses are NaN and the gate stays closed.

    Args:
        digest: Digest of the checkpoint.
        exact: Scores in float32, shape [texts, labels].
        tried: Scores in int8, shape [texts, labels].
        truth: 0 or 1, shape [texts, labels].
        weights: Weight of each text, shape [texts].
        limits: Threshold of each label, shape [labels].
    """
    positives = truth.sum(axis=0)
    ranked = [i for i, count in enumerate(positives) if LEAST_POSITIVES <= count < len(truth)]
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
