"""What the worker reads from librdkafka's statistics: lag, group state, reachable brokers.

The format is described in librdkafka's STATISTICS.md. Lag freezes while a partition is paused, since nothing is fetched
then. librdkafka computes lag from the offset that it has committed or fetched itself and knows nothing of offsets that
a transaction commits, so the offsets known here take precedence.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jiter

from worker.types import Partition

_CONNECTED = "UP"


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
