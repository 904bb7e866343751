"""`python -m tests.chaos.audit --data FILE`: what workers with the real model publish under faults is audited.

Prints the audit's counts; exits with 8 when an event differs from what the model says of its text.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from testkit.child_process import ROOT, Child
from testkit.kafka import kafka_home
from testkit.stream import Topics
from testkit.workers import environment_of
from tests.chaos.broker_faults import BrokerFaults
from tests.chaos.cluster import Cluster
from tests.chaos.fleet import Fleet
from tests.chaos.fleet_worker import Program
from tests.chaos.injector import FaultInjector
from tests.chaos.plan import KINDS, make_plan
from tests.chaos.worker_faults import WorkerFaults
from worker.comments.reading import read_comments

MODEL = Program("worker", ("run",), '"event": "partitions assigned"')
"""`sluice run` with the model that it embeds."""

_BATCHES: dict[str, object] = {"batch.max_records": 20}
"""Some seconds' work at most, of three workers on two cores: less than a rebalance waits."""
_LOOK_SECONDS = 0.5


class ModelRun:
    """Lets workers label comments while faults happen to them and to the brokers.

    Args:
        cluster: Three brokers, all up.
        guarantee: `delivery.guarantee`.
        faults: How many, spread over the stream.
        seed: Of the faults.

    Attributes:
        topics: What the workers read and write.
        injector: What has happened to them.
    """

    def __init__(self, cluster: Cluster, guarantee: str, faults: int, seed: int) -> None:
        self.topics = Topics(cluster.kafka)
        self._sent = 0
        self._committed = 0
        settings = {"delivery.guarantee": guarantee, **_BATCHES}
        self._fleet = Fleet(cluster, self.topics, settings, "consumer", size=2, program=MODEL)
        handlers = {
            **WorkerFaults(self._fleet, _no_error, None, lambda: self.injector.ending).handlers,
            **BrokerFaults(cluster, [self.topics.input, self.topics.output, self.topics.dead_letters]).handlers,
        }
        self.injector = FaultInjector(make_plan(seed, faults, KINDS["classic"]), handlers, self._progress)

    async def label(self, comments: list[bytes]) -> None:
        """Return when all of them are committed and every fault is undone."""
        self._sent = self.topics.fill(comments)
        faults = asyncio.create_task(self.injector.run())
        try:
            while self._committed < self._sent or not faults.done():
                self._fleet.supervise()
                committed = await asyncio.to_thread(_unless_away, self.topics.committed)
                self._committed = max(self._committed, sum(committed.values()))
                if self._committed == self._sent:
                    self.injector.end()
                await asyncio.sleep(_LOOK_SECONDS)
            await faults
            await self._fleet.stop_all()
            while self._fleet.workers:
                self._fleet.supervise()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            faults.cancel()
            self._fleet.close()
        assert not self._fleet.unexpected, self._fleet.unexpected[0]

    def _progress(self) -> float:
        return self._committed / self._sent if self._committed else 0.0


def audit(cluster: Cluster, topics: Topics) -> tuple[int, dict[str, Any]]:
    """Run `sluice audit` on the output topic.

    Returns:
        Its exit code and its counts.
    """
    settings = {**topics.settings, "kafka.bootstrap_servers": cluster.kafka.bootstrap_servers}
    environment = environment_of(settings) | {"PYTHONPATH": str(ROOT)}
    with Child([sys.executable, "-m", "worker", "audit", "--json"], environment) as child:
        code = child.process.wait()
        printed = child.log.splitlines()
    return code, next((json.loads(line)["summary"] for line in printed if line.startswith('{"summary"')), {})


def _no_error(error: bytes) -> None:
    message = f"no fault of these kinds makes dead letters possible: {error!r}"
    raise AssertionError(message)


def _unless_away(ask: Callable[[], Mapping[int, int]]) -> Mapping[int, int]:
    """The answer; nothing while a coordinator is being elected."""
    try:
        return ask()
    except (KafkaException, AssertionError):
        return {}


def main() -> int:
    """Label, audit, print the counts; the exit code is the audit's."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.audit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="comments to read, as `sluice classify` reads them")
    parser.add_argument("--comments", type=int, default=10_000)
    parser.add_argument("--guarantee", choices=["at-least-once", "exactly-once"], default="at-least-once")
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    texts = (comment.text for comment in read_comments(arguments.data))
    comments = [
        json.dumps({"id": f"c-{number}", "text": text}).encode()
        for number, text in enumerate(islice(texts, arguments.comments))
    ]
    with Cluster(kafka_home()) as cluster:
        run = ModelRun(cluster, arguments.guarantee, arguments.faults, arguments.seed)
        asyncio.run(run.label(comments))
        code, summary = audit(cluster, run.topics)
    faults = {str(fault): count for fault, count in run.injector.done.items()}
    print(json.dumps({"comments": len(comments), "faults": faults, "audit": summary}, indent=2))
    return code


if __name__ == "__main__":
    sys.exit(main())
