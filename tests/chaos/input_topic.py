"""What an administrator does to the input topic, and asks of it. Each call blocks until the brokers have done it."""

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.cimpl import NewPartitions, NewTopic

from testkit.kafka import admin_client, eventually
from testkit.stream import Topics
from testkit.topic_reader import committed_offsets, end_offsets
from tests.chaos.cluster import NODES, Cluster

PARTITIONS = 6
_PATIENCE_SECONDS = 120.0
_Answer = TypeVar("_Answer")


class InputTopic:
    """The input topic of a run."""

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics
        self._name = topics.input

    def topic_id(self) -> str:
        """The id of the log that the topic's name refers to now."""
        return _patiently(self._topic_id)

    def add_partition(self) -> None:
        """One more."""
        count = len(self.ends())
        more = NewPartitions(self._name, count + 1)
        self._cluster.ask(lambda admin: admin.create_partitions([more]), KafkaError.INVALID_PARTITIONS)

    def delete(self) -> None:
        """Delete it, and wait until no broker knows it."""
        self._cluster.ask(lambda admin: admin.delete_topics([self._name]), KafkaError.UNKNOWN_TOPIC_OR_PART)
        assert eventually(lambda: not self._leaders(), _PATIENCE_SECONDS), f"topic {self._name} stays"

    def create(self) -> str:
        """Make it again, and return its id."""
        topic = NewTopic(self._name, PARTITIONS, NODES)
        self._cluster.ask(lambda admin: admin.create_topics([topic]), KafkaError.TOPIC_ALREADY_EXISTS)
        assert eventually(self._is_led, _PATIENCE_SECONDS), f"topic {self._name} has partitions without a leader"
        return self.topic_id()

    def delete_records(self, *, beyond_committed: int | None = None) -> dict[int, int]:
        """Delete records as retention does.

        Args:
            beyond_committed: How many offsets at most beyond the group's, in each partition; None: all there are.

        Returns:
            Where each partition begins now.
        """
        begins = self.ends()
        if beyond_committed is not None:
            committed = self.committed()
            begins = {p: min(end, committed.get(p, 0) + beyond_committed) for p, end in begins.items()}
        before = [TopicPartition(self._name, partition, begin) for partition, begin in begins.items() if begin]
        self._cluster.ask(lambda admin: admin.delete_records(before))
        return begins

    def committed(self) -> dict[int, int]:
        """The group's next offsets, by partition."""
        servers = self._cluster.kafka.bootstrap_servers
        return _patiently(lambda: committed_offsets(servers, self._topics.group, self._name))

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""
        return _patiently(lambda: end_offsets(self._cluster.kafka.bootstrap_servers, self._name))

    def _is_led(self) -> bool:
        leaders = self._leaders()
        return len(leaders) == PARTITIONS and min(leaders) >= 0

    def _leaders(self) -> list[int]:
        """The leader of each partition; none if there is no such topic, -1 if nobody can say."""
        admin = admin_client(self._cluster.kafka.bootstrap_servers)
        try:
            topics = admin.list_topics(timeout=5).topics
        except KafkaException:
            return [-1]
        return [p.leader for p in topics[self._name].partitions.values()] if self._name in topics else []

    def _topic_id(self) -> str:
        (described,) = self._cluster.ask(lambda admin: admin.describe_topics(TopicCollection([self._name])))
        return str(described.topic_id)


def _patiently(ask: Callable[[], _Answer]) -> _Answer:
    """Ask until there is an answer: leaders and coordinators move during a run."""
    answers: list[_Answer] = []

    def answered() -> bool:
        try:
            answers.append(ask())
        except (KafkaException, KeyError):
            return False
        return True

    assert eventually(answered, _PATIENCE_SECONDS), "no broker answers"
    return answers[0]
