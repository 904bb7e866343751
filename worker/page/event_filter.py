"""Which events a list shows, as its address says."""

from collections.abc import Mapping
from typing import NamedTuple

from worker.page.kept_event import KeptEvent

_MOST_DIGITS = 9


class EventFilter(NamedTuple):
    """Which events a list shows; a part that is None takes all."""

    label: str | None = None
    tier: str | None = None
    score: tuple[str, float, float] | None = None
    language: str | None = None
    topic: str | None = None
    partition: int | None = None

    def takes(self, event: KeptEvent) -> bool:
        """Whether the event is among them."""
        if self.label is not None and self.label not in event.labels:
            return False
        if self.tier is not None and event.tier != self.tier:
            return False
        if self.score is not None:
            label, least, most = self.score
            found = event.score(label)
            if found is None or not least <= found <= most:
                return False
        if self.language is not None and (event.language is None or event.language[0] != self.language):
            return False
        source = event.source
        if self.topic is not None and (source is None or source[0] != self.topic):
            return False
        return self.partition is None or (source is not None and source[1] == self.partition)


def event_filter(query: Mapping[str, str]) -> EventFilter:
    """The filter that a query asks for.

    Raises:
        ValueError: A part of it is not understood; the message says which, and how it is written.
    """
    tier = query.get("tier") or None
    if tier not in (None, "review", "act", "none"):
        message = "tier is one of review, act and none"
        raise ValueError(message)
    partition = query.get("partition") or None
    if partition is not None and not (partition.isascii() and partition.isdigit() and len(partition) <= _MOST_DIGITS):
        message = "partition is a whole number"
        raise ValueError(message)
    return EventFilter(
        query.get("label") or None,
        tier,
        _band(query["score"]) if query.get("score") else None,
        query.get("language") or None,
        query.get("topic") or None,
        None if partition is None else int(partition),
    )


def _band(text: str) -> tuple[str, float, float]:
    parts = text.rsplit(":", 2)
    try:
        label, least, most = parts
        return label, float(least or 0), float(most or 1)
    except ValueError:
        message = "score is written label:least:most, such as toxic:0.4:0.6"
        raise ValueError(message) from None
