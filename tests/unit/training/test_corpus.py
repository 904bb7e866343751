"""What is known, what teachers say, and how the two become one target."""

from pathlib import Path

import numpy as np

from training.corpus import join, same
from training.data import LABELS, Comments
from training.foul_words import foul_words
from training.sources import is_kept
from training.teaching import read_scores, write_scores

YES, NO = [1.0] * len(LABELS), [0.0] * len(LABELS)


def teacher(probability: float, rows: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((rows, len(LABELS)), probability, dtype=np.float32)


def test_known_labels_and_a_teacher_are_blended_by_trust() -> None:
    taught = same(["a"], "x", YES, YES, 2.0).taught(teacher(0.5), trust=0.4)
    np.testing.assert_allclose(taught.targets, 0.4 * 1 + 0.6 * 0.5)
    np.testing.assert_allclose(taught.weights(), 2.0)


def test_what_nobody_knows_is_the_teachers_alone() -> None:
    taught = same(["a"], "x", YES, NO, 1.0).taught(teacher(0.25), trust=0.4)
    np.testing.assert_allclose(taught.targets, 0.25)
    assert (taught.weights() > 0).all()


def test_what_no_teacher_scored_is_the_labels_alone() -> None:
    corpus = join([same(["a"], "x", YES, YES, 1.0), same(["b"], "x", YES, NO, 1.0)])
    taught = corpus.taught(teacher(np.nan, 2), trust=0.4)
    np.testing.assert_allclose(taught.targets[0], 1.0)
    assert not taught.weights()[1].any()


def test_of_two_texts_that_are_the_same_the_first_counts() -> None:
    joined = join([same(["a", "b"], "first", YES, YES, 1.0), same(["b", "c"], "second", NO, YES, 1.0)])
    assert joined.texts == ["a", "b", "c"]
    assert joined.sources == ["first", "first", "second"]
    assert joined.targets[:, 0].tolist() == [1, 1, 0]


def test_texts_of_which_nothing_is_known_are_left_out_of_the_labelled() -> None:
    corpus = join([same(["a"], "x", YES, YES, 1.0), same(["b"], "x", NO, NO, 1.0)])
    assert corpus.labelled().texts == ["a"]


def test_a_source_can_be_limited_and_the_others_stay_whole() -> None:
    corpus = join([same(list("abcdefgh"), "much", YES, YES, 1.0), same(["y", "z"], "little", NO, YES, 1.0)])
    limited = corpus.limited({"much": 3, "nowhere": 1}, seed=5)
    assert limited.sources == ["much"] * 3 + ["little"] * 2
    assert limited.texts == corpus.limited({"much": 3}, seed=5).texts
    assert len({tuple(corpus.limited({"much": 3}, seed).texts) for seed in range(9)}) > 1


def test_scores_are_found_by_text_in_any_order_and_averaged_over_files(tmp_path: Path) -> None:
    logits = np.arange(18, dtype=np.float32).reshape(3, 6)
    write_scores(tmp_path / "one.npz", ["a", "b", "c"], logits)
    write_scores(tmp_path / "two.npz", ["c"], logits[:1])
    found = read_scores([tmp_path / "one.npz", tmp_path / "two.npz"], ["c", "nowhere", "a"])
    np.testing.assert_allclose(found[0], (logits[2] + logits[0]) / 2)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[2], logits[0])


def test_foul_words_are_those_that_labelled_comments_have_to_themselves() -> None:
    texts = ["you rotten fellow"] * 20 + ["you fine fellow"] * 60
    labels = np.zeros((80, len(LABELS)), dtype=np.float32)
    labels[:20, 0] = 1
    assert foul_words(Comments(texts, labels)) == frozenset({"rotten"})


def test_a_tenth_is_kept_apart_whatever_case_and_blanks() -> None:
    texts = [f"Comment number {i}" for i in range(2000)]
    assert 0.07 < sum(map(is_kept, texts)) / len(texts) < 0.13
    assert all(is_kept(text) == is_kept(f"  {text.upper()} ") for text in texts[:200])
