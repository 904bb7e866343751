"""Collapses repeated log lines: while no broker answers, librdkafka reports twenty errors a second."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

BETWEEN_REPEATS_SECONDS = 30.0
_MOST_LINES = 500

_PASSING = re.compile(r"\(after \d+ms[^)]*\)|(?<=\[)[^\]]*#\w+-\d+(?=\])|\d+ identical error\(s\) suppressed")
"""What differs between two reports of the same problem."""

_FAILED_CONNECTION = re.compile(r"^(?:FAIL|ERROR) \[")
"""The facilities in which librdkafka reports a connection that failed."""


@dataclass(slots=True)
class FailedConnections:
    """Connections that failed while somebody waited for a broker and said so.

    Attributes:
        count: How many.
        last: The last reason, without the names of client and thread; empty before the first.
    """

    count: int = 0
    last: str = ""


@dataclass(slots=True)
class _Line:
    at: float
    withheld: int = 0


class RepeatedLines(logging.Filter):
    """Lets a line through, then a repeat of it at most every 30 s, which says how many were withheld in between."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, _Line] = {}
        self._waits: list[FailedConnections] = []

    @contextmanager
    def folded(self) -> Iterator[FailedConnections]:
        """Count failed connections instead of logging them: the caller waits for a broker, and reports it itself."""
        failed = FailedConnections()
        self._waits.append(failed)
        try:
            yield failed
        finally:
            self._waits = [one for one in self._waits if one is not failed]

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged."""
        message = record.getMessage()
        if self._waits and _FAILED_CONNECTION.match(message):
            for failed in self._waits:
                failed.count += 1
                failed.last = _reason(message)
            return False
        key = _PASSING.sub("", message)
        known = self._lines.get(key)
        if known is None:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            self._lines[key] = _Line(record.created)
            return True
        if record.created - known.at < BETWEEN_REPEATS_SECONDS:
            known.withheld += 1
            return False
        if known.withheld:
            record.msg, record.args = (
                "%s (%d more like this in %.0f s)",
                (
                    message,
                    known.withheld,
                    record.created - known.at,
                ),
            )
        self._lines[key] = _Line(record.created)
        return True


def _reason(message: str) -> str:
    """The message without client, thread, broker and times: `Connect to ipv4#... failed: Connection refused`."""
    text = message.rpartition("]: ")[2].partition(" (after ")[0]
    return re.sub(r"^\S+/\w+: ", "", text)
