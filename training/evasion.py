"""Spelling noise, as writers use it to slip past a filter and as others use it for fun or by mistake.

The word-level attacks of Hosseini et al. (2017, arXiv:1702.08138) and the perturbations of Kurita et al. (2019,
arXiv:1912.06872). Abusive comments get noise where it hurts, in their foul words; harmless comments get as much in any
other word, kind ones included, so that odd spelling as such says nothing.

Two sorts of noise. What a canonical reading can undo and no vocabulary knows (`CANONICAL`: full width, look-alikes) is
learned from harmless comments: there the model shall not take the disguise for the offence, and the second reading
finds the rest. What no reading can undo (`SPELLINGS`: a starred letter, swapped or missing letters, spelling by sound)
is the model's to learn, and harmful and harmless comments get it alike.
"""

import random
import re
from collections.abc import Callable, Mapping, Set

COMMENT_SHARE = 0.3
FOUL_WORD_SHARE = 0.85
OTHER_WORD_SHARE = 0.15
STRAY_WORD_SHARE = 0.03
SHORTEST_WORD = 3

LEET = {"a": "4", "e": "3", "i": "1", "l": "1", "o": "0", "s": "5", "t": "7", "b": "8", "g": "9"}
SYMBOLS = {"a": "@", "i": "!", "s": "$", "e": "€", "c": "(", "l": "|", "t": "+", "o": "()"}
HOMOGLYPHS = dict(zip("aceiopxysh", "\u0430\u0441\u0435\u0456\u043e\u0440\u0445\u0443\u0455\u04bb", strict=True))
SOUNDS = (("ck", "k"), ("ph", "f"), ("f", "ph"), ("s", "z"), ("c", "k"), ("u", "oo"), ("i", "ee"), ("er", "a"),
          ("y", "ie"), ("oo", "u"), ("x", "ks"), ("ight", "ite"), ("a", "ah"), ("k", "kk"), ("t", "tt"))  # fmt: skip

_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST_WORD},}}")

Way = Callable[[str, random.Random], str]


def disguise(
    text: str,
    noise: random.Random,
    *,
    abusive: bool = False,
    foul: Set[str] = frozenset(),
    share: float = COMMENT_SHARE,
) -> str:
    """`text`, or with probability `share` a copy in which some of its words are spelled oddly.

    Of an abusive text those in `foul` (lower case) first of all; of a harmless text never those.
    """
    if noise.random() >= share:
        return text
    words = [match.group().lower() for match in _WORD.finditer(text)]
    known = foul & set(words)
    ways = ABUSIVE_WAYS if abusive else HARMLESS_WAYS
    one_for_all = _choose(ways, noise) if noise.random() < 0.75 else None  # noqa: PLR2004 - a share of the rows
    rate = max(OTHER_WORD_SHARE, 1.3 / max(len(words), 1))

    def respell(match: re.Match[str]) -> str:
        word = match.group()
        if abusive and known:
            chance = FOUL_WORD_SHARE if word.lower() in known else STRAY_WORD_SHARE
        else:
            chance = 0.0 if word.lower() in known else rate
        return (one_for_all or _choose(ways, noise))(word, noise) if noise.random() < chance else word

    return _WORD.sub(respell, text)


def starred(word: str, noise: random.Random) -> str:
    """One letter after the first hidden, or more of them."""
    sign = noise.choice("*****-_#.")
    hidden = {noise.randrange(1, len(word))} if len(word) > SHORTEST_WORD else {1}
    match noise.randrange(6):
        case 0:
            hidden = set(range(1, len(word) - 1))
        case 1:
            hidden |= {noise.randrange(1, len(word))}
        case 2:
            hidden = {place for place in range(1, len(word)) if word[place].lower() in "aeiou"} or hidden
    return "".join(sign if place in hidden else letter for place, letter in enumerate(word))


def swapped(word: str, noise: random.Random) -> str:
    """Two neighbouring letters exchanged, not the first if the word is long enough."""
    at = noise.randrange(min(1, len(word) - 2), len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def dropped(word: str, noise: random.Random) -> str:
    """One letter missing, or all vowels but the first letter."""
    if len(word) > SHORTEST_WORD and noise.random() < 0.25:  # noqa: PLR2004 - a share of the rows
        return word[0] + "".join(letter for letter in word[1:] if letter.lower() not in "aeiou")
    at = noise.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def by_sound(word: str, noise: random.Random) -> str:
    """Spelled as it sounds."""
    fitting = [(letters, sound) for letters, sound in SOUNDS if letters in word.lower()]
    for letters, sound in noise.sample(fitting, min(len(fitting), noise.choice((1, 1, 2)))):
        word = re.sub(letters, sound, word, count=1, flags=re.IGNORECASE)
    return word


def repeated(word: str, noise: random.Random) -> str:
    """One letter drawn out."""
    at = noise.randrange(len(word))
    return word[:at] + word[at] * noise.randint(2, 6) + word[at + 1 :]


def mapped(letters: Mapping[str, str]) -> Way:
    """The way that replaces letters by those of a table, each with a probability that the word draws."""

    def way(word: str, noise: random.Random) -> str:
        share = noise.choice((0.5, 1.0))
        return "".join(letters.get(c.lower(), c) if noise.random() < share else c for c in word)

    return way


def parted(signs: str) -> Way:
    """The way that sets one of `signs` between all letters."""
    return lambda word, noise: noise.choice(signs).join(word)


def shifted(lower: int, upper: int) -> Way:
    """The way that moves Latin letters to the alphabets that begin at these code points."""

    def letter(c: str) -> str:
        if "a" <= c <= "z":
            return chr(ord(c) - ord("a") + lower)
        return chr(ord(c) - ord("A") + upper) if "A" <= c <= "Z" else c

    return lambda word, _: "".join(map(letter, word))


def joined_by_nothing(word: str, noise: random.Random) -> str:
    """A zero-width character somewhere inside."""
    at = noise.randrange(1, len(word))
    return word[:at] + noise.choice("\u200b\u200d\u2060\u00ad") + word[at:]


SPELLINGS: dict[Way, float] = {starred: 4, swapped: 7, dropped: 2.5, by_sound: 2, repeated: 1}
"""Ways that no reading undoes for certain, with how often each is drawn."""
LEGIBLE: dict[Way, float] = {mapped(LEET): 5, mapped(SYMBOLS): 1.5, parted(" "): 0.75, parted(".-*_"): 0.75}
"""Ways a canonical reading undoes, whose letters a plain vocabulary still sees."""
CANONICAL: dict[Way, float] = {
    shifted(0xFF41, 0xFF21): 1,
    shifted(0x1D41A, 0x1D400): 1,
    shifted(0x24D0, 0x24B6): 0.5,
    mapped(HOMOGLYPHS): 1.5,
    joined_by_nothing: 0.5,
}
"""Ways a canonical reading undoes and that leave a plain vocabulary nothing to see."""
ABUSIVE_WAYS = SPELLINGS | LEGIBLE
HARMLESS_WAYS = SPELLINGS | LEGIBLE | CANONICAL


def _choose(ways: Mapping[Way, float], noise: random.Random) -> Way:
    return noise.choices(list(ways), list(ways.values()))[0]
