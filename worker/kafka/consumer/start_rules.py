"""Where a partition is read from when no committed offset decides it. One table, for users and for the worker.

Kafka has one setting for all of this (`auto.offset.reset`), which librdkafka applies on its own, without any event that
a program could count. Here each case has its own rule, and whatever a rule skips or moves is reported.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from worker.kafka.client.log_queries import LogEnds
from worker.settings import Start


class Found(StrEnum):
    """What was found instead of an offset to continue from; the value is the metrics' label `reason`."""

    NO_OFFSET = "no_offset"
    NEW_PARTITION = "new_partition"
    NEW_TOPIC = "new_topic"
    BELOW_START = "below_start"
    ABOVE_END = "above_end"
    TRUNCATED = "truncated"
    RECREATED = "recreated"


class To(StrEnum):
    """Where the partition is then read from."""

    FIRST = "first record"
    CUT = "first record that differs"
    END = "end"
    EXIT = "exit 1"


RULES: Mapping[Found, Mapping[Start, To]] = {
    # The group reads the topic for the first time, or has not read this partition, which was there when it began.
    Found.NO_OFFSET: {Start.EARLIEST: To.FIRST, Start.LATEST: To.END, Start.ERROR: To.EXIT},
    # All of it was written after the group began: none of it was meant to be skipped.
    Found.NEW_PARTITION: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.FIRST},
    # A topic that the pattern names, and that has appeared while the worker ran.
    Found.NEW_TOPIC: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.FIRST},
    # Retention was faster than the group. What is still there has not been read.
    Found.BELOW_START: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.EXIT},
    # The log has lost its end. It is unknown since when, so it is unknown which of the remaining records are new.
    Found.ABOVE_END: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.EXIT},
    # The same, but the leaders' epochs say from where on the records are new, even if the log has grown again.
    Found.TRUNCATED: {Start.EARLIEST: To.CUT, Start.LATEST: To.CUT, Start.ERROR: To.EXIT},
    # Another log under the same name: all of it is new.
    Found.RECREATED: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.FIRST},
}
"""Where the partition is read from, by what was found and by `input.start`."""

MOVES = frozenset({Found.BELOW_START, Found.ABOVE_END, Found.TRUNCATED, Found.RECREATED})
"""Cases in which the group had a position that is not kept: logged as an error, and counted."""

_FROM_THE_FIRST = frozenset({Found.NEW_PARTITION, Found.NEW_TOPIC, Found.RECREATED})
"""Cases in which the group was to read the log from offset 0."""


class Lost(NamedTuple):
    """A partition that can't be read where it was.

    Attributes:
        found: Why, if already known.
        position: The group's offset, if it had one.
        cut: The first offset whose record differs, of a truncated log; None when unknown.
    """

    found: Found | None = None
    position: int | None = None
    cut: int | None = None


class Begin(NamedTuple):
    """The offset to begin at.

    Attributes:
        offset: The offset of the first record to read.
        skipped: Number of offsets from the group's position to the log's start, removed by retention before being read;
            in a log that began after the group did, that position is 0.
    """

    offset: int
    skipped: int


def where_to_begin(
    found: Found, start: Start, position: int | None, ends: LogEnds, cut: int | None = None
) -> Begin | None:
    """Return where to read from, or None if the worker is to exit.

    Args:
        found: Why there is no offset to continue from.
        start: The setting `input.start`.
        position: The group's offset, if it has one.
        ends: Where the log currently begins and ends.
        cut: The first offset whose record differs, of a truncated log; None when unknown.
    """
    rule = RULES[found][start]
    if rule is To.EXIT:
        return None
    if rule is To.CUT and cut is not None:
        return Begin(max(cut, ends.first), 0)
    if found in _FROM_THE_FIRST:
        position = 0
    elif found is not Found.BELOW_START:
        position = None
    skipped = 0 if position is None else max(0, ends.first - position)
    return Begin(ends.end if rule is To.END else ends.first, skipped)


def out_of_range(position: int, ends: LogEnds) -> Found | None:
    """Return which end of the log a position lies beyond, or None if the log contains it."""
    if position < ends.first:
        return Found.BELOW_START
    return Found.ABOVE_END if position > ends.end else None


def without_offset(partition: int, *, group_has_offsets: bool, began_with: int | None) -> Found:
    """Return whether a partition without an offset is new to a group that already reads the topic.

    Args:
        partition: The number of the partition.
        group_has_offsets: Whether any partition of the topic has a committed offset.
        began_with: Number of partitions when the group began, as noted with its offsets; None if not noted.
    """
    if not group_has_offsets or (began_with is not None and partition < began_with):
        return Found.NO_OFFSET
    return Found.NEW_PARTITION


def began_with(noted: Iterable[int | None]) -> int | None:
    """Return how many partitions the topic had when the group began, of what was noted with its offsets.

    The smallest number: of a topic that was created again, those who knew the old log note 0, while a worker that has
    just come, and finds no offset, notes what a first start does.
    """
    return min((count for count in noted if count is not None), default=None)
