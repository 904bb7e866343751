"""The lines that the page shows of what it does: each replay, and what goes wrong. The same lines are log events."""

from collections import deque
from collections.abc import Callable
from threading import Lock

from worker.page.times import written
from worker.page.unknown import Json

_MOST = 200


class Lines:
    """The newest lines; any thread may add and ask.

    Args:
        wall_clock: Seconds since the epoch.
    """

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._lines: deque[tuple[int, Json]] = deque(maxlen=_MOST)
        self._count = 0
        self._lock = Lock()

    def add(self, level: str, text: str) -> None:
        """Add a line: `info`, `warning` or `error`, and a sentence that quotes no comment."""
        with self._lock:
            self._count += 1
            at = written(self._wall_clock() * 1000)
            self._lines.append((self._count, {"number": self._count, "at": at, "level": level, "text": text}))

    def after(self, number: int) -> tuple[int, list[Json]]:
        """The number of the newest line, and the lines kept after the one of this number, each with its own."""
        with self._lock:
            return self._count, [line for count, line in self._lines if count > number]
