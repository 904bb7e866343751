"""The worker as its users run it: a process of its own, watched through its metrics, its log and its CPU time."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

from testkit.kafka import Kafka, die_with_parent, free_ports
from testkit.stream import Topics

ROOT = Path(__file__).parents[1]
START_SECONDS = 180.0
END_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_SCRAPE_SECONDS = 30.0
_LOG_TAIL = 2000
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class LogLine(NamedTuple):
    """One line of a worker's log: seconds since the epoch, and what happened."""

    at: float
    event: str


class LiveWorker:
    """`python -m worker run` with the embedded model; a context manager that asks it to stop, or kills it on an error.

    Start it on the main thread: the kernel ends it with the thread that started it.

    Args:
        kafka: Its broker.
        topics: What it reads and writes, and its group.
        settings: Further settings by dotted name.
    """

    def __init__(self, kafka: Kafka, topics: Topics, settings: dict[str, object] | None = None) -> None:
        (self._port,) = free_ports(1)
        everything = {
            "kafka.bootstrap_servers": kafka.bootstrap_servers,
            "http.host": "127.0.0.1",
            "http.port": self._port,
            "log.format": "json",
            **topics.settings,
            **(settings or {}),
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
        environment |= {"SLUICE_" + name.replace(".", "__").upper(): str(value) for name, value in everything.items()}
        self._log = tempfile.TemporaryFile(mode="w+", encoding="utf-8")  # noqa: SIM115 - closed in `__exit__`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "worker", "run"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs Python code before exec
        )

    def check(self) -> None:
        """End the benchmark, with the end of the worker's log, if the worker has ended by itself."""
        if self._process.poll() is not None:
            sys.exit(
                f"a worker ended by itself with exit code {self._process.returncode}:\n{self._text()[-_LOG_TAIL:]}"
            )

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

    def cpu_seconds(self) -> float:
        """User and system time so far, all threads, from proc_pid_stat(5)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def log(self) -> list[LogLine]:
        """What the worker has logged so far."""
        lines = []
        for line in self._text().splitlines():
            try:
                fields = json.loads(line)
                lines.append(LogLine(datetime.fromisoformat(fields["timestamp"]).timestamp(), fields["event"]))
            except (ValueError, KeyError, TypeError):
                continue  # not the worker's own: a library that writes to stderr by itself
        return lines

    def _text(self) -> str:
        # Not through the shared file's own position: the worker's writes go on from there.
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._process.terminate()
        else:
            self._process.kill()
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        ending = self._text()[-_LOG_TAIL:]
        self._log.close()
        if kind is None and code != 0:
            sys.exit(f"a worker ended with exit code {code} when it was asked to stop:\n{ending}")


def wait_until_shared(workers: Sequence[LiveWorker], partitions: int) -> None:
    """Wait until every worker holds its equal share of so many partitions; the benchmark ends where that fails."""
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
