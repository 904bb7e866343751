"""Letters drawn out: "stuuupid", "sooo", "iiiidiot".

No English spelling has the same letter three times in a row; people draw out "so", "no", "hmm" and insults. A run is
read as one letter or two, whichever makes the more common word. Where neither makes a word, it is a name, another
language or slang: three letters stay (German has "Betttuch"), four or more are read as one.
"""

import re
from collections.abc import Iterator
from itertools import product

from worker.classifier.text.canonical.protected import Protected
from worker.classifier.text.canonical.reading import Edit
from worker.classifier.text.canonical.words import COST_A_NEPER, is_word, words

LONGEST = 200
COMMON = 100_000
"""Highest rank at which a word counts as one here."""

RUNS = 5
"""Runs of one word that are tried in all combinations; with more, all are read as one letter, or all as two."""

DOUBLED_AT_THE_END = frozenset("eflosz")
END_BONUS = int(4.6 * COST_A_NEPER)
"""Favours two letters at the end, a hundredfold, where English has two: "too", "off" and "ass" are not "to", "of" and
"as"."""

CUSTOMARY = 60_000
"""Highest rank at which a drawn-out spelling is itself a word, like "hmmm", "ooh" and "sooo": it stays."""

_WORD = re.compile(r"[^\W\d_]{4,}+")
_RUN = re.compile(r"([^\W\d_])\1{2,}+", re.IGNORECASE)
_LONG_RUN = re.compile(r"([^\W\d_])\1{3,}+", re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLCDM]+(?:rd|th|nd|st|s)?")
_SAME = re.compile(r"(.)\1*+", re.IGNORECASE)
ACRONYM = 5
"""Longest word in capitals that may be an acronym (AAAS, WWWF)."""


def repeated(text: str) -> Iterator[Edit]:
    """Words without their drawn-out letters."""
    if _RUN.search(text) is None:
        return
    protected: Protected | None = None
    for match in _WORD.finditer(text):
        word = match[0]
        if _RUN.search(word) is None or _SAME.fullmatch(word) or _ROMAN.fullmatch(word):
            continue
        if (len(word) <= ACRONYM and word.isupper()) or is_word(word.lower(), CUSTOMARY):
            continue
        if protected is None:
            protected = Protected(text)
        if match.start() in protected:
            continue
        read = squeezed(word) if len(word) <= LONGEST else None
        if read is not None and is_word(read.lower(), COMMON):
            yield Edit(match.start(), match.end(), read, "repeated")
        elif _LONG_RUN.search(word):
            yield Edit(match.start(), match.end(), _RUN.sub(r"\1", word), "repeated")


def squeezed(word: str) -> str | None:
    """The most common word this becomes with each run of three or more letters read as one or two; None if none."""
    runs = [match.span() for match in _RUN.finditer(word)]
    if not runs:
        return None
    counts = product((1, 2), repeat=len(runs)) if len(runs) <= RUNS else [(n,) * len(runs) for n in (1, 2)]
    found: list[tuple[int, str]] = []
    for chosen in counts:
        pieces: list[str] = []
        position = 0
        for (start, end), count in zip(runs, chosen, strict=True):
            pieces += (word[position:start], word[start : start + count])
            position = end
        read = "".join((*pieces, word[position:]))
        cost = words().get(read.lower())
        if cost is not None:
            doubled = runs[-1][1] == len(word) and chosen[-1] == 2 and read[-1].lower() in DOUBLED_AT_THE_END  # noqa: PLR2004 - shortened to two
            found.append((cost - END_BONUS * doubled, read))
    return min(found)[1] if found else None
