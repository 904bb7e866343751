"""Ways to disguise a word, as people use them to get past a filter.

Each is written from what is published of such attacks (Hosseini et al. 2017, arXiv:1702.08138; Eger et al. 2019,
arXiv:1903.11508; Cooper et al. 2023, arXiv:2303.05077) and from what keyboards offer, never from the code that undoes
them, and shares no table with it. `BESIDE` holds ways that the defence was not written for at all.
"""

import random
from collections.abc import Callable

Way = Callable[[str, random.Random], str]

SHARE = 0.7
"""Share of the letters that have a stand-in and are given it; one at least."""

LEET = {"a": "4", "b": "8", "e": "3", "g": "9", "i": "1", "l": "1", "o": "0", "s": "5", "t": "7"}
SYMBOLS = {"a": "@", "c": "¢", "e": "€", "i": "!", "l": "|", "o": "0", "s": "$", "t": "+"}
CYRILLIC = {"a": "а", "b": "Ь", "c": "с", "e": "е", "h": "һ", "i": "і", "j": "ј", "k": "к", "m": "м", "o": "о"} | {
    "p": "р",
    "s": "ѕ",
    "t": "т",
    "u": "υ",
    "x": "х",
    "y": "у",
}
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
MARKS = "\u0300\u0301\u0302\u0303\u0308\u030a\u0323\u0331\u0336\u0338"
CHEROKEE = {"a": "Ꭺ", "b": "Ᏼ", "c": "Ꮯ", "d": "Ꭰ", "e": "Ꭼ", "g": "Ꮐ", "h": "Ꮋ", "k": "Ꮶ", "l": "Ꮮ", "m": "Ꮇ"} | {
    "p": "Ꮲ",
    "r": "Ꭱ",
    "s": "Ꮪ",
    "t": "Ꭲ",
    "v": "Ꮩ",
    "w": "Ꮃ",
    "y": "Ꭹ",
    "z": "Ꮓ",
}
FAUX_CYRILLIC = {"n": "и", "r": "я", "w": "ш", "e": "э", "u": "ц", "a": "д", "b": "в", "k": "к", "t": "т", "x": "ж"}
ACCENTS = {"a": "äàå", "c": "ç", "e": "éëê", "i": "ïíî", "n": "ñ", "o": "öóø", "s": "š", "u": "üúû", "y": "ÿ", "z": "ž"}
SEPARATORS = ("-", "_", "~", "|", "/", " - ", "·", "…", "  ")


def _stand_ins(table: dict[str, str]) -> Way:
    def way(word: str, noise: random.Random) -> str:
        places = [at for at, letter in enumerate(word) if letter.lower() in table]
        if not places:
            return word
        chosen = {noise.choice(places)} | {at for at in places if noise.random() < SHARE}
        return "".join(
            noise.choice(table[letter.lower()]) if at in chosen else letter for at, letter in enumerate(word)
        )

    return way


def _set_apart(separator: str) -> Way:
    return lambda word, _: separator.join(word)


def _starred(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, max(2, len(word) - 1))
    return f"{word[:at]}*{word[at + 1 :]}"


def _repeated(word: str, noise: random.Random) -> str:
    chosen = {noise.randrange(len(word)) for _ in range(2)}
    return "".join(letter * noise.randint(3, 6) if at in chosen else letter for at, letter in enumerate(word))


def _swapped(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, max(2, len(word) - 1))
    return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]


def _shifted(small: int, capital: int) -> Way:
    def letter(one: str) -> str:
        if not (one.isascii() and one.isalpha()):
            return one
        return chr((capital if one.isupper() else small) + ord(one.lower()) - ord("a"))

    return lambda word, _: "".join(map(letter, word))


def _after_each(characters: str) -> Way:
    return lambda word, noise: "".join(letter + noise.choice(characters) for letter in word)


def _separated(word: str, noise: random.Random) -> str:
    return noise.choice(SEPARATORS).join(word)


def _split(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, len(word))
    return f"{word[:at]} {word[at:]}"


def _tagged(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, len(word))
    return f"{word[:at]}<b></b>{word[at:]}"


def _referenced(word: str, noise: random.Random) -> str:
    at = noise.randrange(len(word))
    return f"{word[:at]}&#{ord(word[at])};{word[at + 1 :]}"


def _dropped(word: str, noise: random.Random) -> str:
    at = noise.randrange(1, max(2, len(word) - 1))
    return word[:at] + word[at + 1 :]


WAYS: dict[str, Way] = {
    "spaced": _set_apart(" "),
    "dotted": _set_apart("."),
    "starred": _starred,
    "leet": _stand_ins(LEET),
    "symbols": _stand_ins(SYMBOLS),
    "repeated": _repeated,
    "swapped letters": _swapped,
    "homoglyphs": _stand_ins(CYRILLIC),
    "fullwidth": _shifted(0xFF41, 0xFF21),
    "bold letters": _shifted(0x1D41A, 0x1D400),
    "zero-width": _after_each(ZERO_WIDTH),
    "combining marks": _after_each(MARKS),
}
"""The twelve that recall is averaged over."""

IRREVERSIBLE = ("starred", "swapped letters")
"""What nobody can undo without guessing; a model has to learn them."""

BESIDE: dict[str, Way] = {
    "other separators": _separated,
    "Cherokee": _stand_ins(CHEROKEE),
    "faux Cyrillic": _stand_ins(FAUX_CYRILLIC),
    "accents": _stand_ins(ACCENTS),
    "circled": _shifted(0x24D0, 0x24B6),
    "squared": _shifted(0x1F130, 0x1F130),
    "tag inside": _tagged,
    "entity inside": _referenced,
    "one gap": _split,
    "letter dropped": _dropped,
    "emoji between": lambda word, _: "\N{SMIRKING FACE}".join(word),
    "spaced leet": lambda word, noise: " ".join(_stand_ins(LEET)(word, noise)),
}
"""Ways that are measured and not averaged: the defence was written without them, and cannot undo all."""


def disguise(text: str, spans: list[tuple[int, int]], way: Way, noise: random.Random) -> str:
    """The text with the words at these places disguised."""
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += (text[position:start], way(text[start:end], noise))
        position = end
    return "".join((*pieces, text[position:]))
