"""A running worker says how it goes: often enough to be seen alive, and not when nothing happens."""

import io
import logging

import structlog
from prometheus_client import CollectorRegistry

from testkit.clock import FakeClock
from testkit.records import ASSIGNMENT, record
from worker.observability.batch_metrics import BatchCounts
from worker.observability.health import Health, HealthLimits
from worker.observability.metrics import Metrics
from worker.observability.observer import WorkerObserver
from worker.observability.status import Status, StatusReports
from worker.terminal.status_line import StatusLine, status_line
from worker.types import Batch, Rejected, Settled, Stage


def test_totals_lag_and_the_rate_since_the_last_report_come_each_ten_seconds() -> None:
    clock, seen = FakeClock(), list[Status]()
    reports = StatusReports(seen.append, 10.0, clock)
    for _ in range(25):
        clock.advance(1.0)
        reports.settled(BatchCounts(labelled=100, flagged=7, rejected=1))
        reports.look(500)
    assert seen == [Status(1000, 70, 10, 500, 101.0), Status(2000, 140, 20, 500, 101.0)]


def test_a_worker_without_work_says_so_once() -> None:
    clock, seen = FakeClock(), list[Status]()
    reports = StatusReports(seen.append, 10.0, clock)
    for _ in range(100):
        clock.advance(1.0)
        reports.look(0)
    assert seen == [Status(0, 0, 0, 0, 0.0)]
    reports.settled(BatchCounts(labelled=5))
    clock.advance(10.0)
    reports.look(0)
    assert [status.labelled for status in seen] == [0, 5]


def test_a_worker_that_stands_still_before_a_backlog_does_not_fall_silent() -> None:
    clock, seen = FakeClock(), list[Status]()
    reports = StatusReports(seen.append, 10.0, clock)
    for _ in range(30):
        clock.advance(1.0)
        reports.look(8_000)
    assert [status.rate for status in seen] == [0.0, 0.0, 0.0]


def test_log_lines_pass_above_the_line_on_a_terminal() -> None:
    terminal = io.StringIO()
    line = StatusLine(terminal)
    line.show(Status(1234, 56, 7, None, 210.4))
    shown = "labelled 1,234 | flagged 56 | rejected 7 | lag ? | 210/s"
    assert terminal.getvalue() == f"\r\x1b[2K{shown}"
    line.write("a log line\n")
    assert terminal.getvalue().endswith(f"\r\x1b[2Ka log line\n{shown}")
    line.clear()
    assert terminal.getvalue().endswith("\r\x1b[2K")


def test_the_line_takes_the_log_over_and_gives_it_back() -> None:
    terminal = io.StringIO()
    handler = logging.StreamHandler(terminal)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with status_line(terminal) as line:
            assert id(handler.stream) == id(line)
        assert handler.stream is terminal
    finally:
        root.removeHandler(handler)


def test_rejections_of_a_batch_are_one_line_by_stage_and_error_without_any_text() -> None:
    health = Health(FakeClock(), HealthLimits(tick_seconds=10, inference_seconds=50, progress_seconds=100))
    counted: list[BatchCounts] = []
    observer = WorkerObserver(
        Metrics(CollectorRegistry()), health, "comments", FakeClock(), lambda: 1.0, count=counted.append
    )
    secret = b"a secret text"
    outcomes = [
        Rejected(record(secret), ASSIGNMENT, Stage.DECODE, "InvalidJson", "the reason"),
        Rejected(record(secret), ASSIGNMENT, Stage.DECODE, "InvalidJson", "the reason"),
        Rejected(record(secret), ASSIGNMENT, Stage.VALIDATE, "IdMissing", "the reason"),
    ]
    with structlog.testing.capture_logs() as lines:
        observer.settled(Settled(Batch([], {}, 0, 0), tuple(outcomes)))
    (line,) = lines
    assert line["event"] == "dead letters"
    assert (line["count"], line["of"]) == (3, 3)
    assert line["reasons"] == {"DECODE/InvalidJson": 2, "VALIDATE/IdMissing": 1}
    assert secret.decode() not in str(line)
    assert counted[0].rejected == 3
