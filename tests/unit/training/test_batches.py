"""Batches hold every comment once, within the token budget."""

import random

import torch
from hypothesis import given
from hypothesis import strategies as st

from training.batches import DeviceBatches, plan
from training.evasion import disguise


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(0, 1000))
def test_every_comment_is_in_one_batch_and_no_batch_exceeds_its_budget(lengths: list[int], seed: int) -> None:
    for shuffle in (None, random.Random(seed)):
        batches = plan(lengths, 256, 20, shuffle)
        assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
        assert all(len(batch) <= 20 for batch in batches)
        assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 256 for batch in batches)


def test_the_same_seed_gives_the_same_batches_and_another_does_not() -> None:
    lengths = [random.Random(1).randint(1, 99) for _ in range(300)]
    first = plan(lengths, 512, 50, random.Random(7))
    assert first == plan(lengths, 512, 50, random.Random(7))
    assert first != plan(lengths, 512, 50, random.Random(8))


def test_batches_made_on_a_device_hold_the_rows_and_mask_their_padding() -> None:
    batches = DeviceBatches([[5, 6, 7], [8], [3, 4]], [[0, 1], [2]], padding=9, device=torch.device("cpu"))
    ids, mask = batches.make(0)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batches.make(1)[0].tolist() == [[3, 4]]
    assert [batches.rows(number).tolist() for number in range(len(batches))] == [[0, 1], [2]]


@given(st.text(max_size=80), st.integers(0, 10_000))
def test_spelling_noise_depends_on_the_seed_alone(text: str, seed: int) -> None:
    assert disguise(text, random.Random(seed)) == disguise(text, random.Random(seed))


def test_spelling_noise_changes_about_its_share_of_long_comments() -> None:
    noise = random.Random(1)
    comment = "several words that could each become misspelled along their winding way here today again"
    changed = sum(disguise(comment, noise) != comment for _ in range(2000))
    assert 0.2 < changed / 2000 < 0.32
