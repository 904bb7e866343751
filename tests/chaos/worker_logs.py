"""What workers log about positions that moved: the lines outlive a worker that is killed, its counters do not."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MOVED = re.compile(r": the group's position moved in partition (?P<moves>.+?) \((?P<reason>\w+)\): ")
_MOVE = re.compile(r"(\d+) from (another log|\d+) to (\d+)")
_ANOTHER_LOG = "another log"


class Move(NamedTuple):
    """A partition is read on from another offset than the group's.

    Attributes:
        reason: `below_start`, `above_end` or `recreated`.
        partition: Number of the partition.
        begin: The group's offset; None if it was in another log.
        end: The offset that it is read from.
    """

    reason: str
    partition: int
    begin: int | None
    end: int


def moves_in(lines: Iterable[str]) -> Iterator[Move]:
    """The moves that these log lines (JSON) report at level ERROR."""
    for line in lines:
        if "position moved" not in line:
            continue
        fields = json.loads(line)
        found = _MOVED.search(fields["event"])
        if found is None or fields["level"] != "error":
            message = f"a line about moved positions can't be read: {fields['event']}"
            raise ValueError(message)
        for partition, begin, end in _MOVE.findall(found["moves"]):
            yield Move(found["reason"], int(partition), None if begin == _ANOTHER_LOG else int(begin), int(end))
