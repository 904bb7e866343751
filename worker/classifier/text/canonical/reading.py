"""A rewritten text, and the mapping from each of its characters back to the text as written."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """A stretch of a text and its replacement in the reading.

    Attributes:
        start: First character replaced.
        end: First character after the replaced stretch.
        replacement: Its text in the reading; as long as the stretch when it is read letter by letter.
        transform: Name of the transform, as in the label event.
    """

    start: int
    end: int
    replacement: str
    transform: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One rewrite of a whole text: ordered edits that do not overlap, and where each begins in the result."""

    edits: tuple[Edit, ...]
    begins: tuple[int, ...]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The characters before the rewrite that became `[begin, end)`; `begin < end`."""
        return self._original(begin)[0], self._original(end - 1)[1]

    def _original(self, position: int) -> tuple[int, int]:
        index = bisect_right(self.begins, position) - 1
        if index < 0:
            return position, position + 1
        edit = self.edits[index]
        inside = position - self.begins[index]
        length = len(edit.replacement)
        if inside >= length:
            start = edit.end + inside - length
            return start, start + 1
        if length == edit.end - edit.start:
            return edit.start + inside, edit.start + inside + 1
        return edit.start, edit.end


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a text and its rewrites, first to last.

    Attributes:
        raw_begin: Where it begins in the text as written.
        text: How it reads.
        layers: The rewrites.
    """

    raw_begin: int
    text: str
    layers: tuple[Layer, ...] = ()

    def rewritten(self, edits: Sequence[Edit]) -> "Stretch":
        """This stretch with these edits applied; they must be in order and not overlap."""
        pieces: list[str] = []
        begins: list[int] = []
        length = position = 0
        for edit in edits:
            kept = self.text[position : edit.start]
            pieces += (kept, edit.replacement)
            length += len(kept)
            begins.append(length)
            length += len(edit.replacement)
            position = edit.end
        pieces.append(self.text[position:])
        return Stretch(self.raw_begin, "".join(pieces), (*self.layers, Layer(tuple(edits), tuple(begins))))

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The span of the text as written that `[begin, end)` of this stretch's reading came from; `begin < end`."""
        for layer in reversed(self.layers):
            begin, end = layer.span(begin, end)
        return self.raw_begin + begin, self.raw_begin + end


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text reads once its disguises are undone.

    Attributes:
        text: The reading; the text itself if there was nothing to undo.
        transforms: Names of the transforms that fired, each once, in the order in which they did.
        stretches: Consecutive stretches of the text, each with its mapping back.
    """

    text: str
    transforms: tuple[str, ...]
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, text: str, stretches: Sequence[Stretch]) -> "Reading":
        """The reading of `text` that these stretches make; `text` itself if nothing was rewritten."""
        if not any(stretch.layers for stretch in stretches):
            return cls(text, (), tuple(stretches))
        fired = (edit.transform for stretch in stretches for layer in stretch.layers for edit in layer.edits)
        return cls("".join(stretch.text for stretch in stretches), tuple(dict.fromkeys(fired)), tuple(stretches))

    def raw_span(self, begin: int, end: int) -> tuple[int, int]:
        """The span of the text as written that the characters `[begin, end)` of the reading came from.

        Positions are code points. A stretch that was not read letter by letter (spaced letters, an entity) counts as a
        whole: any part of it maps to all of it. Takes time logarithmic in the number of edits.

        Raises:
            ValueError: The span is empty or not within the reading.
        """
        if not 0 <= begin < end <= len(self.text):
            message = f"[{begin}, {end}) is not a span of a reading of {len(self.text)} characters"
            raise ValueError(message)
        return self._original(begin)[0], self._original(end - 1)[1]

    def _original(self, position: int) -> tuple[int, int]:
        for stretch in self.stretches:
            if position < len(stretch.text):
                return stretch.span(position, position + 1)
            position -= len(stretch.text)
        raise AssertionError
