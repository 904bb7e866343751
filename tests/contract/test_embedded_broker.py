"""The embedded broker speaks Kafka, keeps what a group commits, and never outlives the process that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from testkit.kafka import admin_client, eventually
from worker.errors import Fatal
from worker.kafka.embedded.broker import CLUSTER_ID_PREFIX, EmbeddedBroker, embedded_properties
from worker.settings import GroupProtocol

DEADLINE_SECONDS = 60.0
ROOT = Path(__file__).parents[2]

OWNER = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # even if the tests run in the background of a script
from worker.kafka.embedded.broker import EmbeddedBroker
broker = EmbeddedBroker({"comments": 1})
print(broker.pid, flush=True)
while True:
    time.sleep(0.1)  # a signal that comes just before a sleep is seen after it
"""


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker({"comments": 6, "labels": 2}) as running:
        yield running


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"  # in a container there may be no parent to reap it


def member(broker: EmbeddedBroker, protocol: GroupProtocol) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "readers",
            "group.protocol": protocol.value,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **embedded_properties(protocol),
        }
    )


def read(consumer: Consumer, count: int) -> list[Message]:
    found: list[Message] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(found) < count and time.monotonic() < deadline:
        for message in consumer.consume(count - len(found), 0.2):
            assert message.error() is None
            found.append(message)
    return found


def test_it_has_the_requested_topics_and_an_id_that_identifies_it(broker: EmbeddedBroker) -> None:
    described = admin_client(broker.bootstrap_servers).list_topics(timeout=DEADLINE_SECONDS)

    assert {name: len(topic.partitions) for name, topic in described.topics.items()} == {"comments": 6, "labels": 2}
    assert str(described.cluster_id).startswith(CLUSTER_ID_PREFIX)
    assert described.controller_id == 1


@pytest.mark.parametrize("protocol", list(GroupProtocol))
def test_a_group_reads_what_was_produced_and_continues_after_its_commit(
    broker: EmbeddedBroker, protocol: GroupProtocol
) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "compression.type": "lz4"})
    for number in range(300):
        producer.produce("comments", str(number), key=str(number), headers=[("n", str(number))])
    assert producer.flush(DEADLINE_SECONDS) == 0

    first = member(broker, protocol)
    first.subscribe(["comments"])
    found = read(first, 300)
    assert sorted(int(message.value() or b"") for message in found) == list(range(300))
    assert all(message.headers() == [("n", message.value())] for message in found)
    first.commit(asynchronous=False)
    first.close()

    producer.produce("comments", "later", key="0")
    assert producer.flush(DEADLINE_SECONDS) == 0
    second = member(broker, protocol)
    second.subscribe(["comments"])
    assert [message.value() for message in read(second, 1)] == [b"later"]
    committed = second.committed([TopicPartition("comments", number) for number in range(6)], DEADLINE_SECONDS)
    assert sum(max(0, partition.offset) for partition in committed) == 300
    second.close()


def test_close_ends_the_broker_and_may_be_called_twice() -> None:
    broker = EmbeddedBroker({"comments": 1})
    broker.check()

    broker.close()
    broker.close()

    assert is_gone(broker.pid)


def test_a_failed_start_reports_the_clusters_message() -> None:
    with pytest.raises(Fatal, match=r"did not start: it ended at once: .*Assertion"):
        EmbeddedBroker({"comments": -5})


def test_a_broker_that_ends_on_its_own_is_detected(broker: EmbeddedBroker) -> None:
    os.kill(broker.pid, signal.SIGKILL)

    def noticed() -> bool:
        try:
            broker.check()
        except Fatal as error:
            return "ended by itself" in str(error)
        return False

    assert eventually(noticed)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_it_dies_with_the_process_that_started_it(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, cwd=ROOT, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not is_gone(pid)

        owner.send_signal(how)
        owner.wait(DEADLINE_SECONDS)

    assert eventually(lambda: is_gone(pid))
