"""A principal with limited rights: every refusal names the topic, the right, and the command that grants it."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the stub leaves them out of __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from starlette.testclient import TestClient

from testkit.child_process import ROOT
from testkit.kafka import admin_client, eventually, kafka_home
from testkit.secured_kafka import SecuredKafka
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess, environment_of
from tests.docs.blocks import DOCS, blocks
from worker.events.dead_letter import DeadLetterEncoder
from worker.page.app import make_app
from worker.page.parts import make_parts
from worker.settings import Settings
from worker.settings.configuration import load
from worker.settings.origins import variable
from worker.types import Assignment, Rejected, Stage

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 240
WORKER, EXACTLY_ONCE, DOCTOR, SHOW, REPLAY, PAGE = range(6)
"""The blocks of the page on rights."""

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


def grant_as_documented(guarded: SecuredKafka, topics: Topics, part: int) -> None:
    """Run the `kafka-acls` lines of one block of the page on rights, with the names of this test."""
    page = [block for block in blocks(DOCS / "how-to/tls-sasl.md") if block.text.startswith("kafka-acls")]
    names = {
        "comments": topics.input,
        "comment-labels": topics.output,
        "comments.dlq": topics.dead_letters,
        "sluice": topics.group,
        "sluice-replay": f"{topics.group}-replay",
        "sluice-sluice-": f"sluice-{topics.group}-",
    }
    for line in page[part].text.splitlines():
        given = dict(re.findall(r"--([a-z-]+) ([^-]\S*)", line))
        assert shlex.split(line)[0] == "kafka-acls"
        (kind,) = given.keys() & {"topic", "group", "transactional-id"}
        guarded.grant(
            AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", given["operation"]).upper()],
            ResourceType[kind.replace("-", "_").upper()],
            names[given[kind]],
            ResourcePatternType[given.get("resource-pattern-type", "literal").upper()],
        )


def ended(guarded: SecuredKafka, topics: Topics, command: str, **others: object) -> tuple[int, str]:
    """Exit code and everything a command wrote; `others` are further settings, with __ for a dot."""
    given = settings(guarded, topics) | {name.replace("__", "."): value for name, value in others.items()}
    done = subprocess.run(
        [sys.executable, "-m", "worker", *command.split()],
        input="",
        env=environment_of(given),
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
    grant_as_documented(guarded, topics, EXACTLY_ONCE)
    given = {**settings(guarded, topics), "delivery.guarantee": guarantee}
    with WorkerProcess(guarded.cluster.secured_servers, given) as worker:
        assert worker.process.wait(PROGRESS_SECONDS) == 1
        assert f"lacks the right Write on topic {topics.dead_letters}: kafka-acls" in worker.log


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_the_documented_rights_are_enough_for_a_worker(guarded: SecuredKafka, guarantee: str, protocol: str) -> None:
    topics = Topics(guarded.cluster)
    count = topics.fill([*comments(10), b"not json"])
    grant_as_documented(guarded, topics, WORKER)
    if guarantee == "exactly-once":
        grant_as_documented(guarded, topics, EXACTLY_ONCE)
    given = {**settings(guarded, topics), "delivery.guarantee": guarantee, "kafka.group_protocol": protocol}
    with WorkerProcess(guarded.cluster.secured_servers, given) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
        assert "lacks the right Write" not in worker.log
        assert "lacks the right Read" not in worker.log
    assert len(topics.read(topics.output)) == count - 1
    assert len(topics.read(topics.dead_letters)) == 1


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_worker_whose_group_is_withdrawn_while_it_works_names_the_right(guarded: SecuredKafka, protocol: str) -> None:
    topics = Topics(guarded.cluster)
    topics.fill(comments(10))
    grant_as_documented(guarded, topics, WORKER)
    given = {**settings(guarded, topics), "kafka.group_protocol": protocol}
    with WorkerProcess(guarded.cluster.secured_servers, given) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        guarded.deny(READ, GROUP, topics.group)
        assert worker.process.wait(PROGRESS_SECONDS) == 1
        assert f"lacks the right Read on group {topics.group}: kafka-acls" in worker.log


def test_without_the_right_to_its_transactional_ids_a_worker_ends_and_names_it(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    grant_as_documented(guarded, topics, WORKER)
    named = f"lacks the right Write on transactional-id sluice-{topics.group}-*: kafka-acls"
    line = f"--operation Write --transactional-id sluice-{topics.group}- --resource-pattern-type prefixed"
    given = {**settings(guarded, topics), "delivery.guarantee": "exactly-once"}
    with WorkerProcess(guarded.cluster.secured_servers, given) as worker:
        assert worker.process.wait(PROGRESS_SECONDS) == 1
        assert named in worker.log
        assert line in worker.log
    code, said = ended(guarded, topics, "doctor", delivery__guarantee="exactly-once")
    assert code == 1
    assert named in said
    assert line in said


def test_with_the_documented_rights_doctor_sees_everything(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    for part in (WORKER, EXACTLY_ONCE, DOCTOR):
        grant_as_documented(guarded, topics, part)
    given = {"delivery__guarantee": "exactly-once", "kafka__group_protocol": "consumer"}
    _, said = ended(guarded, topics, "doctor", **given)
    assert "lacks" not in said
    assert "can't be" not in said
    assert f"ok: transactional ids that begin with sluice-{topics.group}- are accepted" in said
    assert f"ok: group {topics.group} gives up a worker that died after 10000 ms" in said


def test_doctor_names_a_groups_long_session_with_the_command_that_shortens_it(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    for part in (WORKER, DOCTOR):
        grant_as_documented(guarded, topics, part)
    configure_group(guarded, topics.group, "consumer.session.timeout.ms=45000")
    _, said = ended(guarded, topics, "doctor", kafka__group_protocol="consumer")
    assert "killed after 45 s (consumer.session.timeout.ms = 45000)" in said
    found = re.search(r"kafka-configs .* --entity-name (\S+) --add-config (\S+)", said)
    assert found is not None
    assert found[1] == topics.group
    configure_group(guarded, topics.group, found[2])
    _, said = ended(guarded, topics, "doctor", kafka__group_protocol="consumer")
    assert f"ok: group {topics.group} gives up a worker that died after 12000 ms" in said
    _, said = ended(guarded, topics, "doctor")
    assert "gives up a worker" not in said, "the session of the classic protocol is the client's"


def configure_group(guarded: SecuredKafka, group: str, config: str) -> None:
    """As `kafka-configs --alter --entity-type groups --add-config` does."""
    admin = admin_client(guarded.cluster.bootstrap_servers)
    pairs = [pair.split("=") for pair in config.split(",")]
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in pairs]
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(PROGRESS_SECONDS)


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


def test_the_documented_rights_are_enough_to_show_and_replay_dead_letters(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    reject(guarded, topics, 3)
    grant_as_documented(guarded, topics, SHOW)
    code, said = ended(guarded, topics, "dead-letters show")
    assert (code, "3 dead letters" in said) == (0, True), said
    grant_as_documented(guarded, topics, REPLAY)
    code, said = ended(guarded, topics, "dead-letters replay")
    assert code == 0, said
    assert len(topics.read(topics.input)) == 3


def test_a_page_without_rights_says_what_it_lacks_and_with_the_documented_ones_knows_all(guarded: SecuredKafka) -> None:
    topics = Topics(guarded.cluster)
    reject(guarded, topics, 3)
    given = {variable(name): str(value) for name, value in settings(guarded, topics).items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        loaded = load()
    app = make_app(make_parts(loaded), Path("no static files"))
    with TestClient(app, base_url="http://127.0.0.1:8090") as client:

        def get(path: str) -> Any:
            answer = client.get(f"/api/{path}")
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert eventually(lambda: get("health")["checks"][1]["state"] == "failed"), "topics that may not be described"
        now = get("now")
        assert now["lag"]["total"]["unknown"]
        assert now["members"]["unknown"]
        grant_as_documented(guarded, topics, PAGE)
        assert eventually(lambda: get("now")["lag"]["total"] == 0, PROGRESS_SECONDS)
        assert eventually(lambda: get("now")["members"] == [], PROGRESS_SECONDS)
        assert eventually(lambda: sum(one["count"] for one in get("dead-letters")["groups"]) == 3, PROGRESS_SECONDS)
        assert eventually(lambda: "Read" not in get("events")["note"], PROGRESS_SECONDS)


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
