"""A token head's marks become weights of words."""

import numpy as np
import pytest

from worker.reasons.marked_words import MarkRule, marked_words

RULE = MarkRule("token-head@1", least=0.5, relative=0.5, of_label=0.2)
WORDS = [(0, 3), (4, 9), (10, 14)]
PLACES = [(0, 3), (4, 6), (6, 9), (9, 10), (10, 14)]


def weights(marked: list[float], added: list[list[float]]) -> list[list[float]]:
    marks = np.column_stack([np.array(marked, np.float32), np.array(added, np.float32)])
    found: list[list[float]] = marked_words(WORDS, PLACES, marks, RULE).tolist()
    return found


def test_a_word_is_as_likely_as_its_likeliest_token_and_weighs_the_mean_of_its_tokens() -> None:
    assert weights([-9, 5, -9, 9, -9], [[8, 0], [1, 4], [3, 0], [9, 9], [8, 8]]) == [[0, 0], [2, 2], [0, 0]]


def test_without_a_likely_word_the_likeliest_is_marked() -> None:
    found = weights([-5, -3, -4, -5, -6], [[1, 1]] * 5)
    assert [any(row) for row in found] == [False, True, False]


def test_a_marked_word_weighs_a_little_for_each_label_also_where_no_effect_is_known() -> None:
    found = weights([9, -9, -9, -9, -9], [[-3, np.nan]] * 5)
    assert found[0] == [pytest.approx(0.01, rel=1e-3)] * 2


def test_marks_that_are_not_numbers_mark_nothing_and_raise_nothing() -> None:
    found = np.array(weights([np.nan] * 5, [[np.inf, np.nan]] * 5))
    assert np.isfinite(found).all()


def test_a_word_without_tokens_is_not_marked() -> None:
    marks = np.array([[5.0, 2.0]], np.float32)
    assert marked_words([(0, 2), (3, 5)], [(3, 5)], marks, RULE).tolist() == [[0], [2]]
