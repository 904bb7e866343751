"""A bounded sample of the label events, by time: the newest of all, and a few of each stretch of a day.

Memory depends on the sizes below and not on the topic's rate: each slot of time keeps a uniform sample of what was read
in it (Vitter's algorithm R, "Random Sampling with a Reservoir", ACM TOMS 11, 1985), and counts what it stands for.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from worker.page.kept_event import KeptEvent
from worker.page.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

RECENT = 1000
"""Newest events that say how things are now: their rate of tokens, the models that score them."""

Index = Callable[[int], int]
"""Draws a whole number from 0 up to, not including, its argument (`random.randrange`)."""


class Span(NamedTuple):
    """A span of time that scores are shown over, in slots.

    Attributes:
        whole_ms: Its length.
        slot_ms: Length of a slot.
        kept: Events kept of each slot.
    """

    whole_ms: int
    slot_ms: int
    kept: int


SPANS = {
    "15m": Span(15 * MINUTE_MS, 10 * SECOND_MS, 50),
    "1h": Span(HOUR_MS, MINUTE_MS, 150),
    "1d": Span(DAY_MS, 15 * MINUTE_MS, 150),
}


@dataclass(slots=True)
class _Slot:
    """One stretch of time.

    Attributes:
        read: Events read.
        stood_for: Records of the stream that they stand for.
        followed: Those of them that came while the page followed the stream.
    """

    read: int = 0
    stood_for: float = 0.0
    followed: float = 0.0
    events: list[KeptEvent] = field(default_factory=list)

    @property
    def flagged_share(self) -> float:
        """The share of the events kept that have a label."""
        return sum(bool(event.labels) for event in self.events) / len(self.events)


class Weighted(NamedTuple):
    """An event of a sample, and how many records of the stream it stands for."""

    event: KeptEvent
    weight: float


class Step(NamedTuple):
    """One slot of time: when it begins, how many records were in it, and how many of them have a label."""

    at_ms: int
    comments: float
    flagged: float


class Counts(NamedTuple):
    """How much was seen.

    Attributes:
        seen: Records that were in the stream, those passed over included.
        read: Those among them that were read.
        kept: Those in memory.
        since_ms: The oldest event kept; None where there is none.
    """

    seen: int
    read: int
    kept: int
    since_ms: int | None


class Sample:
    """The events kept; any thread may add and ask.

    Args:
        newest: How many of the newest events are kept, whatever their time.
        index: Draws a whole number below its argument.
        now_ms: The time, milliseconds since the epoch.
    """

    def __init__(self, newest: int, index: Index, now_ms: Callable[[], float]) -> None:
        self.limit = newest + sum(span.whole_ms // span.slot_ms * span.kept for span in SPANS.values())
        self._newest: deque[KeptEvent] = deque(maxlen=newest)
        self._slots: dict[str, dict[int, _Slot]] = {name: {} for name in SPANS}
        self._index = index
        self._now_ms = now_ms
        self._lock = Lock()
        self._seen = 0
        self._read = 0
        self._not_stood_for = 0

    def add(self, events: Iterable[KeptEvent], passed_over: int = 0) -> None:
        """Add events in the order they were read; `passed_over` records of the stream were not read beside them."""
        events = list(events)
        now_ms = self._now_ms()
        with self._lock:
            self._not_stood_for += passed_over
            weight = 1.0
            if events:  # a jump may bring nothing at first: the next events stand for what it left out
                weight += self._not_stood_for / len(events)
                self._not_stood_for = 0
            self._seen += len(events) + passed_over
            self._read += len(events)
            for event in events:
                event.weight = weight
                event.at_ms = min(event.at_ms, int(now_ms))  # one from the future would stay on top for ever
                self._newest.append(event)
                if event.problem is None:
                    self._place(event, now_ms)
            self._forget(now_ms)

    def add_past(self, events: Iterable[KeptEvent], passed_over: int) -> None:
        """Add events of a time before the newest, which stand for `passed_over` records beside them."""
        events = list(events)
        if not events:
            return
        now_ms = self._now_ms()
        with self._lock:
            self._seen += len(events) + passed_over
            self._read += len(events)
            for event in events:
                event.weight = 1 + passed_over / len(events)
                self._place(event, now_ms, followed=False)

    def newest(self) -> list[KeptEvent]:
        """The newest events, the newest first, as they were read."""
        with self._lock:
            return list(reversed(self._newest))

    def all_kept(self) -> list[KeptEvent]:
        """Every event kept, the newest first by their time."""
        with self._lock:
            kept = {id(event): event for event in self._everything()}
        return sorted(kept.values(), key=lambda event: (event.at_ms, event.number), reverse=True)

    def over(self, span: str) -> list[Weighted]:
        """The sample of a span of time that ends now, each event with what it stands for."""
        with self._lock:
            self._forget(self._now_ms())
            return [
                Weighted(event, slot.stood_for / len(slot.events))
                for slot in self._slots[span].values()
                for event in slot.events
            ]

    def steps(self, span: str) -> list[Step]:
        """The slots of a span in the order of time that were followed, those without an event left out.

        What `add_past` brought stands for minutes and lies in seconds of them: as steps it would be towers.
        """
        with self._lock:
            self._forget(self._now_ms())
            length = SPANS[span].slot_ms
            return [
                Step(number * length, slot.followed, slot.followed * slot.flagged_share)
                for number, slot in sorted(self._slots[span].items())
                if slot.followed
            ]

    def stood_for(self, span: str) -> int:
        """How many records were in the stream in a span of time, as far as the page has followed it."""
        with self._lock:
            self._forget(self._now_ms())
            return round(sum(slot.stood_for for slot in self._slots[span].values()))

    @property
    def seen(self) -> int:
        """Records that were in the stream, those passed over included."""
        with self._lock:
            return self._seen

    def counts(self) -> Counts:
        """How much was seen, and how much of it is kept."""
        with self._lock:
            kept = {id(event): event.at_ms for event in self._everything()}
        return Counts(self._seen, self._read, len(kept), min(kept.values(), default=None))

    def _everything(self) -> Iterator[KeptEvent]:
        yield from self._newest
        for slots in self._slots.values():
            for slot in slots.values():
                yield from slot.events

    def _place(self, event: KeptEvent, now_ms: float, *, followed: bool = True) -> None:
        for name, span in SPANS.items():
            number = _slot_of(event.at_ms, span)
            if number <= _slot_of(int(now_ms) - span.whole_ms, span):
                continue
            slot = self._slots[name].setdefault(number, _Slot())
            slot.read += 1
            slot.stood_for += event.weight
            slot.followed += event.weight * followed
            if len(slot.events) < span.kept:
                slot.events.append(event)
            elif (place := self._index(slot.read)) < span.kept:
                slot.events[place] = event

    def _forget(self, now_ms: float) -> None:
        for name, span in SPANS.items():
            slots = self._slots[name]
            oldest = _slot_of(int(now_ms) - span.whole_ms, span)
            for number in [number for number in slots if number <= oldest]:
                del slots[number]


def _slot_of(at_ms: int, span: Span) -> int:
    return at_ms // span.slot_ms
