"""The workers, and a supervisor that starts again what has ended, as Kubernetes would."""

import json
import signal
from collections import Counter
from typing import NamedTuple

from testkit.kafka import Kafka
from testkit.stream import Topics
from testkit.workers import WorkerProcess

_LOG_TAIL = 3000
_SCORING = "scoring "
# Killed, stopped, stopped with something left at the drain's deadline, stopped before the interpreter could listen.
_ASKED_FOR = (-signal.SIGKILL, 0, 4, -signal.SIGTERM)

WORKER_SETTINGS: dict[str, object] = {
    "batch.max_records": 200,
    "delivery.max_in_flight_records": 1000,
    "delivery.revoke_seconds": 2,
    "delivery.drain_seconds": 12,
    "delivery.transaction_timeout_seconds": 10,
    "log.level": "info",
}
"""Short deadlines, so that a freeze of seconds outlasts them all."""

# Requests below the output topic's limit, so that only what is too large alone is refused.
_PRODUCER_PROPERTIES = {"batch.size": 32_768}
_SESSION_PROPERTIES = {
    "classic": {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000, "max.poll.interval.ms": 8000},
    "consumer": {"max.poll.interval.ms": 8000},
}


class UnexpectedEnd(NamedTuple):
    """A worker that ended by itself, or in another way than it was asked to."""

    asked: bool
    exit_code: int
    log_tail: str


class Fleet:
    """Keeps so many workers running; a context manager that kills what is left.

    Attributes:
        workers: Those that run, frozen ones included.
        size: How many there should be.
        disturbed: Those that a fault has in its hands at the moment.
        exits: How often a worker ended with each exit code, asked to or not (-9: killed).
        unexpected: Those that ended by themselves, or otherwise than they were asked to.
    """

    def __init__(self, kafka: Kafka, topics: Topics, settings: dict[str, object], protocol: str, size: int) -> None:
        self._servers = kafka.bootstrap_servers
        properties = json.dumps(_PRODUCER_PROPERTIES | _SESSION_PROPERTIES[protocol])
        self._settings = {
            **WORKER_SETTINGS,
            **topics.settings,
            "kafka.properties": properties,
            "kafka.group_protocol": protocol,
            **settings,
        }
        self.size = size
        self.workers: list[WorkerProcess] = []
        self.disturbed: set[int] = set()
        self.exits: Counter[int] = Counter()
        self.unexpected: list[UnexpectedEnd] = []
        self._asked: set[int] = set()
        self._working: set[int] = set()

    def supervise(self) -> None:
        """Note who has ended, and start as many as are missing."""
        for worker in list(self.workers):
            code = worker.process.poll()
            if code is None:
                continue
            self.workers.remove(worker)
            self.exits[code] += 1
            pid = worker.process.pid
            self._working.discard(pid)
            asked = pid in self._asked
            self._asked.discard(pid)
            if not asked or code not in _ASKED_FOR:
                self.unexpected.append(UnexpectedEnd(asked, code, worker.log[-_LOG_TAIL:]))
            worker.__exit__(None, None, None)
        while len([w for w in self.workers if w.process.pid not in self._asked]) < self.size:
            self.workers.append(WorkerProcess(self._servers, self._settings))

    def choose(self, target: int) -> WorkerProcess | None:
        """The worker of this number among those that do their work and that no fault has in its hands."""
        free = [w for w in self.workers if w.process.pid not in self._asked | self.disturbed and self._works(w)]
        return free[target % len(free)] if free else None

    def kill(self, worker: WorkerProcess) -> None:
        """SIGKILL."""
        self._asked.add(worker.process.pid)
        worker.process.kill()

    def stop(self, worker: WorkerProcess) -> None:
        """SIGTERM: drain, commit, leave."""
        self._asked.add(worker.process.pid)
        worker.process.terminate()

    def freeze(self, worker: WorkerProcess) -> None:
        """SIGSTOP: it holds what it holds, and does nothing."""
        self.disturbed.add(worker.process.pid)
        worker.process.send_signal(signal.SIGSTOP)

    def thaw(self, worker: WorkerProcess) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        self.disturbed.discard(worker.process.pid)
        worker.process.send_signal(signal.SIGCONT)

    def stop_all(self) -> None:
        """SIGTERM to everyone; `supervise` notes their ends and starts no more."""
        self.size = 0
        for worker in self.workers:
            if worker.process.pid not in self._asked:
                self.stop(worker)

    def _works(self, worker: WorkerProcess) -> bool:
        """It has joined and scored; a fault that meets an interpreter's start says nothing."""
        pid = worker.process.pid
        if pid not in self._working and _SCORING in worker.log:
            self._working.add(pid)
        return pid in self._working

    def close(self) -> None:
        """Kill what is left."""
        for worker in self.workers:
            worker.__exit__(None, None, None)
        self.workers.clear()
