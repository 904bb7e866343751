"""Curves and their bands say what the figures say, and how certain that is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.quality.report.scored import scored_texts
from worker.quality.figures import average_precision, roc_auc
from worker.quality.report.bands import GRID, RESAMPLES, Ranking, rank


def ranked(texts: int, clean_weight: float = 1) -> Ranking:
    scored = scored_texts(texts=texts, clean_weight=clean_weight)
    found = rank(scored.scores[:, 0], scored.truth[:, 0], scored.weights, np.random.default_rng(0))
    assert found is not None
    return found


rows = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.2, 0.5, 0.9]), st.booleans(), st.sampled_from([1.0, 2.5])),
    min_size=2,
    max_size=30,
)


@settings(max_examples=30)
@given(rows=rows)
def test_the_areas_are_those_of_the_figures_with_ties_and_weights(rows: list[tuple[float, bool, float]]) -> None:
    scores, truth, weights = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    found = rank(scores, truth, weights, np.random.default_rng(0))
    if 0 < truth.sum() < len(truth):
        assert found is not None
        assert found.roc_auc.value == pytest.approx(roc_auc(scores, truth, weights))
        assert found.average_precision.value == pytest.approx(average_precision(scores, truth, weights))
        assert found.roc.value[-1] == pytest.approx(1)
        assert np.all(np.diff(found.roc.value) >= -1e-12)
    else:
        assert found is None


def test_a_band_holds_its_curve_and_narrows_with_more_texts() -> None:
    few, many = ranked(100), ranked(2000)
    for found in (few, many):
        assert found.roc.low.shape == found.precision.high.shape == GRID.shape
        assert np.mean((found.roc.low <= found.roc.value + 1e-9) & (found.roc.value <= found.roc.high + 1e-9)) > 0.95
        assert found.roc_auc.low < found.roc_auc.value < found.roc_auc.high
    assert many.roc_auc.high - many.roc_auc.low < (few.roc_auc.high - few.roc_auc.low) / 2


def test_the_bootstraps_interval_is_as_wide_as_the_areas_known_deviation() -> None:
    """Hanley and McNeil (1982) give the standard error of an area under ROC in closed form."""
    scored, found = scored_texts(texts=2000), ranked(2000)
    area, positives = found.roc_auc.value, scored.truth[:, 0].sum()
    negatives = len(scored.truth) - positives
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    known = 2 * 1.96 * (variance / (positives * negatives)) ** 0.5
    assert found.roc_auc.high - found.roc_auc.low == pytest.approx(known, rel=0.3)


def test_the_same_texts_give_the_same_bands() -> None:
    one, other = ranked(200), ranked(200)
    assert one.roc_auc == other.roc_auc
    assert np.array_equal(one.precision.low, other.precision.low)
    assert one.resamples == RESAMPLES


def test_weights_change_precision_and_not_what_is_found() -> None:
    plain, weighted = ranked(400), ranked(400, clean_weight=5)
    assert weighted.precision.value[90] < plain.precision.value[90]
