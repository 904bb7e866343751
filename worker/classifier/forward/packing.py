"""Lay windows of tokens end to end, so that linear layers compute no padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

FINE_ROWS = 8
COARSE_ROWS = 32
COARSE_FROM = 128
"""Rows are rounded up to a multiple of FINE_ROWS, and from COARSE_FROM rows on to a multiple of COARSE_ROWS. oneDNN
compiles a kernel for each shape and keeps it: this ladder bounds their number, at the cost of less than 1 % of a full
pack."""


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring windows of equal length in a pack.

    Attributes:
        first: Index of its first window in the pack.
        row: Row of its first token in the pack.
        windows: Number of windows.
        length: Tokens of each window.
    """

    first: int
    row: int
    windows: int
    length: int

    @property
    def rows(self) -> slice:
        """Its rows in the pack."""
        return slice(self.row, self.row + self.windows * self.length)


@dataclass(frozen=True, slots=True)
class Pack:
    """Windows to compute together, longest first.

    Attributes:
        order: Index of each window in the caller's sequence.
        lengths: Tokens of each window.
        tokens: Sum of `lengths`.
        rows: `tokens` rounded up the ladder; the rows after the tokens are filler that nothing reads.
        first_rows: Row of the first token of each window; on a ladder, followed by row 0 as filler that nothing reads.
    """

    order: tuple[int, ...]
    lengths: tuple[int, ...]
    tokens: int
    rows: int
    first_rows: tuple[int, ...]

    @property
    def starts(self) -> list[int]:
        """Row of the first token of each window."""
        return list(self.first_rows[: len(self.order)])

    @property
    def spans(self) -> list[Span]:
        """The pack's windows by equal length."""
        spans = []
        first = row = 0
        for length, windows in groupby(self.lengths):
            count = len(list(windows))
            spans.append(Span(first, row, count, length))
            first += count
            row += count * length
        return spans


def make_packs(lengths: Sequence[int], max_tokens: int, *, together: int = 1, ladder: bool) -> Iterator[Pack]:
    """Packs over windows of these lengths, with at most `max_tokens` tokens in each; a longer window gets its own pack.

    The longest windows come first, so that a lack of memory shows at once. Packs are filled to nearly the same size,
    because a last pack of a few tokens would still read all the weights from memory.

    Args:
        lengths: Tokens of each window, in the caller's order.
        max_tokens: Largest number of tokens in a pack.
        together: Packs computed at the same time; the number of packs is a multiple of this.
        ladder: Round rows up, for a backend that compiles a kernel for each shape.
    """
    total = sum(lengths)
    packs = -(-total // max_tokens // together) * together
    share = -(-total // max(packs, 1))
    order: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if order and (tokens + lengths[index] > max_tokens or tokens >= share):
            yield _pack(order, lengths, tokens, ladder=ladder)
            order, tokens = [], 0
        order.append(index)
        tokens += lengths[index]
    if order:
        yield _pack(order, lengths, tokens, ladder=ladder)


def round_up(number: int, step: int) -> int:
    """The smallest multiple of `step` that is at least `number`."""
    return -(-number // step) * step


def _pack(order: list[int], lengths: Sequence[int], tokens: int, *, ladder: bool) -> Pack:
    own = tuple(lengths[index] for index in order)
    starts = (0, *accumulate(own[:-1]))
    if not ladder:
        return Pack(tuple(order), own, tokens, tokens, starts)
    rows = round_up(tokens, COARSE_ROWS if tokens >= COARSE_FROM else FINE_ROWS)
    filler = 0 if len(order) == 1 else round_up(len(order), FINE_ROWS) - len(order)
    return Pack(tuple(order), own, tokens, rows, starts + (0,) * filler)
