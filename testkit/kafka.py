"""A real Kafka for tests: one node or several, from the distribution named by `KAFKA_HOME`.

Each node is a KRaft broker and controller, on free ports, with its logs in a temporary folder. No node outlives the
test run: it is ended by `stop`, by `atexit`, or by the kernel (`PR_SET_PDEATHSIG`) if the run itself is killed.

For the fixtures, write `from testkit.kafka import kafka, kafka_cluster` in a `conftest.py`; tests that use them carry
the marker `kafka`. They skip with a message where `KAFKA_HOME` is not set.
"""

import atexit
import base64
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
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

START_SECONDS = 240.0
STOP_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


class KafkaDidNotStart(Exception):
    """A node ended or did not answer in time; the message contains the end of its log."""


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


class Node:
    """A broker and controller. `start`, `stop`, `kill`, `pause`, `resume` and `restart` may be called in any order."""

    def __init__(self, home: Path, folder: Path, number: int, port: int, properties: Mapping[str, str]) -> None:
        self.number = number
        self.address = f"127.0.0.1:{port}"
        self._home = home
        self._properties = folder / f"node-{number}.properties"
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        self._log = folder / f"node-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def format(self, cluster_id: str) -> None:
        """Prepare the log folder, once."""
        command = [str(self._home / "bin/kafka-storage.sh"), "format", "-t", cluster_id, "-c", str(self._properties)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if result.returncode != 0:
            message = f"kafka-storage.sh format failed: {result.stdout[-2000:]}{result.stderr[-2000:]}"
            raise KafkaDidNotStart(message)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running node; its start script replaces itself with it."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        assert not self.running
        environment = {"KAFKA_HEAP_OPTS": "-Xms128M -Xmx384M", **os.environ}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._home / "bin/kafka-server-start.sh", self._properties],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._properties.parent,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one async-signal-safe system call
            )

    def stop(self) -> None:
        """SIGTERM: the node hands over its leaderships first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as if the machine were lost."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers, as if the network were lost."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal without waiting for its effect."""
        assert self._process is not None
        self._process.send_signal(number)

    def tail(self) -> str:
        """The end of the node's log."""
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else ""

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        if number is not signal.SIGKILL:
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait(STOP_SECONDS)


class Kafka:
    """A cluster of `nodes` brokers; a context manager.

    Args:
        home: Folder of the distribution.
        nodes: 1, or 3 for replication factor 3 with two in-sync replicas required.
        properties: Further broker properties, for example `max.message.bytes`.
        secured: Each node also listens for SASL over TLS; `properties` give the keys and users.

    Attributes:
        bootstrap_servers: Addresses that accept every client.
        secured_servers: Addresses that require SASL over TLS; empty without `secured`.
    """

    def __init__(
        self, home: Path, nodes: int = 1, properties: Mapping[str, str] | None = None, *, secured: bool = False
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-kafka-"))
        ports = free_ports(3 * nodes)
        secured_ports = ports[2 * nodes :] if secured else []
        voters = ",".join(f"{n + 1}@127.0.0.1:{ports[nodes + n]}" for n in range(nodes))
        self.nodes = [
            Node(
                home,
                self._folder,
                n + 1,
                ports[n],
                _node_properties(self._folder, n + 1, ports[n], ports[nodes + n], voters, nodes)
                | (_secured_listeners(ports[n], ports[nodes + n], secured_ports[n]) if secured else {})
                | dict(properties or {}),
            )
            for n in range(nodes)
        ]
        self.bootstrap_servers = ",".join(node.address for node in self.nodes)
        self.secured_servers = ",".join(f"127.0.0.1:{port}" for port in secured_ports)
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
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})

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
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        topic = NewTopic(name, partitions, replication or min(3, len(self.nodes)), config=dict(config or {}))
        admin.create_topics([topic], operation_timeout=60)[name].result(60)

        def led() -> bool:
            described = admin.list_topics(name, timeout=5).topics[name].partitions
            return len(described) == partitions and all(p.leader >= 0 for p in described.values())

        assert eventually(led, 60), f"topic {name} has partitions without a leader"
        return name

    def close(self) -> None:
        """End every node and remove the folder; may be called twice."""
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
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


def eventually(condition: Callable[[], object], seconds: float = 60.0, interval: float = 0.05) -> bool:
    """Whether the condition became true within this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True


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


def die_with_parent() -> None:
    """Have the kernel kill this child when the thread that started it ends; for `preexec_fn`."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _node_properties(
    folder: Path, number: int, port: int, controller_port: int, voters: str, nodes: int
) -> dict[str, str]:
    replicas, in_sync = ("3", "2") if nodes >= 3 else ("1", "1")
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        "log.dirs": str(folder / f"node-{number}"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.session.timeout.ms": "10000",
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "6000",
        "broker.heartbeat.interval.ms": "1000",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    }


def _secured_listeners(port: int, controller_port: int, secured_port: int) -> dict[str, str]:
    brokers = f"PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secured_port}"
    return {
        "listeners": f"{brokers},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": brokers,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
    }
