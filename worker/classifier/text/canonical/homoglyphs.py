"""Letters of other scripts that look like Latin ones, in words that pretend to be Latin.

The look-alikes are those of Unicode TR39 (confusables.txt), as packaged in `confusable-homoglyphs`. Where TR39 leads to
a small capital (Cyrillic "в" to "ʙ"), the letter of that small capital is used, and Cyrillic small letters that are
smaller versions of their capitals ("м") look like what the capitals look like. A word is folded only if all its foreign
letters have a Latin look-alike, and it either mixes scripts or, in a text of Latin words, spells an English word from
end to end while no other word of the text is genuinely in that script.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import regex
from confusable_homoglyphs.confusables import confusables_data

from worker.classifier.text.canonical.character_class import character_class
from worker.classifier.text.canonical.reading import Edit
from worker.classifier.text.canonical.words import is_word

COMMON = 150_000
"""Rank of a word that settles a doubt."""

LEAST = 3
"""Minimum letters of such a word: two spell one by chance."""

COMMON_WHOLLY = 50_000
"""The same for a word that has no Latin letter at all."""

_MIXED_FREELY = ("CYRILLIC", "ARMENIAN", "CHEROKEE", "LISU", "COPTIC", "DESERET", "OSAGE", "WARANG", "CANADIAN")
"""Scripts whose letters have no legitimate place in a Latin word; Greek ones do (TNFα, µm)."""

_KEPT = frozenset("ıƒ")
"""Letters of Turkish and Ewe; the second also marks lens apertures."""

_SMALLER_CAPITALS = "вкмнт"
_SMALL_CAPITAL = "LATIN LETTER SMALL CAPITAL "
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]*+")
_FOREIGN = regex.compile(r"(?V1)[\p{L}--\p{Latin}]")
_LATIN = regex.compile(r"\p{Latin}")
LONGEST_WORD = 64


@cache
def look_alikes() -> dict[str, str]:
    """The ASCII letter that each non-ASCII letter looks like. Built once, in a few tens of milliseconds."""
    direct: dict[str, str] = {}
    chained: dict[str, str] = {}
    for character, targets in confusables_data.items():
        if len(character) != 1 or character.isascii() or not character.isalpha() or character in _KEPT:
            continue
        letters = [target["c"] for target in targets if len(target["c"]) == 1]
        ascii_letters = [letter for letter in letters if letter.isascii() and letter.isalpha()]
        if ascii_letters:
            # TR39 treats I and l as one letter; the case of the look-alike decides which.
            direct[character] = "I" if character.isupper() and ascii_letters[0] == "l" else ascii_letters[0]
        for letter in letters:
            name = unicodedata.name(letter, "")
            if name.startswith(_SMALL_CAPITAL) and len(name) == len(_SMALL_CAPITAL) + 1:
                chained[character] = name[-1].lower()
    for character in _SMALLER_CAPITALS:
        chained[character] = direct[character.upper()].lower()
    return chained | direct


@cache
def _candidates() -> re.Pattern[str]:
    return re.compile(f"[{character_class(look_alikes())}]")


def homoglyphs(text: str) -> Iterator[Edit]:
    """Words in which letters of another script replace Latin ones, rewritten in Latin letters."""
    if text.isascii() or _candidates().search(text) is None:
        return
    others: set[str] | None = None
    for match in regex.finditer(r"[\p{L}\p{M}]++", text):
        word = match[0]
        if word.isascii() or len(word) > LONGEST_WORD or _candidates().search(word) is None:
            continue
        read = _read(word)
        if read is None:
            continue
        foreign = [letter for letter in word if _FOREIGN.match(letter)]
        freely = all(_script(letter).startswith(_MIXED_FREELY) for letter in foreign)
        mixed = len(foreign) < len(word)
        if foreign and freely and len(foreign) * 2 <= len(word):
            yield Edit(match.start(), match.end(), read, "homoglyph")
        elif len(word) >= LEAST and is_word(read.lower(), COMMON if mixed else COMMON_WHOLLY):
            if others is None:
                others = _genuine_scripts(text)
            if others.isdisjoint(map(_script, foreign)) and (mixed or "LATIN" in others):
                yield Edit(match.start(), match.end(), read, "homoglyph")


def _read(word: str) -> str | None:
    table = look_alikes()
    read = "".join(letter if letter.isascii() else table.get(letter, letter) for letter in word)
    if read == word or len(word) < 2:  # noqa: PLR2004 - a single letter is a symbol
        return None
    unread = [letter for letter in read if not letter.isascii()]
    return None if any(not _LATIN.match(letter) for letter in unread) else read


def _genuine_scripts(text: str) -> set[str]:
    """Scripts of the words that cannot be mistaken for words of another script."""
    table = look_alikes()
    found: set[str] = set()
    for match in regex.finditer(r"[\p{L}\p{M}]{2,}+", text):
        word = match[0]
        if word.isascii():
            found.add("LATIN")
        elif len(scripts := set(map(_script, word))) == 1 and any(letter not in table for letter in word):
            found |= scripts
    return found


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
