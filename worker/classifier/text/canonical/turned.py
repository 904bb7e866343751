"""Letters turned upside down, and small capitals.

Both borrow phonetic signs, so text is read only when all its letters are of this kind and it makes words.
"""

import re
import unicodedata
from collections.abc import Iterator

from worker.classifier.text.canonical.reading import Edit
from worker.classifier.text.canonical.words import is_word

_UPRIGHT = str.maketrans("ɐɔǝɟƃɓɥᴉıɾʞןɯɹʇʌʍʎ¿¡˙bdnpqu", "acefgghiijklmrtvwy?!.qpudbn")
_TURNED_LETTERS = "ɐɔǝɟƃɓɥᴉɾʞןɯɹʇʌʍʎ"
_TURNED_LINE = re.compile(f"[{_TURNED_LETTERS}ıbdlnopqsuxz¿¡˙',.!?\\s]++")

_SMALL_CAPITALS = {
    ord(unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")): letter.lower()
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWYZ"
} | {0x01EB: "q"}
_PHONETIC = frozenset("ʙɢʜɪʟɴʀʏ")
_SMALL_WORD = re.compile(f"(?<![^\\W_])[{''.join(map(chr, _SMALL_CAPITALS))}cosuvwxz]{{3,}}+(?![^\\W_])")

COMMON = 100_000
"""Highest rank at which a word counts as one here."""


def turned(text: str) -> Iterator[Edit]:
    """Lines meant to be read with the screen upside down: from right to left, each letter turned."""
    if len(set(text).intersection(_TURNED_LETTERS)) < 2:  # noqa: PLR2004 - a single sign is phonetic
        return
    for match in _TURNED_LINE.finditer(text):
        line = match[0]
        if len(set(line).intersection(_TURNED_LETTERS)) < 2:  # noqa: PLR2004 - likewise
            continue
        start = match.start() + len(line) - len(line.lstrip())
        end = match.start() + len(line.rstrip())
        read = text[start:end].translate(_UPRIGHT)[::-1]
        found = re.findall(r"[a-z]+", read)
        if sum(len(word) for word in found if is_word(word, COMMON)) * 2 >= len("".join(found)):
            yield Edit(start, end, read, "upside_down")


def small_capitals(text: str) -> Iterator[Edit]:
    """Words written entirely in small capitals."""
    for match in _SMALL_WORD.finditer(text):
        read = match[0].translate(_SMALL_CAPITALS)
        if not _PHONETIC.issuperset(letter for letter in match[0] if not letter.isascii()):
            yield Edit(match.start(), match.end(), read, "small_caps")
