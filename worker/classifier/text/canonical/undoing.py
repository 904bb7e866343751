"""Digits and signs that stand for letters, as gamers and spammers write them."""

from itertools import product

STANDS_FOR = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "+": "t",
    "€": "e",
    "£": "l",
    "¢": "c",
    "§": "s",
}
"""The letters that each sign stands for, the likeliest first."""

FIRST = str.maketrans({sign: letters[0] for sign, letters in STANDS_FOR.items()})
CHOICES = 5
"""Signs of one word that are tried in each of their meanings; with more, each has its likeliest."""


def plain_letters(word: str) -> str | None:
    """The word with its signs read as their likeliest letters; None if a character is neither sign nor letter."""
    plain = word.translate(FIRST)
    return plain if plain.isalpha() else None


def spellings(word: str) -> list[str]:
    """All words that this one may stand for."""
    ambiguous = sum(len(STANDS_FOR.get(character, "")) > 1 for character in word)
    if ambiguous > CHOICES:
        return [word.translate(FIRST)]
    return ["".join(letters) for letters in product(*(STANDS_FOR.get(character, character) for character in word))]
