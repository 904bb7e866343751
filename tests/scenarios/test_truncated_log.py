"""A log that lost its end is noticed by its leader epoch (KIP-320), even after it has grown past the group's position.

An unclean leader election makes a replica the leader that lacks the last records. What is written then takes the
offsets of what was lost, so a position looks as valid as before.
"""

import time
import uuid

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from testkit.kafka import Kafka, admin_client, eventually
from testkit.member import Member, produce
from testkit.topic_reader import committed_offsets, read_to_end
from worker.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

PATIENCE_SECONDS = 240
KEPT, LOST, NEW = 50, 30, 100
COMBINATIONS = [
    ("at-least-once", "classic"),
    ("at-least-once", "consumer"),
    ("exactly-once", "classic"),
    ("exactly-once", "consumer"),
]


class Reader:
    """A group of one member, which may be stopped and started."""

    def __init__(self, cluster: Kafka, topic: str, guarantee: str, protocol: str, start: str) -> None:
        self.servers = cluster.bootstrap_servers
        self.label = f"{guarantee}, {protocol}"
        self.name = f"group-{uuid.uuid4().hex[:10]}"
        self.topic = topic
        self.output = cluster.create_topic(f"out-{self.name}")
        self.settings = Settings(
            kafka={
                "bootstrap_servers": self.servers,
                "group_id": self.name,
                "group_protocol": protocol,
                "properties": {"session.timeout.ms": 60_000} if protocol == "classic" else {},
            },
            input={"topic": topic, "start": start},
            output={"topic": self.output},
            dead_letters={"topic": cluster.create_topic(f"dlq-{self.name}")},
            delivery={"guarantee": guarantee, "timeout_seconds": PATIENCE_SECONDS},
        )
        self.member: Member | None = None

    def start(self) -> None:
        self.member = Member(self.settings)

    def stop(self) -> None:
        if self.member is not None:
            self.member.close()
            self.member = None

    def turn(self) -> None:
        if self.member is not None:
            self.member.step()
            self.member.publish()
            self.member.settled += self.member.publisher.settle(0.02)

    @property
    def committed(self) -> int:
        return committed_offsets(self.servers, self.name, self.topic).get(0, 0)

    def published(self) -> list[bytes]:
        return [message.value() or b"" for message in read_to_end(self.servers, self.output)]


def until_all_at(readers: list[Reader], offset: int) -> None:
    """Let every member work until each group has committed this offset."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    left = list(readers)
    while left:
        assert time.monotonic() < deadline, [f"{reader.label}: {reader.committed}" for reader in left]
        for _ in range(20):
            for reader in readers:
                reader.turn()
        left = [reader for reader in left if reader.committed != offset]


def test_a_truncated_log_is_read_again_from_where_it_was_cut_off(breakable_cluster: Kafka) -> None:
    cluster = breakable_cluster
    topic = f"in-{uuid.uuid4().hex[:10]}"
    admin = admin_client(cluster.bootstrap_servers)
    config = {"unclean.leader.election.enable": "true", "min.insync.replicas": "1"}
    admin.create_topics([NewTopic(topic, 1, replica_assignment=[[1, 2]], config=config)])[topic].result(60)
    first, second, _ = cluster.nodes
    running = [Reader(cluster, topic, *combination, start="latest") for combination in COMBINATIONS]
    stopped = Reader(cluster, topic, *COMBINATIONS[0], start="latest")
    readers = [*running, stopped]
    for reader in readers:
        reader.start()
    until_all_at(readers, 0)

    send(cluster, topic, "kept", KEPT)
    until_all_at(readers, KEPT)
    second.kill()
    assert eventually(lambda: in_sync(admin, topic) == {1}, PATIENCE_SECONDS)
    send(cluster, topic, "lost", LOST)
    until_all_at(readers, KEPT + LOST)
    stopped.stop()
    first.kill()
    second.start()
    assert eventually(lambda: leader(admin, topic) == 2, PATIENCE_SECONDS)
    send(cluster, topic, "new", NEW)
    stopped.start()

    until_all_at(readers, KEPT + NEW)
    kinds = ((b"kept", KEPT), (b"lost", LOST), (b"new", NEW))
    everything = sorted(b"%b-%d" % (kind, number) for kind, count in kinds for number in range(count))
    for reader in readers:
        published = sorted(reader.published())
        assert sorted(set(published)) == everything, reader.label
        if reader.label.startswith("exactly-once"):
            assert published == everything, reader.label
        assert reader.member is not None
        assert reader.member.source.facts().positions_moved["truncated"] == 1, reader.label
        reader.stop()


def send(cluster: Kafka, topic: str, kind: str, count: int) -> None:
    records = ({"value": f"{kind}-{n}".encode(), "partition": 0} for n in range(count))
    produce(cluster.bootstrap_servers, topic, records)


def in_sync(admin: AdminClient, topic: str) -> set[int]:
    return set(admin.list_topics(topic, timeout=30).topics[topic].partitions[0].isrs)


def leader(admin: AdminClient, topic: str) -> int:
    return admin.list_topics(topic, timeout=30).topics[topic].partitions[0].leader
