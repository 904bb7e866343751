"""Words with digits and signs in place of letters: "1d10t", "st0p", "cr@zy".

Model numbers, ordinals, units, prices, mentions and product names also mix digits and signs with letters. A word is
reread only when the result is a common English word, there are more letters than signs, and a sign is inside the word
or begins it in a way that nothing else does.
"""

import re
from collections.abc import Iterator

from worker.classifier.text.canonical.protected import Protected
from worker.classifier.text.canonical.reading import Edit
from worker.classifier.text.canonical.repeats import squeezed
from worker.classifier.text.canonical.suspicion import SIGNS, hints
from worker.classifier.text.canonical.undoing import STANDS_FOR, spellings
from worker.classifier.text.canonical.words import cost_of_rank, is_word, words

COMMON = 150_000
"""Highest rank at which a word of five letters or more with a sign inside counts."""

COMMON_SHORT = {3: 20_000, 4: 60_000}
"""The same for shorter words: three letters make a word by chance."""

COMMON_AT_AN_EDGE = 60_000
"""The same where only the first or the last letter is a sign."""

DENSE = 4
COMMON_DENSE = 20_000
"""The same in a word of more than `DENSE` letters with more signs than letters, as in "1d10t"."""

COUNTED = 10_000
"""Highest rank of a word that a digit may number, as in "top5" and "day7"."""

LEAST = 3

LONGEST = 40
_ALL_SIGNS = "".join(STANDS_FOR)
_SIGNS = re.escape(_ALL_SIGNS)
_SYMBOLS = frozenset(sign for sign in STANDS_FOR if not sign.isdigit())
_INCREMENT = re.compile(r"\$?\w+\+\+")
_TOKEN = re.compile(rf"(?<![\w/\\#=&%.~^])(?=[A-Za-z]*+[{_SIGNS}])[A-Za-z{_SIGNS}]++(?![\w/\\=%~^*])")
_INSIDE = re.compile(rf"[A-Za-z][{_SIGNS}]++[A-Za-z]")
_PUNCTUATION = "!|+"
_PRICE = re.compile(r"[$€£¢][0-9]+[A-Za-z]{0,2}")
_CAPITAL_AFTER = re.compile(r"[a-z][0-9]++[A-Z]")
_NAME = re.compile(r"[A-Z][0-9][A-Z]|[A-Za-z][1-9][0-9][A-Za-z]|[A-Za-z]\|[A-Za-z]")
"""H1B, C4D; a11y and k10s, abbreviated by counting letters; t|c, the links to someone's talk page and contributions."""

_SIGN = re.compile(f"[{_SIGNS}]")
_LETTER = re.compile("[A-Za-z]")


def leet(text: str) -> Iterator[Edit]:
    """Words with their signs read as letters."""
    protected: Protected | None = None
    for match in _TOKEN.finditer(text):
        bare = match[0].strip(_PUNCTUATION)
        # A sign at the edge is punctuation, unless another one inside the word shows that signs are letters here.
        for token in (match[0], bare) if bare != match[0] and _SIGN.search(bare) else (bare,):
            read = _read(token)
            if read is not None:
                break
        else:
            continue
        start = match.start() + match[0].index(token)
        if protected is None:
            protected = Protected(text)
        if start not in protected:
            yield Edit(start, start + len(token), read, "leet")


def _read(token: str) -> str | None:
    letters = len(_LETTER.findall(token))
    signs = len(token) - letters
    if not signs or not LEAST <= len(token) <= LONGEST:
        return None
    if _NAME.fullmatch(token) or _PRICE.fullmatch(token) or _CAPITAL_AFTER.search(token):
        return None
    limit = _limit(token, letters, signs)
    if not limit:
        return None
    found = [(words().get(word), word) for word in spellings(token.lower())]
    known = [(cost, word) for cost, word in found if cost is not None and cost <= cost_of_rank(limit)]
    if known:
        return _in_case(token, min(known)[1])
    squeezes = (squeezed(word) for _, word in found)
    return next((_in_case(token, word) for word in squeezes if word is not None and is_word(word, limit)), None)


def _limit(token: str, letters: int, signs: int) -> int:
    """Rank of the rarest word accepted: the more of it is signs, the more common it must be; 0 for none."""
    symbols = set(token) & _SYMBOLS
    if not letters:
        return COMMON_SHORT[LEAST] if symbols >= {"@", "$"} else 0
    if symbols and signs > 1 and hints(token) & SIGNS and not _INCREMENT.fullmatch(token):
        return COMMON_DENSE if signs >= letters else COMMON_SHORT.get(len(token), COMMON)
    if signs > letters:
        return COMMON_DENSE if len(token) > DENSE and letters > 1 and _INSIDE.search(token) else 0
    if _INSIDE.search(token):
        return COMMON_SHORT.get(len(token), COMMON)
    if _begins(token) or _ends(token):
        return COMMON_SHORT.get(len(token), COMMON_AT_AN_EDGE)
    return 0


def _begins(token: str) -> bool:
    """Whether a sign begins the word without being a number, a mention or a price."""
    rest = token.lstrip(_ALL_SIGNS)
    beginning = token[: len(token) - len(rest)]
    if not rest.isalpha() or is_word(rest.lower(), COMMON_AT_AN_EDGE):
        return False
    return len(beginning) <= 2 and len(rest) > len(beginning) + (beginning.isdigit())  # noqa: PLR2004 - longer is a number


def _ends(token: str) -> bool:
    """Whether a sign ends the word without numbering something, as in top5, ch17 and windows7."""
    base = token.rstrip(_ALL_SIGNS)
    ending = token[len(base) :]
    if not base.isalpha() or len(base) < LEAST - 1:
        return False
    if set(ending) == {"$"}:
        return True
    if ending == "11":  # "he11", and not "MK11"
        return base.islower() and is_word(f"{base}ll", COMMON_DENSE)
    return len(ending) == 1 and len(base) >= LEAST and not is_word(base.lower(), COUNTED)


def _in_case(token: str, word: str) -> str:
    letters = "".join(_LETTER.findall(token))
    if letters.isupper() and len(letters) > 1:
        return word.upper()
    return word.capitalize() if token[0].isupper() else word
