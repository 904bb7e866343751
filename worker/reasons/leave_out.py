"""Leave-out: a word carries a label as far as the label's logit falls when the word is left out.

It asks nothing of a model but scores, so it works for every checkpoint (Zeiler & Fergus 2014, arXiv:1311.2901, call it
occlusion; Li et al. 2016, arXiv:1612.08220, use it for words). An insult that stands twice does not fall when one of
the two is left out, so what the word scores on its own counts too.

The cost is bounded: a text of more words than the budget allows is read by phrases first, then the phrases that weigh
most are read by shorter ones, down to words.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reasons.words import Word

Logits = NDArray[np.float32]
"""[texts, labels]"""

METHOD = "leave-out@1"

OF_LABEL = 0.6
"""A word carries a label from this share of the label's heaviest word on; chosen on marked comments."""

ROUNDS = 3
"""Most rounds for a text that is too long to leave out each of its words: phrases, shorter ones, words."""

FEWEST_UNITS = 4
"""Phrases read in a round at least, however long the text: with fewer, three rounds would not come down to a word."""

KEPT = 4
"""One phrase in so many goes on to the next round."""

LARGEST_RISE = 1e6
"""Logits; what is above is noise of a broken model, and would not leave room for a sum."""


def leave_out(
    text: str,
    words: Sequence[Word],
    score: Callable[[Sequence[str]], Logits],
    *,
    tokens: int,
    budget_tokens: int,
) -> Logits:
    """Weight of each word for each label, [words, labels], at least 0.

    Args:
        text: What to leave words out of.
        words: Its words, in order.
        score: Scores texts; a text that cannot be scored has NaN. It is called once in each round.
        tokens: Tokens of the text.
        budget_tokens: Tokens to compute at most, as far as `FEWEST_UNITS` allows.
    """
    # In each round every unit is left out once, and all units on their own are about as long as the text.
    empty, whole = score(["", text])
    affordable = budget_tokens // max(tokens, 1) - 2
    one_round = len(words) <= max(affordable, FEWEST_UNITS)
    units = len(words) if one_round else max(affordable // ROUNDS - 1, FEWEST_UNITS)
    found = np.zeros((len(words), len(whole)), np.float32)
    phrases = [range(len(words))] if words else []
    for _ in range(1 if one_round else ROUNDS):
        phrases = _split(phrases, units)
        places = [(words[phrase[0]][0], words[phrase[-1]][1]) for phrase in phrases]
        without = [text[:begin] + text[end:] for begin, end in places]
        logits = score([*without, *(text[begin:end] for begin, end in places)]) if places else found
        weights = _above(whole, logits[: len(places)]) + _above(logits[len(places) :], empty)
        found[:] = 0
        for phrase, weight in zip(phrases, weights, strict=True):
            found[phrase.start : phrase.stop] = weight
        if all(len(phrase) == 1 for phrase in phrases):
            break
        kept = np.argsort(-weights.max(axis=1), kind="stable")[: max(units // KEPT, 1)]
        phrases = [phrases[index] for index in sorted(kept)]
    return found


def _split(phrases: Sequence[range], units: int) -> list[range]:
    """The phrases in up to `units` parts of about equal length, each within one of them."""
    longest = -(-sum(map(len, phrases)) // units) if phrases else 1
    while True:
        parts = [
            range(start, min(start + longest, phrase.stop))
            for phrase in phrases
            for start in range(phrase.start, phrase.stop, longest)
        ]
        if len(parts) <= units or longest >= max(map(len, phrases)):
            return parts
        longest += 1


def _above(higher: Logits, lower: Logits) -> Logits:
    rise: Logits = np.clip(np.nan_to_num(higher - lower, posinf=0.0), 0, LARGEST_RISE)
    return rise
