"""Noise goes where it hurts in abusive texts, and as often into other words of harmless ones."""

import random

import pytest

from training import evasion
from training.evasion import ABUSIVE_WAYS, CANONICAL, HARMLESS_WAYS, disguise

FOUL = frozenset({"rotten"})


def variants(text: str, *, abusive: bool, count: int = 200) -> list[str]:
    return [disguise(text, random.Random(seed), abusive=abusive, foul=FOUL, share=1.0) for seed in range(count)]


def test_an_abusive_text_is_disguised_in_its_foul_word_first_of_all() -> None:
    found = variants("what a rotten person that is", abusive=True)
    assert sum("rotten" not in text for text in found) > 140
    assert sum("person" not in text for text in found) < 30


def test_a_harmless_text_is_disguised_anywhere_else() -> None:
    found = variants("what a rotten apple that was", abusive=False)
    assert all("rotten" in text for text in found)
    assert sum("apple" not in text for text in found) > 20


def test_a_share_of_nothing_changes_nothing() -> None:
    assert disguise("thank you", random.Random(1), share=0.0) == "thank you"


def test_the_same_draw_gives_the_same_spelling() -> None:
    assert variants("many thanks for this", abusive=False) == variants("many thanks for this", abusive=False)


@pytest.mark.parametrize("way", list(HARMLESS_WAYS))
@pytest.mark.parametrize("word", ["abc", "brave", "Generous"])
def test_every_way_can_spell_every_word(way: evasion.Way, word: str) -> None:
    spelled = {way(word, random.Random(seed)) for seed in range(40)}
    assert all(spelled)


def test_what_hides_a_word_from_the_vocabulary_is_learned_from_harmless_texts_alone() -> None:
    assert not set(CANONICAL) & set(ABUSIVE_WAYS)
    assert set(CANONICAL) < set(HARMLESS_WAYS)


@pytest.mark.parametrize(
    ("way", "spelled"),
    [(evasion.shifted(0xFF41, 0xFF21), "\uff2b\uff49\uff4e\uff44"), (evasion.parted("."), "K.i.n.d")],
)
def test_ways_that_leave_no_choice(way: evasion.Way, spelled: str) -> None:
    assert way("Kind", random.Random(1)) == spelled
