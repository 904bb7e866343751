"""A topic that stops taking the worker's records stops the worker; it never empties the input into the dead letters."""

import json

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the stub leaves them out of __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from testkit.kafka import Kafka, admin_client, eventually
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120
BREAKER_OPEN = 5


def limit_messages(kafka: Kafka, topic: str, max_bytes: int) -> None:
    admin = admin_client(kafka.bootstrap_servers)
    entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(60)


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_an_output_topic_whose_limit_was_lowered_opens_the_breaker_before_anything_is_rejected(
    kafka: Kafka, guarantee: str
) -> None:
    topics = Topics(kafka)
    settings = {
        **topics.settings,
        "delivery.guarantee": guarantee,
        "batch.max_records": 50,
        "dead_letters.max_run": 20,
        "dead_letters.window_records": 100,
    }
    before = topics.fill(comments(200))
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        limit_messages(kafka, topics.output, 200)
        topics.fill(comments(300, start=before))
        assert worker.process.wait(PROGRESS_SECONDS) == BREAKER_OPEN
        assert "PRODUCE/OutputTooLarge" in worker.log
    assert topics.read(topics.dead_letters) == []
    assert sum(topics.committed().values()) == before
    limit_messages(kafka, topics.output, 1_048_576)
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    labelled = {json.loads(event.value() or b"")["comment"]["id"] for event in topics.read(topics.output)}
    assert labelled == {f"c-{number}" for number in range(before + 300)}
    assert topics.read(topics.dead_letters) == []
