"""Characters that are not seen, or that turn what is seen around.

Joiners, marks of direction and variation selectors have their work in Arabic, Indic and other scripts and in emoji:
next to one of those they stay. Between letters of alphabets that need none of them they only split words.
"""

import re
from collections.abc import Iterator

import regex

from worker.classifier.text.canonical.reading import Edit

FLOOD = 8
"""Characters in a row that nobody sees and that serve nothing, wherever they are."""

# UAX #44: characters a renderer shows nothing for. Control characters (C0) are as invisible, tab and line ends apart;
# those of C1 are letters of a wrongly declared Windows-1252.
_UNSEEN = r"\p{Default_Ignorable_Code_Point}\x00-\x08\x0E-\x1F\x7F"
_INVISIBLE = regex.compile(rf"[{_UNSEEN}]++")
_SPLITTABLE = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}0-9@$!]")
_NEEDS_THEM = regex.compile(
    r"(?V1)[[\p{L}\p{M}]--[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Common}\p{Inherited}]]"
    r"|[\p{Extended_Pictographic}--[0-9@$!]]|\u20E3"
)
_OVERRIDE = re.compile("\u202e([^\u202a-\u202e\u2066-\u2069\n]+)\u202c?")


def overrides(text: str) -> Iterator[Edit]:
    """What stands under a right-to-left override (UAX #9), in the order in which it is seen.

    An override within another is seen through a stack; only the innermost is turned here.
    """
    for match in _OVERRIDE.finditer(text):
        yield Edit(match.start(), match.end(), match[1][::-1], "bidi")


def invisible(text: str) -> Iterator[Edit]:
    """Runs of characters that nobody sees, within a word or at its edge, where nothing beside them needs them."""
    for match in _INVISIBLE.finditer(text):
        start, end = match.span()
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        if (end - start >= FLOOD or _SPLITTABLE.search(around)) and not _NEEDS_THEM.search(around):
            yield Edit(start, end, "", "invisible")
