"""Calibration makes scores probabilities without changing a ranking, and folds into the classifier layer."""

import copy
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from training.calibration import Platt, cross_fitted, fit_platt, fold_into
from training.data import LABELS, Comments
from training.logits import compute_logits
from training.measuring import sigmoid
from training.thresholds import choose_set, lowest_flagged
from worker.quality.figures import calibration_error
from worker.types import ModelIdentity

IDENTITY = ModelIdentity("sluice-mini", "2", "sha256:" + "ab" * 32, "float32")


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


def test_the_default_set_is_chosen_by_its_rule_and_names_where_it_is_from(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    scores = sigmoid(draw.normal(-2, 4, (5000, len(LABELS))))
    truth = (draw.random(scores.shape) < scores).astype(np.float32)
    truth[:, 3] = 0
    source = tmp_path / "validation.csv"
    source.write_text("text", encoding="utf-8")
    comments = Comments([""] * len(scores), truth)
    content = choose_set(IDENTITY, comments, scores, source, date(2026, 11, 26))
    assert (content["set"], content["date"]) == ("default@3", "2026-11-26")
    assert content["model"]["digest"] == IDENTITY.digest
    values = content["labels"]["toxic"]
    reviewed, acted = scores[:, 0] >= values["review"], scores[:, 0] >= values["act"]
    assert truth[reviewed, 0].sum() / truth[:, 0].sum() >= 0.8
    assert truth[acted, 0].mean() > 0.9
    assert content["labels"]["threat"] == {"review": None, "act": None}
    assert lowest_flagged(content)[0] == values["review"]
    assert lowest_flagged(content)[3] > 1


def test_logits_that_rank_worse_than_chance_keep_the_rate() -> None:
    logits = np.linspace(-1.4, -1.3, 100)[:, None]
    labels = (np.arange(100) < 20).astype(np.float32)[:, None]
    calibrated = fit_platt(logits, labels).apply(logits)
    assert np.allclose(1 / (1 + np.exp(-calibrated)), 0.2, atol=0.02)
