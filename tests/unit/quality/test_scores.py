"""Scores of many texts: what cannot be scored is a row of NaN, and costs no other text."""

import numpy as np

from testkit.keyword_classifier import POISON, UNSCORABLE, UNTOKENIZABLE, KeywordClassifier
from worker.quality.scores import score_texts


def test_texts_that_tokenizer_or_model_fail_on_have_no_scores_and_the_others_keep_their_rows() -> None:
    texts = ["you jerk", UNTOKENIZABLE, "good morning", POISON, UNSCORABLE, "stupid"]
    done: list[int] = []
    scores = score_texts(KeywordClassifier(), texts, ["insult", "toxic"], done.append)
    assert np.isnan(scores).all(axis=1).tolist() == [False, True, False, True, True, False]
    assert scores[[0, 2, 5]].tolist() == [[1, 0], [0, 0], [0, 1]]
    assert sum(done) == len(texts)
