"""What the worker reads from librdkafka's statistics: lag, group state, reachable brokers.

The format is described in librdkafka's STATISTICS.md. Lag freezes while a partition is paused, since nothing is fetched
then. librdkafka computes lag from the offset that it has committed or fetched itself and knows nothing of offsets that
a transaction commits, so the offsets known here take precedence.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jiter

from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.types import Assignment, Partition

_CONNECTED = "UP"


class ReportedStatistics:
    """What the latest report says of the partitions held; used only from the consumer's thread.

    Args:
        assignments: The partitions held, and how far each is committed.
        availability: Notified of each report, since it says which brokers are connected.

    Attributes:
        join_state: How far the member has got in joining the group.
    """

    def __init__(self, assignments: Assignments, availability: BrokerAvailability) -> None:
        self._assignments = assignments
        self._availability = availability
        self._lag_records: dict[Assignment, int] = {}
        self._unstable_records: dict[Assignment, int] = {}
        self.join_state = "init"

    @property
    def lag_records(self) -> dict[Partition, int]:
        """How many readable records each partition is behind; absent while unknown."""
        return _of_owned(self._lag_records)

    @property
    def unstable_records(self) -> dict[Partition, int]:
        """Likewise, how many records the oldest open transaction holds back."""
        return _of_owned(self._unstable_records)

    def serve(self, report: str) -> None:
        """Read a report of librdkafka's."""
        current = self._assignments.current
        statistics = read_statistics(report, self._assignments.committed())
        self._lag_records = {current[partition]: lag for partition, lag in statistics.lag_records.items()}
        self._unstable_records = {current[p]: records for p, records in statistics.unstable_records.items()}
        self.join_state = statistics.join_state
        if statistics.brokers_up:
            self._availability.answered()
        else:
            self._availability.unavailable()


def _of_owned(records: Mapping[Assignment, int]) -> dict[Partition, int]:
    return {assignment.key: number for assignment, number in records.items() if assignment.owned}


class Statistics(NamedTuple):
    """One statistics report.

    Attributes:
        brokers_up: Number of brokers with an open connection.
        join_state: How far the member has got in joining the group; "steady" once it has joined.
        lag_records: For each requested partition, how many readable records it is behind; absent while unknown.
        unstable_records: Likewise, how many records the oldest open transaction holds back.
    """

    brokers_up: int
    join_state: str
    lag_records: dict[Partition, int]
    unstable_records: dict[Partition, int]


def read_statistics(report: str, committed: Mapping[Partition, int | None]) -> Statistics:
    """Parse a report.

    Args:
        report: The report as JSON.
        committed: For each requested partition, the next offset this worker has committed; None before the first.
    """
    document = jiter.from_json(report.encode())
    topics = document.get("topics", {})
    lag = {}
    unstable = {}
    for partition, offset in committed.items():
        topic, number = partition
        facts = topics.get(topic, {}).get("partitions", {}).get(str(number), {})
        end = facts.get("ls_offset", -1)
        records = facts.get("consumer_lag", -1) if offset is None or end < 0 else max(0, end - offset)
        if records >= 0:
            lag[partition] = records
        high = facts.get("hi_offset", -1)
        if 0 <= end <= high:
            unstable[partition] = high - end
    return Statistics(
        brokers_up=sum(b["state"] == _CONNECTED for b in document.get("brokers", {}).values()),
        join_state=document.get("cgrp", {}).get("join_state", "init"),
        lag_records=lag,
        unstable_records=unstable,
    )
