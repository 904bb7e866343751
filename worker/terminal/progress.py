"""How far long work is: a bar on a terminal, plain lines elsewhere; on stderr, so that stdout holds results alone."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from worker.protocols import Clock

LINE_SECONDS = 5.0
"""Plain lines come no closer than this."""

Advance = Callable[[int], None]
"""Told how many more are done."""


@contextmanager
def progress(
    what: str, total: int | None, *, stream: TextIO | None = None, clock: Clock = time.monotonic
) -> Iterator[Advance]:
    """Show how many of `total` are done; the block gets the function to tell it with.

    Args:
        what: What is counted, for example "comments".
        total: How many there will be; None when nobody knows.
        stream: Where to; default stderr.
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
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

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
        self._started = self._told = clock()
        self._done = 0
        self._told_done: int | None = None

    def advance(self, done: int) -> None:
        self._done += done
        now = self._clock()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            self._tell(now)

    def end(self) -> None:
        if self._told_done != self._done:
            self._tell(self._clock())

    def _tell(self, now: float) -> None:
        self._told_done = self._done
        seconds = now - self._started
        rate = f", {self._done / seconds:,.0f} a second" if seconds > 0 else ""
        self._out.write(f"{self._done:,}{self._of} {self._what} in {seconds:.1f} s{rate}\n")
        self._out.flush()
