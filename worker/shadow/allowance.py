"""When the candidate may compute: whenever the worker has nothing to do, and beside its work as much as is allowed."""

from worker.protocols import Clock

_SAVED_SECONDS = 1.0
"""Seconds of the allowance that may be saved up: longer, and a worker that was idle for an hour would be slowed for
minutes by the comparisons that it could have made then."""


class Allowance:
    """A token bucket of CPU seconds.

    Args:
        share: CPU seconds allowed for each second that the worker is at work.
        clock: Monotonic seconds.
    """

    def __init__(self, share: float, clock: Clock) -> None:
        self._share = share
        self._clock = clock
        self._left_seconds = 0.0
        self._at = clock()

    def permits(self, *, busy: bool) -> bool:
        """Whether the next comments may be computed now."""
        if not busy:
            return True
        now = self._clock()
        self._left_seconds = min(self._share * _SAVED_SECONDS, self._left_seconds + self._share * (now - self._at))
        self._at = now
        return self._left_seconds > 0

    def spend(self, cpu_seconds: float, *, busy: bool) -> None:
        """Count what was computed; what began in the worker's idle time is free."""
        if busy:
            self._left_seconds -= cpu_seconds
