"""The embedded broker: a Kafka cluster for the demo and for tests that needs no service and leaves nothing behind.

It is librdkafka's mock cluster in a child process (`worker.kafka.embedded.mock_cluster`): the real protocol over real
sockets. It is deliberately not for production: it keeps about 5 MiB per partition, in memory, drops older records, and
its transactions guarantee nothing. Clients recognise it by its cluster id, which starts with `CLUSTER_ID_PREFIX`.
"""

import json
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from worker.errors import Fatal
from worker.kafka.embedded import mock_cluster
from worker.settings import GroupProtocol

CLUSTER_ID_PREFIX = "mockCluster"
"""The beginning of every embedded cluster's id."""

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_SAID_BYTES = 2000

_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_INTERVAL_MS = 200


def embedded_properties(protocol: GroupProtocol) -> dict[str, Any]:
    """Properties (librdkafka's) of a group member that suit this broker; other values work, but make it slow."""
    properties: dict[str, Any] = {
        # New records do not wake a waiting fetch: a record is seen half of this later, on average.
        "fetch.wait.max.ms": 20,
    }
    if protocol is GroupProtocol.CLASSIC:
        # A rebalance takes the session timeout minus one second, whoever has rejoined. With KIP-848 the broker decides.
        properties |= {"session.timeout.ms": 3_000, "heartbeat.interval.ms": _HEARTBEAT_INTERVAL_MS}
    return properties


class EmbeddedBroker:
    """A running cluster, from construction to `close`; also a context manager.

    It always ends with this process, however this process ends: its standard input closes, and on Linux the kernel
    kills it when the *thread* that created it exits. So create it in a thread that lives on, such as the main one.

    Args:
        topics: Number of partitions of each topic. Topics can't be created later, except by naming them in a metadata
            request (4 partitions), as a producer does.
        brokers: Number of brokers.

    Raises:
        Fatal: It did not start.
    """

    def __init__(self, topics: Mapping[str, int], *, brokers: int = 1) -> None:
        wanted = {
            "brokers": brokers,
            "topics": dict(topics),
            "initial_rebalance_delay_ms": 100,
            "session_timeout_ms": _SESSION_TIMEOUT_MS,
            "heartbeat_interval_ms": _HEARTBEAT_INTERVAL_MS,
        }
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            # -P: don't search that module's folder for imports, because its neighbours share names with the standard
            # library.
            [sys.executable, "-P", mock_cluster.__file__, json.dumps(wanted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            process_group=0,  # Ctrl-C reaches the terminal's foreground group; the broker must outlive the worker
        )
        try:
            self.bootstrap_servers = self._answer()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the cluster."""
        return self._process.pid

    def check(self) -> None:
        """Raise if the cluster's process has ended by itself.

        Raises:
            Fatal: It has; the message holds its last output.
        """
        status = self._process.poll()
        if status is not None:
            message = f"the embedded broker ended by itself (status {status}){self._last_words()}; start again"
            raise Fatal(message)

    def close(self) -> None:
        """End the cluster; everything in it is gone. Safe to call twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> str:
        """The address that the child prints once it has started."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was opened as a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(_START_SECONDS):
                message = f"the embedded broker did not start within {_START_SECONDS:g} s{self._last_words()}"
                raise Fatal(message)
        line = output.readline()
        answer: dict[str, str] = json.loads(line) if line else {"error": f"it ended at once{self._last_words()}"}
        if "error" in answer:
            message = f"the embedded broker did not start: {answer['error']}"
            raise Fatal(message)
        return answer["bootstrap_servers"]

    def _last_words(self) -> str:
        """The end of the child's standard error, as the end of a sentence."""
        end = self._said.seek(0, 2)
        self._said.seek(max(0, end - _SAID_BYTES))
        said = self._said.read().decode(errors="replace").strip()
        return f": {said}" if said else ""
