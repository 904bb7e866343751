"""The workers, and a supervisor that starts again what has ended, as Kubernetes would."""

import asyncio
import json
import signal
import time
from collections import Counter, deque
from typing import NamedTuple

from testkit.stream import Topics
from tests.chaos.cluster import Cluster
from tests.chaos.fleet_worker import KEYWORDS, AllowedEnd, FleetWorker, Program, Role
from tests.chaos.worker_logs import Move
from tests.chaos.worker_metrics import Counts

_LOG_TAIL = 3000
_BACKOFF_SECONDS = 1.0
# Killed, stopped, stopped with something left at the drain's deadline, stopped before the interpreter could listen.
_ASKED_FOR = (-signal.SIGKILL, 0, 4, -signal.SIGTERM)

IN_FLIGHT_RECORDS = 1000
BATCH_RECORDS = 200

WORKER_SETTINGS: dict[str, object] = {
    "batch.max_records": BATCH_RECORDS,
    "delivery.max_in_flight_records": IN_FLIGHT_RECORDS,
    "delivery.revoke_seconds": 2,
    "delivery.drain_seconds": 12,
    "delivery.timeout_seconds": 180,
    "delivery.transaction_timeout_seconds": 10,
    "log.level": "info",
}
"""Short deadlines, so that a freeze of seconds outlasts them; patience with brokers, which are away often and long."""

# Requests below the output topic's limit, so that only what is too large alone is refused.
_PRODUCER_PROPERTIES = {"batch.size": 32_768}
_MEMBERSHIP_LOST = AllowedEnd(1, "Broker: Invalid request: ConsumerGroupHeartbeat fatal error")
"""How a worker may end that was frozen past its poll interval, if its coordinator dies meanwhile: a fault of the client
library with KIP-848 (librdkafka#5541). The comments it held are judged like all others."""
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
    """Keeps so many workers running; closing it kills what is left.

    Attributes:
        workers: Those that run, frozen ones included.
        ended: Those that have ended; their counters are as they were last scraped.
        size: How many there should be.
        disturbed: Those that a fault has in its hands at the moment.
        away: Whether a fault wants none to be started for now.
        roles: What the next ones to be started are; the others are as usual.
        allowed: How workers may end by themselves while a fault lasts.
        exits: How often a worker ended with each exit code, asked to or not (-9: killed).
        unexpected: Those that ended by themselves, or otherwise than they were asked to.
        explained: How often one ended as it was allowed to.
    """

    def __init__(
        self,
        cluster: Cluster,
        topics: Topics,
        settings: dict[str, object],
        protocol: str,
        size: int,
        program: Program = KEYWORDS,
    ) -> None:
        self._program = program
        self._servers = cluster.worker_servers
        properties = cluster.worker_properties | _PRODUCER_PROPERTIES | _SESSION_PROPERTIES[protocol]
        self._settings = {
            **WORKER_SETTINGS,
            **topics.settings,
            "kafka.properties": json.dumps(properties),
            "kafka.group_protocol": protocol,
            **settings,
        }
        self.size = size
        self.workers: list[FleetWorker] = []
        self.ended: list[FleetWorker] = []
        self.disturbed: set[int] = set()
        self.away = False
        self.roles: deque[Role] = deque()
        self.allowed: list[AllowedEnd] = []
        self.exits: Counter[int] = Counter()
        self.unexpected: list[UnexpectedEnd] = []
        self.explained: Counter[str] = Counter()
        self._asked: set[int] = set()
        self._frozen: set[int] = set()
        self._started = 0
        self._start_at = 0.0

    @property
    def everyone(self) -> list[FleetWorker]:
        """All that ever ran."""
        return [*self.ended, *self.workers]

    @property
    def counts(self) -> list[Counts]:
        """The counters of all that ever ran, as they were last scraped."""
        return [worker.counts for worker in self.everyone]

    def supervise(self) -> None:
        """Note who has ended, and start as many as are missing."""
        for worker in list(self.workers):
            code = worker.process.poll()
            if code is not None:
                self._note_end(worker, code)
        if self.away or time.monotonic() < self._start_at:
            return
        while len([w for w in self.workers if w.process.pid not in self._asked]) < self.size:
            self._started += 1
            role = self.roles.popleft() if self.roles else Role()
            self.workers.append(
                FleetWorker(f"worker-{self._started}", self._servers, self._settings, role, self._program)
            )

    def choose(self, target: int) -> FleetWorker | None:
        """The worker of this number among those that do their work and that no fault has in its hands."""
        free = self.free
        return free[target % len(free)] if free else None

    @property
    def free(self) -> list[FleetWorker]:
        """Those that do their work and that no fault has in its hands."""
        return [w for w in self.workers if w.process.pid not in self._asked | self.disturbed and w.works]

    async def kill(self, worker: FleetWorker) -> None:
        """SIGKILL, right after its counters are read: those that it would lose."""
        self._asked.add(worker.process.pid)
        await asyncio.to_thread(worker.scrape)
        worker.process.kill()

    async def stop(self, worker: FleetWorker) -> None:
        """SIGTERM: drain, commit, leave."""
        self._asked.add(worker.process.pid)
        await asyncio.to_thread(worker.scrape)
        worker.process.terminate()

    def freeze(self, worker: FleetWorker) -> None:
        """SIGSTOP: it holds what it holds, and does nothing."""
        self.disturbed.add(worker.process.pid)
        self._frozen.add(worker.process.pid)
        worker.process.send_signal(signal.SIGSTOP)

    def thaw(self, worker: FleetWorker) -> None:
        """SIGCONT: it resumes as if nothing had been."""
        self.disturbed.discard(worker.process.pid)
        worker.process.send_signal(signal.SIGCONT)

    async def scrape(self) -> None:
        """Read the counters of all that run."""
        workers = [w for w in self.workers if w.process.pid not in self.disturbed]
        await asyncio.gather(*(asyncio.to_thread(worker.scrape) for worker in workers))

    def new_moves(self) -> list[Move]:
        """The moved positions that workers have logged since the last call."""
        return [move for worker in self.everyone for move in worker.new_moves()]

    async def stop_all(self) -> None:
        """SIGTERM to everyone, when nothing is left to do; `supervise` notes their ends and starts no more."""
        self.size = 0
        for worker in list(self.workers):
            if worker.process.pid not in self._asked:
                self._asked.add(worker.process.pid)
                worker.counted_all = await asyncio.to_thread(worker.scrape)
                worker.process.terminate()

    def close(self) -> None:
        """Kill what is left."""
        for worker in self.everyone:
            worker.__exit__(None, None, None)

    def _note_end(self, worker: FleetWorker, code: int) -> None:
        pid = worker.process.pid
        asked = pid in self._asked
        self._asked.discard(pid)
        self.workers.remove(worker)
        self.ended.append(worker)
        self.exits[code] += 1
        if asked and code in _ASKED_FOR:
            return
        self._start_at = time.monotonic() + _BACKOFF_SECONDS
        log = worker.log
        ends = [*self.allowed, *worker.role.allowed, *([_MEMBERSHIP_LOST] if pid in self._frozen else [])]
        allowed = next((end for end in ends if end.exit_code == code and end.words in log), None)
        if allowed is not None:
            self.explained[f"exit {code}: {allowed.words}"] += 1
        else:
            self.unexpected.append(UnexpectedEnd(asked, code, log[-_LOG_TAIL:]))
