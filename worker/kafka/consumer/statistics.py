"""What the worker reads of librdkafka's statistics: lag, state of the group, brokers within reach.

The format is librdkafka's STATISTICS.md. Lag freezes while a partition is paused, since nothing is fetched then.
librdkafka's own lag counts from the offset that it has committed or fetched itself; it knows nothing of those that a
transaction commits, so what is known here goes before.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jiter

_CONNECTED = "UP"


class Statistics(NamedTuple):
    """One report.

    Attributes:
        brokers_up: Brokers with an open connection.
        join_state: Where the member is on its way into the group; "steady" when it is in.
        lag_records: For each partition asked for, records behind the end of what may be read; absent while unknown.
        unstable_records: Likewise, records behind the oldest transaction that is still open.
    """

    brokers_up: int
    join_state: str
    lag_records: dict[int, int]
    unstable_records: dict[int, int]


def read_statistics(report: str, topic: str, committed: Mapping[int, int | None]) -> Statistics:
    """Read a report.

    Args:
        report: JSON.
        topic: Whose lag is asked for.
        committed: For each partition asked for, the next offset that this worker has committed; None before the first.
    """
    document = jiter.from_json(report.encode())
    known = document.get("topics", {}).get(topic, {}).get("partitions", {})
    lag = {}
    unstable = {}
    for partition, offset in committed.items():
        facts = known.get(str(partition), {})
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
