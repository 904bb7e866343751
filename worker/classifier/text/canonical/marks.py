"""Combining marks stacked on letters where no orthography puts them.

Marks that belong to a letter stay: those that Unicode composes with it, a stress or tone mark over a vowel (Yoruba,
Lithuanian, Russian in dictionaries), and all marks of the scripts that have their own (Arabic, Hebrew, Indic, Thai).
"""

import re
import unicodedata
from collections.abc import Iterator

from worker.classifier.text.canonical.reading import Edit

_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20df\u20e1-\u20e2\u20e4-\u20f0\ufe20-\ufe2f"
_OVERLAYS = frozenset("\u0334\u0335\u0336\u0337\u0338\u0489\u20d2\u20d3\u20d8\u20d9\u20da\u20e5\u20e6\u20ea\u20eb")
_TONES = frozenset("\u0300\u0301\u0302\u0303\u0304\u0306\u0308\u030b\u030c\u030f\u0311\u0323\u0325\u0329\u0331\u0332")
_BEAR_TONES = frozenset("aeiouygjlmnrıŋɔɛəɩʊɨαεηιουωаеёиоуыэюяіїє")

STACK = 4
"""Number of marks on one letter that no spelling has. Unicode's longest composition takes two."""

LONGEST_WORD = 100
"""The characters of a longer run with marks are not examined one by one."""

_STACK = re.compile(f"[{_MARK}]{{{STACK},}}+")
_WORD = re.compile(f"[^\\W_](?:[^\\W_]|[{_MARK}])*+")
_PHONETIC = re.compile("[\u0250-\u02af\u02b0-\u02b8]")
"""The phonetic alphabet ties and marks its letters in any way."""
_CLUSTER = re.compile(f"([^{_MARK}])([{_MARK}]++)")
_MARKS = re.compile(f"[{_MARK}]+")


def stacks(text: str) -> Iterator[Edit]:
    """Stacks of marks on one letter, removed whole."""
    for match in _STACK.finditer(text):
        yield Edit(match.start(), match.end(), "", "combining")


def marked_words(text: str) -> Iterator[Edit]:
    """Words whose letters carry marks that no orthography puts there, without the marks. Expects no stacks."""
    if _MARKS.search(text) is None:
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if _MARKS.search(word) is None or _PHONETIC.search(word):
            continue
        if len(word) > LONGEST_WORD or any(_odd(cluster[1], cluster[2]) for cluster in _CLUSTER.finditer(word)):
            yield Edit(match.start(), match.end(), _bare(word), "combining")


def _odd(base: str, on_it: str) -> bool:
    composed = unicodedata.normalize("NFC", base + on_it)
    left = composed[1:]
    if not left:
        return False
    if len(left) > 2 or not _OVERLAYS.isdisjoint(left):  # noqa: PLR2004 - a tone over a mark that does not compose
        return True
    letter = unicodedata.normalize("NFD", composed[0])[0].lower()
    return not (_TONES.issuperset(left) and letter in _BEAR_TONES)


def _bare(word: str) -> str:
    """The word without marks. Latin letters also lose composed ones: an attack's marks may compose by chance."""
    word = _MARKS.sub("", word)
    return "".join(
        unicodedata.normalize("NFD", letter)[0] if letter > "\x7f" and _is_latin(letter) else letter for letter in word
    )


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN ")
