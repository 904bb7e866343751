"""What the worker reads of librdkafka's statistics: lag, state of the group, brokers within reach.

The format is librdkafka's STATISTICS.md. Lag freezes while a partition is paused, since nothing is fetched then.
"""

from collections.abc import Collection
from typing import NamedTuple

import jiter

_CONNECTED = "UP"


class Statistics(NamedTuple):
    """One report.

    Attributes:
        brokers_up: Brokers with an open connection.
        join_state: Where the member is on its way into the group; "steady" when it is in.
        lag_records: For each partition asked for, records behind the end of what may be read; absent while unknown.
    """

    brokers_up: int
    join_state: str
    lag_records: dict[int, int]


def read_statistics(report: str, topic: str, partitions: Collection[int]) -> Statistics:
    """Read a report for these partitions of a topic."""
    document = jiter.from_json(report.encode())
    known = document.get("topics", {}).get(topic, {}).get("partitions", {})
    lag = {}
    for partition in partitions:
        records = known.get(str(partition), {}).get("consumer_lag", -1)
        if records >= 0:
            lag[partition] = records
    return Statistics(
        brokers_up=sum(b["state"] == _CONNECTED for b in document.get("brokers", {}).values()),
        join_state=document.get("cgrp", {}).get("join_state", "init"),
        lag_records=lag,
    )
