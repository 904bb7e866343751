"""A real Kafka for tests: one node or several, from the distribution named by `KAFKA_HOME`.

Each node is a KRaft broker and controller, on free ports, with its logs in a temporary folder. No node outlives the
test run: it is ended by `stop`, by `atexit`, or by the kernel (`PR_SET_PDEATHSIG`) if the run itself is killed.

For the fixtures, write `from testkit.kafka import kafka, kafka_cluster` in a `conftest.py`; tests that use them carry
the marker `kafka`. They skip with a message where `KAFKA_HOME` is not set.
"""

import atexit
import base64
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from testkit.kafka_node import START_SECONDS, KafkaDidNotStart, Node, node_properties, secured_listeners


def find_kafka_home(environment: Mapping[str, str]) -> Path | str:
    """The distribution's folder, or the reason why there is none."""
    home = environment.get("KAFKA_HOME")
    if not home:
        return "KAFKA_HOME is not set. Set it to the folder of an Apache Kafka distribution (4.x)."
    folder = Path(home)
    if not (folder / "bin/kafka-server-start.sh").exists():
        return f"KAFKA_HOME={home} has no bin/kafka-server-start.sh"
    if shutil.which("java") is None and "JAVA_HOME" not in environment:
        return "Kafka needs Java 17, but there is no java on the PATH and JAVA_HOME is not set"
    return folder.resolve()


def kafka_home() -> Path:
    """The distribution's folder; skips the test if there is none."""
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        pytest.skip(home)
    return home


class Kafka:
    """A cluster of `nodes` brokers; a context manager.

    Args:
        home: Folder of the distribution.
        nodes: 1, or 3 for replication factor 3 with two in-sync replicas required.
        properties: Further broker properties, for example `max.message.bytes`.
        secured: Each node also listens for SASL over TLS and for clients with a certificate; `properties` give the keys
            and users.
        java_options: Further options of each node's Java.

    Attributes:
        folder: Where the nodes' logs and settings are, in `node-1` and so on.
        bootstrap_servers: Addresses that accept every client.
        secured_servers: Addresses that require SASL over TLS; empty without `secured`.
        mutual_servers: Addresses that require a certificate of the client; empty without `secured`.
    """

    def __init__(
        self,
        home: Path,
        nodes: int = 1,
        properties: Mapping[str, str] | None = None,
        *,
        secured: bool = False,
        java_options: str = "",
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-kafka-"))
        ports = free_ports(4 * nodes)
        secured_ports = ports[2 * nodes : 3 * nodes] if secured else []
        mutual_ports = ports[3 * nodes :] if secured else []
        voters = ",".join(f"{n + 1}@127.0.0.1:{ports[nodes + n]}" for n in range(nodes))
        self.nodes = [
            Node(
                home,
                self.folder,
                n + 1,
                ports[n],
                node_properties(self.folder, n + 1, ports[n], ports[nodes + n], voters, nodes)
                | (secured_listeners(ports[n], ports[nodes + n], secured_ports[n], mutual_ports[n]) if secured else {})
                | dict(properties or {}),
                java_options,
            )
            for n in range(nodes)
        ]
        self.bootstrap_servers = ",".join(node.address for node in self.nodes)
        self.secured_servers = ",".join(f"127.0.0.1:{port}" for port in secured_ports)
        self.mutual_servers = ",".join(f"127.0.0.1:{port}" for port in mutual_ports)
        atexit.register(self.close)

    def start(self) -> Self:
        """Start every node and wait until all of them are brokers.

        Raises:
            KafkaDidNotStart: A node did not start.
        """
        cluster_id = "-"
        while cluster_id.startswith("-"):  # the command line would parse it as an option
            cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        for node in self.nodes:
            node.format(cluster_id)
        for node in self.nodes:
            node.start()
        self.wait_until_up()
        return self

    def wait_until_up(self, brokers: int | None = None, seconds: float = START_SECONDS) -> None:
        """Wait until this many brokers (default: all) are in the metadata and topics can be listed."""
        expected = brokers or len(self.nodes)
        admin = admin_client(self.bootstrap_servers)

        def up() -> bool:
            for node in self.nodes:
                if not node.running and expected == len(self.nodes):
                    message = f"node {node.number} ended:\n{node.tail()}"
                    raise KafkaDidNotStart(message)
            try:
                return len(admin.list_topics(timeout=2).brokers) >= expected
            except KafkaException:
                return False

        if not eventually(up, seconds):
            message = f"{expected} brokers did not answer within {seconds:g} s:\n{self.nodes[0].tail()}"
            raise KafkaDidNotStart(message)

    def create_topic(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None, replication: int | None = None
    ) -> str:
        """Create a topic, wait until every partition has a leader, and return its name."""
        admin = admin_client(self.bootstrap_servers)
        topic = NewTopic(name, partitions, replication or min(3, len(self.nodes)), config=dict(config or {}))
        admin.create_topics([topic], operation_timeout=60)[name].result(60)

        def led() -> bool:
            described = admin.list_topics(name, timeout=5).topics[name].partitions
            return len(described) == partitions and all(p.leader >= 0 for p in described.values())

        assert eventually(led, 60), f"topic {name} has partitions without a leader"
        return name

    def delete_topic(self, name: str) -> None:
        """Delete a topic, and wait until no broker knows it."""
        admin = admin_client(self.bootstrap_servers)
        admin.delete_topics([name], operation_timeout=60)[name].result(60)
        assert eventually(lambda: name not in admin.list_topics(timeout=5).topics, 60), f"topic {name} stays"

    def close(self) -> None:
        """End every node and remove the folder; may be called twice."""
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One node, shared by the whole run: each test creates its own topics and groups."""
    with Kafka(kafka_home()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[Kafka]:
    """Three nodes, shared by the whole run; a test that ends a node restarts it."""
    with Kafka(kafka_home(), nodes=3) as cluster:
        yield cluster


@pytest.fixture
def breakable_cluster(kafka_cluster: Kafka) -> Iterator[Kafka]:
    """The same three nodes, for a test that ends some of them: they are all up again when it is over."""
    yield kafka_cluster
    for node in kafka_cluster.nodes:
        if not node.running:
            node.start()
    kafka_cluster.wait_until_up()


def eventually(condition: Callable[[], object], seconds: float = 60.0, interval: float = 0.05) -> bool:
    """Whether the condition became true within this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True


def admin_client(bootstrap_servers: str) -> AdminClient:
    """A silent admin client, connected to every broker from the beginning.

    With connections on demand, a request for a broker that is down keeps librdkafka's threads busy until it times out.
    """
    return AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, "enable.sparse.connections": False})


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 on which nothing listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
