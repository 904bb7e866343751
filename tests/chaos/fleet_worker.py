"""One worker of the fleet: a process, its port of metrics, what it counted last and what it logged."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from testkit.child_process import ROOT, Child
from testkit.kafka import free_ports
from testkit.workers import environment_of
from tests.chaos.variants import Variant
from tests.chaos.worker_logs import Move, moves_in
from tests.chaos.worker_metrics import Counts, scrape
from tests.chaos.worker_program import WORKS


class Program(NamedTuple):
    """What a worker's process runs.

    Attributes:
        module: Run with `python -m`.
        arguments: Its arguments.
        works: Words in its log from when it does its work.
    """

    module: str
    arguments: tuple[str, ...]
    works: str


KEYWORDS = Program("tests.chaos.worker_program", (), WORKS)
"""Takes no core from the cluster, so that many events meet many faults."""


class AllowedEnd(NamedTuple):
    """How a worker may end by itself under a fault: with this exit code, and these words in its log."""

    exit_code: int
    words: str


class Role(NamedTuple):
    """How a worker differs from the others.

    Attributes:
        variant: What it scores with.
        environment: What makes its clock wrong.
        allowed: How it may end by itself.
    """

    variant: Variant = Variant.USUAL
    environment: Mapping[str, str] = {}
    allowed: tuple[AllowedEnd, ...] = ()


class FleetWorker(Child):
    """A worker process.

    Args:
        name: The instance that its dead letters name.
        servers: Addresses of the cluster.
        settings: By dotted name.
        role: How it differs from the others.
        program: What it runs.

    Attributes:
        role: How it differs from the others.
        name: The instance that its dead letters name.
        counts: Its counters when it answered last.
        moves: The moved positions it has logged.
        counted_all: Whether `counts` were read when it had nothing left to do.
    """

    def __init__(
        self, name: str, servers: str, settings: Mapping[str, object], role: Role, program: Program = KEYWORDS
    ) -> None:
        self.name = name
        self.role = role
        self.counts: Counts = Counter()
        self.moves: list[Move] = []
        self.counted_all = False
        (self._port,) = free_ports(1)
        self._read = 0
        self._works = False
        environment = environment_of(
            {"kafka.bootstrap_servers": servers, "log.format": "json", "http.host": "127.0.0.1", **settings}
            | {"http.port": self._port}
        )
        own = {"PYTHONPATH": str(ROOT), "VARIANT": str(int(role.variant)), "INSTANCE": name, **role.environment}
        self._program = program
        super().__init__([sys.executable, "-m", program.module, *program.arguments], environment | own)

    @property
    def works(self) -> bool:
        """It has joined and scored: a fault that meets an interpreter's start says nothing."""
        self._works = self._works or self._program.works in self.log
        return self._works

    def scrape(self) -> bool:
        """Ask for its counters; whether it answered. Never raises."""
        found = scrape(self._port)
        if found is not None:
            self.counts = found
        return found is not None

    def new_moves(self) -> list[Move]:
        """The moved positions it has logged since the last call."""
        descriptor = self._log.fileno()
        text = os.pread(descriptor, os.fstat(descriptor).st_size - self._read, self._read)
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        found = list(moves_in(whole.decode(errors="replace").splitlines()))
        self.moves += found
        return found
