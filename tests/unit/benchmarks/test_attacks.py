"""Attacks change the words they are given, in the same way each time, and nothing else."""

import random

import pytest

from benchmarks.attacks import BESIDE, WAYS, disguise

TEXT = "Well, you are stupid."
SPANS = [(14, 20)]


@pytest.mark.parametrize("name", [*WAYS, *BESIDE])
def test_an_attack_changes_its_word_only_and_the_same_way_each_time(name: str) -> None:
    way = {**WAYS, **BESIDE}[name]

    attacked = disguise(TEXT, SPANS, way, random.Random(1))

    assert attacked == disguise(TEXT, SPANS, way, random.Random(1))
    assert attacked.startswith("Well, you are ")
    assert attacked.endswith(".")
    assert "stupid" not in attacked
