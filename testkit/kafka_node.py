"""One node of a Kafka cluster: its process, and its properties."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from testkit.child_process import die_with_parent

START_SECONDS = 240.0
STOP_SECONDS = 30.0


class KafkaDidNotStart(Exception):
    """A node ended or did not answer in time; the message contains the end of its log."""


class Node:
    """A broker and controller. `start`, `stop`, `kill`, `pause`, `resume` and `restart` may be called in any order."""

    def __init__(
        self, home: Path, folder: Path, number: int, port: int, properties: Mapping[str, str], java_options: str = ""
    ) -> None:
        self.number = number
        self._java_options = java_options
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
        environment = {"KAFKA_HEAP_OPTS": "-Xms128M -Xmx384M", **os.environ, "KAFKA_OPTS": self._java_options}
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


def node_properties(
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


def secured_listeners(port: int, controller_port: int, secured_port: int, mutual_port: int) -> dict[str, str]:
    """Listeners for everybody, for SASL over TLS, and for clients with a certificate."""
    brokers = f"PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secured_port},MUTUAL://127.0.0.1:{mutual_port}"
    return {
        "listeners": f"{brokers},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": brokers,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT",
    }
