"""Rates and gaps are taken from the times at which events were appended, whatever order they are read in."""

import pytest

from benchmarks.output_log import AppendedEvent, longest_gap, rate


def events(partition: int, *times: float) -> list[AppendedEvent]:
    return [AppendedEvent(number, partition, time) for number, time in enumerate(times)]


def test_a_rate_is_correct_although_events_are_appended_in_batches() -> None:
    batches = [second + 0.5 for second in range(40) for _ in range(100)]
    assert rate(events(0, *batches)) == pytest.approx(100, rel=0.01)


def test_a_rate_excludes_a_slow_start_and_a_slow_end() -> None:
    steady = [100 + number / 100 for number in range(1000)]
    assert rate(events(0, 0.0, *steady, 900.0)) == pytest.approx(100, rel=0.01)


def test_the_longest_gap_is_within_one_partition() -> None:
    found = events(0, 1.0, 5.0, 9.0) + events(1, 2.0, 4.0, 8.0)
    assert longest_gap(found, [0, 1], 0.0, 10.0) == 4.0
    assert longest_gap(found[::-1], [1], 0.0, 10.0) == 4.0


def test_a_gap_counts_when_it_overlaps_the_window() -> None:
    found = events(0, 0.0, 1.0, 4.0, 5.0, 12.0)
    assert longest_gap(found, [0], 3.5, 4.5) == 3.0
    assert longest_gap(found, [0], 6.0, 7.0) == 7.0
    assert longest_gap(found, [0], 4.0, 5.0) == 1.0


def test_other_partitions_do_not_count() -> None:
    assert longest_gap(events(0, 1.0, 2.0) + events(1, 1.0, 9.0), [0], 0.0, 10.0) == 1.0
