"""Leaving out finds the words that a score depends on, within its budget."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.reasons.leave_out import Logits, leave_out
from worker.reasons.words import words_of


class Counting:
    """Two labels: 4 for each kind of foul word in the text, less 2; remembers how many words it was asked about."""

    def __init__(self, *kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self.words = self.rounds = 0

    def __call__(self, texts: Sequence[str]) -> Logits:
        self.rounds += 1
        self.words += sum(len(text.split()) for text in texts)
        return np.array(
            [[4.0 * any(word in text.split() for word in kind) - 2 for kind in self._kinds] for text in texts],
            np.float32,
        ).reshape(len(texts), len(self._kinds))


def heavy(text: str, score: Counting, budget: int, label: int = 0) -> list[str]:
    words = words_of(text)
    weights = leave_out(text, words, score, tokens=len(words), budget_tokens=budget)
    assert weights.shape == (len(words), len(score(["x"])[0]))
    return [text[begin:end] for (begin, end), weight in zip(words, weights[:, label], strict=True) if weight > 1]


def test_each_label_has_its_own_words() -> None:
    score = Counting(["idiot"], ["kill"])
    text = "I will kill you idiot"
    assert heavy(text, score, 1000, 0) == ["idiot"]
    assert heavy(text, score, 1000, 1) == ["kill"]


def test_a_foul_word_that_stands_twice_is_found_although_one_is_enough_for_the_score() -> None:
    assert heavy("you idiot are an idiot", Counting(["idiot"]), 1000) == ["idiot", "idiot"]


@pytest.mark.parametrize("place", [0, 137, 399])
def test_a_long_text_is_read_by_phrases_down_to_the_word_within_the_budget(place: int) -> None:
    words = ["word"] * 400
    words[place] = "idiot"
    score = Counting(["idiot"])
    assert "idiot" in heavy(" ".join(words), score, 400 * 30)
    assert score.words <= 400 * 30 + 1
    assert score.rounds <= 5


def test_a_text_that_cannot_be_scored_weighs_nothing() -> None:
    def score(texts: Sequence[str]) -> Logits:
        return np.array([[np.nan if text in ("", "you") else float("idiot" in text)] for text in texts], np.float32)

    assert leave_out("you idiot", words_of("you idiot"), score, tokens=2, budget_tokens=100).tolist() == [[0], [1]]


@given(st.text(st.characters()), st.integers(1, 50), st.integers(0, 2000))
def test_any_text_has_a_weight_for_each_word(text: str, tokens: int, budget: int) -> None:
    words = words_of(text)
    weights = leave_out(text, words, Counting(["idiot"], ["kill"]), tokens=tokens, budget_tokens=budget)
    assert weights.shape == (len(words), 2)
    assert (weights >= 0).all()
