"""Members join, leave and freeze: the others continue, and late work does no harm.

The promises are those of karafka's integration suite, under its names: constant_rebalance_continuity,
revoke_reclaim_continuity_cooperative, exceeding_max_poll_with_late_commit, cooperative_sticky_immediate_stop.
"""

import json
import signal
from typing import Any

import pytest

from testkit.kafka import Kafka, eventually
from testkit.member import produce
from testkit.stream import Topics
from testkit.workers import WorkerProcess
from tests.chaos.events import MAX_OUTPUT_BYTES, MAX_VALUE_BYTES, Stream
from tests.chaos.oracle import Oracle
from tests.scenarios.judging import judged

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

PROGRESS_SECONDS = 240
PROTOCOLS = ["classic", "consumer"]
GUARANTEES = ["at-least-once", "exactly-once"]
SMALL_REQUESTS = {"batch.size": 32_768}
LIMITS = {
    "classic": {"session.timeout.ms": 6000, "max.poll.interval.ms": 8000},
    "consumer": {"max.poll.interval.ms": 8000},
}
DEADLINES = {"delivery.revoke_seconds": 2, "delivery.transaction_timeout_seconds": 5}


class Group:
    """A filled topic and the settings of the workers that share it.

    Args:
        kafka: The broker.
        events: How many wait in the topic.
        protocol: The group's.
        guarantee: The workers'.
        short: Whether a worker that is frozen for some seconds outlasts every limit. A loaded machine starves workers
            for as long: where none is frozen, they have the limits that users have.
    """

    def __init__(
        self, kafka: Kafka, events: int, protocol: str, guarantee: str = "at-least-once", *, short: bool = False
    ) -> None:
        self.servers = kafka.bootstrap_servers
        self.topics = Topics(kafka, 4, **{"max.message.bytes": str(MAX_OUTPUT_BYTES)})
        self.stream = Stream(seed=2)
        records = ({"key": e.key, "value": e.value, "headers": e.headers} for e in self.stream.take(events))
        produce(self.servers, self.topics.input, records, partitioner="murmur2_random")
        self.settings: dict[str, object] = {
            **self.topics.settings,
            "kafka.group_protocol": protocol,
            "kafka.properties": json.dumps(SMALL_REQUESTS | (LIMITS[protocol] if short else {})),
            "delivery.guarantee": guarantee,
            **(DEADLINES if short else {}),
            "batch.max_records": 50,
            "delivery.max_in_flight_records": 100,
            "input.max_value_bytes": MAX_VALUE_BYTES,
        }

    def worker(self, **options: Any) -> WorkerProcess:
        return WorkerProcess(self.servers, self.settings, **options)

    @property
    def progress(self) -> int:
        return sum(self.topics.committed().values())

    def await_progress(self) -> None:
        before = self.progress
        assert eventually(lambda: self.progress > before, PROGRESS_SECONDS, 0.2)

    def check(self) -> Oracle:
        oracle = judged(self.servers, self.topics, self.stream)
        assert oracle.unexplained.examples == []
        assert oracle.missing_numbers(10) == []
        assert oracle.differing.examples == []
        return oracle


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_worker_continues_while_others_join_and_leave_and_resumes_returned_partitions(
    kafka: Kafka, protocol: str
) -> None:
    group = Group(kafka, 6000, protocol)
    with group.worker(slow_seconds=0.1) as steady:
        assert eventually(lambda: steady.events("partitions assigned"), PROGRESS_SECONDS)
        for _ in range(3):
            with group.worker(slow_seconds=0.1) as passing:
                assert eventually(lambda w=passing: "scoring" in w.log, PROGRESS_SECONDS)  # type: ignore[misc] # a default binds the loop's variable
                assert passing.terminate() == 0
            group.await_progress()
        assert eventually(group.topics.is_done, PROGRESS_SECONDS, 0.5)
        assert steady.terminate() == 0
        assert steady.events("partitions lost") == []
        assert len(steady.events("partitions revoked")) >= 3, "nothing was ever given away"
    assert group.check().repeats == 0, "every partition changed its owner with its work committed"


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_worker_frozen_past_every_limit_returns_and_its_late_work_does_no_harm(
    kafka: Kafka, protocol: str, guarantee: str
) -> None:
    group = Group(kafka, 4000, protocol, guarantee, short=True)
    with group.worker(slow_seconds=0.2) as frozen, group.worker(slow_seconds=0.2) as other:
        assert eventually(lambda: "scoring" in frozen.log and "scoring" in other.log, PROGRESS_SECONDS)
        group.await_progress()
        frozen.process.send_signal(signal.SIGSTOP)
        # The other worker has all four partitions once the frozen one is removed from the group.
        assert eventually(lambda: len(other.events("partitions assigned")) >= 2, PROGRESS_SECONDS)
        group.await_progress()
        frozen.process.send_signal(signal.SIGCONT)
        assert eventually(group.topics.is_done, PROGRESS_SECONDS, 0.5)
        assert frozen.terminate() == 0
        assert other.terminate() == 0
    oracle = group.check()
    if guarantee == "exactly-once":
        assert oracle.doubled.examples == []
        assert oracle.disorder.examples == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_worker_stopped_while_it_joins_leaves_at_once(kafka: Kafka, protocol: str) -> None:
    group = Group(kafka, 2000, protocol)
    with group.worker(slow_seconds=0.2) as steady:
        group.await_progress()
        with group.worker() as hasty:
            assert eventually(lambda: '"working"' in hasty.log, PROGRESS_SECONDS)
            assert hasty.terminate() == 0
            said = _what_explains_repeats(hasty)
        assert eventually(group.topics.is_done, PROGRESS_SECONDS, 0.5)
        assert steady.terminate() == 0
        said += _what_explains_repeats(steady)
    assert group.check().repeats == 0, said


def _what_explains_repeats(worker: WorkerProcess) -> list[dict[str, Any]]:
    names = ("partitions lost", "commit refused", "commit not answered")
    return [line for name in names for line in worker.events(name)]
