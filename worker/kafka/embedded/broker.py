"""The embedded broker: a Kafka cluster for the demo and for tests that needs no service and leaves nothing behind.

It is librdkafka's mock cluster in a child process (`worker.kafka.embedded.mock_cluster`): the real protocol over real
sockets. Not for production, on purpose: it keeps some 5 MiB a partition, in memory, drops what is older, and its
transactions promise nothing. A client knows it by its cluster id, which starts with `CLUSTER_ID_PREFIX`.
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
"""How the id of every embedded cluster begins."""

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_SAID_BYTES = 2000

_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_INTERVAL_MS = 200


def embedded_properties(protocol: GroupProtocol) -> dict[str, Any]:
    """Properties of a group member (librdkafka's) that suit this broker; others do no harm, they only make it slow."""
    properties: dict[str, Any] = {
        # New records do not wake a fetch that waits: a record is seen half of this later, on average.
        "fetch.wait.max.ms": 20,
    }
    if protocol is GroupProtocol.CLASSIC:
        # A rebalance lasts the session timeout less a second, whoever has rejoined. With KIP-848 the broker decides.
        properties |= {"session.timeout.ms": 3_000, "heartbeat.interval.ms": _HEARTBEAT_INTERVAL_MS}
    return properties


class EmbeddedBroker:
    """A running cluster, from construction to `close`; also as a context manager.

    It ends with this process for sure, however this ends: its standard input ends, and on Linux the kernel kills it
    when the *thread* that made it is gone. So make it in a thread that stays, such as the main one.

    Args:
        topics: Partitions of each topic. Topics can't be created later, except by naming them in a metadata request
            (4 partitions), which a producer does.
        brokers: How many brokers.

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
            # -P: the folder of that module must not be searched for imports, its neighbours have names of the standard
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
            Fatal: It has; the message holds its last words.
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
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> str:
        """What the child says after its start."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it is a pipe, as asked for
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
        """The end of what the child wrote to its standard error, as the end of a sentence."""
        end = self._said.seek(0, 2)
        self._said.seek(max(0, end - _SAID_BYTES))
        said = self._said.read().decode(errors="replace").strip()
        return f": {said}" if said else ""
