"""Progress of long-running work: a bar on a terminal, plain lines elsewhere; on stderr, so stdout has only results."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from worker.protocols import Clock

LINE_SECONDS = 5.0
"""Shortest time between two plain lines."""

Advance = Callable[[int], None]
"""Called with the number of things done since the last call."""


@contextmanager
def progress(
    what: str, total: int | None, *, stream: TextIO | None = None, clock: Clock = time.monotonic
) -> Iterator[Advance]:
    """Show how many of `total` are done; the block receives the function that advances the count.

    Args:
        what: What is counted, for example "comments".
        total: How many there will be; None when unknown.
        stream: Where to write; stderr by default.
        clock: Monotonic seconds.
    """
    out = sys.stderr if stream is None else stream
    if out.isatty():
        with _bar(what, total, out) as advance:
            yield advance
        return
    lines = _Lines(what, total, out, clock)
    yield lines.advance
    lines.end()


@contextmanager
def _bar(what: str, total: int | None, out: TextIO) -> Iterator[Advance]:
    from rich.console import Console  # noqa: PLC0415 - not needed off a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - only where a bar is shown

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=out)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


class _Lines:
    def __init__(self, what: str, total: int | None, out: TextIO, clock: Clock) -> None:
        self._of = f" of {total:,}" if total is not None else ""
        self._what = what
        self._out = out
        self._clock = clock
        self._started = self._written_at = clock()
        self._done = 0
        self._written: int | None = None

    def advance(self, done: int) -> None:
        self._done += done
        now = self._clock()
        if now - self._written_at >= LINE_SECONDS:
            self._written_at = now
            self._write(now)

    def end(self) -> None:
        if self._written != self._done:
            self._write(self._clock())

    def _write(self, now: float) -> None:
        self._written = self._done
        seconds = now - self._started
        rate = f", {self._done / seconds:,.0f} a second" if seconds > 0 else ""
        self._out.write(f"{self._done:,}{self._of} {self._what} in {seconds:.1f} s{rate}\n")
        self._out.flush()
