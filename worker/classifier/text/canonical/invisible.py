"""Characters that are invisible, or that reverse the visible text.

Joiners, directional marks and variation selectors serve a purpose in Arabic, Indic and other scripts and in emoji: next
to one of those they stay. Between letters of alphabets that need none of them, they only split words.
"""

import re
from collections.abc import Iterator

import regex

from worker.classifier.text.canonical.reading import Edit

FLOOD = 8
"""Length of a run of invisible characters that serves no purpose, wherever it is."""

# UAX #44: characters for which a renderer shows nothing. Control characters (C0) are just as invisible, except tabs and
# line ends; those of C1 are letters of a wrongly declared Windows-1252.
_UNSEEN = r"\p{Default_Ignorable_Code_Point}\x00-\x08\x0E-\x1F\x7F"
_INVISIBLE = regex.compile(rf"[{_UNSEEN}]++")
_SPLITTABLE = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}0-9@$!]")
_NEEDS_THEM = regex.compile(
    r"(?V1)[[\p{L}\p{M}]--[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Common}\p{Inherited}]]"
    r"|[\p{Extended_Pictographic}--[0-9@$!]]|\u20E3"
)
_OVERRIDE = re.compile("\u202e([^\u202a-\u202e\u2066-\u2069\n]+)\u202c?")


def overrides(text: str) -> Iterator[Edit]:
    """Text under a right-to-left override (UAX #9), in the order in which it is displayed.

    Nested overrides are displayed through a stack; only the innermost is reversed here.
    """
    for match in _OVERRIDE.finditer(text):
        yield Edit(match.start(), match.end(), match[1][::-1], "bidi")


def invisible(text: str) -> Iterator[Edit]:
    """Runs of invisible characters, within a word or at its edge, where no neighbour needs them."""
    for match in _INVISIBLE.finditer(text):
        start, end = match.span()
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        if (end - start >= FLOOD or _SPLITTABLE.search(around)) and not _NEEDS_THEM.search(around):
            yield Edit(start, end, "", "invisible")
