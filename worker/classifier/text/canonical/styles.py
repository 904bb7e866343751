"""Letters in another style: fullwidth, mathematical, enclosed, raised, ligatures.

They are compatibility characters (UAX #15): NFKC reads them as plain letters. NFKC of a whole text would also rewrite
what people write for its own sake ("…", "½", "m²", "™", "№", CJK punctuation), so it is applied only to letters, and
to digits among them.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from worker.classifier.text.canonical.character_class import character_class
from worker.classifier.text.canonical.reading import Edit

_RANGES = {
    "fullwidth": [(0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)],
    "mathematical": [(0x2102, 0x2149), (0x1D400, 0x1D7FF)],
    "enclosed": [(0x249C, 0x24E9), (0x1F110, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)],
    "raised": [(0x2B0, 0x2B8), (0x2E0, 0x2E4), (0x1D2C, 0x1D6A), (0x2071, 0x2071), (0x207F, 0x207F), (0x2090, 0x209C)],
    "ligature": [(0x17F, 0x17F), (0xFB00, 0xFB06)],
}
_NEGATIVE = (0x1F150, 0x1F170)
"""Negative circled and squared letters have no decomposition; they are in alphabetical order."""

_NOT_LETTERS = frozenset("ℹ℃℉ℵℶℷℸ")
"""An emoji, units and cardinal numbers."""

LEAST = {"fullwidth": 2, "mathematical": 2, "enclosed": 2, "raised": 3, "ligature": 1}
"""Minimum letters of a style in a row: fewer are a variable, a set, a phonetic sign, a metro station."""

SPELLED = 4
"""Minimum letters of a style in one text for single ones to count as well."""


def _plain(style: str, code: int, first: int) -> str | None:
    character = chr(code)
    if first in _NEGATIVE:
        return chr(ord("A") + code - first)
    letters = unicodedata.normalize("NFKC", character).strip("()")
    if character in _NOT_LETTERS or letters == character or not letters.isalnum():
        return None
    return letters if len(letters) == 1 or style == "ligature" else None


_TABLES: dict[str, dict[int, str]] = {
    style: {
        code: letters
        for first, last in ranges
        for code in range(first, last + 1)
        if (letters := _plain(style, code, first)) is not None
    }
    for style, ranges in _RANGES.items()
}
_STYLE_OF = {chr(code): style for style, table in _TABLES.items() for code in table}
_STYLED = re.compile(f"[{character_class(_STYLE_OF)}]++")


def styled(text: str) -> Iterator[Edit]:
    """Runs of letters in another style; a single one within a word, or where the text has many spaced apart."""
    runs: list[tuple[str, int, str]] = []
    letters: Counter[str] = Counter()
    for match in _STYLED.finditer(text):
        start = match.start()
        for style, group in groupby(match[0], _STYLE_OF.__getitem__):
            run = "".join(group)
            runs.append((style, start, run))
            letters[style] += len(run)
            start += len(run)
    for style, start, run in runs:
        end = start + len(run)
        enough = len(run) >= LEAST[style] or (style != "raised" and letters[style] >= SPELLED)
        if (enough or _inside_a_word(text, start, end)) and not run.isdecimal():
            yield Edit(start, end, run.translate(_TABLES[style]), style)


def _inside_a_word(text: str, start: int, end: int) -> bool:
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return len(around) == 2 and around.isascii() and around.isalpha()  # noqa: PLR2004 - one on each side
