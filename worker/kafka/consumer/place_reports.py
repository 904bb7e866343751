"""Log messages about where partitions are read from, one line for each reason and topic."""

import logging
from collections import defaultdict
from typing import NamedTuple

from worker.errors import Fatal
from worker.kafka.client.log_queries import LogEnds
from worker.kafka.consumer.start_rules import MOVES, Found
from worker.types import Assignment

log = logging.getLogger(__name__)

_WORDS = {
    Found.BELOW_START: "retention removed {skipped} offsets before they were read, and they will not be labelled. Give "
    "the topic a longer retention or the group more workers",
    Found.ABOVE_END: "the log ends before the position, so it was truncated or restored. It is read again from its "
    "first record; records that were labelled before get events with the same ids",
    Found.TRUNCATED: "the log lost its end (a leader was elected that lacked it, or a broker was restored), and what "
    "was written since has the same offsets. It is read again from the first record that differs; records that were "
    "labelled before get events with the same ids",
    Found.RECREATED: "the topic was deleted and created again. The new log is read from its first record; any "
    "unread records of the old one are gone",
}

_GONE_OF_THE_NEW_LOG = "; so are the first {skipped} offsets of the new one, which retention has removed"


class Placed(NamedTuple):
    """The offset a partition is read from, and how it was chosen.

    Attributes:
        assignment: The assignment of the partition.
        found: Why an offset had to be chosen.
        position: The group's offset, if it had one.
        begin: The offset the partition is read from.
        skipped: Number of offsets that retention removed before they were read.
    """

    assignment: Assignment
    found: Found
    position: int | None
    begin: int
    skipped: int


def report(placed: list[Placed]) -> None:
    """Log where partitions are read from, as an error where the group's position had to be abandoned."""
    alike: defaultdict[tuple[Found, str], list[Placed]] = defaultdict(list)
    for place in placed:
        alike[place.found, place.assignment.topic].append(place)
    for (found, topic), places in alike.items():
        if found in MOVES:
            moves = ", ".join(f"{p.assignment.partition} from {_position(p)} to {p.begin}" for p in places)
            skipped = sum(p.skipped for p in places)
            words = _WORDS[found]
            if found is Found.RECREATED and skipped:
                words += _GONE_OF_THE_NEW_LOG
            words = words.format(skipped=skipped)
            log.error("%s: the group's position moved in partition %s (%s): %s", topic, moves, found, words)
        else:
            begins = ", ".join(f"{p.assignment.partition} from offset {p.begin}" for p in places)
            log.info("reading %s in partition %s (%s)", topic, begins, found)


def no_place(assignment: Assignment, position: int | None, ends: LogEnds) -> Fatal:
    """Return the error that ends the worker when `input.start` is `error`."""
    has = "no offset" if position is None else f"the offset {position}"
    return Fatal(
        f"the group has {has} in partition {assignment.partition} of {assignment.topic}, which holds offsets "
        f"{ends.first} to {ends.end}, and input.start is error: set the group's offset with kafka-consumer-groups "
        "--reset-offsets, or input.start to earliest or latest"
    )


def _position(place: Placed) -> str:
    return "another log" if place.position is None or place.position < 0 else str(place.position)
