"""The steps from a text as written to the text as read."""

from collections.abc import Callable, Iterator

from worker.classifier.text.canonical.homoglyphs import homoglyphs
from worker.classifier.text.canonical.indicators import indicators
from worker.classifier.text.canonical.invisible import invisible, overrides
from worker.classifier.text.canonical.joining import spaced
from worker.classifier.text.canonical.leet import leet
from worker.classifier.text.canonical.marks import marked_words, stacks
from worker.classifier.text.canonical.markup import bbcode, references, tags
from worker.classifier.text.canonical.reading import Edit, Reading, Stretch
from worker.classifier.text.canonical.repeats import repeated
from worker.classifier.text.canonical.styles import styled
from worker.classifier.text.canonical.suspicion import APART, DRAWN_OUT, MARKUP, SIGNS, UNUSUAL, hints
from worker.classifier.text.canonical.turned import small_capitals, turned

STEPS: tuple[tuple[int, Callable[[str], Iterator[Edit]]], ...] = (
    (MARKUP, references),
    (MARKUP, tags),
    (MARKUP, bbcode),
    (UNUSUAL, overrides),
    (UNUSUAL, indicators),
    (UNUSUAL, invisible),
    (UNUSUAL, stacks),
    (UNUSUAL, marked_words),
    (UNUSUAL, styled),
    (UNUSUAL, small_capitals),
    (UNUSUAL, turned),
    (APART, spaced),
    (UNUSUAL, homoglyphs),
    (SIGNS, leet),
    (DRAWN_OUT, repeated),
)
"""What hides other disguises comes first: an entity may encode a zero-width character, which may split two letters."""


BLOCK = 32_768
"""Characters read at a time; by default also the length of a reading after which the rest is left as it is.

Eight windows of 512 tokens hold about this many.
"""

WORD = 64
"""How far back from the end of a block to look for a space, so that no word is split."""


def canonical(text: str, enough: int = BLOCK) -> Reading:
    """How a person reads this text.

    It undoes spellings that hide a word from a model but not from a reader: invisible characters, letters of other
    styles and scripts, letters set apart or drawn out, digits and signs for letters, markup. Numbers, prices, dates,
    URLs, code, product names, emoji, acronyms and other languages stay as they are.

    The same text always gives the same reading. A text with nothing to undo costs about a microsecond per hundred
    characters. Otherwise it takes time and memory linear in the length of the reading, which a flood of invisible
    characters does not make longer.

    Args:
        text: Any text, including lone surrogates.
        enough: Characters of the reading after which the rest of the text is left as it is: more than is scored.
    """
    stretches: list[Stretch] = []
    read = begin = 0
    while begin < len(text) and read < enough:
        end = _end_of_block(text, begin)
        stretch = _read(Stretch(begin, text[begin:end]))
        stretches.append(stretch)
        read += len(stretch.text)
        begin = end
    if begin < len(text):
        stretches.append(Stretch(begin, text[begin:]))
    return Reading.of(text, stretches)


def _end_of_block(text: str, begin: int) -> int:
    end = begin + BLOCK
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - WORD, end)
    return space if space > 0 else end


def _read(stretch: Stretch) -> Stretch:
    seen = hints(stretch.text)
    if not seen:
        return stretch
    for hint, step in STEPS:
        if seen & hint and (edits := list(step(stretch.text))):
            stretch = stretch.rewritten(edits)
            seen = hints(stretch.text)
    return stretch
