"""The words of a text: the smallest spans that a reason names."""

from collections.abc import Sequence

import regex

Word = tuple[int, int]
"""A word's place, `[begin, end)` in code points."""

# Scripts that put no spaces between words are read by character. The signs inside a word are those that stand for
# letters (`f*ck`, `sh!t`, `@ss`, `$lut`) and the apostrophe; a hyphen or a dot separates. An emoji is a word.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*+"
    r"|[\p{L}\p{M}\p{N}_@$](?:[\p{L}\p{M}\p{N}_@$*]|[*'\u2019!]++(?=[\p{L}\p{N}@$]))*+"
    r"|(?=[\p{Extended_Pictographic}\p{Regional_Indicator}])\X"
)


def words_of(text: str, begin: int = 0, end: int | None = None) -> Sequence[Word]:
    """The words within `[begin, end)` of the text, in order; for a text of signs only, all of it but outer spaces."""
    stop = len(text) if end is None else end
    found = [match.span() for match in _WORD.finditer(text, begin, stop)]
    if found:
        return found
    part = text[begin:stop]
    kept = part.strip()
    if not kept:
        return ()
    first = begin + len(part) - len(part.lstrip())
    return ((first, first + len(kept)),)
