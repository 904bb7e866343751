"""Figures agree with their definitions, ties and weights included."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.quality.evaluation import evaluate_label, mean, text_weights
from worker.quality.figures import Vector, average_precision, brier, calibration_error, recall_at_precision, roc_auc

SAMPLES = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(1, 3)), min_size=2, max_size=30
)  # few distinct scores, so that there are ties


def columns(samples: list[tuple[int, bool, int]]) -> tuple[Vector, Vector, Vector]:
    scores, truth, weights = (np.array(column, dtype=float) for column in zip(*samples, strict=True))
    return scores / 6, truth, weights


@given(SAMPLES)
def test_roc_auc_is_the_chance_that_a_positive_outscores_a_negative(samples: list[tuple[int, bool, int]]) -> None:
    scores, truth, weights = columns(samples)
    won = total = 0.0
    for i in np.flatnonzero(truth == 1):
        for j in np.flatnonzero(truth == 0):
            pair = weights[i] * weights[j]
            total += pair
            won += pair * (1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0)
    found = roc_auc(scores, truth, weights)
    assert found == pytest.approx(won / total) if total else math.isnan(found)


@given(SAMPLES)
def test_average_precision_sums_precision_over_the_recall_gained_at_each_threshold(
    samples: list[tuple[int, bool, int]],
) -> None:
    scores, truth, weights = columns(samples)
    found = average_precision(scores, truth, weights)
    if not truth.any():
        assert math.isnan(found)
        return
    expected = before = 0.0
    for threshold in sorted(set(scores), reverse=True):
        flagged = scores >= threshold
        hits = (weights * truth * flagged).sum()
        recall = hits / (weights * truth).sum()
        expected += (recall - before) * hits / (weights * flagged).sum()
        before = recall
    assert found == pytest.approx(expected)


@given(SAMPLES)
def test_an_integer_weight_counts_like_that_many_copies(samples: list[tuple[int, bool, int]]) -> None:
    copies = [(score, truth, 1) for score, truth, weight in samples for _ in range(weight)]
    weighted = evaluate_label("toxic", *columns(samples), 0.5)
    repeated = evaluate_label("toxic", *columns(copies), 0.5)
    for name in ("average_precision", "roc_auc", "precision", "recall", "f1", "brier", "calibration_error"):
        one, other = getattr(weighted, name), getattr(repeated, name)
        assert (one is None) == (other is None), name
        assert one is None or one == pytest.approx(other), name


def test_figures_at_the_threshold_match_a_case_counted_by_hand() -> None:
    scores, truth = np.array([0.9, 0.8, 0.6, 0.5, 0.1]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    quality = evaluate_label("toxic", scores, truth, np.ones(5), 0.6)
    assert quality.positives == 3
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.recall == pytest.approx(2 / 3)
    assert quality.f1 == pytest.approx(2 / 3)
    assert quality.recall_at_high_precision == pytest.approx(1 / 3)
    assert quality.brier == pytest.approx((0.01 + 0.64 + 0.16 + 0.25 + 0.01) / 5)


def test_a_label_without_positives_or_flags_has_no_figures_instead_of_wrong_ones() -> None:
    quality = evaluate_label("threat", np.array([0.1, 0.2]), np.zeros(2), np.ones(2), 0.5)
    assert (quality.average_precision, quality.roc_auc, quality.precision, quality.recall, quality.f1) == (None,) * 5
    assert mean([quality.f1, 0.5]) == 0.5
    assert mean([quality.f1]) is None


def test_scores_equal_to_the_rates_have_no_calibration_error_and_certain_wrong_ones_the_largest() -> None:
    half = np.full(10, 0.5)
    truth = np.array([1.0, 0.0] * 5)
    assert calibration_error(half, truth, np.ones(10)) == pytest.approx(0)
    assert calibration_error(np.ones(10), np.zeros(10), np.ones(10)) == pytest.approx(1)
    assert brier(np.ones(10), np.zeros(10), np.ones(10)) == 1


def test_recall_at_a_precision_that_nothing_reaches_is_zero() -> None:
    assert recall_at_precision(np.array([0.9, 0.1]), np.array([0.0, 1.0]), np.ones(2), 0.9) == 0


def test_clean_texts_carry_the_weight_of_the_texts_they_stand_for() -> None:
    truth = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert text_weights(truth, 7.5).tolist() == [7.5, 1, 1]
