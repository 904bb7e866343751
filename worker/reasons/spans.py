"""Spans of a text, in code points and in UTF-16 code units."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LARGEST_OF_ONE_UNIT = "\uffff"
"""Characters beyond it take two UTF-16 code units, a surrogate pair. A lone surrogate takes one, as any other."""


class Span(NamedTuple):
    """Part of a text, `[begin, end)`; never empty.

    Attributes:
        begin: First code point.
        end: The code point after the last.
        utf16_begin: The same place in UTF-16 code units, in which JavaScript, Java and Perspective count.
        utf16_end: Likewise.
    """

    begin: int
    end: int
    utf16_begin: int
    utf16_end: int


class Reason(NamedTuple):
    """A span that carries a label.

    Attributes:
        span: Where it is in the text as written.
        share: Its part of what all spans of this label weigh together, in [0, 1].
    """

    span: Span
    share: float


class LabelReasons(NamedTuple):
    """What carries one label.

    Attributes:
        spans: In the text's order, without overlap. Empty where no word can be named: a text of signs only.
        window: The window that had the label's score; None for a text that was read in one.
    """

    spans: tuple[Reason, ...]
    window: Span | None


class Reasons(NamedTuple):
    """What carries the labels of a flagged text.

    Attributes:
        method: Name and version of how they were found.
        labels: By label, those of the text in the model's order.
    """

    method: str
    labels: Mapping[str, LabelReasons]


class Offsets:
    """Turns places in one text from code points to UTF-16 code units."""

    def __init__(self, text: str) -> None:
        self._pairs: Sequence[int] = ()
        if not text.isascii():
            self._pairs = [place for place, character in enumerate(text) if character > LARGEST_OF_ONE_UNIT]

    def span(self, begin: int, end: int) -> Span:
        """The span `[begin, end)`, given in code points."""
        return Span(begin, end, self._utf16(begin), self._utf16(end))

    def _utf16(self, place: int) -> int:
        return place + bisect_left(self._pairs, place)
