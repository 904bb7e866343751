"""What a running worker says of itself: how much it has labelled, how fast, and what is left."""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from worker.observability.batch_metrics import BatchCounts
from worker.protocols import Clock

LOG_SECONDS = 10.0
"""Seconds between two lines in a log."""

TERMINAL_SECONDS = 1.0
"""Seconds between two looks at the line on a terminal."""

log = structlog.stdlib.get_logger(__name__)


class Status(NamedTuple):
    """Totals since the start, and what is true now.

    Attributes:
        labelled: Comments labelled.
        flagged: Those among them with at least one label.
        rejected: Dead letters.
        lag: Records of its partitions that this worker has not read; None while unknown.
        rate: Records a second since the last report.
    """

    labelled: int
    flagged: int
    rejected: int
    lag: int | None
    rate: float


Report = Callable[[Status], None]
"""Shows a status."""


class StatusReports:
    """Reports the status now and then; a worker that has nothing to do says so once and is then silent.

    Args:
        report: Shows the status.
        every_seconds: The time between two reports.
        clock: Monotonic seconds.
    """

    def __init__(self, report: Report, every_seconds: float, clock: Clock) -> None:
        self._report = report
        self._every_seconds = every_seconds
        self._clock = clock
        self._counts = BatchCounts()
        self._reported_at = clock()
        self._reported_settled = 0
        self._quiet = False

    def settled(self, counts: BatchCounts) -> None:
        """Count a batch."""
        self._counts = self._counts.plus(counts)

    def look(self, lag: int | None) -> None:
        """Report, if it is time and there is anything to say."""
        seconds = self._clock() - self._reported_at
        if seconds < self._every_seconds:
            return
        counts = self._counts
        news = counts.settled - self._reported_settled
        quiet = not news and not lag
        self._reported_at += seconds
        self._reported_settled = counts.settled
        if not (quiet and self._quiet):
            self._report(Status(counts.labelled, counts.flagged, counts.rejected, lag, news / seconds))
        self._quiet = quiet


def log_status(status: Status) -> None:
    """Log it as one line."""
    log.info("status", **status._replace(rate=round(status.rate, 1))._asdict())
