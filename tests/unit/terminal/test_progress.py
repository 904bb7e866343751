"""Off a terminal, progress is an occasional line and one at the end."""

import io

from testkit.clock import FakeClock
from worker.terminal.progress import LINE_SECONDS, progress


def test_lines_keep_their_interval_and_the_last_one_has_the_total() -> None:
    out, clock = io.StringIO(), FakeClock()
    with progress("texts", 40, stream=out, clock=clock) as advance:
        for _ in range(4):
            clock.now += LINE_SECONDS / 2
            advance(10)
        clock.now += 1
    assert out.getvalue().splitlines() == [
        "20 of 40 texts in 5.0 s, 4 a second",
        "40 of 40 texts in 10.0 s, 4 a second",
    ]


def test_quick_work_gets_one_line() -> None:
    out, clock = io.StringIO(), FakeClock()
    with progress("comments", None, stream=out, clock=clock) as advance:
        clock.now = 0.5
        advance(1500)
    assert out.getvalue() == "1,500 comments in 0.5 s, 3,000 a second\n"
