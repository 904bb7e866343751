"""`Topics` creates what is missing and reports how the rest differs."""

import random
import time

import pytest

from testkit.kafka import Kafka, free_ports
from tests.contract.backend import Backend
from tests.contract.group import Group
from worker.errors import NoBroker, SettingsInvalid
from worker.findings import Finding, Severity
from worker.kafka.embedded.broker import EmbeddedBroker
from worker.kafka.preflight import Preflight
from worker.kafka.topic_needs import HEADER_ROOM_BYTES
from worker.kafka.topics import TopicReport, Topics
from worker.settings import Settings
from worker.settings.shadow import ShadowSettings


def settings(servers: str, name: str) -> Settings:
    return Settings(
        kafka={"bootstrap_servers": servers},
        input={"topic": f"in-{name}"},
        output={"topic": f"out-{name}"},
        dead_letters={"topic": f"dlq-{name}"},
    )


def topics_of(configured: Settings) -> Topics:
    return Topics(configured, clock=time.monotonic, sleep=time.sleep, uniform=random.uniform)


@pytest.mark.kafka
def test_missing_topics_are_created_and_correct_afterwards(kafka: Kafka, run_id: str) -> None:
    topics = topics_of(settings(kafka.bootstrap_servers, run_id))
    assert [r.created for r in topics.ensure(partitions=3, create=False)] == [True] * 3
    made = topics.ensure(partitions=3)
    assert [(r.name, r.created, r.partitions, r.differences) for r in made] == [
        (f"{kind}-{run_id}", True, 3, ()) for kind in ("in", "out", "dlq")
    ]
    again = topics.ensure(partitions=3)
    assert [(r.created, r.partitions, r.differences) for r in again] == [(False, 3, ())] * 3


@pytest.mark.kafka
def test_the_topic_of_a_shadows_examples_is_created_and_needs_nothing_else(kafka: Kafka, run_id: str) -> None:
    shadow = {"model": {"id": "next"}, "examples_topic": f"examples-{run_id}"}
    configured = settings(kafka.bootstrap_servers, run_id).model_copy(update={"shadow": ShadowSettings(**shadow)})
    (finding,) = [one for one in Preflight(configured).look() if one.text.startswith(f"topic examples-{run_id}")]
    assert finding.severity is Severity.WARNING
    assert "`sluice topics` creates it" in finding.text
    *_, made = topics_of(configured).ensure(partitions=3)
    assert made == TopicReport(f"examples-{run_id}", created=True, partitions=3)
    *_, found = topics_of(configured).ensure(partitions=2)
    assert found.differences == (), "examples are in no order, so more partitions are no difference"
    assert (
        Finding(Severity.OK, f"topic examples-{run_id} is there, with the right to write")
        in Preflight(configured).look()
    )


@pytest.mark.kafka
def test_dead_letters_need_room_for_their_headers(kafka: Kafka, run_id: str) -> None:
    kafka.create_topic(f"in-{run_id}", 3, {"max.message.bytes": "2000000"})
    kafka.create_topic(f"dlq-{run_id}", 2)
    found, made, dead = topics_of(settings(kafka.bootstrap_servers, run_id)).ensure(partitions=3)
    assert (found.differences, made.differences) == ((), ())
    assert "2 partitions" in dead.differences[0]
    assert f"max.message.bytes={2_000_000 + HEADER_ROOM_BYTES}" in dead.differences[1]
    assert "retention.ms=-1" in dead.differences[2]


@pytest.mark.kafka
def test_retention_counted_from_the_append_time_is_no_difference(kafka: Kafka, run_id: str) -> None:
    kafka.create_topic(f"in-{run_id}", 3)
    room = {"max.message.bytes": "2000000", "message.timestamp.type": "LogAppendTime"}
    kafka.create_topic(f"dlq-{run_id}", 3, room)
    *_, dead = topics_of(settings(kafka.bootstrap_servers, run_id)).ensure(partitions=3)
    assert dead.differences == ()


@pytest.mark.kafka
def test_a_compacted_output_and_dead_letters_that_are_refused_for_their_time_are_differences(
    kafka: Kafka, run_id: str
) -> None:
    kafka.create_topic(f"in-{run_id}", 3)
    room = {"max.message.bytes": "2000000"}
    kafka.create_topic(f"out-{run_id}", 3, room | {"cleanup.policy": "compact"})
    times = {"message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "86400000"}
    kafka.create_topic(f"dlq-{run_id}", 3, room | times | {"retention.ms": "-1"})
    _, made, dead = topics_of(settings(kafka.bootstrap_servers, run_id)).ensure(partitions=3, create=False)
    assert "is compacted" in made.differences[0]
    assert "3600000 ms after now" in dead.differences[0]
    assert "86400000 ms before now" in dead.differences[1]


@pytest.mark.kafka
def test_more_replicas_than_brokers_is_a_settings_error(kafka: Kafka, run_id: str) -> None:
    with pytest.raises(SettingsInvalid, match="INVALID_REPLICATION_FACTOR"):
        topics_of(settings(kafka.bootstrap_servers, run_id)).ensure(partitions=1, replication=3)


def test_the_embedded_broker_needs_no_topics_created(embedded: EmbeddedBroker, run_id: str) -> None:
    group = Group(Backend(embedded.bootstrap_servers, "classic", None), run_id)
    with pytest.raises(SettingsInvalid, match="embedded"):
        topics_of(group.settings()).ensure(partitions=1)


def test_a_missing_broker_is_reported() -> None:
    (port,) = free_ports(1)
    nobody = Settings(kafka={"bootstrap_servers": f"127.0.0.1:{port}", "no_broker_seconds": 0.5})
    with pytest.raises(NoBroker, match=str(port)):
        topics_of(nobody).ensure(partitions=1)
