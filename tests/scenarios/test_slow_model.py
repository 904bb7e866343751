"""With a model far slower than its stream, the worker stays in its group and its memory stays bounded."""

import json
import re
from pathlib import Path

import pytest

from testkit.kafka import Kafka, eventually
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

PROGRESS_SECONDS = 180
TEXT_BYTES = 4096
RECORDS = 30_000
MOST_GROWTH_KIB = 60_000
"""Half of the waiting records' size; allows for the prefetch (16 MiB), records in flight and the allocator."""


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_worker_stays_although_each_batch_outlasts_the_poll_interval(kafka: Kafka, protocol: str) -> None:
    topics = Topics(kafka)
    padding = b"good " * (TEXT_BYTES // 5)
    topics.fill(value.replace(b'"text":"', b'"text":"' + padding) for value in comments(RECORDS))
    properties = {"max.poll.interval.ms": 8000}
    if protocol == "classic":
        properties |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
    settings = {
        **topics.settings,
        "kafka.group_protocol": protocol,
        "kafka.properties": json.dumps(properties),
        "batch.max_records": 50,
        "delivery.max_in_flight_records": 150,
        "delivery.revoke_seconds": 2,
        "delivery.pause_after_seconds": 2,
    }
    with WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=10) as worker:

        def scored(batches: int) -> bool:
            assert worker.process.poll() is None
            return worker.log.count("scoring") >= batches

        assert eventually(lambda: scored(2), PROGRESS_SECONDS)
        early = resident_kib(worker.process.pid)
        assert eventually(lambda: scored(6), PROGRESS_SECONDS)
        assert resident_kib(worker.process.pid) - early < MOST_GROWTH_KIB
        assert len(worker.events("partitions assigned")) == 1
        assert worker.events("partitions revoked") == worker.events("partitions lost") == []
        worker.kill()


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])
