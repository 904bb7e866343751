"""The worker as its users run it: in its own process, observed through its metrics, its log and its CPU time."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection
from subprocess import TimeoutExpired
from types import TracebackType
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import cpu_seconds
from testkit.child_process import Child
from testkit.kafka import Kafka, free_ports
from testkit.stream import Topics
from testkit.workers import environment_of

START_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_SCRAPE_SECONDS = 30.0
_LOG_TAIL = 2000


class LogLine(NamedTuple):
    """One line of a worker's log.

    Attributes:
        at: Seconds since the epoch.
        event: What happened.
        fields: All that the line says.
    """

    at: float
    event: str
    fields: Mapping[str, Any]


class MeasuredProcess(Child):
    """A program under measurement: the benchmark ends with an error if the program fails or ends on its own."""

    def check(self) -> None:
        """End the benchmark, with the end of the program's output, if the program has ended on its own."""
        if self.process.poll() is not None:
            self._fail("ended on its own")

    def stop(self) -> None:
        """Ask the program to stop; end the benchmark if its exit code is not 0."""
        try:
            self.terminate()
        except TimeoutExpired:
            self.kill()
        if self.process.returncode != 0:
            self._fail("was asked to stop and ended")

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        return cpu_seconds(self.process.pid)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.stop()
        finally:
            super().__exit__(kind, None, trace)

    def _fail(self, how: str) -> None:
        sys.exit(f"{self.process.args!r} {how} with exit code {self.process.returncode}:\n{self.log[-_LOG_TAIL:]}")


class LiveWorker(MeasuredProcess):
    """`python -m worker run` with its HTTP server; by default with the embedded model.

    Args:
        kafka: The broker.
        topics: The topics it reads and writes, and its group.
        settings: Further settings by dotted name.
        keep: Prefixes of settings' variables that it takes from this process's environment.
    """

    def __init__(
        self,
        kafka: Kafka,
        topics: Topics,
        settings: Mapping[str, object] | None = None,
        *,
        keep: Sequence[str] = (),
    ) -> None:
        (self._port,) = free_ports(1)
        everything = {
            "kafka.bootstrap_servers": kafka.bootstrap_servers,
            "http.host": "127.0.0.1",
            "http.port": self._port,
            "log.format": "json",
            **topics.settings,
            **(settings or {}),
        }
        super().__init__([sys.executable, "-m", "worker", "run"], environment_of(everything, keep=keep))

    @property
    def address(self) -> str:
        """Its HTTP server."""
        return f"http://127.0.0.1:{self._port}"

    def totals(self) -> dict[str, float]:
        """Every sample of /metrics, summed over its labels; all 0 before the worker listens."""
        sums: defaultdict[str, float] = defaultdict(float)
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_SCRAPE_SECONDS)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        except ConnectionRefusedError:
            return sums
        finally:
            connection.close()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] += sample.value
        return sums

    def log_lines(self) -> list[LogLine]:
        """What the worker has logged so far."""
        lines = []
        for line in self.log.splitlines():
            try:
                fields = json.loads(line)
                at = datetime.fromisoformat(fields["timestamp"]).timestamp()
                lines.append(LogLine(at, fields["event"], fields))
            except (ValueError, KeyError, TypeError):
                continue  # not a log line of the worker: a library wrote to stderr on its own
        return lines


def wait_until_shared(workers: Sequence[LiveWorker], partitions: int) -> None:
    """Wait until every worker holds an equal share of the partitions; the benchmark ends if that takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        for worker in workers:
            worker.check()
        held = [int(worker.totals()["sluice_assigned_partitions"]) for worker in workers]
        if held == [partitions // len(workers)] * len(workers):
            return
        if time.monotonic() > deadline:
            sys.exit(f"{len(workers)} workers did not share {partitions} partitions in {START_SECONDS:g} s: {held}")
        time.sleep(_LOOK_SECONDS)
