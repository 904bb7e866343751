"""Spelling noise as writers use it to slip past a filter, for a share of the training comments.

Letters swapped, dropped, doubled, replaced by look-alikes or split by dots: the word-level attacks of
Hosseini et al. (2017, arXiv:1702.08138) and the perturbations of Kurita et al. (2019, arXiv:1912.06872).
"""

import random

COMMENT_SHARE = 0.15
WORD_SHARE = 0.15
SHORTEST_WORD = 4
LOOK_ALIKES = {"a": "@", "e": "3", "i": "1", "o": "0", "s": "$", "t": "7"}


def disguise(text: str, noise: random.Random) -> str:
    """`text`, or with probability `COMMENT_SHARE` a copy in which some of its words are misspelled."""
    if noise.random() >= COMMENT_SHARE:
        return text
    words = text.split(" ")
    return " ".join(_misspell(word, noise) if _chosen(word, noise) else word for word in words)


def _chosen(word: str, noise: random.Random) -> bool:
    return len(word) >= SHORTEST_WORD and word.isalpha() and noise.random() < WORD_SHARE


def _misspell(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, len(word) - 1)
    match noise.randrange(5):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2:
            return word[:at] + word[at] * noise.randint(2, 4) + word[at + 1 :]
        case 3:
            return "".join(LOOK_ALIKES.get(letter, letter) for letter in word)
        case _:
            return ".".join(word)
