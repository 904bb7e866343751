"""Where each event lies in the input: in which log of the topic, in which partition, at which offset."""

from array import array
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_UNKNOWN = -1
_MOST_PARTITIONS = 1000


class Place(NamedTuple):
    """A record's place.

    Attributes:
        log: Counts the logs that the topic's name has referred to, from 0.
        partition: Number of the partition; -1 before the broker has acknowledged the event.
        offset: Likewise.
    """

    log: int
    partition: int
    offset: int


class Places:
    """A few bytes an event, so that millions fit.

    Attributes:
        topic_ids: The id of each log (KIP-516), by its number.
    """

    def __init__(self) -> None:
        self.topic_ids: list[str] = []
        self._logs = bytearray()
        self._partitions = array("h")
        self._offsets = array("q")
        self._early: dict[int, Mapping[int, int]] = {}

    def __len__(self) -> int:
        return len(self._logs)

    def __getitem__(self, number: int) -> Place:
        return Place(self._logs[number], self._partitions[number], self._offsets[number])

    def is_early(self, place: Place) -> bool:
        """Whether a record came into its log before every worker can have noticed that the log had been replaced."""
        if place.log == 0:
            return False
        ends = self._early.get(place.log)
        return ends is None or place.offset < ends.get(place.partition, 0)

    def early_until(self, ends: Mapping[int, int]) -> None:
        """By now every worker has noticed that the present log replaced another; here it ends, by partition."""
        self._early[len(self.topic_ids) - 1] = ends

    def sent(self, count: int) -> None:
        """So many more events go to the present log."""
        self._logs.extend(bytes([max(0, len(self.topic_ids) - 1)]) * count)
        self._partitions.extend([_UNKNOWN] * count)
        self._offsets.extend([_UNKNOWN] * count)

    def acknowledge(self, number: int, partition: int, offset: int) -> None:
        """The broker has given an event its place."""
        self._partitions[number] = partition
        self._offsets[number] = offset

    def beyond(self, numbers: NDArray[np.int64], log: int, begins: Mapping[int, int]) -> NDArray[np.int64]:
        """Those of these events that lie in a log, at or behind its partition's offset here (none: at any offset)."""
        partitions, offsets = np.array(self._partitions)[numbers], np.array(self._offsets)[numbers]
        begin_of = np.zeros(1 + max(_MOST_PARTITIONS, *begins, 0), dtype=np.int64)
        for partition, begin in begins.items():
            begin_of[partition] = begin
        found: NDArray[np.int64] = numbers[
            (np.array(self._logs)[numbers] == log) & (offsets >= begin_of[partitions]) & (partitions >= 0)
        ]
        return found

    def between(self, numbers: NDArray[np.int64], log: int, partition: int, begin: int, end: int) -> NDArray[np.int64]:
        """Those of these events that lie in `begin <= offset < end` of a partition of a log."""
        offsets = np.array(self._offsets)[numbers]
        here = (np.array(self._logs)[numbers] == log) & (np.array(self._partitions)[numbers] == partition)
        found: NDArray[np.int64] = numbers[here & (offsets >= begin) & (offsets < end)]
        return found

    def spans(self, numbers: NDArray[np.int64]) -> list[str]:
        """Where these events lie, in words: for each log and partition how many, and between which offsets."""
        logs = np.array(self._logs, dtype=np.int64)[numbers]
        partitions, offsets = np.array(self._partitions)[numbers], np.array(self._offsets)[numbers]
        found = []
        for log, partition in sorted(set(zip(logs.tolist(), partitions.tolist(), strict=True))):
            here = offsets[(logs == log) & (partitions == partition)]
            found.append(f"{len(here):,} in log {log}, partition {partition}, offsets {here.min()} to {here.max()}")
        return found
