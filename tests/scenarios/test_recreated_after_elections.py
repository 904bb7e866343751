"""A topic created again begins with a lower leader epoch than the old one ended with, and is read on all the same."""

import time
import uuid
from typing import Any

import pytest
from confluent_kafka.cimpl import NewTopic

from testkit.kafka import Kafka, admin_client, eventually
from testkit.member import Member, produce
from worker.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

PATIENCE_SECONDS = 120
COUNT = 20
GUARANTEES = {"classic": "at-least-once", "consumer": "exactly-once"}
"""The guarantee of the member that uses each group protocol."""


class Scene:
    """A topic of one partition on the first two nodes, and one member for each protocol that reads it."""

    def __init__(self, cluster: Kafka) -> None:
        self.cluster = cluster
        self.servers = cluster.bootstrap_servers
        self.admin = admin_client(self.servers)
        self.topic = f"in-{uuid.uuid4().hex[:10]}"
        self.create()
        self.read: dict[str, set[object]] = {protocol: set() for protocol in GUARANTEES}
        self.members = {protocol: Member(self._settings(protocol)) for protocol in GUARANTEES}

    def _settings(self, protocol: str) -> Settings:
        name = f"group-{uuid.uuid4().hex[:10]}"
        return Settings(
            kafka={
                "bootstrap_servers": self.servers,
                "group_id": name,
                "group_protocol": protocol,
                "properties": {"session.timeout.ms": 60_000} if protocol == "classic" else {},
            },
            input={"topic": self.topic},
            output={"topic": self.cluster.create_topic(f"out-{name}")},
            dead_letters={"topic": self.cluster.create_topic(f"dlq-{name}")},
            delivery={"guarantee": GUARANTEES[protocol], "timeout_seconds": PATIENCE_SECONDS},
        )

    def create(self) -> None:
        config = {"min.insync.replicas": "1"}
        new = NewTopic(self.topic, 1, replica_assignment=[[1, 2]], config=config)
        self.admin.create_topics([new])[self.topic].result(60)
        assert eventually(lambda: self.leader() == 1, PATIENCE_SECONDS)

    def create_again(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result(60)
        assert eventually(lambda: self.topic not in self.admin.list_topics(timeout=30).topics, PATIENCE_SECONDS)
        self.create()

    def leader(self) -> int | None:
        """The node that leads the partition; None while the topic is new to the broker that is asked."""
        partition = self._partition()
        return None if partition is None else int(partition.leader)

    def in_sync(self) -> set[int]:
        partition = self._partition()
        return set() if partition is None else set(partition.isrs)

    def _partition(self) -> Any:
        return self.admin.list_topics(self.topic, timeout=30).topics[self.topic].partitions.get(0)

    def move_leader(self, away: int, to: int) -> None:
        node = self.cluster.nodes[away - 1]
        node.kill()
        assert eventually(lambda: self.leader() == to, PATIENCE_SECONDS)
        node.start()
        assert eventually(lambda: self.in_sync() == {1, 2}, PATIENCE_SECONDS)

    def all_read(self, kind: str) -> None:
        records = ({"value": f"{kind}-{n}".encode(), "partition": 0} for n in range(COUNT))
        produce(self.servers, self.topic, records)
        wanted = {f"{kind}-{n}".encode() for n in range(COUNT)}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            left = {name: len(wanted - self.read[name]) for name in self.members}
            if not any(left.values()):
                return
            assert time.monotonic() < deadline, (kind, left)
            for name, member in self.members.items():
                member.step()
                self.read[name] |= {record.value() for record, _ in member.polled}
                member.publish()
                member.settled += member.publisher.settle(0.02)

    def close(self) -> None:
        for member in self.members.values():
            member.close()


def test_a_topic_created_again_after_elections_is_read_on_when_its_leader_changes(breakable_cluster: Kafka) -> None:
    scene = Scene(breakable_cluster)
    scene.all_read("first")
    scene.move_leader(1, 2)
    scene.all_read("second")
    scene.move_leader(2, 1)
    scene.all_read("third")
    scene.create_again()
    scene.all_read("recreated")
    scene.move_leader(1, 2)
    scene.all_read("moved")
    scene.close()
