"""From a weight for each word to the spans that are named."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from worker.reasons.spans import Offsets, Reason
from worker.reasons.words import Word

DECIMALS = 4
"""Decimals of a share."""

ToRaw = Callable[[int, int], Word]
"""From a span of a reading to the span of the text as written; see `Reading.raw_span`."""


class Weighed(NamedTuple):
    """A word, and what it weighs for one label; more than 0."""

    begin: int
    end: int
    weight: float


def heaviest(words: Sequence[Word], weights: Sequence[float], relative: float) -> list[Weighed]:
    """The words that weigh at least `relative` times as much as the heaviest; none where no word weighs anything."""
    least = max(weights, default=0.0) * relative
    return [
        Weighed(begin, end, weight)
        for (begin, end), weight in zip(words, weights, strict=True)
        if weight > 0 and weight >= least
    ]


def reasons_of(text: str, chosen: Sequence[Weighed], offsets: Offsets, to_raw: ToRaw | None) -> tuple[Reason, ...]:
    """The spans that these words make, with their shares, in the order of the text.

    Words with nothing but space between them are one span. So are words whose places in the text as written meet, as
    those of letters set apart do: they are undone as a whole.

    Args:
        text: The text as it was written.
        chosen: Words of the text or of its reading, in order.
        offsets: Of the text as it was written.
        to_raw: Maps a place in the reading to the text as it was written; None where the words are the text's own.
    """
    places = [one if to_raw is None else Weighed(*to_raw(one.begin, one.end), one.weight) for one in chosen]
    joined: list[Weighed] = []
    for one in sorted(places):
        last = joined[-1] if joined else None
        if last is not None and (one.begin <= last.end or text[last.end : one.begin].isspace()):
            joined[-1] = Weighed(last.begin, max(last.end, one.end), last.weight + one.weight)
        else:
            joined.append(one)
    total = sum(one.weight for one in joined)
    return tuple(Reason(offsets.span(one.begin, one.end), round(one.weight / total, DECIMALS)) for one in joined)
