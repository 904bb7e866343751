"""The breaker opens on a run or a share of rejections, and before the batch is published."""

from collections.abc import Sequence

import pytest

from testkit.records import ASSIGNMENT, comment_record
from worker.errors import BreakerOpen
from worker.settings import DeadLetterSettings
from worker.stream.circuit_breaker import Breaker
from worker.types import Classification, Labelled, Outcome, Rejected, Skipped, Stage, TextFacts

GOOD = Labelled(comment_record("1", "x"), ASSIGNMENT, "1", "x", Classification({}, (), TextFacts(1, 1, False)))
BAD = Rejected(comment_record("1", "x"), ASSIGNMENT, Stage.VALIDATE, "IdMissing", "no id")
TOMBSTONE = Skipped(comment_record("1", "x"), ASSIGNMENT)


def batch(*outcomes: Outcome) -> Sequence[Outcome]:
    return outcomes


def test_a_run_across_batches_opens_it() -> None:
    breaker = Breaker(DeadLetterSettings(max_run=5))
    breaker.admit(batch(GOOD, BAD, BAD))
    with pytest.raises(BreakerOpen, match=r"5 records in a row.*VALIDATE/IdMissing"):
        breaker.admit(batch(BAD, BAD, BAD))


def test_a_tombstone_does_not_end_a_run() -> None:
    breaker = Breaker(DeadLetterSettings(max_run=2))
    with pytest.raises(BreakerOpen):
        breaker.admit(batch(BAD, TOMBSTONE, BAD))


def test_a_label_ends_a_run() -> None:
    breaker = Breaker(DeadLetterSettings(max_run=2))
    for _ in range(10):
        breaker.admit(batch(BAD, GOOD))


def test_a_share_needs_a_full_window() -> None:
    breaker = Breaker(DeadLetterSettings(max_share=0.2, window_records=100, max_run=1000))
    breaker.admit(batch(*[BAD] * 30, *[GOOD] * 60))
    with pytest.raises(BreakerOpen, match="30 of the last 100 records"):
        breaker.admit(batch(*[GOOD] * 10))


def test_old_rejections_leave_the_window() -> None:
    breaker = Breaker(DeadLetterSettings(max_share=0.2, window_records=100, max_run=1000))
    breaker.admit(batch(*[BAD] * 20, *[GOOD] * 80))
    breaker.admit(batch(*[GOOD] * 100))
    breaker.admit(batch(*[BAD] * 20, *[GOOD] * 80))


def test_records_below_the_share_never_open_it() -> None:
    breaker = Breaker(DeadLetterSettings(max_share=0.5, window_records=10, max_run=1000))
    for _ in range(100):
        breaker.admit(batch(BAD, GOOD))


def test_a_check_counts_nothing() -> None:
    breaker = Breaker(DeadLetterSettings(max_run=4))
    breaker.admit(batch(BAD, BAD))
    for _ in range(10):
        breaker.check(batch(BAD))
        with pytest.raises(BreakerOpen):
            breaker.check(batch(BAD, BAD))
    breaker.admit(batch(BAD))
