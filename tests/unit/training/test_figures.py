"""Figures agree with counting by hand and with scikit-learn, weights included."""

import numpy as np
import pytest

from worker.quality.figures import (
    Vector,
    average_precision,
    brier,
    calibration_error,
    precision_recall,
    recall_at_precision,
    roc_auc,
)


@pytest.fixture
def sample() -> tuple[Vector, Vector, Vector]:
    draw = np.random.default_rng(5)
    truth = (draw.random(400) < 0.2).astype(float)
    scores = np.round(draw.random(400) * 0.6 + truth * 0.3, 2)  # two decimals: many ties
    return scores, truth, np.where(truth > 0, 1.0, 7.46)


def test_roc_auc_counts_ordered_pairs_with_their_weights() -> None:
    scores, truth = np.array([0.9, 0.5, 0.5, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    assert roc_auc(scores, truth, np.ones(4)) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert roc_auc(scores, truth, np.array([1.0, 1.0, 3.0, 1.0])) == pytest.approx((3 + 1 + 1.5 + 1) / 8)
    assert np.isnan(roc_auc(scores, np.zeros(4), np.ones(4)))


def test_a_weight_of_two_is_the_same_as_twice_the_comment(sample: tuple[Vector, Vector, Vector]) -> None:
    scores, truth, _ = sample
    weights = np.where(truth > 0, 1.0, 2.0)
    times = weights.astype(int)
    for figure in (roc_auc, average_precision, brier, calibration_error):
        twice = figure(np.repeat(scores, times), np.repeat(truth, times), np.ones(times.sum()))
        assert figure(scores, truth, weights) == pytest.approx(twice)


def test_ranking_figures_agree_with_scikit_learn(sample: tuple[Vector, Vector, Vector]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed (extra `training`)")
    scores, truth, weights = sample
    assert roc_auc(*sample) == pytest.approx(metrics.roc_auc_score(truth, scores, sample_weight=weights))
    expected = metrics.average_precision_score(truth, scores, sample_weight=weights)
    assert average_precision(*sample) == pytest.approx(expected)


def test_recall_at_precision_is_reached_by_a_threshold(sample: tuple[Vector, Vector, Vector]) -> None:
    precision, recall, at = precision_recall(*sample)
    best = recall_at_precision(*sample, 0.5)
    reached = recall == best
    assert precision[reached].max() >= 0.5
    threshold = at[reached].max()
    scores, truth, weights = sample
    assert best == pytest.approx((truth * weights)[scores >= threshold].sum() / (truth * weights).sum())
    assert recall_at_precision(np.zeros(4), np.array([1.0, 0, 0, 0]), np.ones(4), 0.9) == 0


def test_calibration_error_is_the_gap_between_promise_and_outcome() -> None:
    probabilities, truth = np.full(10, 0.8), np.array([1.0] * 6 + [0.0] * 4)
    assert calibration_error(probabilities, truth, np.ones(10)) == pytest.approx(0.2)
    assert calibration_error(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.ones(2)) == 0
