"""Common English words and how common they are, to tell a disguised word from a product name.

The list comes from the package `wordsegment` (Apache-2.0): the most common words of the Google Web Trillion Word
Corpus, as counted by Norvig ("Natural Language Corpus Data", 2009). It includes slang as used on the web, which
spelling dictionaries leave out. Only its first `WORDS` are kept; the rest are mostly misspelled.
"""

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

WORDS = 200_000
COST_A_NEPER = 10
"""Costs are small integers, so that all of them are objects that Python already has."""

LONGEST = 20
UNKNOWN_LETTER = 100
"""Cost of each letter that is not part of a word."""


@cache
def words() -> Mapping[str, int]:
    """Each word with its cost, ten times the logarithm of its rank. Loaded once, in a tenth of a second."""
    costs: dict[str, int] = {}
    with (files("wordsegment") / "unigrams.txt").open(encoding="utf-8") as lines:
        for rank, line in enumerate(lines, 1):
            if rank > WORDS:
                break
            costs[line.partition("\t")[0]] = cost_of_rank(rank)
    return costs


def cost_of_rank(rank: int) -> int:
    """The cost of the word at `rank` on the list."""
    return int(COST_A_NEPER * math.log(rank)) + 1


def is_word(word: str, rank: int) -> bool:
    """Whether this lower-case word is among the first `rank` on the list."""
    cost = words().get(word)
    return cost is not None and cost <= cost_of_rank(rank)


def segment(letters: str) -> list[str]:
    """The cheapest way to split these lower-case letters into words; each letter in no word is a piece of its own.

    Time linear in the number of letters (each looks back `LONGEST` letters).
    """
    known = words()
    best = [0]
    cuts = [0]
    for end in range(1, len(letters) + 1):
        cheapest, cut = best[end - 1] + UNKNOWN_LETTER, end - 1
        for start in range(max(0, end - LONGEST), end):
            cost = known.get(letters[start:end])
            if cost is None or (end - start == 1 and letters[start] not in "ai"):
                continue
            total = best[start] + cost + COST_A_NEPER
            if total < cheapest:
                cheapest, cut = total, start
        best.append(cheapest)
        cuts.append(cut)
    pieces: list[str] = []
    end = len(letters)
    while end:
        pieces.append(letters[cuts[end] : end])
        end = cuts[end]
    return pieces[::-1]
