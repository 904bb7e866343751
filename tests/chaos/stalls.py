"""Times in which nothing comes out although something should."""

import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.chaos.oracle import Oracle
from tests.chaos.output_reader import OutputReader

_HOPE_SECONDS = 300.0
_NEW_READER_SECONDS = 15.0


class Stall(NamedTuple):
    """A time without any event.

    Attributes:
        seconds: How long.
        after: The fault that began last before its end.
    """

    seconds: float
    after: str


class Stalls:
    """Notes the longest, and says when there is no hope left.

    Args:
        clock: Monotonic seconds.

    Attributes:
        longest: The longest so far, after the first event came out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moved = self._new_reader_at = clock()
        self.longest = Stall(0.0, "")

    def note(self, flows: bool, oracle: Oracle, latest: str | None, reader: OutputReader) -> str:
        """Whether events flow at this moment; returns why the run must end, or an empty string."""
        now = self._clock()
        if flows:
            self._moved = now
        stall = now - self._moved
        if stall > _NEW_READER_SECONDS and now - self._new_reader_at > _NEW_READER_SECONDS:
            self._new_reader_at = now
            unread = reader.start_again()  # what stalls must not be the reader
            sys.stderr.write(f"nothing came for {stall:.0f} s; {unread:,} offsets were ready\n")
        if oracle.settled and stall > self.longest.seconds:
            self.longest = Stall(stall, str(latest or "start"))
        return f"no event came out for {_HOPE_SECONDS:g} s" if stall > _HOPE_SECONDS else ""
