"""Calibration: a slope and an offset per label, fitted on held-out logits and folded into the classifier layer.

Platt (1999), "Probabilistic outputs for support vector machines", with the smoothed targets of its section 2.2, which
keep a label with a handful of positives from being fitted to certainty. Slopes are positive, so no ranking changes.
Folded, the plain sigmoid of the shipped checkpoint is the calibrated probability and nobody has to know of this step.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from worker.quality.figures import Vector

NEWTON_STEPS = 50
SMALLEST_SLOPE = 1e-3
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Platt:
    """Calibrated logit = `slope` * logit + `offset`, each of shape [labels]."""

    slope: Vector
    offset: Vector

    def apply(self, logits: Vector) -> Vector:
        """Calibrated logits of `logits`, shape [comments, labels]."""
        return logits * self.slope + self.offset


def fit_platt(logits: Vector, labels: NDArray[np.float32]) -> Platt:
    """The slopes and offsets under which `labels` are likeliest; both arguments have shape [comments, labels]."""
    fitted = [_fit_one(logits[:, i], labels[:, i].astype(float)) for i in range(logits.shape[1])]
    return Platt(np.array([slope for slope, _ in fitted]), np.array([offset for _, offset in fitted]))


def cross_fitted(logits: Vector, labels: NDArray[np.float32], seed: int) -> Vector:
    """Calibrated logits in which each comment's were fitted on the other folds, for honest reliability figures."""
    fold = np.random.default_rng(seed).permutation(len(logits)) % FOLDS
    calibrated = np.empty_like(logits)
    for held_out in range(FOLDS):
        mask = fold == held_out
        calibrated[mask] = fit_platt(logits[~mask], labels[~mask]).apply(logits[mask])
    return calibrated


def fold_into(model: PreTrainedModel, platt: Platt) -> None:
    """Scale the classifier layer so that the model's logits become the calibrated ones."""
    layer = cast("torch.nn.Linear", model.classifier)
    slope = torch.from_numpy(platt.slope).to(layer.weight.dtype)
    offset = torch.from_numpy(platt.offset).to(layer.weight.dtype)
    with torch.no_grad():
        layer.weight.mul_(slope[:, None])
        layer.bias.mul_(slope).add_(offset)


def _fit_one(logits: Vector, truth: Vector) -> tuple[float, float]:
    """Newton's method with step halving on the logistic loss, which is convex in slope and offset."""
    positives, negatives = truth.sum(), (1 - truth).sum()
    target = np.where(truth > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([logits, np.ones_like(logits)])
    weights = np.array([1.0, 0.0])

    def loss(candidate: Vector) -> float:
        z = design @ candidate
        return float((np.logaddexp(0, z) - target * z).sum())

    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-(design @ weights)))
        gradient = design.T @ (probability - target)
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while loss(weights - share * step) > loss(weights) and share > 1e-6:  # noqa: PLR2004 (a step of nothing)
            share /= 2
        weights = weights - share * step
        if np.abs(share * step).max() < 1e-9:  # noqa: PLR2004 (converged)
            break
    if weights[0] < SMALLEST_SLOPE:  # the logits rank no better than chance: keep the rate
        rate = target.mean()
        return SMALLEST_SLOPE, float(np.log(rate / (1 - rate)) - SMALLEST_SLOPE * logits.mean())
    return float(weights[0]), float(weights[1])
