"""A line that comes again and again is logged now and then, with a count, and every other line as it comes."""

import logging

from worker.kafka.client.repeated_lines import BETWEEN_REPEATS_SECONDS, RepeatedLines


def passed(folding: RepeatedLines, message: str, at: float) -> str | None:
    record = logging.LogRecord("worker.kafka", logging.ERROR, "f", 1, "%s", (message,), None)
    record.created = at
    return record.getMessage() if folding.filter(record) else None


def failed(milliseconds: int, client: int = 1) -> str:
    return (
        f"FAIL [sluice#consumer-{client}] [thrd:a:9092/1]: a:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection "
        f"refused (after {milliseconds}ms in state CONNECT, {milliseconds} identical error(s) suppressed)"
    )


def test_twenty_errors_a_second_are_one_line_each_half_minute_with_their_count() -> None:
    folding = RepeatedLines()
    lines = [passed(folding, failed(n % 7, n % 2), n * 0.05) for n in range(int(61 / 0.05))]
    kept = [line for line in lines if line is not None]
    assert len(kept) == 3
    assert kept[0] == failed(0, 0)
    assert kept[1].endswith(f"(599 more like this in {BETWEEN_REPEATS_SECONDS:.0f} s)")


def test_different_lines_are_not_held_back_by_one_another() -> None:
    folding = RepeatedLines()
    assert passed(folding, "a:9092 failed", 0.0)
    assert passed(folding, "b:9092 failed", 0.1)
    assert passed(folding, "a:9092 failed", 0.2) is None


def test_a_line_that_comes_seldom_has_no_count() -> None:
    folding = RepeatedLines()
    for at in (0.0, 40.0, 80.0):
        assert passed(folding, "once in a while", at) == "once in a while"


def test_ever_new_lines_take_no_memory_for_ever() -> None:
    folding = RepeatedLines()
    for n in range(5000):
        assert passed(folding, f"line {n}", float(n))
    assert len(folding._lines) <= 500


def test_connections_that_fail_while_somebody_waits_are_counted_and_not_logged() -> None:
    folding, connection = RepeatedLines(), failed(3)
    with folding.folded() as wait:
        assert passed(folding, connection, 0.0) is None
        assert passed(folding, connection, 0.1) is None
        assert passed(folding, "CONFWARN something else", 0.2)
    assert (wait.count, wait.last) == (2, "Connect to ipv4#10.0.0.1:9092 failed: Connection refused")
    assert passed(folding, connection, 0.3)
