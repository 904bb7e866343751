"""Words whose letters are set apart: "i d i o t", "i.d.i.o.t", "i*d*i*o*t", "i - d - i - o - t".

Initials, acronyms, variables, lists and spelled-out words have letters set apart as well. A word is recognised by the
same sign between all its letters, which together make words, also with a leading article ("a s t u p i d").
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from worker.classifier.text.canonical.protected import Protected
from worker.classifier.text.canonical.reading import Edit
from worker.classifier.text.canonical.suspicion import GAP
from worker.classifier.text.canonical.undoing import plain_letters
from worker.classifier.text.canonical.words import is_word, segment

LEAST = 3
"""Minimum letters of a word set apart: two are `e.g.`, `a.m.`, `Q&A`."""

PAIR = 2

TWO_WORDS = 6
"""Minimum letters, with a sign between them, that may be a compound; spaces may separate words of any length."""

SENTENCE = 12
"""Minimum letters that may be a sentence."""

COMMON = 60_000
"""Highest rank at which a word counts as one here."""

COMMON_SHORT = 20_000
"""The same for words of three letters: half of all combinations are on the list."""

SEGMENTED = 20_000
"""Letters of one text that are split into words; the rest are joined as they are. No window plan reads so many."""

_LONE = re.compile(r"(?<![^\W_])(?<![^\W_]['’])(?:[^\W\d_]|[01345789@$])(?![^\W_]|['’][^\W_])")
_SPACELESS = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]"
)
_NOUGHTS_AND_CROSSES = frozenset("xo")
_VOWELS = frozenset("aeiouyаеёиоуыэюяіїєαεηιουω")


class Group(NamedTuple):
    """Letters set apart, and what separates each two of them."""

    letters: list[re.Match[str]]
    separator: str


def spaced(text: str) -> Iterator[Edit]:
    """Words spelled letter by letter, joined; whole sentences spelled this way are split into words."""
    protected: Protected | None = None
    budget = SEGMENTED
    for letters, separator in _groups(text):
        if len(letters) < LEAST:
            continue
        if protected is None:
            protected = Protected(text)
        if letters[0].start() in protected:
            continue
        written = "".join(letter[0] for letter in letters)
        ends_in_dot = text.startswith(".", letters[-1].end())
        read = [written] if len(written) > budget else _read(written, separator, ends_in_dot=ends_in_dot)
        if read is not None:
            budget -= len(written)
            yield from _edits(letters, separator, read)


def _groups(text: str) -> Iterator[Group]:
    """Maximal runs of letters set apart with the same gap between each two."""
    letters: list[re.Match[str]] = []
    separator = ""
    for letter in _LONE.finditer(text):
        gap = text[letters[-1].end() : letter.start()] if letters else ""
        if not 1 <= len(gap) <= GAP or any(map(str.isalnum, gap)):
            yield Group(letters, separator)
            letters = [letter]
        elif len(letters) == 1 or gap == separator:
            letters.append(letter)
            separator = gap
        else:
            # The gap before the last letter was a gap between two words.
            kept = letters[1:] if len(letters) == PAIR and len(gap) < len(separator) else []
            yield Group(letters[:1] if kept else letters, separator)
            letters, separator = [*kept, letter], gap
    yield Group(letters, separator)


def _read(written: str, separator: str, *, ends_in_dot: bool) -> list[str] | None:
    """The words that these letters spell, in their own case; None when they are something else."""
    if len(written) == LEAST and (written.isupper() or ends_in_dot):
        return None  # U.S.A., J. R. R., r.p.m.
    if sum(map(str.isalpha, written)) * 2 < len(written):
        return None
    plain = plain_letters(written.lower())
    if plain is None or _SPACELESS.search(plain) or set(plain) <= _NOUGHTS_AND_CROSSES or len(set(plain)) == 1:
        return None
    loosely = separator.isspace()
    if plain.isascii():
        pieces = segment(plain) if loosely or len(plain) >= TWO_WORDS else [plain]
        recognised = sum(len(piece) for piece in pieces if len(piece) >= LEAST and _common(piece))
        enough = recognised * 2 >= len(plain) if loosely else recognised == len(plain)
        if enough and (len(pieces) == 1 or len(plain) > LEAST):
            return _cut(written, pieces) if loosely or len(plain) >= SENTENCE else [written]
    acronym = written.isupper() and not loosely
    spelled_out = written.isalpha() and len(plain) > LEAST + 1 and _pronounceable(plain) and not acronym
    return [written] if spelled_out else None


def _common(word: str) -> bool:
    return is_word(word, COMMON_SHORT if len(word) == LEAST else COMMON) and not _alphabet(word)


def _alphabet(letters: str) -> bool:
    """Whether these are neighbours in the alphabet, common on the web as lists or series of variables: abc, wxyz."""
    return all(ord(after) - ord(before) == 1 for before, after in pairwise(letters))


def _pronounceable(letters: str) -> bool:
    """Whether these are vowels and consonants, but not in alphabetical order like the items of a list."""
    vowels = sum(letter in _VOWELS for letter in letters)
    steps = [ord(after) - ord(before) for before, after in pairwise(letters)]
    listed = min(steps) >= 0 or sum(step == 1 for step in steps) * 3 > len(steps)
    return 0 < vowels < len(letters) and not listed


def _cut(written: str, pieces: Sequence[str]) -> list[str]:
    """Split `written` into pieces of these lengths; letters that made no word stay with the piece before them."""
    words: list[str] = []
    start = 0
    for piece in pieces:
        part = written[start : start + len(piece)]
        if words and len(piece) == 1 and piece not in "ai":
            words[-1] += part
        else:
            words.append(part)
        start += len(piece)
    return words


def _edits(group: Sequence[re.Match[str]], separator: str, read: Sequence[str]) -> Iterator[Edit]:
    """An edit for each word, and one for each separator between two words."""
    first = 0
    for word in read:
        last = first + len(word) - 1
        if first and separator != " ":
            yield Edit(group[first - 1].end(), group[first].start(), " ", "spaced")
        if last > first:
            yield Edit(group[first].start(), group[last].end(), word, "spaced")
        first = last + 1
