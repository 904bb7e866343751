"""The benchmarks' load has the requested rate, and no two comments are alike."""

import random
from itertools import islice

import pytest

from benchmarks.open_loop import comment, poisson


def test_random_arrivals_are_in_order_and_at_their_rate() -> None:
    times = list(islice(poisson(50.0, random.Random(1)), 20_000))
    assert times == sorted(times)
    assert len(times) / times[-1] == pytest.approx(50, rel=0.03)


def test_random_arrivals_are_as_uneven_as_independent_ones() -> None:
    times = list(islice(poisson(50.0, random.Random(1)), 20_000))
    in_a_second = [0] * (int(times[-1]) + 1)
    for time in times:
        in_a_second[int(time)] += 1
    mean = sum(in_a_second) / len(in_a_second)
    variance = sum((count - mean) ** 2 for count in in_a_second) / len(in_a_second)
    assert variance == pytest.approx(mean, rel=0.25)  # as for Poisson; 0 if they were evenly spaced


def test_no_two_comments_are_equal_even_if_texts_repeat() -> None:
    assert len({comment(["a", "b"], number).split(b'"text"')[1] for number in range(10)}) == 10
