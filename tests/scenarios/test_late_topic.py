"""A worker may start before its input topic exists."""

import json

import pytest

from testkit.kafka import Kafka, admin_client, eventually
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120


def groups(kafka: Kafka) -> set[str]:
    """Groups that have had a member."""
    admin = admin_client(kafka.bootstrap_servers)
    return {group.group_id for group in admin.list_consumer_groups(request_timeout=30).result(60).valid}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_topic_created_after_the_worker_started_is_read_from_its_beginning(kafka: Kafka, protocol: str) -> None:
    topics = Topics(kafka)
    topics.input += "-late"
    settings = {
        **topics.settings,
        "kafka.group_protocol": protocol,
        "kafka.properties": json.dumps({"topic.metadata.refresh.interval.ms": 500}),
    }
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(lambda: f"topic {topics.input} does not exist" in worker.log, PROGRESS_SECONDS)
        if protocol == "consumer":  # with the classic protocol it joins once the topic exists
            assert eventually(lambda: topics.group in groups(kafka), PROGRESS_SECONDS)
        kafka.create_topic(topics.input, 4)
        count = topics.fill(comments(100))
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    assert len(topics.read(topics.output)) == count
