"""Counts and rate of the demo's outcomes so far."""

from collections import Counter

from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published
from worker.protocols import Clock


class Tally:
    """Counts one outcome for each record, although an event may be delivered twice.

    Attributes:
        comments: Label events.
        flagged: Label events with at least one label.
        dead_letters: Records that could not be labelled.
        labels: How often each label was assigned.
        tokens: Tokens scored.
    """

    def __init__(self, clock: Clock) -> None:
        self.comments = 0
        self.flagged = 0
        self.dead_letters = 0
        self.labels: Counter[str] = Counter()
        self.tokens = 0
        self._clock = clock
        self._started: float | None = None
        self._last: float | None = None
        self._next: Counter[str] = Counter()
        self._ahead: dict[str, set[int]] = {}

    def start(self) -> None:
        """Start the clock; the first comment is about to be sent."""
        self._started = self._clock()

    @property
    def outcomes(self) -> int:
        """Records with an outcome."""
        return self.comments + self.dead_letters

    @property
    def seconds(self) -> float:
        """Seconds from `start` to the last outcome."""
        if self._started is None or self._last is None:
            return 0.0
        return self._last - self._started

    @property
    def rate(self) -> float:
        """Outcomes a second, from `start` to the last one."""
        return self.outcomes / self.seconds if self.seconds else 0.0

    def add(self, outcome: Published | DeadLetter) -> bool:
        """Count an outcome; False when an outcome of the same record was counted before."""
        if isinstance(outcome, DeadLetter):
            if not self._is_new(outcome.partition, int(outcome.offset)):
                return False
            self.dead_letters += 1
        else:
            event = outcome.event
            if not self._is_new(str(event.source.partition), event.source.offset):
                return False
            self.comments += 1
            self.flagged += event.flagged
            self.labels.update(event.labels)
            self.tokens += event.text.tokens
        self._last = self._clock()
        return True

    def _is_new(self, partition: str, offset: int) -> bool:
        """Whether the offset is seen for the first time; remembers only offsets past the first gap."""
        ahead = self._ahead.setdefault(partition, set())
        if offset < self._next[partition] or offset in ahead:
            return False
        ahead.add(offset)
        while self._next[partition] in ahead:
            ahead.remove(self._next[partition])
            self._next[partition] += 1
        return True
