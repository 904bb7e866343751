"""Collapses repeated log lines: while no broker answers, librdkafka reports twenty errors a second."""

import logging
import re
from dataclasses import dataclass

BETWEEN_REPEATS_SECONDS = 30.0
_MOST_LINES = 500

_PASSING = re.compile(r"\(after \d+ms[^)]*\)|rdkafka#\w+-\d+|\d+ identical error\(s\) suppressed")
"""What differs between two reports of the same problem."""


@dataclass(slots=True)
class _Line:
    at: float
    withheld: int = 0


class RepeatedLines(logging.Filter):
    """Lets a line through, then a repeat of it at most every 30 s, which says how many were withheld in between."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, _Line] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged."""
        message = record.getMessage()
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
