"""A principal with limited rights: every refusal names the topic, the right, and the command that grants it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from testkit.child_process import ROOT
from testkit.kafka import eventually, kafka_home
from testkit.secured_kafka import SecuredKafka
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess, environment_of
from worker.events.dead_letter import DeadLetterEncoder
from worker.settings import Settings
from worker.types import Assignment, Rejected, Stage

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120
TOPIC, GROUP = ResourceType.TOPIC, ResourceType.GROUP
READ, WRITE, DESCRIBE = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
CONFIGS = AclOperation.DESCRIBE_CONFIGS


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(kafka_home(), tmp_path_factory.mktemp("keys"), authorizer=True) as broker:
        yield broker


def settings(guarded: SecuredKafka, topics: Topics) -> dict[str, object]:
    return {
        **topics.settings,
        "kafka.bootstrap_servers": guarded.cluster.secured_servers,
        "kafka.properties": json.dumps(guarded.properties()),
        "kafka.no_broker_seconds": 30,
    }


def ended(guarded: SecuredKafka, topics: Topics, command: str) -> tuple[int, str]:
    """Exit code and everything a command wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "worker", *command.split()],
        input="",
        env=environment_of(settings(guarded, topics)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROGRESS_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def reject(guarded: SecuredKafka, topics: Topics, count: int) -> None:
    """Write dead letters as a worker would."""
    record = Message(topic=topics.input, partition=0, offset=0, key=b"k", value=b"not json", timestamp=(1, 1))
    outcome: Any = Rejected(record, Assignment(topics.input, 0, 1), Stage.DECODE, "InvalidJson", "not JSON")  # type: ignore[arg-type] # a Message is a Record
    letter = DeadLetterEncoder(Settings(), task_id="t", model_id="m", clock=time.time).encode(outcome)
    producer = Producer({"bootstrap.servers": guarded.cluster.bootstrap_servers, "log_level": 0})
    for _ in range(count):
        producer.produce(topics.dead_letters, letter.value, letter.key, headers=dict(letter.headers))
    assert producer.flush(60) == 0


def test_doctor_names_each_right_that_lacks_and_is_content_when_all_are_there(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    code, said = ended(guarded, topics, "doctor")
    assert code == 1
    for right in (f"Read on topic {topics.input}", f"Write on topic {topics.output}"):
        assert f"error: this principal lacks the right {right}" in said
    assert f"--operation Write --topic {topics.dead_letters}" in said
    assert f"--operation Read --group {topics.group}" in said
    for name, operation in ((topics.input, READ), (topics.output, WRITE), (topics.dead_letters, WRITE)):
        guarded.grant(operation, TOPIC, name)
    guarded.grant(READ, GROUP, topics.group)
    code, said = ended(guarded, topics, "doctor")
    assert code == 1
    assert "error:" not in said
    grant = "kafka-acls --bootstrap-server BROKER --add --allow-principal User:NAME --operation DescribeConfigs --topic"
    assert f"{grant} {topics.input}" in said
    for name in (topics.input, topics.output, topics.dead_letters):
        guarded.grant(CONFIGS, TOPIC, name)
    code, said = ended(guarded, topics, "doctor")
    assert f"warning: {topics.dead_letters} drops records" in said
    assert f"{topics.output} takes records up to" in said


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_a_worker_that_may_not_write_dead_letters_ends_at_its_start_not_at_the_first_bad_record(
    guarded: SecuredKafka, guarantee: str
) -> None:
    topics = Topics(guarded.cluster)
    topics.fill(comments(10))
    guarded.grant(READ, TOPIC, topics.input)
    guarded.grant(WRITE, TOPIC, topics.output)
    guarded.grant(READ, GROUP, topics.group)
    guarded.grant(WRITE, ResourceType.TRANSACTIONAL_ID, "*")
    given = {**settings(guarded, topics), "delivery.guarantee": guarantee}
    with WorkerProcess(guarded.cluster.secured_servers, given) as worker:
        assert worker.process.wait(PROGRESS_SECONDS) == 1
        assert f"lacks the right Write on topic {topics.dead_letters}: kafka-acls" in worker.log


def test_a_worker_with_its_rights_says_nothing_of_them_and_labels(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    count = topics.fill(comments(10))
    for name, operation in ((topics.input, READ), (topics.output, WRITE), (topics.dead_letters, WRITE)):
        guarded.grant(operation, TOPIC, name)
    guarded.grant(READ, GROUP, topics.group)
    with WorkerProcess(guarded.cluster.secured_servers, settings(guarded, topics)) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
        assert "lacks the right Write" not in worker.log
    assert len(topics.read(topics.output)) == count


def test_watch_without_the_right_to_read_ends_and_names_it(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    guarded.grant(DESCRIBE, TOPIC, topics.output)
    code, said = ended(guarded, topics, "watch --from-start --count 1")
    assert code == 1
    assert f"--operation Read --topic {topics.output}" in said


def test_dead_letters_are_shown_without_any_right_on_a_group(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    reject(guarded, topics, 3)
    guarded.grant(READ, TOPIC, topics.dead_letters)
    code, said = ended(guarded, topics, "dead-letters show")
    assert (code, "3 dead letters" in said) == (0, True), said


def test_replay_names_the_right_on_the_group_of_its_position(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    reject(guarded, topics, 1)
    guarded.grant(READ, TOPIC, topics.dead_letters)
    guarded.grant(WRITE, TOPIC, topics.input)
    code, said = ended(guarded, topics, "dead-letters replay")
    assert code == 1
    assert f"--operation Read --group {topics.group}-replay" in said


def test_checking_topics_names_the_right_to_see_their_configuration(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    guarded.grant(READ, TOPIC, topics.input)
    code, said = ended(guarded, topics, "topics --check")
    assert code == 1
    assert f"--operation DescribeConfigs --topic {topics.input}" in said
