"""A line at the bottom of a terminal that is rewritten in place; log lines pass above it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from worker.observability.status import Status
from worker.terminal.columns import columns_of, cut

_CLEAR = "\r\x1b[2K"


class StatusLine:
    """Stands in for a terminal's stream where others write to it, so that what they write never mixes with the line.

    Args:
        terminal: The stream of a terminal.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._line = ""

    def show(self, status: Status) -> None:
        """Replace the line."""
        lag = "?" if status.lag is None else f"{status.lag:,}"
        self._line = cut(
            f"labelled {status.labelled:,} | flagged {status.flagged:,} | rejected {status.rejected:,} | lag {lag} | "
            f"{status.rate:,.0f}/s",
            columns_of(self._terminal) - 1,
        )
        self._terminal.write(_CLEAR + self._line)
        self._terminal.flush()

    def write(self, text: str) -> int:
        """Write above the line, which comes back when the text ends a line of its own."""
        self._terminal.write((_CLEAR if self._line else "") + text + (self._line if text.endswith("\n") else ""))
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        self._terminal.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._line:
            self._line = ""
            self._terminal.write(_CLEAR)
            self._terminal.flush()


@contextmanager
def status_line(terminal: TextIO) -> Iterator[StatusLine]:
    """A status line on this terminal, with the log's lines above it, until the block ends."""
    line = StatusLine(terminal)
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
    ours = [handler for handler in handlers if handler.stream is terminal]
    for handler in ours:
        handler.setStream(line)
    try:
        yield line
    finally:
        for handler in ours:
            handler.setStream(terminal)
        line.clear()
