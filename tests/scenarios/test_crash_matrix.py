"""Wherever a worker dies nothing is lost; with exactly-once nothing is duplicated and each key keeps its order."""

import json
import signal
from typing import Any

import pytest

from testkit.child_process import END_SECONDS
from testkit.crashing_worker import AT_LEAST_ONCE_POINTS, EXACTLY_ONCE_POINTS, REVOKE_POINTS
from testkit.kafka import Kafka, eventually
from testkit.member import produce
from testkit.stream import Topics
from testkit.workers import WorkerProcess
from tests.chaos.events import MAX_OUTPUT_BYTES, MAX_VALUE_BYTES, Kind, Stream
from tests.chaos.oracle import Oracle
from tests.scenarios.judging import judged

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

EVENTS = 1500
PROGRESS_SECONDS = 240

PROPERTIES = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500, "batch.size": 32_768}
PASSINGS = 2
"""How often a worker passes the point before it dies: by then, some of its work is committed and some is not."""

CRASHES = [
    *(f"at-least-once/{point}" for point in AT_LEAST_ONCE_POINTS),
    *(f"exactly-once/{point}" for point in EXACTLY_ONCE_POINTS),
]
REVOKES = [f"{guarantee}/{point}" for guarantee in ("at-least-once", "exactly-once") for point in REVOKE_POINTS]


class Scene:
    """A filled input topic, the settings of its workers, and the expected result."""

    def __init__(self, kafka: Kafka, guarantee: str, **settings: object) -> None:
        self.servers = kafka.bootstrap_servers
        self.topics = Topics(kafka, 4, **{"max.message.bytes": str(MAX_OUTPUT_BYTES)})
        self.stream = Stream(seed=1)
        events = [self.stream.add(kind) for kind in Kind] + self.stream.take(EVENTS)
        produce(
            self.servers,
            self.topics.input,
            ({"key": event.key, "value": event.value, "headers": event.headers} for event in events),
            partitioner="murmur2_random",
        )
        self.guarantee = guarantee
        self.settings: dict[str, object] = {
            **self.topics.settings,
            "delivery.guarantee": guarantee,
            "delivery.transaction_timeout_seconds": 5,
            "batch.max_records": 50,
            "delivery.max_in_flight_records": 200,
            "input.max_value_bytes": MAX_VALUE_BYTES,
            "kafka.properties": json.dumps(PROPERTIES),
            **settings,
        }

    def worker(self, **options: Any) -> WorkerProcess:
        return WorkerProcess(self.servers, self.settings, **options)

    def finish(self) -> None:
        """Let a worker that does not crash finish the rest."""
        with self.worker() as worker:
            assert eventually(self.topics.is_done, PROGRESS_SECONDS, 0.5)
            assert worker.terminate() == 0

    def check(self) -> Oracle:
        """Check the promises, and return what happened."""
        oracle = judged(self.servers, self.topics, self.stream)
        assert oracle.missing_numbers(10) == []
        assert oracle.unexplained.examples == []
        assert oracle.altered.examples == []
        assert oracle.differing.examples == []
        if self.guarantee == "exactly-once":
            assert oracle.doubled.examples == []
            assert oracle.disorder.examples == []
        return oracle


@pytest.mark.parametrize("point", CRASHES)
def test_a_crash_loses_nothing_and_duplicates_nothing_with_exactly_once(kafka: Kafka, point: str) -> None:
    scene = Scene(kafka, point.split("/", maxsplit=1)[0])
    with scene.worker(crash=(point, PASSINGS)) as crashing:
        assert crashing.process.wait(PROGRESS_SECONDS) == -signal.SIGKILL
    assert not scene.topics.is_done(), "it crashed too late to prove anything"
    scene.finish()
    oracle = scene.check()
    if point == "at-least-once/between-acknowledgement-and-commit":
        assert oracle.repeats > 0, "what was published but not committed is published again"


@pytest.mark.parametrize("point", REVOKES)
def test_a_crash_in_a_revoke_loses_nothing_and_duplicates_nothing_with_exactly_once(kafka: Kafka, point: str) -> None:
    scene = Scene(kafka, point.split("/", maxsplit=1)[0])
    with scene.worker(crash=(point, 0), slow_seconds=0.2) as crashing:
        assert eventually(lambda: bool(scene.topics.committed()), PROGRESS_SECONDS)
        with scene.worker(slow_seconds=0.2) as joining:  # its partitions are revoked from the other worker
            assert crashing.process.wait(END_SECONDS) == -signal.SIGKILL
            joining.kill()
    assert not scene.topics.is_done(), "it crashed too late to prove anything"
    scene.finish()
    scene.check()
