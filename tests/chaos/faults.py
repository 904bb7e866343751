"""Makes the planned faults happen: broker after broker in one lane, workers in two more."""

import asyncio
import signal
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from testkit.kafka import Kafka
from testkit.kafka_node import Node
from testkit.workers import WorkerProcess
from tests.chaos.fleet import Fleet
from tests.chaos.plan import Fault, PlannedFault

_LOOK_SECONDS = 0.1
_HEAL_SECONDS = 180.0
_WORKER_LANES = 2


class ClusterDidNotHeal(Exception):
    """A broker that was brought back did not catch up with the others."""


class StreamEnded(Exception):
    """The fault came too late to meet a worker at work; it did not happen."""


class Saboteur:
    """Runs the plan beside the stream, on the event loop of the thread that starts every process.

    Args:
        kafka: The brokers.
        fleet: The workers.
        topics: Whose replicas must all be in sync before the next broker goes: of three, only one may be away.
        plan: What to do.
        progress: Share of the run that is done, in [0, 1].

    Attributes:
        done: How many faults of each kind happened.
        latest: The fault that began last.
    """

    def __init__(
        self,
        kafka: Kafka,
        fleet: Fleet,
        topics: Sequence[str],
        plan: Sequence[PlannedFault],
        progress: Callable[[], float],
    ) -> None:
        self._kafka = kafka
        self._fleet = fleet
        self._topics = topics
        self._progress = progress
        self._admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
        self._brokers = deque(fault for fault in plan if fault.fault.hits_a_broker)
        self._workers = deque(fault for fault in plan if not fault.fault.hits_a_broker)
        self._ending = False
        self.done: Counter[Fault] = Counter()
        self.latest: Fault | None = None

    @property
    def next_at(self) -> float:
        """Progress at which the next fault is due; the stream may wait for it, so that all of them meet a stream."""
        return min((faults[0].at for faults in (self._brokers, self._workers) if faults), default=1.0)

    async def run(self) -> None:
        """Until the plan is done or `end` was called; what is broken has been mended."""
        lanes = [self._lane(self._brokers), *(self._lane(self._workers) for _ in range(_WORKER_LANES))]
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(lane)

    def end(self) -> None:
        """Begin no more faults."""
        self._ending = True

    async def _lane(self, faults: deque[PlannedFault]) -> None:
        while faults and not self._ending:
            if self._progress() < faults[0].at:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            fault = faults.popleft()
            self.latest = fault.fault
            with suppress(StreamEnded):
                await self._happen(fault)
                self.done[fault.fault] += 1

    async def _happen(self, planned: PlannedFault) -> None:
        fleet, (_, fault, target, seconds) = self._fleet, planned
        match fault:
            case Fault.JOIN_WORKER:
                fleet.size += 1
                await asyncio.sleep(seconds)
                fleet.size -= 1
                fleet.stop(await self._worker(target))
            case Fault.LEAVE_WORKER:
                worker = await self._worker(target)
                fleet.size -= 1
                fleet.stop(worker)
                await asyncio.sleep(seconds)
                fleet.size += 1
            case Fault.KILL_WORKER:
                fleet.kill(await self._worker(target))
            case Fault.STOP_WORKER:
                fleet.stop(await self._worker(target))
            case Fault.FREEZE_WORKER:
                worker = await self._worker(target)
                fleet.freeze(worker)
                await asyncio.sleep(seconds)
                fleet.thaw(worker)
            case _:
                await self._break(self._kafka.nodes[target % len(self._kafka.nodes)], fault, seconds)

    async def _worker(self, target: int) -> WorkerProcess:
        """The one the plan means; waits while every worker is in the hands of a fault or on its way.

        Raises:
            StreamEnded: None works any more, for there is nothing left to do.
        """
        while (worker := self._fleet.choose(target)) is None:
            if self._ending:
                raise StreamEnded
            await asyncio.sleep(_LOOK_SECONDS)
        return worker

    async def _break(self, node: Node, fault: Fault, seconds: float) -> None:
        match fault:
            case Fault.CUT_BROKER:
                node.pause()
                await asyncio.sleep(seconds)
                node.resume()
            case Fault.KILL_BROKER:
                node.send_signal(signal.SIGKILL)
                await self._until(lambda: not node.running)
                await asyncio.sleep(seconds)
                node.start()
            case _:
                node.send_signal(signal.SIGTERM)
                await self._until(lambda: not node.running)
                await asyncio.sleep(seconds)
                node.start()
        await self._heal(node)

    async def _heal(self, node: Node) -> None:
        """Wait until every replica of the topics is in sync again."""
        deadline = asyncio.get_running_loop().time() + _HEAL_SECONDS
        while not await asyncio.to_thread(self._is_whole):
            if asyncio.get_running_loop().time() > deadline:
                message = f"node {node.number} did not catch up within {_HEAL_SECONDS:g} s:\n{node.tail()}"
                raise ClusterDidNotHeal(message)
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_whole(self) -> bool:
        try:
            known = self._admin.list_topics(timeout=5)
        except KafkaException:
            return False
        partitions = [p for topic in self._topics for p in known.topics[topic].partitions.values()]
        return len(known.brokers) == len(self._kafka.nodes) and all(
            p.leader >= 0 and len(p.isrs) == len(p.replicas) for p in partitions
        )

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(_LOOK_SECONDS)
