"""Words that no vocabulary knows: invented ones, and names written as accounts and products are."""

import random

_ONSETS = (
    *("b", "br", "d", "dr", "f", "fl", "g", "gl", "h", "j", "k", "kl", "l", "m", "n", "p", "pl", "r", "s", "sk", "sl"),
    *("st", "t", "tr", "v", "w", "y", "z"),
)
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou", "ü", "ö", "á", "ê", "ø"]
_CODAS = ["", "", "", "n", "l", "r", "s", "m", "nd", "rt", "x", "k", "lf", "ng"]
_KINDS = ("plain", "plain", "plain", "capital", "account", "code", "hyphen", "letters")


def unknown_word(draw: random.Random) -> str:
    """One invented word of one to four syllables, or a letter group, capitalised or numbered now and then."""
    word = "".join(
        draw.choice(_ONSETS) + draw.choice(_VOWELS) + draw.choice(_CODAS) for _ in range(draw.choice((1, 2, 2, 3, 4)))
    )
    match draw.choice(_KINDS):
        case "capital":
            return word.capitalize()
        case "account":
            return f"{word}{draw.choice(('_', '.', ''))}{draw.randrange(100)}"
        case "code":
            return f"{word[:2].upper()}-{draw.randrange(1000)}"
        case "hyphen":
            return f"{word}-{draw.choice(_ONSETS)}{draw.choice(_VOWELS)}"
        case "letters":
            return "".join(draw.choice("bcdghjklmnpqrtvwxyz") for _ in range(draw.choice((2, 3, 4)))).upper()
    return word
