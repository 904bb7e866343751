"""A chosen threshold meets its rule, and the choice says so where it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.quality.figures import Vector
from worker.quality.threshold_rules import (
    NOTHING_FLAGGED,
    best_f1,
    highest_at_recall,
    lowest_at_precision,
    positives_for_precision,
    positives_for_recall,
    wilson_lower_bound,
)


def separable(count: int = 200) -> tuple[Vector, Vector, Vector]:
    """Scores from 0 to 1; all texts from 0.6 on are positive, none below."""
    scores = np.round(np.linspace(0, 1, count), 6)
    return scores, (scores >= 0.6).astype(float), np.ones(count)


def brute_force(scores: Vector, truth: Vector, weights: Vector, precision: float) -> float | None:
    suited = [
        threshold
        for threshold in sorted(set(scores))
        if wilson_lower_bound(truth[scores >= threshold], weights[scores >= threshold]) >= precision
    ]
    return suited[0] if suited else None


def test_best_f1_separates_what_can_be_separated() -> None:
    choice = best_f1(*separable(), np.random.default_rng(0))
    assert choice.threshold == pytest.approx(0.6, abs=0.01)
    assert choice.recall == pytest.approx(1, abs=0.02)


def test_best_f1_is_the_same_for_the_same_seed() -> None:
    scores, truth, weights = separable()
    noisy = np.where(np.random.default_rng(1).random(len(truth)) < 0.2, 1 - truth, truth)
    first, again = (best_f1(scores, noisy, weights, np.random.default_rng(7)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("negatives", "positives"),
    [
        (np.linspace(0.000002, 0.00012, 2000), np.linspace(0.0003, 0.00045, 20)),
        (np.linspace(0.99, 0.9996, 200), np.linspace(0.9997, 1, 60)),
        (np.linspace(0.99, 0.9994, 200), np.linspace(0.99965, 1, 60)),
        (np.zeros(50), np.full(3, 0.000001)),
        (np.array([]), np.array([0.4])),
    ],
)
def test_what_scores_separate_at_any_scale_is_separated(negatives: Vector, positives: Vector) -> None:
    scores = np.round(np.concatenate([negatives, positives]), 6)
    truth = np.concatenate([np.zeros(len(negatives)), np.ones(len(positives))])
    choice = best_f1(scores, truth, np.ones(len(scores)), np.random.default_rng(0))
    assert (choice.precision, choice.recall) == (1, 1)
    assert choice.threshold is not None
    assert 0 < choice.threshold <= 1


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=2, max_size=40).filter(
        lambda samples: any(positive for _, positive in samples)
    ),
    st.sampled_from([1e-6, 1e-5, 1e-3, 0.02]),
)
@settings(deadline=None, max_examples=30)
def test_no_threshold_is_rounded_across_a_score(samples: list[tuple[int, bool]], scale: float) -> None:
    scores = np.round(np.array([number * scale for number, _ in samples]), 6)
    truth = np.array([float(positive) for _, positive in samples])
    threshold = best_f1(scores, truth, np.ones(len(scores)), np.random.default_rng(0)).threshold
    assert threshold is not None
    assert threshold == round(threshold, 6)
    assert (scores >= threshold).any(), "the best F1 flags something"


def test_best_f1_chooses_nothing_without_positives() -> None:
    scores, _, weights = separable()
    none = np.zeros(len(scores))
    assert best_f1(scores, none, weights, np.random.default_rng(0)) == NOTHING_FLAGGED


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 4)), min_size=1, max_size=60),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_the_precision_rule_takes_the_lowest_threshold_whose_bound_holds(
    samples: list[tuple[int, bool, int]], precision: float
) -> None:
    scores, truth, weights = (np.array(column, dtype=float) for column in zip(*samples, strict=True))
    scores = scores / 20
    choice = lowest_at_precision(scores, truth, weights, precision)
    lowest = brute_force(scores, truth, weights, precision)
    assert (choice.threshold is None) is (lowest is None)
    if choice.threshold is not None and lowest is not None:
        assert ((scores >= choice.threshold) == (scores >= lowest)).all()
        assert choice.precision_lower_bound is not None
        assert choice.precision_lower_bound >= precision


def test_a_precision_that_few_texts_cannot_prove_is_not_claimed() -> None:
    choice = lowest_at_precision(np.array([0.9, 0.8, 0.1]), np.array([1.0, 1.0, 0.0]), np.ones(3), 0.9)
    assert choice == NOTHING_FLAGGED


def test_wilsons_bound_equals_the_published_one() -> None:
    # 95 % one-sided for 9 of 10: (0.9 + z²/20 - z·sqrt(0.09/10 + z²/400)) / (1 + z²/10) with z = 1.6449
    assert wilson_lower_bound(np.array([1.0] * 9 + [0.0]), np.ones(10)) == pytest.approx(0.6523, abs=5e-4)
    assert wilson_lower_bound(np.empty(0), np.empty(0)) == 0


def test_equal_weights_do_not_change_the_bound() -> None:
    truth = np.array([1.0] * 9 + [0.0])
    assert wilson_lower_bound(truth, np.full(10, 7.5)) == pytest.approx(wilson_lower_bound(truth, np.ones(10)))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 4)), min_size=1, max_size=60),
    st.sampled_from([0.5, 0.8, 0.9, 0.99]),
)
def test_the_recall_rule_takes_the_highest_threshold_that_finds_enough(
    samples: list[tuple[int, bool, int]], recall: float
) -> None:
    scores, truth, weights = (np.array(column, dtype=float) for column in zip(*samples, strict=True))
    scores = scores / 20
    choice = highest_at_recall(scores, truth, weights, recall)
    if not truth.any():
        assert choice == NOTHING_FLAGGED
        return
    positives = (weights * truth).sum()
    enough = [t for t in sorted(set(scores)) if (weights * truth)[scores >= t].sum() >= recall * positives - 1e-9]
    assert choice.threshold is not None
    assert ((scores >= choice.threshold) == (scores >= enough[-1])).all()
    assert choice.recall is not None
    assert choice.recall >= recall - 1e-9


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_as_many_hits_as_it_takes_prove_a_precision_and_one_fewer_does_not(precision: float) -> None:
    needed = positives_for_precision(precision)
    assert wilson_lower_bound(np.ones(needed), np.ones(needed)) >= precision
    assert wilson_lower_bound(np.ones(needed - 1), np.ones(needed - 1)) < precision


def test_a_recall_needs_enough_positives_that_one_may_be_missed() -> None:
    assert [positives_for_recall(recall) for recall in (0.5, 0.8, 0.85, 0.9, 0.99)] == [2, 5, 7, 10, 100]


def test_the_precision_holds_on_texts_that_the_threshold_was_not_chosen_on() -> None:
    """The bound is for one threshold and many are looked at, so a few draws may miss it, by little."""
    draw = np.random.default_rng(6)

    def sample(count: int) -> tuple[Vector, Vector]:
        scores = draw.beta(0.4, 0.6, count)
        return scores, (draw.random(count) < scores).astype(float)

    later, truth = sample(200_000)
    reached = []
    for _ in range(100):
        threshold = lowest_at_precision(*sample(3000), np.ones(3000), 0.85).threshold
        if threshold is not None:
            reached.append(float(truth[later >= threshold].mean()))
    assert len(reached) > 90
    assert np.mean(np.array(reached) >= 0.85) > 0.85
    assert min(reached) > 0.82
