"""Where a partition is read from when no committed offset says so. One table, for users and for the worker.

Kafka has one setting for all of this (`auto.offset.reset`), which librdkafka applies on its own and without a word
that a program could count. Here each case has a rule of its own, and what a rule skips or moves is reported.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from worker.kafka.client.log_queries import LogEnds
from worker.settings import Start


class Found(StrEnum):
    """What was found instead of an offset to read on from; the value is the metrics' label `reason`."""

    NO_OFFSET = "no_offset"
    NEW_PARTITION = "new_partition"
    BELOW_START = "below_start"
    ABOVE_END = "above_end"
    RECREATED = "recreated"


class To(StrEnum):
    """Where the partition is read from then."""

    FIRST = "first record"
    END = "end"
    EXIT = "exit 1"


RULES: Mapping[Found, Mapping[Start, To]] = {
    # The group reads the topic for the first time, or has not read this partition, which was there when it began.
    Found.NO_OFFSET: {Start.EARLIEST: To.FIRST, Start.LATEST: To.END, Start.ERROR: To.EXIT},
    # All of it was written after the group began: none of it was meant to be left out.
    Found.NEW_PARTITION: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.FIRST},
    # Retention was faster than the group. What is still there has not been read.
    Found.BELOW_START: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.EXIT},
    # The log has lost its end. Nobody knows since when, so nobody knows what of the rest is new.
    Found.ABOVE_END: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.EXIT},
    # Another log under the same name: all of it is new.
    Found.RECREATED: {Start.EARLIEST: To.FIRST, Start.LATEST: To.FIRST, Start.ERROR: To.FIRST},
}
"""What was found, and for each `input.start` where the partition is read from."""

MOVES = frozenset({Found.BELOW_START, Found.ABOVE_END, Found.RECREATED})
"""The group had a position, and it is not kept: an error in the log, and counted."""


class Begin(NamedTuple):
    """A decision.

    Attributes:
        offset: Of the first record to read.
        skipped: Offsets between the group's position and the log's start that retention took unread.
    """

    offset: int
    skipped: int


def where_to_begin(found: Found, start: Start, position: int | None, ends: LogEnds) -> Begin | None:
    """Where to read from; None: not at all, the worker is to exit.

    Args:
        found: Why there is a question.
        start: The setting `input.start`.
        position: The group's offset, where it has one.
        ends: Where the log begins and ends now.
    """
    rule = RULES[found][start]
    if rule is To.EXIT:
        return None
    skipped = max(0, ends.first - position) if found is Found.BELOW_START and position is not None else 0
    return Begin(ends.end if rule is To.END else ends.first, skipped)


def out_of_range(position: int, ends: LogEnds) -> Found | None:
    """Which end of the log a position lies beyond; None when the log holds it."""
    if position < ends.first:
        return Found.BELOW_START
    return Found.ABOVE_END if position > ends.end else None


def without_offset(partition: int, *, group_has_offsets: bool, began_with: int | None) -> Found:
    """Whether a partition without an offset is new to a group that reads the topic.

    Args:
        partition: Its number.
        group_has_offsets: Some partition of the topic has a committed offset.
        began_with: Partitions that the topic had when the group began, as its offsets say; None when they do not.
    """
    if not group_has_offsets or (began_with is not None and partition < began_with):
        return Found.NO_OFFSET
    return Found.NEW_PARTITION
