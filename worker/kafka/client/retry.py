"""Retries with growing, jittered pauses, bounded in time. The clock and random numbers are passed in.

"Full jitter": each pause is drawn between zero and a bound that doubles (AWS Architecture Blog, "Exponential Backoff
And Jitter"), so that workers that failed together do not retry together.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from worker.errors import Retryable
from worker.protocols import Clock

T = TypeVar("T")

Sleep = Callable[[float], None]
"""Waits for this many seconds (`time.sleep`)."""

Uniform = Callable[[float, float], float]
"""Draws a number between two others (`random.uniform`)."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts, in seconds: drawn between 0 and a bound that doubles from `first` up to `longest`."""

    first: float
    longest: float
    uniform: Uniform

    def pauses(self) -> Iterator[float]:
        """An endless sequence of pauses."""
        bound = self.first
        while True:
            yield self.uniform(0, bound)
            bound = min(self.longest, bound * 2)


def retry(call: Callable[[], T], *, limit_seconds: float, backoff: Backoff, clock: Clock, sleep: Sleep) -> T:
    """The result of `call`, retried while it raises `Retryable` and the next pause would end within the limit.

    Raises:
        Retryable: The last attempt's error, when time has run out.
    """
    deadline = clock() + limit_seconds
    for pause in backoff.pauses():
        try:
            return call()
        except Retryable:
            if clock() + pause >= deadline:
                raise
        sleep(pause)
    raise AssertionError  # pauses never end


class RetryBudget:
    """`retry` for a caller that must not sleep: when to try again, and when failures have gone on for too long.

    Args:
        limit_seconds: How long failures may follow one another.
        backoff: Pauses between attempts.
        clock: Monotonic seconds.
    """

    def __init__(self, limit_seconds: float, backoff: Backoff, clock: Clock) -> None:
        self._limit_seconds = limit_seconds
        self._backoff = backoff
        self._clock = clock
        self._pauses = backoff.pauses()
        self._failing_since: float | None = None
        self._not_before = clock()

    @property
    def pausing(self) -> bool:
        """Whether it is too early for the next attempt."""
        return self._clock() < self._not_before

    def wait(self, *, paused: bool) -> bool:
        """Record a failed attempt. The next may follow after a pause, or at once; False when time has run out."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        self._not_before = now + next(self._pauses) if paused else now
        return now - self._failing_since < self._limit_seconds

    def renew(self) -> None:
        """Record a successful attempt: the next failure counts as the first."""
        self._failing_since = None
        self._pauses = self._backoff.pauses()
