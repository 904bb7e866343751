"""Whenever a worker stops on its own, it leaves its group and commits only work that is done."""

import signal
import time

import pytest

from testkit.kafka import Kafka, admin_client, eventually
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120
LEAVE_SECONDS = 20
"""Well below the session timeout of 45 s: a member that is gone by then has left its group."""


def has_members(kafka: Kafka, group: str) -> bool:
    admin = admin_client(kafka.bootstrap_servers)
    return bool(admin.describe_consumer_groups([group])[group].result(30).members)


def test_a_second_signal_stops_at_once_and_commits_nothing(kafka: Kafka) -> None:
    topics = Topics(kafka)
    topics.fill(comments(100))
    with WorkerProcess(kafka.bootstrap_servers, topics.settings, slow_seconds=600) as worker:
        assert eventually(lambda: "scoring" in worker.log, PROGRESS_SECONDS)
        worker.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: "draining" in worker.log, PROGRESS_SECONDS)
        begun = time.monotonic()
        assert worker.terminate() == 4
        assert time.monotonic() - begun < 20, "the drain deadline is 25 s: this one did not wait for it"
        assert "second signal" in worker.log
    assert not any(topics.committed().values()), "nothing but where the group starts is committed"


def test_an_open_breaker_ends_the_worker_which_leaves_its_group(kafka: Kafka) -> None:
    topics = Topics(kafka)
    topics.fill([*comments(40), *[b"not json"] * 40], partitions=1)
    settings = {**topics.settings, "dead_letters.max_run": 30, "batch.max_records": 10}
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert worker.process.wait(PROGRESS_SECONDS) == 5
        assert "circuit breaker" in worker.log
    assert eventually(lambda: not has_members(kafka, topics.group), LEAVE_SECONDS)
    assert sum(topics.committed().values()) < 70
    assert len(topics.read(topics.dead_letters)) < 30


DELETED = b'{"before":{"id":"c-1"},"after":null,"op":"d"}'
ENVELOPE = {"input.envelope": "debezium"}


@pytest.mark.parametrize("deletion", [None, DELETED], ids=["tombstones", "envelopes"])
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_a_purge_opens_no_breaker_and_is_committed(
    kafka: Kafka, guarantee: str, protocol: str, deletion: bytes | None
) -> None:
    topics = Topics(kafka)
    given = comments(40)
    values = given if deletion is None else [b'{"before":null,"after":%b,"op":"c"}' % value for value in given]
    topics.fill([*values[:20], *[deletion] * 1500, *values[20:]], partitions=1)
    settings = {
        **topics.settings,
        **({} if deletion is None else ENVELOPE),
        "delivery.guarantee": guarantee,
        "kafka.group_protocol": protocol,
        "dead_letters.max_run": 30,
        "dead_letters.window_records": 100,
    }
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    assert len(topics.read(topics.output)) == 40
    assert topics.read(topics.dead_letters) == []


def test_work_dropped_at_the_deadline_does_not_keep_the_worker_in_its_group(kafka: Kafka) -> None:
    topics = Topics(kafka)
    topics.fill(comments(100))
    settings = {**topics.settings, "delivery.drain_seconds": 0.5}
    with WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=600) as worker:
        assert eventually(lambda: "scoring" in worker.log, PROGRESS_SECONDS)
        assert worker.terminate() == 4
    assert eventually(lambda: not has_members(kafka, topics.group), LEAVE_SECONDS)
