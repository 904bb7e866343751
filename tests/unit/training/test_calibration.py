"""Calibration makes scores probabilities without changing a ranking, and folds into the classifier layer."""

import copy

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from training.calibration import Platt, cross_fitted, fit_platt, fold_into
from training.logits import compute_logits
from training.measuring import sigmoid
from training.thresholds import best_expected_f1, choose_thresholds
from worker.quality.figures import calibration_error


def overconfident(comments: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(2)
    honest = draw.normal(-2, 1.5, (comments, 1))
    labels = (draw.random((comments, 1)) < sigmoid(honest)).astype(np.float32)
    return honest * 3 + 1, labels


def test_the_fit_undoes_a_known_distortion() -> None:
    logits, labels = overconfident()
    platt = fit_platt(logits, labels)
    assert platt.slope[0] == pytest.approx(1 / 3, rel=0.05)
    assert platt.offset[0] == pytest.approx(-1 / 3, abs=0.1)


def test_calibrated_scores_are_closer_to_what_happens_on_comments_not_fitted_on() -> None:
    logits, labels = overconfident()
    truth, weights = labels[:, 0].astype(float), np.ones(len(labels))
    before = calibration_error(sigmoid(logits[:, 0]), truth, weights)
    after = calibration_error(sigmoid(cross_fitted(logits, labels, seed=1)[:, 0]), truth, weights)
    assert after < 0.01 < before / 3


def test_separable_and_reversed_labels_still_get_a_finite_positive_slope() -> None:
    logits = np.linspace(-3, 3, 50)[:, None]
    for labels in ((logits > 0).astype(np.float32), (logits < 0).astype(np.float32), np.zeros((50, 1), np.float32)):
        platt = fit_platt(logits, labels)
        assert platt.slope[0] > 0
        assert np.isfinite([platt.slope[0], platt.offset[0]]).all()


def test_folding_gives_the_logits_that_calibration_promises(model: BertForSequenceClassification) -> None:
    rows = [[2, 5, 6, 7, 3], [2, 9, 3], [2, 10, 11, 12, 13, 14, 3]]
    platt = Platt(np.linspace(0.3, 2.5, 6), np.linspace(-2.0, 1.0, 6))
    folded = copy.deepcopy(model)
    fold_into(folded, platt)
    expected = platt.apply(compute_logits(model, rows, 0))
    np.testing.assert_allclose(compute_logits(folded, rows, 0), expected, atol=1e-5)
    assert not torch.equal(folded.classifier.weight, model.classifier.weight)


def test_the_threshold_is_the_best_of_all_when_scores_are_probabilities() -> None:
    draw = np.random.default_rng(4)
    scores = sigmoid(draw.normal(-2, 2, 100_000))
    truth = draw.random(len(scores)) < scores

    def f1(threshold: float) -> float:
        flagged = scores >= threshold
        return float(2 * (truth & flagged).sum() / (flagged.sum() + truth.sum()))

    [chosen] = choose_thresholds(scores[:, None])
    best = max(f1(threshold) for threshold in np.linspace(0.02, 0.98, 97))
    assert f1(chosen) == pytest.approx(best, abs=0.003)
    assert best_expected_f1(scores) == pytest.approx(best, abs=0.01)
    assert f1(0.8) < best - 0.05 > f1(0.05)


def test_no_threshold_is_made_up_where_no_comment_scores() -> None:
    with pytest.raises(ValueError, match="there is none"):
        choose_thresholds(np.zeros((5, 2)))


def test_logits_that_rank_worse_than_chance_keep_the_rate() -> None:
    logits = np.linspace(-1.4, -1.3, 100)[:, None]
    labels = (np.arange(100) < 20).astype(np.float32)[:, None]
    calibrated = fit_platt(logits, labels).apply(logits)
    assert np.allclose(1 / (1 + np.exp(-calibrated)), 0.2, atol=0.02)
