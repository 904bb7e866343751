"""The figures of the model card: everything measured about one checkpoint on one split."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data import LABELS, Comments
from worker.quality.figures import (
    Vector,
    average_precision,
    brier,
    calibration_error,
    recall_at_precision,
    roc_auc,
)

BOOTSTRAP_RESAMPLES = 200
PRECISION = 0.9
GROUPS = re.compile(
    r"\b(?:muslims?|islam|jews?|jewish|christians?|catholics?|gays?|lesbians?|transgender|homosexuals?|women|woman"
    r"|feminists?|black people|african|asians?|arabs?|immigrants?|mexicans?)\b",
    re.IGNORECASE,
)
"""Words that name a group of people; a clean comment with one of them should be flagged no more than others."""


def sigmoid(logits: Vector) -> Vector:
    """Probability of each logit."""
    return 1 / (1 + np.exp(-logits))


def measure(comments: Comments, logits: Vector, thresholds: list[float], seed: int) -> dict[str, Any]:
    """Figures of `logits`, shape [comments, labels], rounded to four decimals, as plain JSON values."""
    weights, scores = comments.weights(), sigmoid(logits)
    labels = {
        name: _measure_label(scores[:, i], comments.labels[:, i].astype(float), weights, thresholds[i])
        for i, name in enumerate(LABELS)
    }
    intervals = _intervals(comments, scores, weights, seed)
    for name, interval in zip(LABELS, intervals[:-1], strict=True):
        labels[name]["roc_auc_95"] = interval
    return {
        "comments": len(comments),
        "clean_weight": round(comments.clean_weight, 4),
        "mean_roc_auc": _mean(labels, "roc_auc"),
        "mean_roc_auc_95": intervals[-1],
        "mean_average_precision": _mean(labels, "average_precision"),
        "labels": labels,
        "clean": _false_flags(comments, scores, thresholds),
    }


def _measure_label(scores: Vector, truth: Vector, weights: Vector, threshold: float) -> dict[str, Any]:
    flagged = scores >= threshold
    hits, all_flagged = (weights * truth * flagged).sum(), (weights * flagged).sum()
    precision = hits / all_flagged if all_flagged else 0.0
    recall = hits / max((weights * truth).sum(), 1e-12)
    values = {
        "roc_auc": roc_auc(scores, truth, weights),
        "average_precision": average_precision(scores, truth, weights),
        "recall_at_90_precision": recall_at_precision(scores, truth, weights, PRECISION),
        "threshold": threshold,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "brier": brier(scores, truth, weights),
        "calibration_error": calibration_error(scores, truth, weights),
        "mean_probability": float(np.average(scores, weights=weights)),
        "rate": float(np.average(truth, weights=weights)),
    }
    return {"positives": int(truth.sum())} | {name: _rounded(value) for name, value in values.items()}


def acted_on(comments: Comments, logits: Vector, thresholds: list[float]) -> dict[str, dict[str, float] | None]:
    """Precision and recall of each label's tier act; None for a label that is never acted on."""
    weights, scores = comments.weights(), sigmoid(logits)
    found: dict[str, dict[str, float] | None] = {}
    for i, name in enumerate(LABELS):
        figures = _measure_label(scores[:, i], comments.labels[:, i].astype(float), weights, thresholds[i])
        shown = {figure: figures[figure] for figure in ("threshold", "precision", "recall")}
        found[name] = None if thresholds[i] > 1 else shown
    return found


def _intervals(comments: Comments, scores: Vector, weights: Vector, seed: int) -> list[list[float]]:
    """Middle 95 % of ROC-AUC over bootstrap resamples: of each label, and last of their mean."""
    draw = np.random.default_rng(seed)
    drawn = np.empty((BOOTSTRAP_RESAMPLES, len(LABELS)))
    for row in drawn:
        picks = draw.integers(len(scores), size=len(scores))
        row[:] = [roc_auc(scores[picks, i], comments.labels[picks, i], weights[picks]) for i in range(len(LABELS))]
    with_mean = np.column_stack([drawn, drawn.mean(axis=1)])
    return [[_rounded(v) for v in np.nanpercentile(column, [2.5, 97.5])] for column in with_mean.T]


def _false_flags(comments: Comments, scores: Vector, thresholds: list[float]) -> dict[str, Any]:
    """How many comments without labels are flagged with any: all of them, and those that name a group of people."""
    clean: NDArray[np.bool_] = np.all(comments.labels == 0, axis=1)
    flagged: NDArray[np.bool_] = np.any(scores >= np.array(thresholds), axis=1)
    named = np.array([GROUPS.search(text) is not None for text in comments.texts], dtype=bool)

    def share(mask: NDArray[np.bool_]) -> dict[str, float]:
        return {"comments": int(mask.sum()), "flagged": _rounded(float(flagged[mask].mean()) if mask.any() else 0.0)}

    return {"all": share(clean), "naming_a_group": share(clean & named)}


def _mean(labels: dict[str, dict[str, Any]], figure: str) -> float:
    return _rounded(float(np.mean([values[figure] for values in labels.values()])))


def _rounded(value: float) -> float:
    return round(float(value), 4)
