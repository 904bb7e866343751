"""The pause of a join is assigned to the right partitions and the right window."""

from benchmarks.join import by_input, joined, pauses
from benchmarks.live import LogLine
from benchmarks.output_log import AppendedEvent


def test_a_newcomer_has_joined_with_its_last_assignment() -> None:
    log = [
        LogLine(1.0, "draining", {}),
        LogLine(2.0, "working", {}),
        LogLine(3.0, "partitions assigned", {"partitions": [4, 5]}),
        LogLine(4.0, "partitions assigned", {"partitions": []}),
        LogLine(5.0, "partitions assigned", {"partitions": [6]}),
        LogLine(6.0, "partitions revoked", {"partitions": []}),
    ]
    assert joined(log) == (2.0, 5.0, {4, 5, 6})


def test_pauses_are_separate_for_partitions_that_stay_and_that_move() -> None:
    due = {0: 0.0, 1: 1.0, 2: 5.0, 3: 6.0, 4: 0.5, 5: 5.0}
    stayed = [AppendedEvent(0, 0, 0.5), AppendedEvent(1, 0, 1.5), AppendedEvent(2, 0, 5.5), AppendedEvent(3, 0, 9.0)]
    moved = [AppendedEvent(4, 1, 1.0), AppendedEvent(5, 1, 20.0)]
    found = pauses(stayed + moved, due, {0}, {1}, {"before": (0.0, 1.4), "joining": (5.0, 8.0)})
    assert (found["before"].stayed_gap, found["before"].stayed_wait) == (1.0, 0.5)
    assert (found["joining"].stayed_gap, found["joining"].stayed_wait) == (4.0, 3.0)
    assert (found["joining"].moved_gap, found["joining"].moved_wait) == (19.0, 15.0)


def test_an_event_counts_for_the_partition_that_its_comment_was_in() -> None:
    assert by_input(AppendedEvent(13, 2, 1.0), 8) == AppendedEvent(13, 5, 1.0)
